"""My GAN.

Small convolutional networks that are told the label, D as in Miyato and Koyama 2018, arXiv:1802.05637.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from ganzoo.api import (
    Abilities,
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
    loss: str = option("hinge", "adversarial loss, with constants: lsgan:a=-1,c=0")
    lr: float = option(2e-4, "learning rate", low=0)
    beta1: float = option(0.5, "Adam's decay of the mean gradient", low=0, high=0.9999)
    beta2: float = option(0.999, "Adam's decay of the mean squared gradient", low=0, high=0.999999)
    latent_dim: int = option(64, "length of the noise vector z", low=1)
    embedding: int = option(32, "numbers that a label becomes beside z", low=1)
    width: int = option(32, "feature maps of half the image's size; those of a quarter are twice as many", low=1)
    batch_size: int = option(64, "images in a step")
    resolution: int = option(32, "height and width")
    ema: int = option(2_000, "half-life of the averaged generator, in images")


class MyGAN(Architecture):
    """G(z, y) makes an image of label y; D(x, y) says whether x is a real image *of that label*."""

    Config = MyGANConfig
    abilities = Abilities(generate=True, labels=frozenset({"class"}))
    presets: ClassVar = {"small": {"width": 8}}
    preset_summaries: ClassVar = {"small": "Narrow networks, for a first look."}

    def __init__(self, config: MyGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.height % 4 or data.width % 4:
            raise UsageError(f"{data.height}×{data.width} cannot be done: sides must be multiples of 4, such as 32.")
        if not data.classes:
            raise UsageError("Labels are needed, and this data set has none; add it with --labels.")
        self.latent_dim = config.latent_dim
        self.loss = make_loss(config.loss)
        self.G = Generator(config, data)
        self.D = Discriminator(config, data)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        batch = next(batches)
        real, label = batch.images, batch.label  # [B, C, H, W] in [-1, 1], [B]
        fake = self.G(self.noise(len(real)), label)

        d_real, d_fake = self.D(real, label), self.D(fake.detach(), label)  # logits [B]
        watch = {"D(x)": self.mean_score(d_real), "D(G(z))": self.mean_score(d_fake)}
        yield Update("D", {"adversarial": self.loss.discriminator(d_real, d_fake)}, watch)

        d_fake = self.D(fake, label)  # D is the updated one by now
        loss = generator_loss(self.loss, d_fake, lambda: self.D(real, label))
        yield Update("G", {"adversarial": loss}, {"D(G(z)) after": self.mean_score(d_fake)})

    def mean_score(self, logits: Tensor) -> Tensor:
        """What the log shows of D: the loss's reading of its logits."""
        return self.loss.score(logits.detach()).mean()


class Generator(nn.Module):
    """z [B, Z], label [B] -> images [B, C, H, W] in [-1, 1]."""

    def __init__(self, config: MyGANConfig, data: DataSpec) -> None:
        super().__init__()
        width, start = config.width, (2 * config.width, data.height // 4, data.width // 4)
        self.embed = nn.Embedding(len(data.classes), config.embedding)
        self.main = nn.Sequential(
            nn.Linear(config.latent_dim + config.embedding, math.prod(start)),
            nn.Unflatten(1, start),  # [B, 2 * width, H / 4, W / 4]
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1),  # [B, width, H / 2, W / 2]
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, data.channels, 4, 2, 1),  # [B, C, H, W]
            nn.Tanh(),
        )

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        zy = torch.cat([z, self.embed(label)], 1)  # [B, Z + E]
        return cast(Tensor, self.main(zy))


class Discriminator(nn.Module):
    """images [B, C, H, W], label [B] -> logits [B]; what they mean is the loss's."""

    def __init__(self, config: MyGANConfig, data: DataSpec) -> None:
        super().__init__()
        width, features = config.width, 2 * config.width * (data.height // 4) * (data.width // 4)
        self.features = nn.Sequential(
            nn.Conv2d(data.channels, width, 4, 2, 1),  # [B, width, H / 2, W / 2]
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),  # [B, 2 * width, H / 4, W / 4]
            nn.LeakyReLU(0.2),
            nn.Flatten(),
        )
        self.real = nn.Linear(features, 1)
        self.embed = nn.Embedding(len(data.classes), features)
        nn.init.zeros_(self.embed.weight)  # at first the label says nothing

    def forward(self, images: Tensor, label: Tensor) -> Tensor:
        phi = self.features(images)  # [B, F]
        return cast(Tensor, self.real(phi).flatten() + (self.embed(label) * phi).sum(1))
