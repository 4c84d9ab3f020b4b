"""`ganzoo list`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from ganzoo.catalogue.catalogue import Entry, catalogue, find
from ganzoo.cli.framework import Command
from ganzoo.cli.options import json_option
from ganzoo.cli.output import echo, print_json, say, table
from ganzoo.cli.plugin_status import STYLES, say_how_many_fail, say_left_out, say_trouble
from ganzoo.errors import GanzooError, UsageError, suggest

MEASURED = ("good_for", "smallest_data", "smallest_length", "best", "minutes", "measured")  # fields of the card
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
    "list",
    cls=Command,
    examples=(
        "ganzoo list",
        "ganzoo list --task translation --data s2w",
        "ganzoo list --data 300",
        "ganzoo list --losses",
    ),
)
@click.option("--task", metavar="TASK", help="Only those for a task: unconditional, conditional, translation.")
@click.option("--data", metavar="NAME|COUNT", help="Only those that this data set, or this many images, will do for.")
@_kind_flags
@json_option()
def list_zoo(task: str | None, data: str | None, kind: str | None, as_json: bool) -> None:
    """List the architectures of every installed plugin.

    Each stands with what it is good for. `items` is the smallest number of images (sounds, rows) it was seen to learn
    from; `best` is its best measured score, after `min` minutes of one CPU core unless its page names another machine.
    `ganzoo plugins` says which distribution each comes from, and which plugins do not work.
    """
    for flag, value in (("--task", task), ("--data", data)):
        if value and kind:
            raise UsageError(f"{flag} is for architectures; leave it out here.")
    kind = kind or "architecture"
    rows = _rows(kind)
    if task:
        known = TASKS.union(*(row["tasks"] for row in rows))
        if task not in known:
            raise UsageError(f"There is no task {task!r}; {suggest(task, known)}")
        rows = [row for row in rows if task in row["tasks"]]
    for_it = f" for {task}" if task else ""
    if data:
        rows = [row for row in rows if not _unfit(row, data)]
        for_it += f" that takes {data}{' items' if data.isdecimal() else ''}"
    broken = [] if task or data else _broken(kind)
    if as_json:
        print_json(rows + broken)
    elif kind == "architecture":
        _print_architectures(rows, for_it)
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
        own.update({name: getattr(card, name) for name in MEASURED})
    own["summary"] = card.summary
    ambiguous = f"{offers} plugins offer it; write {entry.full_name}" if offers > 1 else None
    return {
        **own, "distribution": entry.distribution, "version": entry.version,
        "status": "ambiguous" if ambiguous else "warning" if remark else "ok", "reason": ambiguous or remark,
    }  # fmt: skip


def _broken(kind: str) -> list[dict[str, Any]]:
    empty: dict[str, Any] = {}
    if kind == "architecture":
        empty = {"title": None, "year": None, "tasks": [], **dict.fromkeys(MEASURED)}
    return [
        {"name": plugin.name, **empty, "summary": None, "distribution": plugin.distribution,
         "version": plugin.version, "status": "broken", "reason": plugin.error}
        for plugin in catalogue().plugins
        if plugin.error
    ]  # fmt: skip


def _unfit(row: dict[str, Any], data: str) -> bool:
    """Whether an architecture's card says that it is not for a data set, or for so many items."""
    if data.isdecimal():
        return bool(row["smallest_data"] > int(data))
    from ganzoo.data import info

    chosen = info(data)
    tasks = {"translation"} if chosen.domains else {"unconditional", *(("conditional",) if chosen.classes else ())}
    if not tasks & {*row["tasks"]} or row["smallest_data"] > chosen.images:
        return True
    try:
        takes = find("architecture", f"{row['distribution']}:{row['name']}").load().modalities
    except GanzooError:  # `ganzoo plugins` says what is wrong with it
        return False
    return bool(takes) and chosen.modality not in takes


def _print_architectures(rows: list[dict[str, Any]], asked: str) -> None:
    if not rows:
        echo(f"No installed plugin has an architecture{asked}.")
    else:
        shown = table(("name", "year", "good for", "items", "best", "min"), (), right=("items", "min"), spare=("year",))
        for row in rows:
            figures = (f"{row[name]:,}" if row[name] else "" for name in ("smallest_data", "minutes"))
            least, minutes = figures
            cells = (row["name"], str(row["year"]), row["good_for"] or row["summary"], least, row["best"], minutes)
            shown.add_row(*cells, style=STYLES[row["status"]])
        shown.print()
    if any(row["smallest_data"] or row["minutes"] for row in rows):
        echo("items: how many are enough; best: a score, after min minutes of one core.")
    _print_ambiguous(rows)
    say_how_many_fail()
    say_left_out()
    if rows and not asked:
        echo(f"`ganzoo show {rows[0]['name']}` says more; `ganzoo train {rows[0]['name']} DATA` trains it.")


def _print_others(kind: str, rows: list[dict[str, Any]], broken: list[dict[str, Any]]) -> None:
    if not rows:
        echo(f"No installed plugin has a {kind}.")
    shown = table(("name", "from", "what it is"), ())
    for row in rows + broken:
        shown.add_row(row["name"], _origin(row), row["summary"] or "broken", style=STYLES[row["status"]])
    if rows or broken:
        shown.print()
    _print_ambiguous(rows)
    say_trouble()
    say_left_out()


def _print_ambiguous(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["status"] == "ambiguous":
            say(f"{row['name']} of {_origin(row)}: {row['reason']}.", STYLES["ambiguous"])


def _origin(row: dict[str, Any]) -> str:
    return f"{row['distribution']} {row['version']}"
