"""`ganzoo report` and `ganzoo watch`."""

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


@click.command("watch")
@click.argument("run", required=False, metavar="[RUN]")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="INT", help="The port. [default: 8731, or the next free one]"
)
@click.option(
    "--host", default="127.0.0.1", metavar="ADDRESS", help="Who may look. [default: 127.0.0.1, this machine alone]"
)
def watch(run: str | None, port: int | None, host: str) -> None:
    """Serve a run's page to your browser while it trains.

    It is the page of `ganzoo report`, which refreshes itself. RUN is the newest run below `runs` unless given. Nothing
    but this run's page is served, and to this machine alone unless --host says another of its addresses, such as
    0.0.0.0 for all networks that reach it; whoever reaches it then sees the page. Ctrl-C ends it.

    Of a machine that you use through ssh, type on your own: ssh -N -L 8731:127.0.0.1:8731 MACHINE, and open
    http://127.0.0.1:8731. In Colab, start it with `!ganzoo watch RUN &` and show it from Python with
    google.colab.output.serve_kernel_port_as_iframe(8731).
    """
    from ganzoo_report.watch import newest, serve

    serve(Run.open(run) if run else newest(), host, port, lambda text: click.echo(printable(text)))
