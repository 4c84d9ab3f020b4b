"""FastGAN's loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu

from ganzoo.api import option, rows


@dataclass(frozen=True)
class SoftHinge:
    """The hinge loss with margins drawn between `margin` and 1, one for each logit (released code)."""

    margin: float = option(0.8, "least margin; 1: the plain hinge loss", low=0, high=1)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        real, fake = real.float(), fake.float()
        return relu(self.drawn(real) - real).mean() + relu(self.drawn(fake) + fake).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -fake.float().mean()

    def score(self, logits: Tensor) -> Tensor:
        return logits.float()

    def drawn(self, logits: Tensor) -> Tensor:
        """A margin for each logit [B, ...]."""
        return self.margin + (1 - self.margin) * rows(tuple(logits.shape), torch.rand, logits.device)
