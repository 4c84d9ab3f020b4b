"""`points`: mixtures of Gaussians in the plane, where collapsed modes and the discriminator's surface can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.api import UsageError, option

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

VERSION = 1  # of the points: raised whenever the same options give other points
EXTENT = 0.8  # the ring's radius and the grid's half side
STD = {"ring": 0.03, "grid": 0.025}


@lru_cache(maxsize=8)
def _modes(kind: str) -> Floats:
    """Centres [modes, 2]."""
    if kind == "ring":
        angles = np.arange(8) * (np.pi / 4)
        centres = np.stack([np.cos(angles), np.sin(angles)], axis=1) * EXTENT
    else:
        line = np.linspace(-EXTENT, EXTENT, 5)
        centres = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    fixed = centres.astype(np.float32)
    fixed.flags.writeable = False
    return fixed


@lru_cache(maxsize=8)
def _sample(kind: str, count: int, seed: int) -> tuple[Floats, Labels]:
    """Points [count, 2] and the modes [count] they came from. `RandomState` draws the same in every numpy."""
    rng = np.random.RandomState(seed)
    modes = _modes(kind)
    labels = rng.randint(len(modes), size=count).astype(np.int64)
    points = modes[labels] + STD[kind] * rng.standard_normal((count, 2)).astype(np.float32)
    points.flags.writeable = labels.flags.writeable = False
    return points, labels


@dataclass(frozen=True)
class Points:
    """Points of the plane, nearly all within -1..1, labelled by the mode they came from."""

    images: int = option(8192, "how many points", low=1)
    seed: int = option(0, "another seed draws other points", low=0, high=2**32 - 1)
    kind: Literal["ring", "grid"] = option("ring", "ring: 8 modes on a circle; grid: 25 on a square")

    def __post_init__(self) -> None:
        if self.images < 1:
            raise UsageError(
                f"points cannot draw {self.images} points; ask for at least one, as in points:images=8192."
            )
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"points cannot take the seed {self.seed}; give one from 0 to {2**32 - 1}.")
        if self.kind not in STD:
            raise UsageError(f'points has no kind "{self.kind}"; ask for kind=ring or kind=grid.')

    def __len__(self) -> int:
        return self.images

    @property
    def classes(self) -> tuple[str, ...]:
        """The modes' numbers."""
        return tuple(str(mode) for mode in range(len(self.modes)))

    @property
    def modes(self) -> Floats:
        """Centres [modes, 2]."""
        return _modes(self.kind)

    @property
    def std(self) -> float:
        """Of every mode, in both directions."""
        return STD[self.kind]

    def label(self, index: int) -> int:
        """The mode that point `index` came from."""
        return int(_sample(self.kind, self.images, self.seed)[1][index])

    def read(self, index: int, size: tuple[int, int] | None = None) -> Floats:
        """Point `index` [2]. `size` says nothing to a point."""
        point: Floats = _sample(self.kind, self.images, self.seed)[0][index].copy()
        return point

    @property
    def fingerprint(self) -> str:
        """Changes whenever the points do."""
        return f"points-v{VERSION}:{self.kind}:{self.images}:{self.seed}"

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """None: this is one set of points."""
        return {}
