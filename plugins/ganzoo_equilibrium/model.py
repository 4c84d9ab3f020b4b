"""BEGAN: boundary equilibrium generative adversarial networks, Berthelot, Schumm and Metz 2017, arXiv:1703.10717.

D is an autoencoder, and its error L(v) = |v - D(v)| stands where other GANs have a verdict. Letters are the paper's:
n filters, hidden state h of length N_h, noise z of length N_z, diversity ratio gamma, balance k_t, its gain lambda_k.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import elu

from ganzoo.api import (
    Abilities,
    Architecture,
    Batch,
    DataSpec,
    Progress,
    TrainingState,
    Update,
    UsageError,
    mean_over_processes,
    option,
    upsample,
)


@dataclass(frozen=True)
class BEGANConfig:
    gamma: float = option(0.5, "diversity: the error on generated images, as a share of that on real", low=0, high=1)
    lambda_k: float = option(0.001, "gain of the controller of k", low=0)
    eta: int = option(1, "power of the error: 1 is L1, 2 is L2", low=1, high=2)
    filters: int = option(128, "n: feature maps of the decoders, and of the encoder's first level", low=1)
    hidden: int = option(64, "N_h: length of the autoencoder's hidden state h", low=1)
    latent_dim: int = option(64, "N_z: length of the noise vector z", low=1)
    skips: bool = option(False, "show the decoders their first tensor again after each upsampling")
    carry_steps: int = option(0, "steps until residual connections have vanished; 0: there are none", low=0)
    lr: float = option(1e-4, "learning rate", low=0)
    beta1: float = option(0.9, "Adam's decay of the mean gradient", low=0, high=0.9999)
    beta2: float = option(0.999, "Adam's decay of the mean squared gradient", low=0, high=0.999999)
    patience: int = option(20_000, "steps; when M stops falling over this many, the rate is halved; 0: never", low=0)
    batch_size: int = option(16, "images in a step")
    resolution: int = option(64, "height and width")
    ema: int = option(0, "half-life of the averaged generator, in images; 0: no averaging, as in the paper")


class BEGAN(Architecture):
    """G makes images that D can reconstruct; D reconstructs real ones, and generated ones as badly as k tells it to."""

    Config = BEGANConfig
    abilities = Abilities(generate=True, realness=True)
    modalities = ("image",)
    presets: ClassVar = {
        "n64": {"filters": 64},
        "refined": {"skips": True, "carry_steps": 16_000},
        "small": {
            "resolution": 32, "filters": 8, "hidden": 32, "latent_dim": 32, "batch_size": 8, "lr": 3e-4,
            "gamma": 0.7, "lambda_k": 0.02, "ema": 500,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "n64": "64 filters, the smaller of the paper's two sizes.",
        "refined": "With the paper's refinements: skips, and a carry that vanishes.",
        "small": "32×32 and few filters, for two CPU cores.",
    }

    def __init__(self, config: BEGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        halvings(data)  # refuses what cannot be done
        self.latent_dim = config.latent_dim
        self.G = Generator(config, data)
        self.D = Autoencoder(config, data)
        self.balance = Balance()
        self.apply(initialise)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        config, k = self.config, self.balance.k
        real = next(batches).images
        self.let_residuals_vanish(progress)

        with torch.no_grad():
            fake = self.G(self.noise(len(real)))
        error_real, error_fake = self.error(real).mean(), self.error(fake).mean()
        yield Update("D", {"real": error_real, "fake": -k * error_fake}, watch={"k": k})

        error_fake = self.error(self.G(self.noise(len(real)))).mean()  # of another z; D is the updated one by now
        errors = mean_over_processes(torch.stack([error_real, error_fake]).detach())
        measure = convergence(errors, config.gamma)
        yield Update("G", {"error": error_fake}, watch={"M": measure, "rate": self.balance.factor})

        share = 1 / progress.parts  # what follows is done once for each part of the batch
        self.balance.move(errors, config.gamma, share * config.lambda_k)
        if config.patience:
            self.balance.slow_down(measure, config.patience, share)

    def error(self, images: Tensor) -> Tensor:
        """L of each image, the paper's equation 1, as a mean over its numbers: [B, C, H, W] -> [B], in float32."""
        difference = (images.float() - self.D(images).float()).abs()
        return (difference**self.config.eta).mean((1, 2, 3))

    def realness(self, items: Tensor) -> Tensor:
        """How real D takes each image [B, C, H, W] for: minus its error, [B]. 0 is the best there is."""
        return -self.error(items)

    def learning_rate(self, progress: Progress, network: str) -> float:
        return float(self.balance.factor)

    def let_residuals_vanish(self, progress: Progress) -> None:
        """Section 3.5: residual connections carry 1 at the first step, 0 after `carry_steps`."""
        if self.config.carry_steps:
            carry = max(0.0, 1 - progress.step / self.config.carry_steps)
            for module in self.modules():
                if isinstance(module, Block):
                    module.carry.fill_(carry)


class Balance(TrainingState):
    """What BEGAN remembers from step to step.

    k: the weight of generated images in D's loss, in [0, 1], a scalar. It starts at 0.
    factor: what the learning rate has come down to, as a share of the first one.
    total, count: sum and number of the M since the last look at them; previous: their mean at that look.
    """

    k: Tensor
    factor: Tensor
    total: Tensor
    count: Tensor
    previous: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("k", torch.zeros(()))
        self.register_buffer("factor", torch.ones(()))
        self.register_buffer("total", torch.zeros(()))
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("previous", torch.full((), torch.finfo(torch.float32).max))

    def move(self, errors: Tensor, gamma: float, gain: float) -> None:
        """k_{t+1} = k_t + lambda_k (gamma L(x) - L(G(z))), within [0, 1], section 3.4. errors: L(x), L(G(z)), [2]."""
        real, fake = errors
        self.k.add_(gain * (gamma * real - fake)).clamp_(0, 1)

    def slow_down(self, measure: Tensor, patience: int, share: float = 1.0) -> None:
        """Halves the rate when the mean of M over `patience` steps is not 1 % below that of the `patience` before.

        share: of a step that M was measured on.
        """
        self.total.add_(share * measure)
        self.count.add_(share)
        due = self.count >= patience
        mean = self.total / self.count
        self.factor.mul_(torch.where(due & (mean > 0.99 * self.previous), 0.5, 1.0))
        self.previous.copy_(torch.where(due, mean, self.previous))
        self.total.mul_(~due)
        self.count.mul_(~due)


def convergence(errors: Tensor, gamma: float) -> Tensor:
    """M = L(x) + |gamma L(x) - L(G(z))|, section 3.4.1, a scalar: it falls while images get better, however k moves."""
    real, fake = errors
    return real + (gamma * real - fake).abs()


class Block(nn.Module):
    """Two 3×3 convolutions with ELU: [B, before, h, w] -> [B, after, h, w].

    A convolution that keeps the number of maps can have a residual connection, weighted by the buffer `carry`.
    """

    carry: Tensor

    def __init__(self, before: int, after: int, residual: bool) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(maps, after, 3, padding=1) for maps in (before, after))
        self.residual = residual
        if residual:
            self.register_buffer("carry", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self.convolutions:
            y = elu(convolution(x))
            x = self.carry * x + (1 - self.carry) * y if self.residual and x.shape[1] == y.shape[1] else y
        return x


class Decoder(nn.Module):
    """A vector [B, length] -> images [B, C, H, W], without a nonlinearity at either end."""

    def __init__(self, length: int, config: BEGANConfig, data: DataSpec) -> None:
        super().__init__()
        n, levels = config.filters, 1 + halvings(data)
        self.skips = config.skips
        self.start = (n, data.height >> (levels - 1), data.width >> (levels - 1))
        self.dense = nn.Linear(length, math.prod(self.start))
        first = [n] + [2 * n if self.skips else n] * (levels - 1)
        self.blocks = nn.ModuleList(Block(maps, n, config.carry_steps > 0) for maps in first)
        self.colour = nn.Conv2d(n, data.channels, 3, padding=1)

    def forward(self, vector: Tensor) -> Tensor:
        again = x = self.dense(vector).unflatten(1, self.start)
        for level, block in enumerate(self.blocks):
            if level:
                x = upsample(x)
            if level and self.skips:
                again = upsample(again)
                x = torch.cat([x, again], 1)
            x = block(x)
        return self.colour(x)


class Generator(Decoder):
    """z [B, Z] from N(0, 1) -> images [B, C, H, W]. The paper's z is uniform in [-1, 1], and is made of it here."""

    def __init__(self, config: BEGANConfig, data: DataSpec) -> None:
        super().__init__(config.latent_dim, config, data)

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(torch.erf(z / math.sqrt(2)))  # 2 Phi(z) - 1


class Autoencoder(nn.Module):
    """Images [B, C, H, W] -> the same, through h [B, N_h]. Level i of the encoder has n * i maps."""

    def __init__(self, config: BEGANConfig, data: DataSpec) -> None:
        super().__init__()
        n, levels = config.filters, 1 + halvings(data)
        layers: list[nn.Module] = [nn.Conv2d(data.channels, n, 3, padding=1), nn.ELU()]
        maps = [n, *(n * (level + 1) for level in range(levels))]
        for level, (before, after) in enumerate(pairwise(maps)):
            layers += [Block(before, after, config.carry_steps > 0)]
            if level < levels - 1:
                layers += [nn.Conv2d(after, after, 3, stride=2, padding=1), nn.ELU()]
        end = maps[-1] * (data.height >> (levels - 1)) * (data.width >> (levels - 1))
        self.encoder = nn.Sequential(*layers, nn.Flatten(), nn.Linear(end, config.hidden))
        self.decoder = Decoder(config.hidden, config, data)

    def forward(self, images: Tensor) -> Tensor:
        return self.decoder(self.encoder(images))


def halvings(data: DataSpec) -> int:
    """How often the sides are halved until the shorter one is 8 (or the next above it that is left): 3 at 64×64.

    At 28×28, the size of handwritten digits, it is once, and 14 is left.
    """
    if data.domains:
        raise UsageError("began learns one set of images, and this data has two; add one of them by itself.")
    height, width, times = data.height, data.width, 0
    while min(height, width) >= 16 and height % 2 == 0 and width % 2 == 0:
        height, width, times = height // 2, width // 2, times + 1
    if not 8 <= min(height, width) < 16:
        size = f"{data.height}×{data.width}"
        raise UsageError(f"began cannot do {size}: halved, a side must come to 8 to 15, as 32, 64, 96 and 128 do.")
    return times


def initialise(module: nn.Module) -> None:
    """The paper says nothing of it; this is what the reference's library does: Xavier's uniform weights, biases 0."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
