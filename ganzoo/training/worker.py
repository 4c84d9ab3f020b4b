"""One of the processes that `ganzoo.loop.processes.launch` starts: trains a run folder together with the others."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from _thread import interrupt_main
from pathlib import Path

from torch.distributed.elastic.multiprocessing.errors import get_error_handler

from ganzoo.errors import GanzooError
from ganzoo.loop import processes as parallel
from ganzoo.loop.display import Display, Lines
from ganzoo.loop.interrupts import Interruptible
from ganzoo.runs.run import Run
from ganzoo.training.facts import plan_of
from ganzoo.training.prepare import prepare


def main(folder: Path, meeting: Path, deadline: float, force: bool) -> int:
    """Trains, and leaves what went wrong where the process that started this one finds it."""
    threading.Thread(target=_watch, args=(meeting, os.getppid()), daemon=True).start()
    leads, verdict = parallel.env_rank() == 0, meeting / parallel.VERDICT
    display = Lines() if leads else Display()
    try:
        if verdict.exists():  # brought back, to what would go wrong again
            return 1
        with Interruptible(display.say), parallel.group():
            run = Run.open(folder)
            with run.locked(force) if leads else contextlib.nullcontext():
                prepare(plan_of(run), display).train(run, display, deadline)
    except KeyboardInterrupt:
        return 0  # stopped as asked; whoever asked says so
    except Exception as error:
        if os.environ.get("GANZOO_DEBUG", "0") not in ("", "0"):
            raise
        if isinstance(error, GanzooError):
            verdict.write_text(str(error), encoding="utf-8")
        get_error_handler().record_exception(error)
        return 1
    return 0


def _watch(meeting: Path, parent: int) -> None:
    """When nobody waits for this process any more, that is a Ctrl-C."""
    while meeting.exists() and os.getppid() == parent:
        time.sleep(parallel.POLL)
    interrupt_main()


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "1")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # all is saved; taking Python down under torch's own threads can abort (pytorch issue 38228)
