"""My command."""

from __future__ import annotations

import click
from ganzoo.api import Run, printable


@click.command()
@click.argument("run", metavar="RUN")
def my_command(run: str) -> None:
    """Say in a line what a run is.

    RUN is a run's folder. What is wrong with it, ganzoo says in one line.
    """
    found = Run.open(run)
    click.echo(printable(f"{found.name}: {found.header.architecture}, {found.status}"))
