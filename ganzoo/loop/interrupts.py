"""What surrounds a training: Ctrl-C that saves, and errors of memory and disk that say what to do."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch

from ganzoo.contract.settings import Settings
from ganzoo.devices import out_of_memory
from ganzoo.errors import GanzooError, Interrupted
from ganzoo.runs.run import Run


class Interruptible:
    """Turns the first Ctrl-C (or a termination signal) into a wish, `asked`; a second one is taken at once.

    Within another one it is that other one. Outside the main thread, where Python allows no handlers, it does nothing.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.asked = False
        self._say = say
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruptible:
        outer = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
        if isinstance(outer, Interruptible):
            return outer
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise Interrupted
        self.asked = True
        with contextlib.suppress(RuntimeError):  # the signal came in the middle of another print
            self._say("Stopping after this step and saving; Ctrl-C again stops at once, without saving.")


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
            f"compute the batch in parts with --accumulate {2 * settings.accumulate}. Checkpoints so far are kept."
        ) from error


@contextlib.contextmanager
def disk_explained(run: Run) -> Iterator[None]:
    """Raises GanzooError, with how to go on, where the run's folder can no longer be written."""
    try:
        yield
    except OSError as error:
        raise GanzooError(
            f"{error.filename or run.path} cannot be written or read ({error.strerror or error}); mend that or make "
            f"room, then go on with: ganzoo resume {run.path}. Checkpoints so far are kept."
        ) from error
