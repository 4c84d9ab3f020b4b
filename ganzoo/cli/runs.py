"""`ganzoo runs`."""

from __future__ import annotations

import csv
import io
from collections import deque
from pathlib import Path
from typing import Any

import click

import ganzoo
from ganzoo.catalogue.meant import RUN, instead
from ganzoo.cli.framework import Command
from ganzoo.cli.options import json_option
from ganzoo.cli.output import echo, print_json, table
from ganzoo.errors import UsageError, csv_cell, printable

STYLES = {"running": "green", "finished": "", "failed": "red"}


@click.command(
    "runs",
    cls=Command,
    takes_plugins=False,
    examples=("ganzoo runs", "ganzoo runs experiments --json", "ganzoo runs runs/dcgan-anime-1 --csv > log.csv"),
)
@click.argument("folder", default="runs", metavar="[FOLDER]")
@json_option()
@click.option("--csv", "as_csv", is_flag=True, help="Print the log of one run, its scores among it, as CSV.")
def runs(folder: str, as_json: bool, as_csv: bool) -> None:
    """List the runs in a folder.

    FOLDER and all folders below it are looked through; it is `runs` unless given. The score is the one that --keep-best
    names, else the first of the last evaluation; --json has them all.
    """
    if as_csv:
        echo(_log(folder))
        return
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
            complain(f"{run.path} cannot be listed: its log is damaged ({error}).")
    if not rows and not any(Path(folder).glob("*/run.json")) and (other := instead(RUN, folder)):
        raise UsageError(other)
    if folder != "runs" and not Path(folder).exists():
        raise UsageError(f"There is no folder {folder}; `ganzoo runs` lists the runs in runs.")
    if as_json:
        print_json(rows)
        return
    if not rows:
        echo(f"There are no runs in {folder}; `ganzoo train dcgan anime` makes one.")
        return
    headings = ("run", "architecture", "data", "size", "seed", "images", "minutes", "score", "status")
    shown = table(headings, (), right=("seed", "images", "minutes"), spare=("size", "minutes", "seed"))
    for row in rows:
        data = row["data"] if row["label"] is None else f"{row['data']}, label {row['label']}"
        minutes = "" if row["seconds"] is None else f"{row['seconds'] / 60:.1f}"
        size = "×".join(map(str, row["size"] or ()))
        score = "" if row["score"] is None else f"{row['score']} {row['scores'][row['score']]:.4g}"
        cells = (row["run"], row["architecture"], data, size, str(row["seed"]), f"{row['images']:,}", minutes, score)
        shown.add_row(*cells, row["status"], style=STYLES.get(row["status"], "yellow"))
    shown.print()


def complain(problem: str) -> None:
    """Says what is wrong with a run, beside the table of the others."""
    click.echo(f"Warning: {printable(problem)}", err=True)


def _log(folder: str) -> str:
    """metrics.jsonl of a run as CSV: a column for each value that any row has. Raises: UsageError when it is no run."""
    if not (Path(folder) / "run.json").exists():
        raise UsageError(f"--csv prints the log of one run, and {folder} is none; `ganzoo runs` lists those there are.")
    rows = list(ganzoo.Run.open(folder).metrics())
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(csv_cell, names))
    writer.writerows([csv_cell(row.get(name, "")) for name in names] for row in rows)
    return text.getvalue().rstrip("\n")


def _row(run: ganzoo.Run) -> dict[str, Any]:
    rows, evaluations = deque(run.metrics(), maxlen=1), deque(run.scores(), maxlen=1)
    last = rows[0] if rows else {}
    scores = {each["name"]: each["value"] for each in (evaluations[0]["metrics"] if evaluations else ())}
    kept = run.header.settings.keep_best
    return {
        "run": str(run.path),
        "architecture": run.header.architecture,
        "data": run.header.data.name,
        "label": run.header.data.label,
        "images": last.get("images", 0),
        "steps": last.get("step", 0),
        "seconds": last.get("seconds"),
        "seed": run.header.seed,
        "size": None if run.header.size is None else list(run.header.size),
        "scores": scores,
        "score": kept if kept in scores else next(iter(scores), None),
        "status": run.status,
        "started": run.header.started,
    }
