"""What `train`, `resume` and `extend` share: the display, and what is said at the end or after Ctrl-C."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.output import echo, table

if TYPE_CHECKING:
    from ganzoo.loop.display import Display
    from ganzoo.runs.run import Run


def follow(work: Callable[[Display], Any]) -> None:
    """Does a training with a progress display, and says how to go on, of what it gives, if anything."""
    import ganzoo
    from ganzoo.cli.progress import choose_display
    from ganzoo.loop.display import Display
    from ganzoo.loop.processes import env_rank
    from ganzoo.runs.per_class import PerClass
    from ganzoo.runs.run import Run
    from ganzoo.training.train import Stopped

    shows = env_rank() == 0  # of the processes that torchrun started, the first
    display = choose_display() if shows else Display()
    try:
        run = work(display)
    except Stopped as stopped:
        display.close()
        if shows:
            say(str(stopped))
        # torchrun would begin again at any code but 0.
        raise click.exceptions.Exit(0 if "TORCHELASTIC_RUN_ID" in os.environ else stopped.exit_code) from None
    finally:
        display.close()
    if not shows or run is None:
        return
    if isinstance(run, Run):
        say("\n".join(next_commands(run)))
    elif isinstance(run, PerClass):
        say(f"A row for each label: {run.sheet}")
    else:  # several runs, side by side
        compared = ganzoo.compare(run.runs)
        headings, rows = compared.table()
        table(headings, rows, right=headings[1:]).print()
        for note in compared.notes:
            say(note)


def say(text: str) -> None:
    """One line, unless the terminal is gone, which is no reason to end with another exit code."""
    try:
        echo(text)
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (Python flushes it at its end)


def next_commands(run: Run) -> list[str]:
    """Three commands that one may go on with, right for what the run's architecture does and its data is."""
    from ganzoo.catalogue.modalities import modality_class
    from ganzoo.runs.header import architecture_of

    card, data = architecture_of(run.header, str(run.path)).card, run.header.data
    last = run.header.stages[-1]
    kind = modality_class(data.modality)
    use = f"sample {{run}} -o samples{kind.writes[0]}" if kind.writes else "sample {run} --seed 1"
    look = "interpolate {run}" if data.modality == "image" else "animate {run}"
    if "translation" in card.tasks:
        goal = f"--to {shlex.quote(data.domains[-1])}" if data.domains else "--label LABEL"
        use, look = f"translate {{run}} IMAGE {goal}", "animate {run}"
    elif "conditional" in card.tasks and data.classes and run.header.config.get("conditional", True):
        look = f"sample {{run}} --label {shlex.quote(data.classes[0])}"
    folder = shlex.quote(str(run.path))
    more = f"extend {{run}} --{last.unit} {last.count}"
    return ["What you can do now:", *(f"  ganzoo {each.replace('{run}', folder)}" for each in (use, look, more))]
