"""One of the processes that train a run folder together, started by `ganzoo.loop.processes.launch`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from ganzoo.loop import processes
from ganzoo.loop.display import Display, Lines
from ganzoo.loop.interrupts import Interruptible
from ganzoo.runs.run import Run
from ganzoo.training.facts import plan_of
from ganzoo.training.prepare import prepare


def main(folder: Path, deadline: float, force: bool) -> None:
    """Trains with the others; the first one holds the run's lock."""
    leads = processes.env_rank() == 0
    display = Lines() if leads else Display()
    with Interruptible(display.say), processes.group():
        run = Run.open(folder)
        with run.locked(force) if leads else contextlib.nullcontext():
            prepare(plan_of(run), display).train(run, display, deadline)


if __name__ == "__main__":
    meeting, run, deadline, force = sys.argv[1:]
    processes.take_part(Path(meeting), lambda: main(Path(run), float(deadline), force == "1"))
