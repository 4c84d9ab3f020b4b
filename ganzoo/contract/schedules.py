"""Schedules: numbers that change while a network trains, by name.

An option declared with `scheduled=True` takes a number, or ``NAME:START:END[:SPAN]``:

- ``linear:2e-4:0`` goes evenly from the first to the second value along the present stage;
- ``cosine:2e-4:5e-5`` along half a cosine wave, slowly at both ends;
- ``linear:0:10000:200000`` within the first 200,000 images of the run, and stays at the second value from then on;
- ``linear:2e-4:0:100000-200000`` between these two counts of images;
- ``burn-in:0.9:0.99`` is a cosine within the first 20 million images, as R3GAN (Huang et al. 2024) begins its training;
- ``constant:2e-4`` is the number.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import TYPE_CHECKING, Any, TypeVar

from ganzoo.errors import UsageError, suggest

if TYPE_CHECKING:
    from ganzoo.contract.architecture import Progress

T = TypeVar("T")

NAMES = ("constant", "linear", "cosine", "burn-in")
BURN_IN = (0, 20_000_000)  # images


class Schedule(float):
    """A number that changes: as a float it is its value at the start, `at` gives that of a moment, `text` its spelling.

    Attributes:
        end: the value that it ends at.
        span: images of the run at which it begins and ends to move; None: the present stage's.
    """

    text: str
    name: str
    end: float
    span: tuple[int, int] | None

    def at(self, progress: Progress) -> float:
        """The value before the step that `progress` tells of."""
        done = progress.fraction
        if self.span is not None:
            first, last = self.span
            done = min(1.0, max(0.0, (progress.images - first) / (last - first)))
        if self.name != "linear":
            done = (1 - math.cos(math.pi * done)) / 2
        return float(self) + done * (self.end - float(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return parse_schedule, (self.text,)


def parse_schedule(text: str) -> Schedule:
    """A schedule from its spelling, or from a number's. Raises: UsageError."""
    name, *numbers = text.split(":")
    if name not in NAMES:
        raise UsageError(f"There is no schedule {name!r}; {suggest(name, NAMES)}")
    wrong = UsageError(f"{text!r} is no schedule; write {name}:START:END, or {name}:START:END:IMAGES.")
    if name == "constant":
        wrong = UsageError(f"{text!r} is no schedule; write constant:NUMBER, or the number alone.")
        numbers = numbers * 2 if len(numbers) == 1 else []
    span = re.fullmatch(r"(?:(\d+)-)?(\d+)", numbers.pop()) if len(numbers) == 3 else None
    try:
        start, end = map(float, numbers)
    except ValueError:
        raise wrong from None
    if not (math.isfinite(start) and math.isfinite(end)) or (text.count(":") == 3 and span is None):
        raise wrong
    schedule = Schedule(start)
    schedule.text, schedule.name, schedule.end = text, name, end
    schedule.span = BURN_IN if name == "burn-in" else None
    if span is not None:
        schedule.span = int(span[1] or 0), int(span[2])
        if schedule.span[0] >= schedule.span[1]:
            raise UsageError(f"{text!r} ends before it begins; its last number must be the larger one.")
    return schedule


def has_schedules(instance: Any) -> bool:
    """Whether an option of a dataclass follows a schedule."""
    return bool(_schedules(instance))


def at(instance: T, progress: Progress) -> T:
    """A dataclass of options (a Config, a penalty) with the number of this moment for each schedule; itself without."""
    moving = {name: schedule.at(progress) for name, schedule in _schedules(instance).items()}
    return dataclasses.replace(instance, **moving) if moving else instance  # type: ignore[type-var]


def _schedules(instance: Any) -> dict[str, Schedule]:
    if not dataclasses.is_dataclass(instance):
        return {}
    by_name = {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}
    return {name: value for name, value in by_name.items() if isinstance(value, Schedule)}
