"""`ganzoo runs`."""

from __future__ import annotations

from collections import deque
from typing import Any

import click

import ganzoo
from ganzoo.cli.framework import Command
from ganzoo.cli.options import json_option
from ganzoo.cli.output import print_json, table
from ganzoo.errors import printable

STYLES = {"running": "green", "finished": "", "failed": "red"}


@click.command("runs", cls=Command, takes_plugins=False, examples=("ganzoo runs", "ganzoo runs experiments --json"))
@click.argument("folder", default="runs", metavar="[FOLDER]")
@json_option()
def runs(folder: str, as_json: bool) -> None:
    """List the runs in a folder.

    FOLDER and all folders below it are looked through; it is `runs` unless given.
    """
    rows = []
    for run in ganzoo.list_runs(folder, complain):
        try:
            rows.append(_row(run))
        except (
            LookupError,
            TypeError,
            AttributeError,
            ValueError,
            OSError,
        ) as error:
            complain(f"{run.path / 'run.json'} is damaged: it does not say all of the run ({error}).")
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo(f"There are no runs in {folder}; `ganzoo train dcgan anime` makes one.")
        return
    shown = table(("run", "architecture", "data", "images", "status"), (), right=("images",))
    for row in rows:
        data = row["data"] if row["label"] is None else f"{row['data']}, label {row['label']}"
        cells = (row["run"], row["architecture"], data, f"{row['images']:,}", row["status"])
        shown.add_row(*cells, style=STYLES.get(row["status"], "yellow"))
    shown.print()


def complain(problem: str) -> None:
    """Says what is wrong with a run, beside the table of the others."""
    click.echo(f"Warning: {printable(problem)}", err=True)


def _row(run: ganzoo.Run) -> dict[str, Any]:
    rows = deque(run.metrics(), maxlen=1)
    last = rows[0] if rows else {}
    return {
        "run": str(run.path),
        "architecture": run.header.architecture,
        "data": run.header.data.name,
        "label": run.header.data.label,
        "images": last.get("images", 0),
        "steps": last.get("step", 0),
        "status": run.status,
        "started": run.header.started,
    }
