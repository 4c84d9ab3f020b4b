"""Progressive growing of GANs: Karras, Aila, Laine and Lehtinen 2018, arXiv:1710.10196."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo.api import DataSpec, EqualizedConv2d, EqualizedLinear, PixelNorm, option
from ganzoo_progan.growing import Growing, GrowingConfig, GrowingDiscriminator, GrowingGenerator, feature_maps


@dataclass(frozen=True)
class ProGANConfig(GrowingConfig):
    loss: str = "wasserstein"
    penalty: str = "wgan-gp+drift"
    average_first: bool = option(
        True, "D averages 2×2 pixels before the bias and rectifier, as the code; no: after, as the paper's table"
    )


# Batches and rates of the authors' configurations; the last entry of a table holds for the levels above it.
PAPER: dict[str, Any] = {
    "resolution": 1024, "phase_images": 800_000, "batch_sizes": (16, 16, 16, 16, 16, 16, 14, 6, 3), "group": 16,
    "flip": True,
}  # fmt: skip
OFFICIAL: dict[str, Any] = {"resolution": 1024, "phase_images": 600_000, "flip": True}


class ProGAN(Growing):
    """The generator's twin is `GrowingDiscriminator`; growing itself is `Growing`."""

    Config = ProGANConfig
    presets: ClassVar = {
        "small": {
            "resolution": 32, "fmap_base": 256, "fmap_max": 64, "latent_dim": 64, "batch_size": 16, "lr": 4e-3,
            "epochs": 40,
        },
        "paper": PAPER,
        "official-1gpu": {
            **OFFICIAL, "batch_size": 128, "batch_sizes": (128, 128, 128, 64, 32, 16, 8, 4),
            "lr_factors": (1, 1, 1, 1, 1, 1, 1, 1, 1.5),
        },
        "official-8gpu": {
            **OFFICIAL, "batch_size": 512, "batch_sizes": (512, 256, 128, 64, 32),
            "lr_factors": (1, 1, 1, 1, 1, 1.5, 2, 3),
        },
        "cifar": {
            "resolution": 32, "fmap_base": 4096, "fmap_max": 128, "latent_dim": 128, "phase_images": 400_000,
            "penalty": "wgan-gp:target=750+drift",
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "32×32 and a sixteenth of the maps: an hour on two CPU cores.",
        "paper": "1024×1024 as the paper's text has it.",
        "official-1gpu": "1024×1024, the released run for one GPU.",
        "official-8gpu": "1024×1024, the released run for eight GPUs.",
        "cifar": "The released settings for CIFAR-10 at 32×32.",
    }

    def __init__(self, config: ProGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        maps = feature_maps(data.height, config.fmap_base, config.fmap_max)
        hidden = min(config.fmap_base, config.fmap_max)
        self.G = Generator(data.height, config.latent_dim, maps, data.channels)
        self.D = GrowingDiscriminator(
            data.height, maps, hidden, data.channels, config.group, average_first=config.average_first
        )


class Generator(GrowingGenerator):
    """z [B, Z] -> images [B, C, H, W], unbounded."""

    def __init__(self, resolution: int, latent_dim: int, maps: Sequence[int], channels: int) -> None:
        super().__init__(resolution, maps, channels)
        self.norm = PixelNorm()
        self.dense = EqualizedLinear(latent_dim, maps[0] * 16, bias=False, gain=2**0.5 / 4)
        self.bias = nn.Parameter(torch.zeros(maps[0]))  # one a map, not one a pixel
        self.conv = EqualizedConv2d(maps[0], maps[0], 3)
        self.blocks = nn.ModuleList(DoublingBlock(below, above) for below, above in pairwise(maps))

    def forward(self, z: Tensor) -> Tensor:
        x = self.dense(self.norm(z)).unflatten(1, (-1, 4, 4))  # [B, maps[0], 4, 4]
        x = self.norm(leaky_relu(x + self.bias[:, None, None], 0.2))
        x, before = self.norm(leaky_relu(self.conv(x), 0.2)), None
        for block in self.blocks[: self.level]:
            x, before = block(x), x
        return self.colour(before, x)


class DoublingBlock(nn.Module):
    """[B, below, H, W] -> [B, above, 2 H, 2 W]."""

    def __init__(self, below: int, above: int) -> None:
        super().__init__()
        self.conv0 = EqualizedConv2d(below, above, 3, resample="up")
        self.conv1 = EqualizedConv2d(above, above, 3)
        self.norm = PixelNorm()

    def forward(self, x: Tensor) -> Tensor:
        for conv in (self.conv0, self.conv1):
            x = self.norm(leaky_relu(conv(x), 0.2))
        return x
