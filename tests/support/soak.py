"""Trains for as long as asked with samples, scores, checkpoints and a logger, and says how memory grew, part by part:
`PYTHONPATH=tests python -m support.soak --minutes 60`.

What a part allocates and keeps counts for it, what it gives back too, and parts within it count by themselves; so the
slopes of all parts add up to that of the process. The first third, in which caches fill, is left out of them. Linux
only, where a process's memory can be read. docs/reliability.md has what was found.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ganzoo
from ganzoo.loop.display import Display
from ganzoo.loop.journal import Journal
from ganzoo.loop.record import Recorder
from ganzoo.loop.session import Session
from ganzoo.loop.trainer import Trainer

PARTS: dict[str, tuple[type, str]] = {
    "steps": (Trainer, "step"),
    "samples": (Session, "_samples"),
    "scores": (Session, "_score"),
    "checkpoints": (Session, "_checkpoint"),
    "models": (Session, "_write_model"),
    "curves": (Recorder, "curves"),
    "logger": (Journal, "notify"),
}
REST = "the rest"
EVERY = {"checkpoint_every": 200, "sample_every": 100, "evaluate_every": 12_800}
POINT_SECONDS = 5.0  # between points of the slopes, at the least
_STATUS = Path("/proc/self/status")


def resident() -> int:
    """Bytes of memory that the process has now, without pages of files, which the system takes back as it likes."""
    return 1024 * int(_STATUS.read_bytes().partition(b"RssAnon:")[2].split(maxsplit=1)[0])


def give_back() -> None:
    """The allocator gives the system back what it keeps unused; what is left is held by somebody. Needs glibc."""
    ctypes.CDLL(None).malloc_trim(0)


class Growth:
    """By how much memory grew in each part, and how often it ran.

    Attributes:
        bytes, calls: by part.
        points: (seconds, bytes by part so far), now and then.
    """

    def __init__(self, point_seconds: float = POINT_SECONDS, trim: bool = False) -> None:
        self.bytes = dict.fromkeys((*PARTS, REST), 0)
        self.calls = dict.fromkeys(PARTS, 0)
        self.points: list[tuple[float, dict[str, int]]] = []
        self._inside, self._last, self._begin = [REST], resident(), time.monotonic()
        self._every, self._trim = point_seconds, trim

    def _count(self) -> None:
        """What came since the last look belongs to the innermost part."""
        now = resident()
        self.bytes[self._inside[-1]] += now - self._last
        self._last = now

    def watched(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def counted(*arguments: Any, **named: Any) -> Any:
            self._count()
            self._inside.append(part)
            self.calls[part] += 1
            try:
                return work(*arguments, **named)
            finally:
                self._count()
                self._inside.pop()
                seconds = time.monotonic() - self._begin
                if len(self._inside) == 1 and (not self.points or seconds - self.points[-1][0] >= self._every):
                    if self._trim:
                        give_back()
                        self._count()
                    self.points.append((seconds, dict(self.bytes)))

        return counted

    def slopes(self) -> dict[str, float]:
        """MB per hour by part, the straight line through the last two thirds of the points; of all, "together"."""
        points = self.points[len(self.points) // 3 :]
        found = {part: slope([(second, grown[part]) for second, grown in points]) for part in self.bytes}
        return {**found, "together": sum(found.values())}


def slope(points: list[tuple[float, int]]) -> float:
    """MB per hour of (seconds, bytes), by least squares."""
    middle = sum(second for second, _ in points) / len(points)
    wide = sum((second - middle) ** 2 for second, _ in points)
    return sum((second - middle) * size for second, size in points) / wide * 3600 / 1e6


@contextmanager
def watching(growth: Growth) -> Iterator[None]:
    """Every part counts while this lasts."""
    before = {part: getattr(owner, name) for part, (owner, name) in PARTS.items()}
    for part, (owner, name) in PARTS.items():
        setattr(owner, name, growth.watched(part, before[part]))
    try:
        yield
    finally:
        for part, (owner, name) in PARTS.items():
            setattr(owner, name, before[part])


def soak(out: Path, architecture: str, data: str, growth: Growth, **options: Any) -> ganzoo.Run:
    """Trains, silently, with all parts watched."""
    with watching(growth):
        return ganzoo.train(architecture, data, out=out, device="cpu", display=Display(), **options)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--minutes", type=float, default=60)
    words.add_argument("--architecture", default="gan")
    words.add_argument("--data", default="digits")
    words.add_argument("--log", default="tensorboard")
    words.add_argument("--evaluate", default="swd")
    words.add_argument("--trim", action="store_true", help="before each point the allocator gives back what it keeps")
    asked = words.parse_args()
    growth = Growth(trim=asked.trim)
    with tempfile.TemporaryDirectory() as folder:
        given = {**EVERY, "log": asked.log, "evaluate": asked.evaluate, "steps": 10**9}
        with suppress(KeyboardInterrupt):  # the time is over
            soak(Path(folder, "run"), asked.architecture, asked.data, growth, max_time=asked.minutes * 60, **given)
    slopes, minutes = growth.slopes(), growth.points[-1][0] / 60
    print(f"{asked.architecture} on {asked.data}, {minutes:.0f} minutes, {resident() / 1e6:.0f} MB at the end.")
    for part, per_hour in slopes.items():
        times = f" in {growth.calls[part]:,} times" if part in growth.calls else ""
        grown = growth.bytes.get(part, sum(growth.bytes.values())) / 1e6
        print(f"{part}: {per_hour:+.2f} MB an hour, {grown:+.1f} MB in all{times}", flush=True)


if __name__ == "__main__":
    main()
