"""What `train`, `resume` and `extend` share: the display, and what is said at the end or after Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ganzoo.cli.framework import STOPPED

if TYPE_CHECKING:
    from ganzoo.display import Display
    from ganzoo.perclass import PerClass
    from ganzoo.runs import Run


def follow(work: Callable[[Display], Run | PerClass]) -> None:
    """Does a training with a progress display, and says how to go on."""
    from ganzoo.cli.progress import choose_display
    from ganzoo.runs import Run
    from ganzoo.training import Stopped

    display = choose_display()
    try:
        run = work(display)
    except Stopped as stopped:
        display.close()
        click.echo(str(stopped))
        raise click.exceptions.Exit(STOPPED) from None
    finally:
        display.close()
    if isinstance(run, Run):
        click.echo(f"New images: ganzoo sample {run.path}")
    else:
        click.echo(f"A row for each label: {run.sheet}")
