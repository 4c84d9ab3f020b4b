"""Images of 8×8 smooth colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ganzoo.api import option


@dataclass(frozen=True)
class Tiny:
    images: int = option(48, "how many", low=1)
    seed: int = option(0, "another seed gives other images", low=0)

    classes = ("even", "odd")

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        return index % 2

    def read(self, index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        height, width = size or (8, 8)
        low, high = np.random.RandomState(1000 * self.seed + index).randint(0, 256, (2, 3))
        ramp = np.linspace(0, 1, height * width).reshape(height, width, 1)
        return (low + (high - low) * ramp).astype(np.uint8)

    @property
    def fingerprint(self) -> str:
        return f"tiny:{self.images}:{self.seed}"

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        return {}
