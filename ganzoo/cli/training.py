"""What `train`, `resume` and `extend` share: the display, and what is said at the end or after Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ganzoo.cli.framework import STOPPED
from ganzoo.hookspecs import hookimpl
from ganzoo.plugins import catalogue

if TYPE_CHECKING:
    from ganzoo.display import Display
    from ganzoo.runs import Run


NAME = "ganzoo.cli"  # under which the catalogue knows the witness


class Witness:
    """Hears which run began, so that a stopped one can be named."""

    run: Run | None = None

    @hookimpl
    def ganzoo_run_started(self, run: Run) -> None:
        self.run = run


def follow(work: Callable[[Display], Run], folder: str | None = None) -> None:
    """Does a training with a progress display, and says how to go on.

    Args:
        folder: the run's, where it is known beforehand.
    """
    from ganzoo.cli.progress import choose_display

    display, witness = choose_display(), Witness()
    catalogue().manager.register(witness, name=NAME)
    try:
        run = work(display)
    except KeyboardInterrupt:
        display.close()
        stopped = witness.run.path if witness.run else folder
        advice = f"Go on with: ganzoo resume {stopped}" if stopped else "`ganzoo runs` lists what can be resumed."
        click.echo(f"Stopped. {advice}")
        raise click.exceptions.Exit(STOPPED) from None
    finally:
        display.close()
        catalogue().manager.unregister(name=NAME)
    click.echo(f"New images: ganzoo sample {run.path}")
