"""Mutated bytes and JSON, each a function of a seed, and what the use of one took: time, and memory at its peak."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo.errors import GanzooError

LONG = "GANZOO_FUZZ" in os.environ  # by hand; then time and memory are limited too
MOST_SECONDS = 10.0
MOST_BYTES = 1_000_000_000

EDGES = (0, 1, 0x7F, 0x80, 0xFF)
WORDS = (
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\0",
    b"-1",
    b"1e999",
    b"null",
    b"[[[[[[",
    b'"',
    b"\n",
    b"NaN",
)
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**30, 0.5, -1e300, float("inf"), float("nan")),
    *("", "a\nb", "\x1b[2J", "../../x", "x" * 5000, "\ud800", [], {}, [[]], [0], {"": 0}, [10**9, 10**9]),
)


def numbers(usual: int) -> range:
    """The seeds to try: as many as `usual`, or as GANZOO_FUZZ says; ``GANZOO_FUZZ=800-1600`` is a part of many."""
    begin, _, end = os.environ.get("GANZOO_FUZZ", str(usual)).rpartition("-")
    return range(int(begin or 0), int(end))


def mutated(content: bytes, draw: random.Random) -> bytes:
    """One to eight changes: a bit or byte, a word, a cut, a piece twice or left out."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        place = draw.randrange(len(changed) + 1) if draw.random() < 0.6 else min(len(changed), draw.randrange(64))
        size = draw.choice((1, 2, 4, 8, 64))
        how = draw.randrange(6)
        if how == 0 and place < len(changed):
            changed[place] ^= 1 << draw.randrange(8)
        elif how == 1 and place < len(changed):
            changed[place] = draw.choice(EDGES)
        elif how == 2:
            word = draw.choice(WORDS)
            changed[place : place + len(word)] = word
        elif how == 3:
            changed[place:place] = changed[place : place + size]
        elif how == 4:
            del changed[place : place + size]
        elif draw.random() < 0.2:
            del changed[place:]
    return bytes(changed)


def mutated_json(value: Any, draw: random.Random) -> Any:
    """A copy of JSON in which one value, at any depth, is another, is gone, or is there twice."""
    places = list(_places(value))
    path = draw.choice(places)
    return _changed(value, path, draw)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield (*path, key)
        yield from _places(each, (*path, key))


def _changed(value: Any, path: tuple[Any, ...], draw: random.Random) -> Any:
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        copy[key] = _changed(value[key], tuple(rest), draw)
    elif draw.random() < 0.2:
        del copy[key]
    elif isinstance(value[key], (int, float)) and draw.random() < 0.5:
        copy[key] = draw.choice((value[key] + 1, -value[key], value[key] * 2, value[key] * 10**6, str(value[key])))
    else:
        copy[key] = draw.choice(VALUES)
    return copy


@dataclass
class Tally:
    """What came of the inputs.

    Attributes:
        unexpected: faults, each in a line.
        longest, most: seconds and bytes of the worst input; memory is measured in the long form, on Linux.
    """

    unexpected: list[str] = field(default_factory=list)
    tried: int = 0
    refused: int = 0
    longest: float = 0.0
    most: int = 0

    def attempt(self, what: str, work: Callable[[], object]) -> None:
        """Counts what `work` does: it may give something, or raise one sentence of ganzoo's own."""
        self.tried += 1
        begin, before = time.monotonic(), len(self.unexpected)
        with _peak() as peak:
            try:
                work()
            except GanzooError as error:
                self.refused += 1
                if "\n" in str(error):
                    self.unexpected.append(f"{what}: several lines: {error}")
            except Exception as error:
                self.unexpected.append(f"{what}: {type(error).__name__}: {error}"[:500])
        seconds = time.monotonic() - begin
        if LONG and self.tried % 100 == 0:
            print(self, flush=True)
        self.longest, self.most = max(self.longest, seconds), max(self.most, peak[0])
        if LONG and seconds > MOST_SECONDS:
            self.unexpected.append(f"{what}: took {seconds:.1f} s")
        if LONG and peak[0] > MOST_BYTES:
            self.unexpected.append(f"{what}: took {peak[0] / 1e6:.0f} MB")
        if LONG and len(self.unexpected) > before:
            print(*self.unexpected[before:], sep="\n", flush=True)

    def __str__(self) -> str:
        return (
            f"{self.tried:,} inputs, {self.refused:,} refused, the slowest in {self.longest:.2f} s, the largest with "
            f"{self.most / 1e6:.0f} MB, {len(self.unexpected)} unexpected"
        )


@contextmanager
def _peak() -> Iterator[list[int]]:
    """Bytes by which the process's memory grew at its peak; 0 in the short form and where it cannot be told."""
    grown, status, reset = [0], Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not (LONG and status.exists() and os.access(reset, os.W_OK)):
        yield grown
        return
    reset.write_text("5", encoding="ascii")  # the peak begins anew
    before = _resident("VmRSS")
    yield grown
    grown[0] = max(0, _resident("VmHWM") - before)


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
