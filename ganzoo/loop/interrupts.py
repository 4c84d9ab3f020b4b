"""What surrounds a training: Ctrl-C that saves, and errors of memory and disk that say what to do."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch

from ganzoo.contract.settings import Settings
from ganzoo.devices import out_of_memory
from ganzoo.errors import GanzooError, Interrupted
from ganzoo.files import cause
from ganzoo.runs.run import Run

CTRL_C, TIME = "Ctrl-C", "--max-time"  # reasons to stop; the others are signals' names


class Interruptible:
    """Turns the first Ctrl-C, a termination signal, a hangup or the end of the time into a wish, `asked`; a Ctrl-C
    after that is taken at once. What was ignored before, as nohup has a hangup, stays ignored.

    Within another one it is that other one. Outside the main thread, where Python allows no handlers, only time counts.

    Attributes:
        why: what asked, "Ctrl-C", "SIGTERM", "SIGHUP" or "--max-time"; None: nothing yet.
    """

    def __init__(self, say: Callable[[str], None], deadline: float = math.inf) -> None:
        """Args: deadline: when the time is over, by `time.monotonic`."""
        self.why: str | None = None
        self.deadline = deadline
        self._say = say
        self._before: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        if self.why is None and time.monotonic() >= self.deadline:
            self._wish(TIME)
        return self.why is not None

    def __enter__(self) -> Interruptible:
        if (outer := current()) is not None:
            outer.deadline = min(outer.deadline, self.deadline)
            return outer
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.why is None:
            self._wish(CTRL_C if number == signal.SIGINT else signal.Signals(number).name)
        elif number == signal.SIGINT:
            raise Interrupted

    def _wish(self, why: str) -> None:
        self.why = why
        with contextlib.suppress(RuntimeError, OSError):  # in the middle of another print; the terminal is gone
            again = " again" if why == CTRL_C else ""
            over = "The time is over: stopping" if why == TIME else "Stopping"
            self._say(f"{over} after this step and saving; Ctrl-C{again} stops at once, without saving.")


def current() -> Interruptible | None:
    """The one that has the handlers now; None: nobody asked for it."""
    outer = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    return outer if isinstance(outer, Interruptible) else None


_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


@contextlib.contextmanager
def memory_explained(settings: Settings, device: torch.device) -> Iterator[None]:
    """Raises GanzooError, with what to lower, where a device's or the system's memory ran out."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise GanzooError(
            f"The {device.type} ran out of memory; lower --batch-size (now {settings.batch_size}) or --resolution, or "
            f"compute the batch in parts with --accumulate {2 * settings.accumulate}"
            f"{'' if settings.recompute else ', or keep less of it with --recompute'}. Checkpoints so far are kept."
        ) from error


@contextlib.contextmanager
def disk_explained(run: Run) -> Iterator[None]:
    """Raises GanzooError, with how to go on, where the run's folder can no longer be written."""
    try:
        yield
    except OSError as error:
        if not run.path.is_dir():
            raise GanzooError(
                f"The folder {run.path} was moved or deleted while it trained, so training stopped; from where it is "
                "now, go on with: ganzoo resume FOLDER"
            ) from error
        raise GanzooError(
            f"{error.filename or run.path} cannot be written or read: {cause(error, run.path)}. Mend that, then go on "
            f"with: ganzoo resume {run.path}. Checkpoints so far are kept."
        ) from error
