"""Conditional GAN: Mirza and Osindero 2014, arXiv:1411.1784. Both players are told the label; networks as DCGAN's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganzoo.api import Abilities, DataSpec, TwoPlayer, TwoPlayerConfig, UsageError, normal_init, option


@dataclass(frozen=True)
class CGANConfig(TwoPlayerConfig):
    embedding: int = option(32, "numbers that a label becomes beside z", low=1)
    width_g: int = option(32, "G's feature maps before the last layer; doubled at each layer below", low=1)
    width_d: int = option(32, "D's feature maps after the first layer; doubled at each layer below", low=1)
    batch_size: int = option(64, "images in a step")
    resolution: int = option(32, "height and width")


class CGAN(TwoPlayer):
    """G(z, y) makes an image of label y; D(x, y) says whether x is a real image *of that label*."""

    Config = CGANConfig
    modalities = ("image",)
    abilities = Abilities(generate=True, realness=True, labels=frozenset({"class"}))
    presets: ClassVar = {
        "digits": {"resolution": 28, "channels": 1, "batch_size": 32},
        "small": {"width_g": 16, "width_d": 16, "batch_size": 32},
    }
    preset_summaries: ClassVar = {
        "digits": "28×28 grey, for digits as they are.",
        "small": "A quarter of the width, for a look within minutes.",
    }

    def __init__(self, config: CGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        layers = depth(data)
        self.G = Generator(config, layers, data)
        self.D = Discriminator(config.width_d, layers, data)
        self.apply(normal_init)


class Generator(nn.Module):
    """z [B, Z], label [B] -> images [B, C, H, W] in [-1, 1]."""

    def __init__(self, config: CGANConfig, layers: int, data: DataSpec) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(data.classes), config.embedding)
        start = (data.height >> layers, data.width >> layers)
        widths = [config.width_g << i for i in reversed(range(layers))]
        blocks: list[nn.Module] = [
            nn.ConvTranspose2d(config.latent_dim + config.embedding, widths[0], start, bias=False)
        ]
        for before, after in pairwise(widths):
            blocks += [*normalise(before), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
        blocks += [*normalise(widths[-1]), nn.ConvTranspose2d(widths[-1], data.channels, 4, 2, 1), nn.Tanh()]
        self.main = nn.Sequential(*blocks)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        zy = torch.cat([z, self.embed(label)], 1)  # [B, Z + E]
        return self.main(zy[:, :, None, None])


class Discriminator(nn.Module):
    """images [B, C, H, W], label [B] -> logits [B]; the sigmoid is the loss's."""

    def __init__(self, width: int, layers: int, data: DataSpec) -> None:
        super().__init__()
        self.plane = nn.Embedding(len(data.classes), data.height * data.width)
        widths = [data.channels + 1, *(width << i for i in range(layers))]
        blocks: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(widths)):
            norm = [nn.BatchNorm2d(after)] if i else []
            blocks += [nn.Conv2d(before, after, 4, 2, 1, bias=not i), *norm, nn.LeakyReLU(0.2)]
        end = (data.height >> layers, data.width >> layers)
        self.main = nn.Sequential(*blocks, nn.Conv2d(widths[-1], 1, end))
        self.last_layer = f"main.{len(blocks)}"

    def forward(self, images: Tensor, label: Tensor) -> Tensor:
        plane = self.plane(label).view(-1, 1, *images.shape[2:])  # the label, as one more channel
        return self.main(torch.cat([images, plane], 1)).flatten()


def normalise(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU(inplace=True)


def depth(data: DataSpec) -> int:
    """Halvings until the shorter side is 4 to 7: 2 at 28×28, 3 at 32×32, 4 at 64×64. Raises: UsageError."""
    if not data.classes:
        raise UsageError(
            "cgan needs a class for each image, and this data set has none; add it with --labels, or train dcgan."
        )
    layers = min(data.height, data.width).bit_length() - 3
    if layers < 1 or data.height % (1 << layers) or data.width % (1 << layers):
        raise UsageError(
            f"cgan cannot do {data.height}×{data.width}: both sides must be whole numbers doubled often enough for the "
            "shorter to begin at 4 to 7, such as 28 or 64."
        )
    return layers
