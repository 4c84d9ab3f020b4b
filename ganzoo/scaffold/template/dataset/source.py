"""My data.

Discs, drawn by code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ganzoo.api import option
from numpy.typing import NDArray

VERSION = 1  # raised whenever the same options draw other images


@dataclass(frozen=True)
class MyData:
    """Discs somewhere in the image, small (radius 1/8 to 1/4 of a side) or large (to 3/8)."""

    images: int = option(4096, "how many", low=1)
    seed: int = option(0, "another seed draws others", low=0)

    classes = ("small", "large")
    shape = (1, 32, 32)  # channels, height, width

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        """The number in `classes`."""
        return index % 2

    def read(self, index: int, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """Pixels [H, W]; always the same for the same index, in whatever order they are asked for."""
        height, width = size or self.shape[1:]
        random = np.random.default_rng((self.seed, index))
        radius = random.uniform(0.125, 0.25) + 0.125 * self.label(index)
        x, y = random.uniform(radius, 1 - radius, 2)
        rows, columns = np.mgrid[:height, :width]
        distance = np.hypot((columns + 0.5) / width - x, (rows + 0.5) / height - y)
        inside = np.clip((radius - distance) * min(height, width) + 0.5, 0, 1)  # soft at the rim
        pixels: NDArray[np.uint8] = (255 * inside).astype(np.uint8)
        return pixels

    @property
    def fingerprint(self) -> str:
        """Changes whenever an image does."""
        return f"my-data-v{VERSION}:{self.images}:{self.seed}"

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """Each domain's name and the indices of its images; {} for data that is not for translation."""
        return {}
