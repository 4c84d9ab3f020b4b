"""R3GAN: Huang, Gokaslan, Kuleshov and Tompkin 2024, arXiv:2501.05441.

Letters in shapes: B batch, Z latents, C maps. Nothing is normalised, so the weights begin as section 3.4 has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from ganzoo_stylegan2.upfirdn import downsample2, upsample2
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot

from ganzoo.api import Abilities, ConditionalConfig, DataSpec, Foreign, Imported, TwoPlayer, UsageError, option

GAIN = math.sqrt(2 / 1.04)  # of a leaky rectifier with the slope 0.2 below 0


@dataclass(frozen=True)
class R3GANConfig(ConditionalConfig):
    """The defaults are those of CIFAR-10 at the run's beginning; the presets have the schedules."""

    loss: str = "relativistic"
    penalty: str = "r1:gamma=0.05,at=32+r2:gamma=0.05,at=32"
    beta1: float = 0.0
    beta2: float = 0.9
    latent_dim: int = option(64, "length of the noise vector z, and of a class's embedding", low=1)
    channel_base: int = option(24576, "feature maps are channel_base / r at resolution r, at most channel_max", low=1)
    channel_max: int = option(768, "most feature maps of a stage", low=1)
    blocks: int = option(2, "residual blocks at each size", low=1)
    expansion: int = option(2, "times as many maps within a block", low=1)
    group_width: int = option(16, "maps of each group of a block's middle convolution", low=1)
    batch_size: int = option(64, "images in a step")
    resolution: int = option(32, "height and width")


def burn_in(side: int, batch: int, gamma: float, ema: int, augment: float, images: int = 20_000_000) -> dict[str, Any]:
    """A published run: within the first `images`, everything goes along a cosine to where it stays."""
    weight = f"gamma=burn-in:{gamma:g}:{gamma / 10:g}:{images}"
    return {
        "resolution": side, "batch_size": batch, "penalty": f"r1:{weight}+r2:{weight}",
        "lr": f"burn-in:2e-4:5e-5:{images}", "beta2": f"burn-in:0.9:0.99:{images}", "ema": f"burn-in:0:{ema}:{images}",
        "augment": f"ada:strength=burn-in:0:{augment:g}:{images},color_chance=0.5,cutout=yes",
    }  # fmt: skip


class R3GAN(TwoPlayer):
    """Two mirrored residual networks."""

    Config = R3GANConfig
    abilities = Abilities(generate=True, realness=True)
    modalities = ("image",)
    G: Generator
    D: Discriminator
    presets: ClassVar = {
        "small": {
            "resolution": 32, "channel_base": 1024, "channel_max": 64, "blocks": 1, "group_width": 8, "batch_size": 16,
            "penalty": "r1:gamma=1,every=4+r2:gamma=1,every=4", "lr": "cosine:2e-3:1e-4", "beta2": 0.99, "ema": 30_000,
            "epochs": 20,
        },
        "cifar": {**burn_in(32, 512, 0.05, 5_000_000, 0.55), "flip": True, "conditional": True},
        "ffhq-64": {**burn_in(64, 256, 2, 500_000, 0.3), "flip": True},
        "ffhq-256": {**burn_in(256, 256, 150, 500_000, 0.3), "flip": True},
        "imagenet-32": {
            **burn_in(32, 4096, 0.5, 50_000_000, 0.5, 200_000_000), "channel_base": 49152, "channel_max": 1536,
            "group_width": 32, "flip": True, "conditional": True,
        },
        "imagenet-64": {
            **burn_in(64, 4096, 1, 50_000_000, 0.4, 200_000_000), "channel_base": 98304, "channel_max": 1536,
            "group_width": 32, "flip": True, "conditional": True,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "32×32, one block at each size: for two CPU cores.",
        "cifar": "The published run for CIFAR-10 with classes, for GPUs.",
        "ffhq-64": "The published run for faces at 64×64, for GPUs.",
        "ffhq-256": "The published run for faces at 256×256, for GPUs.",
        "imagenet-32": "The published run for ImageNet at 32×32, in batches of 4,096.",
        "imagenet-64": "The published run for ImageNet at 64×64, in batches of 4,096.",
    }

    def __init__(self, config: R3GANConfig, data: DataSpec) -> None:
        """Raises: UsageError unless the images are square, of a power of two from 8 to 1024, and the groups fit."""
        super().__init__(config, data)
        side = data.height
        if side != data.width or not 8 <= side <= 1024 or side & (side - 1):
            raise UsageError(
                f"R3GAN cannot do {side}×{data.width}: it doubles from 4×4, so use --resolution with a power of two "
                "from 8 to 1024, such as 64."
            )
        sides = [4 << level for level in range(int(math.log2(side)) - 1)]
        widths = [max(1, min(config.channel_base // side, config.channel_max)) for side in sides]
        if uneven := [width for width in widths if width * config.expansion % config.group_width]:
            raise UsageError(
                f"{uneven[0] * config.expansion} maps cannot be split into groups of {config.group_width}; choose a "
                "--group-width that divides them."
            )
        shape = Shape(tuple(widths), (config.blocks,) * len(widths), config.expansion, config.group_width)
        classes = len(data.classes) if self.conditional else 0
        self.G = Generator(shape, config.latent_dim, data.channels, classes, config.latent_dim)
        self.D = Discriminator(shape, data.channels, classes)

    @staticmethod
    def imported(foreign: Foreign) -> Imported:
        """A model of the authors' files."""
        from ganzoo_r3gan.official import imported

        return imported(foreign)


@dataclass(frozen=True)
class Shape:
    """Of either network: maps and blocks at 4×4, 8×8, …; times as many maps within a block, and those of a group."""

    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    expansion: int
    group_width: int

    def stage(self, level: int) -> list[Block]:
        gain = GAIN * sum(self.blocks) ** -0.25  # so that the sum of all blocks keeps its size
        width = self.widths[level]
        return [Block(width, self.expansion, self.group_width, gain) for _ in range(self.blocks[level])]

    def change(self, level: int, following: int) -> list[nn.Conv2d]:
        """From one level's maps to another's, where those are not as many."""
        before, after = self.widths[level], self.widths[following]
        return [convolution(before, after)] if before != after else []


class Generator(nn.Module):
    """z [B, Z] (and a class [B]) -> images [B, C, H, W], unbounded.

    Args:
        classes: how many; 0 for none. Each has an embedding of the length `embedding`, which follows z.
    """

    def __init__(self, shape: Shape, latent_dim: int, channels: int, classes: int = 0, embedding: int = 0) -> None:
        super().__init__()
        first = shape.widths[0]
        self.embedding = dense(classes, embedding) if classes else None
        self.linear = dense(latent_dim + (embedding if classes else 0), first)
        self.basis = nn.Parameter(torch.randn(first, 4, 4))
        self.stages = nn.ModuleList([nn.Sequential(*shape.stage(0))])
        for level in range(1, len(shape.widths)):
            change = shape.change(level - 1, level)
            self.stages.append(nn.Sequential(*change, Resample(upsample2), *shape.stage(level)))
        self.torgb = convolution(shape.widths[-1], channels)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embedding is not None and label is not None:
            z = torch.cat([z, coded(label, self.embedding)], 1)
        x = self.linear(z)[:, :, None, None] * self.basis  # [B, C, 4, 4]
        for stage in self.stages:
            x = stage(x)
        return self.torgb(x)


class Discriminator(nn.Module):
    """Images [B, C, H, W] (and a class [B]) -> logits [B]; G's mirror image."""

    def __init__(self, shape: Shape, channels: int, classes: int = 0) -> None:
        super().__init__()
        first = shape.widths[0]
        self.fromrgb = convolution(channels, shape.widths[-1])
        self.stages = nn.ModuleList()
        for level in range(len(shape.widths) - 1, 0, -1):
            change = shape.change(level, level - 1)
            self.stages.append(nn.Sequential(*shape.stage(level), Resample(downsample2), *change))
        self.stages.append(nn.Sequential(*shape.stage(0)))
        self.basis = convolution(first, first, 4, groups=first)
        self.linear = dense(first, first if classes else 1)
        self.embedding = dense(classes, first, gain=first**-0.5) if classes else None
        self.last_layer = "" if classes else "linear"

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.fromrgb(images)
        for stage in self.stages:
            x = stage(x)
        x = self.linear(self.basis(x).flatten(1))
        if self.embedding is None or label is None:
            return x[:, 0]
        return (x * coded(label, self.embedding)).sum(1)


class Block(nn.Module):
    """x [B, C, H, W] plus a bottleneck turned inside out: wider within, where the convolution is in groups."""

    def __init__(self, width: int, expansion: int, group_width: int, gain: float) -> None:
        super().__init__()
        wide = width * expansion
        self.conv1 = convolution(width, wide, gain=gain)
        self.bias1 = nn.Parameter(torch.zeros(wide, 1, 1))
        self.conv2 = convolution(wide, wide, 3, groups=wide // group_width, gain=gain)
        self.bias2 = nn.Parameter(torch.zeros(wide, 1, 1))
        self.conv3 = convolution(wide, width, gain=0)

    def forward(self, x: Tensor) -> Tensor:
        inner = leaky_relu(self.conv1(x) + self.bias1, 0.2)
        inner = leaky_relu(self.conv2(inner) + self.bias2, 0.2)
        return x + self.conv3(inner)


class Resample(nn.Module):
    """Twice or half the size, by the function given."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def convolution(inputs: int, outputs: int, kernel: int = 1, groups: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """Without a bias; 3×3 keeps the size. Its weights begin at N(0, gain / sqrt(inputs of one output))."""
    layer = nn.Conv2d(inputs, outputs, kernel, padding=1 if kernel == 3 else 0, groups=groups, bias=False)
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(inputs // groups * kernel**2))
    return layer


def dense(inputs: int, outputs: int, gain: float = 1.0) -> nn.Linear:
    """Without a bias, begun likewise."""
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(inputs))
    return layer


def coded(label: Tensor, embedding: nn.Linear) -> Tensor:
    """Classes [B] -> their embeddings [B, ...]."""
    return embedding(one_hot(label, embedding.in_features).to(embedding.weight.dtype))
