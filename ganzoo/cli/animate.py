"""`ganzoo animate`."""

from __future__ import annotations

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import quiet_option
from ganzoo.cli.output import wrote


@click.command(
    "animate",
    cls=Command,
    examples=("ganzoo animate runs/gan-points-1", "ganzoo animate runs/dcgan-anime-1 --rate 4 -o faces.mp4"),
)
@click.argument("run", metavar="RUN")
@click.option("-o", "--out", metavar="FILE", help="A .gif or .mp4. [default: samples/animation.gif in the run]")
@click.option("--rate", type=int, default=10, metavar="INT", help="Sheets a second, from 1 to 50. [default: 10]")
@click.option("--frames", type=int, metavar="INT", help="Take so many sheets at the most, evenly spread.")
@quiet_option
def animate(run: str, out: str | None, rate: int, frames: int | None, quiet: bool) -> None:
    """Show a run's samples over time, as a movie.

    There is a sheet after every epoch, or as often as `ganzoo train --sample-every STEPS` says. Each is labelled with
    its epoch and step, and the last one stays for a moment. An .mp4 needs ffmpeg: pip install 'ganzoo[movie]'
    brings it.
    """
    import ganzoo

    wrote("The movie is", ganzoo.animate(run, out, rate=rate, frames=frames), quiet=quiet)
