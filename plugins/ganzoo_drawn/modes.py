"""`modes`: how many modes of `points` a model has found, and how many of its samples lie in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args, get_type_hints

import torch
from torch import Tensor

from ganzoo.api import Evidence, UsageError, option
from ganzoo_drawn.points import Points

REAL = 0.9  # share of the real points that must lie in a mode for the modes to be theirs


@dataclass(frozen=True)
class Modes:
    """Modes covered and share of good samples, as VEEGAN (Srivastava et al. 2017) counts them.

    A sample is good when it lies within three standard deviations of the nearest mode; a mode is covered when it is the
    nearest one of a good sample. Of the points themselves 98.9 % are good. `least-mode` is the share of the samples in
    the mode with the fewest, times the number of modes: 1 when all have as many.
    """

    deviations: float = option(3.0, "a good sample is within this many standard deviations of a mode", low=0.1)

    def __call__(self, evidence: Evidence) -> dict[str, float]:
        """Raises: UsageError when the real items are not the points that ganzoo draws."""
        drawn = self._drawn(evidence.real)
        modes = torch.from_numpy(drawn.modes.copy())
        found = self._in_modes(evidence.fake, modes, drawn.std)
        return {
            "modes": float((found > 0).sum()),
            "good": float(found.sum()) / len(evidence.fake),
            "least-mode": float(found.min()) * len(modes) / len(evidence.fake),
        }

    def _drawn(self, real: Tensor) -> Points:
        """The set of points whose modes the real ones lie in."""
        if real.dim() == 2 and real.shape[1] == 2:
            for kind in get_args(get_type_hints(Points)["kind"]):
                drawn = Points(kind=kind)
                found = self._in_modes(real, torch.from_numpy(drawn.modes.copy()), drawn.std)
                if float(found.sum()) >= REAL * len(real):
                    return drawn
        raise UsageError("The score modes is for the data set points, whose modes are known.")

    def _in_modes(self, points: Tensor, modes: Tensor, std: float) -> Tensor:
        """How many of points [N, 2] are good for each of modes [M, 2]: [M]."""
        distance, nearest = torch.cdist(points.double(), modes.double()).min(1)
        return torch.bincount(nearest[distance <= self.deviations * std], minlength=len(modes))
