"""A GAN with an encoder, after VAE/GAN (Larsen et al. 2016, arXiv:1512.09300): what it should bring back is measured by
the features of a network. There it is D; here it is one with weights of its own that never move.

Letters in shapes: B batch, C channels, H height, W width, Z latents, F features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from ganzoo.api import (
    Abilities,
    Batch,
    DataSpec,
    Frozen,
    Progress,
    TwoPlayer,
    TwoPlayerConfig,
    Update,
    UsageError,
    normal_init,
    option,
)
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from ganzoo_encoder.eyes import EYES, eyes


@dataclass(frozen=True)
class EncoderConfig(TwoPlayerConfig):
    copy: float = option(
        1.0, "weight of the distance, in the frozen network's features, of an image and its copy", low=0
    )
    prior: float = option(0.1, "weight of what keeps latents of images like noise: their mean square is 1", low=0)
    width: int = option(32, "feature maps at half the size; doubled below", low=1)
    latent_dim: int = 32
    batch_size: int = option(32, "images in a step")
    resolution: int = option(32, "height and width")


class Encoder(TwoPlayer):
    """G makes images of latents, E finds the latents of images, D tells real images from G's of noise."""

    Config = EncoderConfig
    modalities = ("image",)
    generators = ("G", "E")
    abilities = Abilities(generate=True, realness=True, encode=True)
    idle: ClassVar = {"n_critic": "its step has one turn of D; the option comes with TwoPlayerConfig"}
    presets: ClassVar = {"small": {"width": 8, "latent_dim": 16}}

    def __init__(self, config: EncoderConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.height % 4 or data.width % 4:
            raise UsageError("encoder makes images whose sides are multiples of 4, such as 28 or 32.")
        self.G = decoder(config.latent_dim, config.width, data)
        self.D = nn.Sequential(
            *halved_twice(config.width, data, norm=False), head(config.width, data, 1), nn.Flatten(0)
        )
        self.E = nn.Sequential(*halved_twice(config.width, data), head(config.width, data, config.latent_dim))
        self.apply(normal_init)
        self.eyes = Frozen(EYES, eyes)

    def encode(self, items: Tensor, label: Tensor | None = None) -> Tensor:
        return self.E(items)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        real = next(batches).images
        fake = self.generate(self.noise(len(real)))
        yield from self.critic_turn(real, fake.detach(), None, progress.step)
        yield from self.generator_turn(real, fake, None)

        z = self.E(real)  # [B, Z]
        yield Update(("G", "E"), self.copies(real, z), {"z(x)²": z.detach().square().mean()}, name="copy")

    def copies(self, real: Tensor, z: Tensor) -> dict[str, Tensor]:
        """How far copies of real images are from them as the frozen network sees them, and their z from noise."""
        seen, again = self.eyes(grey(real)), self.eyes(grey(self.generate(z)))  # [B, F, h, w]
        off = z.float().square().mean(0) - 1  # [Z]: of each latent over the batch
        return {
            "copy": self.config.copy * mse_loss(again.float(), seen.float()),
            "prior": self.config.prior * off.square().mean(),
        }


def grey(images: Tensor) -> Tensor:
    """Images [B, C, H, W] -> [B, 1, H, W]."""
    return images.mean(1, keepdim=True)


def decoder(latent_dim: int, width: int, data: DataSpec) -> nn.Module:
    """z [B, Z] -> images [B, C, H, W] in [-1, 1]."""
    start = (2 * width, data.height // 4, data.width // 4)
    return nn.Sequential(
        nn.Linear(latent_dim, torch.Size(start).numel()),
        nn.Unflatten(1, start),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1),  # [B, width, H / 2, W / 2]
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.ConvTranspose2d(width, data.channels, 4, 2, 1),
        nn.Tanh(),
    )


def halved_twice(width: int, data: DataSpec, norm: bool = True) -> list[nn.Module]:
    """Images [B, C, H, W] -> features [B, 2 * width, H / 4, W / 4]; the encoder's have batch norm, D's have none."""
    return [
        nn.Conv2d(data.channels, width, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 2, 1),
        nn.BatchNorm2d(2 * width) if norm else nn.Identity(),
        nn.LeakyReLU(0.2),
    ]


def head(width: int, data: DataSpec, outputs: int) -> nn.Module:
    """Features [B, 2 * width, H / 4, W / 4] -> [B, outputs]."""
    return nn.Sequential(nn.Flatten(), nn.Linear(2 * width * (data.height // 4) * (data.width // 4), outputs))
