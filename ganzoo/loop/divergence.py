"""When losses count as diverged, by the rows of a run's log."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from ganzoo.runs.curves import is_loss

UNBOUNDED = 500.0  # a loss beyond it, and beyond 100 times its first, in each of GROWN rows
GROWN = 10


def is_unbounded(values: Mapping[str, float]) -> bool:
    """Whether a loss among a row's values is far beyond what losses are."""
    return any(abs(value) > UNBOUNDED for name, value in values.items() if is_loss(name))


class Divergence:
    """Hears the rows of metrics.jsonl, in order, and says once that losses grow without bound."""

    def __init__(self) -> None:
        self._rows: deque[Mapping[str, Any]] = deque(maxlen=GROWN)
        self._first: dict[str, float] = {}
        self._said = False

    def hear(self, row: Mapping[str, Any]) -> str:
        """The figure, and what people do about it, at the row in which losses have diverged; "" at all others."""
        losses = {name: abs(value) for name, value in row.items() if is_loss(name)}
        if losses:
            self._rows.append(row)
        self._first = {**losses, **self._first}
        for name, first in self._first.items() if losses and not self._said else ():
            sizes = [abs(each.get(name, 0.0)) for each in self._rows]
            if len(sizes) == GROWN and min(sizes) > max(UNBOUNDED, 100 * max(first, 1.0)):
                self._said = True
                return (
                    f"The losses diverge: {name} is {row[name]:,.0f} at step {row['step']:,}, and was "
                    f"{first:.3g} in size at first. People take smaller rates (--lr), a bound on D (--penalty r1 or "
                    "wgan-gp) or another --loss."
                )
        return ""
