"""Adversarial losses. Each is a frozen dataclass of its constants with the same three methods, so that the difference
between papers is what the eye sees. D's numbers are logits throughout; means run over everything there is, so patches
[B, 1, h, w] work as well as [B].
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from ganzoo.contract.options import option


@dataclass(frozen=True)
class Minimax:
    """Goodfellow et al. 2014, equation 1, as it stands: G minimises E[log(1 - D(G(z)))], which saturates."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-real.float()).mean() + softplus(fake.float()).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -softplus(fake.float()).mean()

    def score(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits.float())


@dataclass(frozen=True)
class NonSaturating(Minimax):
    """Goodfellow et al. 2014, section 3: G maximises E[log D(G(z))] instead. DCGAN's loss; D's halves are summed."""

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return softplus(-fake.float()).mean()


@dataclass(frozen=True)
class LeastSquares:
    """Mao et al. 2017 (LSGAN), equation 2, with its halves. (-1, 1, 0) is their choice for Pearson's chi-squared."""

    a: float = option(0.0, "label of fakes")
    b: float = option(1.0, "label of real data")
    c: float = option(1.0, "what G wants D to believe of fakes")

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real.float() - self.b) ** 2).mean() / 2 + ((fake.float() - self.a) ** 2).mean() / 2

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return ((fake.float() - self.c) ** 2).mean() / 2

    def score(self, logits: Tensor) -> Tensor:
        return logits.float()


@dataclass(frozen=True)
class Hinge:
    """Lim and Ye 2017 (Geometric GAN): D stops caring beyond a margin of 1."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 - real.float()).mean() + relu(1 + fake.float()).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -fake.float().mean()

    def score(self, logits: Tensor) -> Tensor:
        return logits.float()


@dataclass(frozen=True)
class Wasserstein:
    """Arjovsky et al. 2017: D is a critic, and needs a Lipschitz bound (`--penalty wgan-gp`)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.float().mean() - real.float().mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -fake.float().mean()

    def score(self, logits: Tensor) -> Tensor:
        return logits.float()
