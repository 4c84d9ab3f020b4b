"""What a run's folder says of its training: curves, stages, warnings, and where in it each sheet of samples is."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganzoo.api import Run, panels_of
from ganzoo_report.album import spread

POINTS = 2000  # of a curve, at the most


@dataclass(frozen=True)
class Mark:
    """Something that happened at a moment of the training: a stage began, or ganzoo warned."""

    images: int
    text: str


class Log:
    """metrics.jsonl, whole."""

    def __init__(self, run: Run) -> None:
        self.rows = [row for row in run.metrics() if isinstance(row.get("images"), int)]
        self._steps = [row["step"] for row in self.rows]

    @property
    def last(self) -> Mapping[str, Any]:
        return self.rows[-1] if self.rows else {}

    def images_at(self, step: int) -> int:
        """Images drawn by a step: a row's, or between two rows as many as belong there."""
        place = bisect_right(self._steps, step)
        if not self.rows or step <= 0:
            return 0
        before = self.rows[place - 1] if place else {"step": 0, "images": 0}
        if place == len(self.rows) or before["step"] == step:
            return int(before["images"])
        after = self.rows[place]
        share = (step - before["step"]) / (after["step"] - before["step"])
        return round(float(before["images"] + share * (after["images"] - before["images"])))

    def step_after_epoch(self, epoch: int) -> int:
        """The last step logged of a pass over the data (1: the first), for sheets that do not say their step."""
        return max((int(row["step"]) for row in self.rows if row.get("epoch", 0) < epoch), default=0)

    def columns(self, full: bool) -> tuple[dict[str, list[float | None]], int]:
        """Each value over the rows, None where a row has none or it is not finite; and how many rows were left out."""
        most = None if full else POINTS
        scored = [place for place, row in enumerate(self.rows) if _is_scores(row)]
        others = [place for place, row in enumerate(self.rows) if not _is_scores(row)]
        kept = sorted([*spread(scored, most), *spread(others, most)])
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        found = {name: [_number(self.rows[place].get(name)) for place in kept] for name in names}
        return found, len(self.rows) - len(kept)


def panels(names: Sequence[str], items: str) -> list[dict[str, Any]]:
    """Which values are drawn together, as in losses.png: title, names, and whether on a scale of powers.

    Args:
        items: what the runs' items are, in a word.
    """
    return [
        {
            "title": _heading(title, names).replace("Images per", f"{items.capitalize()} per"),
            "names": shown,
            "log": _is_norms(shown),
        }
        for title, shown in panels_of(names, terms=True).items()
    ]


def _heading(title: str, names: Sequence[str]) -> str:
    """ "Loss of D", "Score: swd"; what was watched is called as the architecture calls it."""
    if title.startswith("score/"):
        return f"Score: {title.removeprefix('score/')}"
    return title if title in names else title[0].upper() + title[1:]


def _is_norms(names: Iterable[str]) -> bool:
    return any(name.startswith("gradient/") for name in names)


def stages(run: Run, log: Log) -> list[Mark]:
    """Where each stage that was reached began; a run of one stage has the first alone."""
    reached = zip(run.stage_starts(), run.header.stages, strict=False)
    return [Mark(log.images_at(step), str(stage)) for step, stage in reached]


def warnings(run: Run) -> list[Mark]:
    """What the run was warned of."""
    found = [(row.get("images"), row["text"]) for row in run.warnings()]
    return [Mark(images, str(text)) for images, text in found if isinstance(images, int)]


def _is_scores(row: Mapping[str, Any]) -> bool:
    return any(name.startswith("score/") for name in row)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value
