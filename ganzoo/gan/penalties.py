"""Penalties on the discriminator. Each is a frozen dataclass of its weights, called once a turn of D.

A penalty sees D as a function of images alone, the real and fake images [B, ...] of the turn, and D's logits on them,
and returns a weighted scalar in float32 that keeps a graph to D's parameters. But for the approximate ones, gradients
are taken with ``create_graph``, so a compiled or fused D (which may drop second derivatives silently) must not be used.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.contract.networks import full_precision
from ganzoo.contract.options import option
from ganzoo.contract.penalties import Critic
from ganzoo.contract.randomness import restore_shared, rows, shared_state


@dataclass(frozen=True)
class Slope:
    """A weight of D's slope, which is half as steep for the same picture on four times the pixels, so that a gamma is
    for images of one size. `at` scales it with the pixels, as NVIDIA's automatic settings do (arXiv:2006.06676).
    """

    gamma: float = option(10.0, "weight; the penalty is gamma / 2 times the squared norm", low=0, scheduled=True)
    at: int = option(0, "side of the images that gamma is for, scaled with the pixels at others; 0: at any", low=0)

    def weigh(self, squared: Tensor, images: Tensor) -> Tensor:
        """Of squared norms [B] at images [B, ...]: the penalty."""
        scale = images[0, 0].numel() / self.at**2 if self.at else 1.0
        return self.gamma / 2 * scale * squared.mean()


@dataclass(frozen=True)
class R1(Slope):
    """Mescheder et al. 2018, equation 9: gamma / 2 * E[|grad D(x)|^2] on real data."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        return self.weigh(squared_norm(critic, real), real)


@dataclass(frozen=True)
class R2(Slope):
    """Mescheder et al. 2018, equation 10: the same on generated data."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        return self.weigh(squared_norm(critic, fake), fake)


@dataclass(frozen=True)
class ApproximateR1(Slope):
    """Lin et al. 2025 (APT, arXiv:2501.08316): R1 from the change of D(x) by a little noise, in expectation.

    It takes no gradient of a gradient, so that D may be anything that can be differentiated once. Their weight of
    |D(x) - D(x + noise)|^2 is gamma / (2 sigma^2): 100 at sigma 0.01 is a gamma of 0.02.
    """

    sigma: float = option(0.01, "standard deviation of the noise; pixels are in [-1, 1]", low=1e-6)

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        return self.weigh(approximate_squared_norm(critic, real, self.sigma), real)


@dataclass(frozen=True)
class ApproximateR2(Slope):
    """Lin et al. 2025 (arXiv:2501.08316): the same on generated data."""

    sigma: float = option(0.01, "standard deviation of the noise; pixels are in [-1, 1]", low=1e-6)

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        return self.weigh(approximate_squared_norm(critic, fake, self.sigma), fake)


@dataclass(frozen=True)
class WganGp:
    """Gulrajani et al. 2017, equation 3: weight * E[(|grad D(x)| - target)^2 / target^2] between real and fake.

    Target 1 is the paper's; ProGAN's CIFAR run and TransGAN use others.
    """

    weight: float = option(10.0, "weight of the penalty", low=0, scheduled=True)
    target: float = option(1.0, "norm that the gradient is drawn to", low=1e-6)

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        between = _full(fake.detach()).lerp(_full(real), _alpha(real))
        norm: Tensor = torch.linalg.vector_norm(gradient(critic, between), dim=1)
        return self.weight * ((norm / self.target - 1) ** 2).mean()


@dataclass(frozen=True)
class Dragan:
    """Kodali et al. 2017: the same around the data, between x and x + spread * std(batch) * U[0, 1)."""

    weight: float = option(10.0, "weight of the penalty", low=0, scheduled=True)
    spread: float = option(0.5, "size of the perturbation, in standard deviations of the batch", low=0)

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        noise = rows(tuple(real.shape), torch.rand, device=real.device)
        near = real + self.spread * real.std() * noise
        norm: Tensor = torch.linalg.vector_norm(gradient(critic, real.lerp(near, _alpha(real))), dim=1)
        return self.weight * ((norm - 1) ** 2).mean()


@dataclass(frozen=True)
class Drift:
    """Karras et al. 2018 (ProGAN), appendix A.1: weight * E[D(x)^2], which keeps a critic's numbers near 0."""

    weight: float = option(0.001, "weight of the penalty", low=0, scheduled=True)

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        return self.weight * (d_real.float() ** 2).mean()


@dataclass(frozen=True)
class MeanDrift:
    """Jiang et al. 2021 (TransGAN), released code: weight * E[D(x)]^2. Single scores may stray, their mean may not.

    The mean is that of the images at hand, a process's share of the batch.
    """

    weight: float = option(0.001, "weight of the penalty", low=0, scheduled=True)

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        return self.weight * d_real.float().mean() ** 2


def squared_norm(critic: Critic, images: Tensor) -> Tensor:
    """|grad D(x)|^2 per item, [B], in float32, with a graph to D's parameters."""
    return gradient(critic, images).square().sum(1)


def approximate_squared_norm(critic: Critic, images: Tensor, sigma: float) -> Tensor:
    """|grad D(x)|^2 per item in expectation, [B], from one difference: ((D(x + sigma n) - D(x)) / sigma)^2.

    Both are computed in float32, and with the same draws of augmentations and dropout, so that only x has changed.
    """
    images = _full(images.detach())
    noise = rows(tuple(images.shape), device=images.device)
    with full_precision(images.device):
        state = shared_state(images.device)
        here = critic(images)
        restore_shared(state, images.device)
        there = critic(images + sigma * noise)
    change = _full(there - here).reshape(len(images), -1).sum(1)
    return (change / sigma).square()


def gradient(critic: Critic, images: Tensor) -> Tensor:
    """grad D(x) per item, flattened, [B, C * H * W], in float32, with a graph to D's parameters.

    Its `vector_norm` has the derivative 0 where the gradient is 0; the root of `squared_norm` has none.
    """
    images = _full(images.detach()).requires_grad_()
    (slope,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return _full(slope).flatten(1)


def _full(tensor: Tensor) -> Tensor:
    """In float32 at least."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _alpha(images: Tensor) -> Tensor:
    """One number in [0, 1) per item, shaped to mix images."""
    return rows((len(images), *[1] * (images.dim() - 1)), torch.rand, device=images.device)
