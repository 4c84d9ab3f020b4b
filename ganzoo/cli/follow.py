"""What `train`, `resume` and `extend` share: the display, and what is said at the end or after Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ganzoo.cli.output import echo

if TYPE_CHECKING:
    from ganzoo.loop.display import Display
    from ganzoo.runs.per_class import PerClass
    from ganzoo.runs.run import Run
    from ganzoo.runs.sweep import Sweep


def follow(work: Callable[[Display], Run | PerClass | Sweep]) -> None:
    """Does a training with a progress display, and says how to go on."""
    from ganzoo.cli.compare import print_comparison
    from ganzoo.cli.progress import choose_display
    from ganzoo.runs.compare import compare
    from ganzoo.runs.run import Run
    from ganzoo.runs.sweep import Sweep
    from ganzoo.training.train import Stopped

    display = choose_display()
    try:
        run = work(display)
    except Stopped as stopped:
        display.close()
        say(str(stopped))
        raise click.exceptions.Exit(stopped.exit_code) from None
    finally:
        display.close()
    if isinstance(run, Sweep):
        print_comparison(compare(run.runs))
    else:
        say(_use(run) if isinstance(run, Run) else f"A row for each label: {run.sheet}")


def say(text: str) -> None:
    """One line, unless the terminal is gone, which is no reason to end with another exit code."""
    try:
        echo(text)
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (Python flushes it at its end)


def _use(run: Run) -> str:
    """What to type to use what was trained."""
    from ganzoo.runs.header import architecture_of

    if "translation" in architecture_of(run.header, str(run.path)).card.tasks:
        domains = run.header.data.domains
        to = f"--to {domains[-1]}" if domains else "--label LABEL"
        return f"Translate images: ganzoo translate {run.path} IMAGE {to}"
    return f"New images: ganzoo sample {run.path}"
