"""`ganzoo list`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.screen import console, print_json, table
from ganzoo.errors import UsageError, nearest
from ganzoo.plugins import Entry, catalogue

TASKS = {"unconditional", "conditional", "translation"}
KINDS = {"losses": "loss", "penalties": "penalty", "metrics": "metric", "loggers": "logger", "recipes": "recipe"}


def _kind_flags(command: Any) -> Any:
    for plural in reversed(KINDS):
        command = click.option(f"--{plural}", "kind", flag_value=KINDS[plural], help=f"List {plural} instead.")(command)
    return command


@click.command(
    "list", cls=Command, examples=("ganzoo list", "ganzoo list --task unconditional", "ganzoo list --losses")
)
@click.option("--task", metavar="TASK", help="Only those for a task: unconditional, conditional, translation.")
@_kind_flags
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_zoo(task: str | None, kind: str | None, as_json: bool) -> None:
    """List the architectures of every installed plugin.

    Each stands with the distribution that it comes from. A plugin that does not work is listed too, with the reason.
    """
    if task and kind:
        raise UsageError("--task is for architectures; leave it out here.")
    kind = kind or "architecture"
    rows = _rows(kind)
    if task:
        known = TASKS.union(*(row["tasks"] for row in rows))
        if task not in known:
            raise UsageError(f"There is no task {task!r}; {nearest(task, known)}")
        rows = [row for row in rows if task in row["tasks"]]
    broken = [] if task else _broken(kind)
    if as_json:
        print_json(rows + broken)
    elif kind == "architecture":
        _print_architectures(rows, broken, task)
    else:
        _print_others(kind, rows, broken)


def _rows(kind: str) -> list[dict[str, Any]]:
    entries = catalogue().entries(kind)
    count = Counter(entry.name for entry in entries)
    return [_row(entry, count[entry.name]) for entry in entries]


def _row(entry: Entry, offers: int) -> dict[str, Any]:
    card = entry.card
    own: dict[str, Any] = {"name": entry.name}
    if entry.kind == "architecture":
        own.update(title=card.title, year=card.year, tasks=sorted(card.tasks))
    own["summary"] = card.summary
    reason = None if offers == 1 else f"{offers} plugins offer it; write {entry.full_name}"
    return {
        **own, "distribution": entry.distribution, "version": entry.version,
        "status": "ok" if reason is None else "ambiguous", "reason": reason,
    }  # fmt: skip


def _broken(kind: str) -> list[dict[str, Any]]:
    empty: dict[str, Any] = {"title": None, "year": None, "tasks": []} if kind == "architecture" else {}
    return [
        {"name": plugin.name, **empty, "summary": None, "distribution": plugin.distribution,
         "version": plugin.version, "status": "broken", "reason": plugin.error}
        for plugin in catalogue().plugins
        if plugin.error
    ]  # fmt: skip


def _print_architectures(rows: list[dict[str, Any]], broken: list[dict[str, Any]], task: str | None) -> None:
    if not rows:
        click.echo(f"No installed plugin has an architecture{f' for the task {task!r}' if task else ''}.")
    headings = ("name", "title", "year", "tasks", "from", "status")
    shown = table(
        headings,
        [(r["name"], r["title"], r["year"], ", ".join(r["tasks"]), _origin(r), r["status"]) for r in rows],
    )
    for row in broken:
        shown.add_row(row["name"], "", "", "", _origin(row), "broken", style="red")
    if rows or broken:
        console().print(shown)
    _print_reasons(rows + broken)
    if rows and not task:
        click.echo(f"`ganzoo show {rows[0]['name']}` says more; `ganzoo train {rows[0]['name']} DATA` trains it.")


def _print_others(kind: str, rows: list[dict[str, Any]], broken: list[dict[str, Any]]) -> None:
    if not rows:
        click.echo(f"No installed plugin has a {kind}.")
    shown = table(("name", "from", "what it is"), [(r["name"], _origin(r), r["summary"]) for r in rows])
    for row in broken:
        shown.add_row(row["name"], _origin(row), "broken", style="red")
    if rows or broken:
        console().print(shown)
    _print_reasons(rows + broken)


def _print_reasons(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["reason"]:
            what = "The plugin" if row["status"] == "broken" else ""
            console().print(f"{what} {row['name']} of {_origin(row)}: {row['reason']}.".strip(), style="red")


def _origin(row: dict[str, Any]) -> str:
    return f"{row['distribution']} {row['version']}"
