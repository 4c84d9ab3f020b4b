"""`ganzoo animate`."""

from __future__ import annotations

import click

from ganzoo.api import printable


@click.command("animate")
@click.argument("run", metavar="RUN")
@click.option("-o", "--out", metavar="FILE", help="A .gif or .mp4. [default: samples/animation.gif in the run]")
@click.option("--rate", type=int, default=10, metavar="INT", help="Sheets a second, from 1 to 50. [default: 10]")
@click.option("--frames", type=int, metavar="INT", help="Take this many sheets at the most, evenly spread.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but the paths of what is written.")
def animate(run: str, out: str | None, rate: int, frames: int | None, quiet: bool) -> None:
    """Show a run's samples over time, as a movie.

    There is a sheet after every epoch, or as often as `ganzoo train --sample-every STEPS` says. Each is labelled with
    its epoch and step, and the last one stays for a moment. An .mp4 needs ffmpeg: pip install 'ganzoo[movie]'
    brings it.
    """
    from ganzoo_animate import animation

    file = animation.animate(run, out, rate=rate, frames=frames)
    click.echo(str(file) if quiet else printable(f"The movie is {file}"))
