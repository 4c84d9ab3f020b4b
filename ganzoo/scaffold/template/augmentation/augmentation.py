"""My augmentation.

Instance noise: Sonderby et al. 2016, arXiv:1610.04490. Real and generated images alike are seen through noise.
"""

from __future__ import annotations

from dataclasses import dataclass

from ganzoo.api import AdaptiveAugmentation, Progress, option, rows
from torch import Tensor


@dataclass(frozen=True)
class MyAugmentation:
    """Noise of a standard deviation that may change along the training."""

    deviation: float = option(
        0.2,
        "standard deviation of the noise; cosine:0.2:0 lets it fade",
        low=0,
        high=1,
        scheduled=True,
    )

    def state(self) -> AdaptiveAugmentation:
        """What is called in its place. One without a strength has a `__call__` instead."""
        return Noise(self, self.deviation)


class Noise(AdaptiveAugmentation):
    """Its strength, which is logged and part of every checkpoint, is the deviation."""

    def forward(self, images: Tensor) -> Tensor:
        """images [B, C, H, W] -> the same shape, drawn anew for each of them."""
        noise = rows(tuple(images.shape), device=images.device).to(images.dtype)
        return images + self.strength.to(images.dtype) * noise

    def begin_step(self, progress: Progress) -> None:
        """Before each step; `options` has the number of this moment."""
        self.strength.fill_(self.options.deviation)
