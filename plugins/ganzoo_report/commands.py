"""`ganzoo report`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click

from ganzoo.api import Report, Run, UsageError, printable, written


@click.command("report")
@click.argument("runs", nargs=-1, metavar="RUN…")
@click.option("-o", "--out", metavar="FILE", help="Where to write. [default: RUN/report.html; of several, report.html]")
@click.option("--full", is_flag=True, help="Every sheet and every row, of their own size, however large the file gets.")
def report(
    runs: tuple[str, ...], out: str | None, full: bool, progress: Callable[[], AbstractContextManager[Report]]
) -> None:
    """Make a page of a run, or of several side by side: one HTML file.

    The page needs no network, no server and no other file: send it, or open it from disk. One slider over the images
    seen moves every picture on it; its address keeps the view. It has 8 MB at most: up to 40 moments of the training,
    the first and the last among them, and it says what was left out; --full writes all.
    """
    from ganzoo_report.page import page  # now: it loads torch

    if not runs:
        raise UsageError("Say which run, such as: ganzoo report runs/dcgan-anime-1")
    opened = [Run.open(run) for run in runs]
    place = Path(out) if out else (opened[0].path if len(opened) == 1 else Path()) / "report.html"
    with progress() as said:
        text = page(opened, full, said)
    with written(place) as part:
        part.write_text(text, encoding="utf-8")
    click.echo(printable(str(place)))
