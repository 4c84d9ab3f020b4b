"""My GAN.

Small convolutional networks, trained by algorithm 1 of Goodfellow et al. 2014, arXiv:1406.2661.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ganzoo.api import (
    Architecture,
    Batch,
    DataSpec,
    Progress,
    Update,
    UsageError,
    generator_loss,
    make_loss,
    option,
)
from torch import Tensor, nn


@dataclass(frozen=True)
class MyGANConfig:
    loss: str = option("nonsaturating", "adversarial loss, with constants: lsgan:a=-1,c=0")
    lr: float = option(2e-4, "learning rate", low=0)
    beta1: float = option(0.5, "Adam's decay of the mean gradient", low=0, high=0.9999)
    beta2: float = option(0.999, "Adam's decay of the mean squared gradient", low=0, high=0.999999)
    latent_dim: int = option(64, "length of the noise vector z", low=1)
    width: int = option(32, "feature maps of half the image's size; those of a quarter are twice as many", low=1)
    batch_size: int = option(64, "images in a step")
    resolution: int = option(32, "height and width")
    ema: int = option(2_000, "half-life of the averaged generator, in images")


class MyGAN(Architecture):
    """G makes images from noise, D tells them from real ones, and both learn."""

    Config = MyGANConfig
    presets: ClassVar = {"small": {"width": 8}}
    preset_summaries: ClassVar = {"small": "Narrow networks, for a first look."}

    def __init__(self, config: MyGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.height % 4 or data.width % 4:
            raise UsageError(f"{data.height}×{data.width} cannot be done: sides must be multiples of 4, such as 32.")
        if data.domains:
            raise UsageError("One set of images can be learnt, and this data has two; add one of them by itself.")
        self.latent_dim = config.latent_dim
        self.loss = make_loss(config.loss)
        self.G = generator(config, data)
        self.D = discriminator(config, data)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        real = next(batches).images  # [B, C, H, W] in [-1, 1]
        fake = self.G(self.noise(len(real)))

        d_real, d_fake = self.D(real), self.D(fake.detach())  # logits [B]
        watch = {"D(x)": self.mean_score(d_real), "D(G(z))": self.mean_score(d_fake)}
        yield Update("D", {"adversarial": self.loss.discriminator(d_real, d_fake)}, watch)

        d_fake = self.D(fake)  # D is the updated one by now
        loss = generator_loss(self.loss, d_fake, lambda: self.D(real))
        yield Update("G", {"adversarial": loss}, {"D(G(z)) after": self.mean_score(d_fake)})

    def mean_score(self, logits: Tensor) -> Tensor:
        """What the log shows of D: the loss's reading of its logits, as a rule the probability of being real."""
        return self.loss.score(logits.detach()).mean()


def generator(config: MyGANConfig, data: DataSpec) -> nn.Module:
    """z [B, Z] -> images [B, C, H, W] in [-1, 1]."""
    width, start = config.width, (2 * config.width, data.height // 4, data.width // 4)
    return nn.Sequential(
        nn.Linear(config.latent_dim, math.prod(start)),
        nn.Unflatten(1, start),  # [B, 2 * width, H / 4, W / 4]
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1),  # [B, width, H / 2, W / 2]
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.ConvTranspose2d(width, data.channels, 4, 2, 1),  # [B, C, H, W]
        nn.Tanh(),
    )


def discriminator(config: MyGANConfig, data: DataSpec) -> nn.Module:
    """images [B, C, H, W] -> logits [B]; the sigmoid is the loss's."""
    width, end = config.width, (2 * config.width, data.height // 4, data.width // 4)
    return nn.Sequential(
        nn.Conv2d(data.channels, width, 4, 2, 1),  # [B, width, H / 2, W / 2]
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 2, 1),  # [B, 2 * width, H / 4, W / 4]
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(math.prod(end), 1),
        nn.Flatten(0),
    )
