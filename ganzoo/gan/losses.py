"""Adversarial losses. Each is a frozen dataclass of its constants with the same three methods, so that the difference
between papers is what the eye sees. D's numbers are logits throughout; means run over everything there is, so patches
[B, 1, h, w] work as well as [B].

A loss that compares (`compares = True`) has its `generator` given D's logits on real data too, by `generator_loss`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from ganzoo.contract.architecture import Loss
from ganzoo.contract.options import option


def generator_loss(loss: Loss, d_fake: Tensor, d_real: Callable[[], Tensor]) -> Tensor:
    """What G minimises, whatever the loss.

    Args:
        d_fake: the updated D's logits on generated images.
        d_real: gives its logits on the real images of the same batch, of the same shape; called only for a loss that
            compares, without a gradient.
    """
    if not getattr(loss, "compares", False):
        return loss.generator(d_fake)
    with torch.no_grad():
        real = d_real()
    return loss.generator(d_fake, real)


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
    """Mao et al. 2017 (LSGAN), equation 2. (-1, 1, 0) is their choice for Pearson's chi-squared.

    Their squares are halved; CycleGAN's are whole.
    """

    a: float = option(0.0, "label of fakes")
    b: float = option(1.0, "label of real data")
    c: float = option(1.0, "what G wants D to believe of fakes")
    half: float = option(0.5, "factor of the squares; 1: whole", low=0)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real.float() - self.b) ** 2).mean() * self.half + ((fake.float() - self.a) ** 2).mean() * self.half

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return ((fake.float() - self.c) ** 2).mean() * self.half

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


@dataclass(frozen=True)
class Relativistic:
    """Jolicoeur-Martineau 2018 (RpGAN), as R3GAN has it (Huang et al. 2024): D(x) - D(G(z)), pair by pair."""

    compares: ClassVar[bool] = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake.float() - real.float()).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Raises: TypeError without D(x)."""
        return softplus(_given(real) - fake.float()).mean()

    def score(self, logits: Tensor) -> Tensor:
        return logits.float()


@dataclass(frozen=True)
class RelativisticAverage(Relativistic):
    """Jolicoeur-Martineau 2018 (RaGAN): each logit against the mean of the other side's; both halves are averaged.

    The means are those of the images at hand, a process's share of the batch. ESRGAN's sums, with its gradients: in
    D's loss the means are constants.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        real, fake = real.float(), fake.float()
        real_side = softplus(fake.detach().mean() - real).mean()
        return (real_side + softplus(fake - real.detach().mean()).mean()) / 2

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Raises: TypeError without D(x)."""
        fake, real = fake.float(), _given(real)
        return (softplus(real - fake.mean()).mean() + softplus(real.mean() - fake).mean()) / 2


def _given(real: Tensor | None) -> Tensor:
    if real is None:
        raise TypeError("This loss compares: its generator takes D(x) too; call ganzoo.api.generator_loss in the step.")
    return real.detach().float()
