"""What a person sees while something runs. The base class is silent; a notebook or a command line shows more."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ganzoo.errors import escaped

SOON = 2.0  # seconds after which it is said how long work will take


@dataclass(frozen=True)
class Moment:
    """Where a running stage is: what a progress display needs.

    Attributes:
        stage, stages: number of the stage (from 1) and how many there are.
        step, first_step, last_step: steps done in the run; those at which the stage began and (about) will end.
        epoch, epochs: passes completed in this stage, and how many it is long (about, unless given in epochs).
        images_per_second: since the last moment; None for the first.
    """

    stage: int
    stages: int
    step: int
    first_step: int
    last_step: int
    epoch: int
    epochs: int
    images_per_second: float | None = None


def duration(seconds: float) -> str:
    """``"50 seconds"``, ``"17 minutes"``, ``"3.2 hours"``."""
    if seconds < 90:
        return f"{max(1, seconds):.0f} second{'' if seconds < 1.5 else 's'}"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


class Outlook:
    """How long reported work will still take, by what was done since it was first heard of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._what = clock, ""

    def __call__(self, what: str, done: int, total: int) -> str:
        """``", 3 minutes left"``; "" until some seconds say it, and at the end."""
        now = self._clock()
        if what != self._what:
            self._what, self._begun, self._first = what, now, done
        took, more = now - self._begun, done - self._first
        if took < SOON or more <= 0 or done >= total:
            return ""
        return f", {duration(took / more * (total - done))} left"


class Display:
    """Shows nothing. Every method may be overridden; none may raise."""

    def begin(self, folder: Path) -> None:
        """Training begins, or goes on, in a run's folder, which the rest is about."""

    def say(self, text: str) -> None:
        """A sentence for the user."""

    def warn(self, text: str) -> None:
        """A sentence about something that went wrong without stopping anything."""

    def report(self, what: str, done: int, total: int) -> None:
        """Progress of preparing data: `done` of `total` of what."""

    def step(self, moment: Moment, values: Mapping[str, float] | None) -> None:
        """A step was done; `values` (losses and watch values by name) only when they were read."""

    def line(self, text: str) -> None:
        """A classic line of losses, as in train.log."""

    def close(self) -> None:
        """Nothing more will be shown."""


class Lines(Display):
    """Plain lines, for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self._reported: tuple[str, int, bool] = ("", -1, False)
        self._outlook = Outlook()

    def say(self, text: str) -> None:
        with suppress(OSError):  # whoever read it is gone (`ganzoo train … | head`), which is no reason to stop
            print(escaped(text), file=self.stream, flush=True)

    def warn(self, text: str) -> None:
        with suppress(OSError):
            print(escaped(f"Warning: {text}"), file=sys.stderr, flush=True)

    def report(self, what: str, done: int, total: int) -> None:
        left = self._outlook(what, done, total)
        now = (what, 4 * done // total if total else 0, bool(left))
        if now[:2] != self._reported[:2] or (left and not self._reported[2]):  # each quarter, and once it is known
            self._reported = now
            self.say(f"{what}: {done:,} of {total:,}{left}" if total else f"{what} …")

    def line(self, text: str) -> None:
        self.say(text)
