"""Pairs drawn by code: the outline of a disc or a square, and the same filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from ganzoo.api import option


@dataclass(frozen=True)
class Outlines:
    """Item 2k is an outline, dark on white; item 2k + 1 the same shape filled, small ones red and large ones blue."""

    images: int = option(1000, "how many, of both domains together", low=4)
    seed: int = option(0, "another seed draws others", low=0)

    classes: ClassVar[tuple[str, ...]] = ()
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    paired: ClassVar[bool] = True

    def __len__(self) -> int:
        return self.images // 2 * 2

    def label(self, index: int) -> int:
        return -1

    def read(self, index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """Pixels, uint8 [H, W, 3]."""
        height, width = size or self.shape[1:]
        rng = np.random.default_rng((self.seed, index // 2))
        y, x = np.mgrid[:height, :width] / min(height, width)
        big = rng.uniform(0.15, 0.35)
        across, down = x - rng.uniform(big, x.max() - big), y - rng.uniform(big, y.max() - big)
        distance = np.hypot(across, down) if rng.random() < 0.5 else np.maximum(abs(across), abs(down))
        if index % 2:
            share = (big - 0.15) / 0.2
            colour, inside = np.array([1 - share, 0.2, share]), distance < big
        else:
            colour, inside = np.zeros(3), abs(distance - big) < 0.04
        return np.where(inside[..., None], 255 * colour, 255).round().astype(np.uint8)

    def partner(self, index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        return self.read(index ^ 1, size)

    @property
    def fingerprint(self) -> str:
        return f"outlines-v1:{self.images}:{self.seed}"

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        return {"A": range(0, len(self), 2), "B": range(1, len(self), 2)}
