"""`ganzoo list`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from ganzoo.catalogue.catalogue import Entry, catalogue
from ganzoo.cli.framework import Command
from ganzoo.cli.options import json_option
from ganzoo.cli.output import print_json, say, table
from ganzoo.cli.plugin_status import STYLES, say_left_out, say_trouble
from ganzoo.errors import UsageError, suggest

TASKS = {"unconditional", "conditional", "translation"}
KINDS = {
    "losses": "loss",
    "penalties": "penalty",
    "augmentations": "augmentation",
    "metrics": "metric",
    "loggers": "logger",
    "recipes": "recipe",
}


def _kind_flags(command: Any) -> Any:
    for plural in reversed(KINDS):
        command = click.option(f"--{plural}", "kind", flag_value=KINDS[plural], help=f"List {plural} instead.")(command)
    return command


@click.command(
    "list", cls=Command, examples=("ganzoo list", "ganzoo list --task unconditional", "ganzoo list --losses")
)
@click.option("--task", metavar="TASK", help="Only those for a task: unconditional, conditional, translation.")
@_kind_flags
@json_option()
def list_zoo(task: str | None, kind: str | None, as_json: bool) -> None:
    """List the architectures of every installed plugin.

    Each stands with the distribution that it comes from. A plugin that does not work is listed too, in red, with the
    reason, and one that does what it should not in yellow.
    """
    if task and kind:
        raise UsageError("--task is for architectures; leave it out here.")
    kind = kind or "architecture"
    rows = _rows(kind)
    if task:
        known = TASKS.union(*(row["tasks"] for row in rows))
        if task not in known:
            raise UsageError(f"There is no task {task!r}; {suggest(task, known)}")
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
    remarks = {(plugin.distribution, plugin.name): plugin.reason for plugin in catalogue().plugins}
    return [_row(entry, count[entry.name], remarks[entry.distribution, entry.plugin]) for entry in entries]


def _row(entry: Entry, offers: int, remark: str | None) -> dict[str, Any]:
    card = entry.card
    own: dict[str, Any] = {"name": entry.name}
    if entry.kind == "architecture":
        own.update(title=card.title, year=card.year, tasks=sorted(card.tasks))
    own["summary"] = card.summary
    ambiguous = f"{offers} plugins offer it; write {entry.full_name}" if offers > 1 else None
    return {
        **own, "distribution": entry.distribution, "version": entry.version,
        "status": "ambiguous" if ambiguous else "warning" if remark else "ok", "reason": ambiguous or remark,
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
    shown = table(("name", "title", "year", "tasks", "from", "status"), ())
    for row in rows + broken:
        cells = (row["name"], row["title"], row["year"], ", ".join(row["tasks"]), _origin(row), row["status"])
        shown.add_row(*("" if cell is None else str(cell) for cell in cells), style=STYLES[row["status"]])
    if rows or broken:
        shown.print()
    _print_reasons(rows, every_plugin=not task)
    if rows and not task:
        click.echo(f"`ganzoo show {rows[0]['name']}` says more; `ganzoo train {rows[0]['name']} DATA` trains it.")


def _print_others(kind: str, rows: list[dict[str, Any]], broken: list[dict[str, Any]]) -> None:
    if not rows:
        click.echo(f"No installed plugin has a {kind}.")
    shown = table(("name", "from", "what it is"), ())
    for row in rows + broken:
        shown.add_row(row["name"], _origin(row), row["summary"] or "broken", style=STYLES[row["status"]])
    if rows or broken:
        shown.print()
    _print_reasons(rows, every_plugin=True)


def _print_reasons(rows: list[dict[str, Any]], every_plugin: bool) -> None:
    for row in rows:
        if row["status"] == "ambiguous":
            say(f"{row['name']} of {_origin(row)}: {row['reason']}.", STYLES["ambiguous"])
    if every_plugin:
        say_trouble()
    say_left_out()


def _origin(row: dict[str, Any]) -> str:
    return f"{row['distribution']} {row['version']}"
