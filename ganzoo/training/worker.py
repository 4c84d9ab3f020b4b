"""One of the processes that `ganzoo.loop.processes.launch` starts: trains a run folder together with the others."""

from __future__ import annotations

import json
import os
import sys
import threading
from _thread import interrupt_main
from pathlib import Path

from ganzoo.errors import GanzooError
from ganzoo.loop import processes as parallel
from ganzoo.loop.display import Display, Lines
from ganzoo.loop.interrupts import Interruptible
from ganzoo.runs.run import Run
from ganzoo.training.facts import plan_of
from ganzoo.training.prepare import prepare


def main(folder: Path, meeting: Path) -> int:
    """Trains, and leaves what went wrong in the meeting place, for the process that started this one to say."""
    threading.Thread(target=_listen, daemon=True).start()
    display = Lines() if parallel.env_rank() == 0 else Display()
    try:
        with Interruptible(lambda text: None), parallel.group(meeting):
            run = Run.open(folder)
            prepare(plan_of(run), display).train(run, display)
    except KeyboardInterrupt:
        return 0  # stopped as asked; whoever asked says so
    except Exception as error:
        if os.environ.get("GANZOO_DEBUG", "0") not in ("", "0"):
            raise
        known = isinstance(error, GanzooError)
        text = str(error) if known else f"{type(error).__name__}: {' '.join(str(error).split())}"
        (meeting / f"error-{parallel.env_rank()}").write_text(json.dumps(text), encoding="utf-8")
        return 1
    return 0


def _listen() -> None:
    """Each line on standard input is a Ctrl-C; so is its end, when the process that started this one is gone."""
    for _ in sys.stdin:
        interrupt_main()
    interrupt_main()


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # all is saved; taking Python down under torch's own threads can abort (pytorch issue 38228)
