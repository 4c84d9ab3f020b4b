"""Drawn waves: a data set of my modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy
from ganzoo.api import option

LENGTH = 64


@dataclass(frozen=True)
class Waves:
    """Waves of a pitch of their own."""

    images: int = option(1000, "how many curves", low=2)
    seed: int = option(0, "another seed draws other curves", low=0)

    classes: ClassVar[tuple[str, ...]] = ()
    domains: ClassVar[Mapping[str, Sequence[int]]] = {}
    modality: ClassVar[str] = "my-modality"

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        return -1

    def read(self, index: int, size: tuple[int, int] | None = None) -> numpy.ndarray[Any, Any]:
        """Curve `index`, [64], float32."""
        rng = numpy.random.default_rng((self.seed, index))
        turns, start = rng.uniform(1, 4), rng.uniform(0, 2 * numpy.pi)
        curve = numpy.sin(start + turns * numpy.linspace(0, 2 * numpy.pi, LENGTH))
        return (rng.uniform(1, 5) * curve).astype(numpy.float32)

    @property
    def fingerprint(self) -> str:
        return f"waves:{self.images}:{self.seed}"
