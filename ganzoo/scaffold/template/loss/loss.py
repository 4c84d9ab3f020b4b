"""My loss.

Nonsaturating, with the one-sided label smoothing of Salimans et al. 2016, arXiv:1606.03498, section 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from ganzoo.api import option
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy


@dataclass(frozen=True)
class MyLoss:
    """D is to call real images real with a probability less than 1; fakes are fakes."""

    real: float = option(0.9, "probability of being real that D should give to real images", low=0.5, high=1)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """D(x) and D(G(z)), logits of any shape -> scalar."""
        real, fake = real.float(), fake.float()
        smooth = torch.full_like(real, self.real)
        return cross_entropy(real, smooth) + cross_entropy(fake, torch.zeros_like(fake))

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """D(G(z)), logits -> scalar."""
        fake = fake.float()
        return cross_entropy(fake, torch.ones_like(fake))

    def score(self, logits: Tensor) -> Tensor:
        """What stands as D(x) in the log: the probability of being real."""
        return torch.sigmoid(logits.float())
