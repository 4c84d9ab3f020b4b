"""Codes in the latent vector as a user writes them: ``3``, or ``3,c1=-0.5``."""

from __future__ import annotations

from collections.abc import Mapping

from ganzoo.errors import UsageError, suggest

Codes = Mapping[str, int | tuple[float, float]]  # by name: how many values, from 0 on, or the least and the greatest


def chosen_codes(codes: Codes, text: str | int) -> dict[str, float]:
    """The codes that are named, with their values; a number alone is the first code's.

    Raises: UsageError when there is no such code, or it has no such value.
    """
    chosen: dict[str, float] = {}
    for word in map(str.strip, str(text).split(",")):
        name, equals, number = word.rpartition("=")
        name = name if equals else next(iter(codes))
        if name not in codes:
            raise UsageError(f"There is no code {name!r} in this model; {suggest(name, codes)}")
        if name in chosen:
            raise UsageError(f"The code {name!r} is chosen twice; leave one of them out.")
        kind = codes[name]
        try:
            chosen[name] = float(int(number)) if isinstance(kind, int) else float(number)
        except ValueError:
            chosen[name] = float("nan")
        low, high = code_range(kind)
        if not low <= chosen[name] <= high:
            what = "a whole number" if isinstance(kind, int) else "a number"
            raise UsageError(f"The code {name!r} takes {what} from {low:g} to {high:g}, not {number!r}.")
    return chosen


def code_range(kind: int | tuple[float, float]) -> tuple[float, float]:
    """A code's least and greatest value."""
    return (0.0, kind - 1.0) if isinstance(kind, int) else kind
