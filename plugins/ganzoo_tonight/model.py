"""tonight: R3GAN's mirrored residual networks (arXiv:2501.05441) in convolutions that are cheap on a CPU, with SAN.

Letters in shapes: B batch, Z latents, C maps. Nothing is normalised; each block begins as the identity.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from ganzoo.api import Abilities, DataSpec, TwoPlayer, TwoPlayerConfig, UsageError, option

SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # of the leaky rectifier


@dataclass(frozen=True)
class TonightConfig(TwoPlayerConfig):
    """The defaults are for photographs at 64×64, those of digits are a preset."""

    loss: str = "relativistic"
    penalty: str = option(
        "r1:gamma=1,at=64,every=4+r2:gamma=1,at=64,every=4", "penalties on D, joined by +: r1:gamma=10+drift"
    )
    augment: str = "diffaug:cutout=no"
    san: bool = True
    lr: float = 1e-3
    beta1: float = 0.0
    beta2: float = 0.99
    latent_dim: int = 64
    components: int = option(0, "z begins with a choice of one in so many; 0: it is normal throughout", low=0)
    width: int = option(24, "feature maps at the largest size of the blocks; half the size, twice as many", low=1)
    width_max: int = option(160, "most feature maps of a stage", low=1)
    blocks: int = option(1, "residual blocks at each size", low=1)
    patch: int = option(2, "pixels along each side that the first and the last layer take for one", low=1, high=4)
    ema: int = 10_000
    batch_size: int = option(16, "images in a step")
    resolution: int = option(64, "height and width")


STRONG = "r1:gamma=1,every=4+r2:gamma=1,every=4"  # at any size: what digits were measured with


class Tonight(TwoPlayer):
    """Two mirrored residual networks of depthwise and 1×1 convolutions."""

    Config = TonightConfig
    abilities = Abilities(generate=True, realness=True)
    modalities = ("image",)
    G: Generator
    D: Discriminator
    presets: ClassVar = {
        "small": {"resolution": 16, "width": 16, "width_max": 32, "patch": 1, "augment": "none", "penalty": STRONG},
        "digits-32": {
            "resolution": 32, "width": 32, "width_max": 128, "augment": "none", "penalty": STRONG, "epochs": 6,
            "lr": "cosine:2e-3:1e-4", "ema": 30_000, "components": 16,
        },
        "small-64": {"resolution": 64, "flip": True},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "16×16 and narrow networks, for a look within minutes.",
        "digits-32": "32×32 without augmentation, for digits in the evening.",
        "small-64": "64×64 with mirrored images, for faces in the evening.",
    }

    def __init__(self, config: TonightConfig, data: DataSpec) -> None:
        """Raises: UsageError unless the images are square, of a size that halves down to 4×4 once patches are taken."""
        super().__init__(config, data)
        if config.components > config.latent_dim:
            raise UsageError(
                f"z has {config.latent_dim} numbers, too few for --components {config.components}; "
                f"use --latent-dim {config.components} or more."
            )
        side, patch = data.height, config.patch
        inner = side // patch
        if side != data.width or side % patch or inner < 4 or inner & (inner - 1):
            raise UsageError(
                f"tonight cannot do {side}×{data.width} in patches of {patch}: it doubles from 4×4, so use "
                f"--resolution with {patch} times a power of two, such as {patch * 32}."
            )
        levels = int(math.log2(inner)) - 2
        widths = [min(config.width << (levels - level), config.width_max) for level in range(levels + 1)]
        self.G = Generator(widths, config.blocks, config.latent_dim, data.channels, patch, config.components)
        self.D = Discriminator(widths, config.blocks, data.channels, patch)


class Generator(nn.Module):
    """z [B, Z] -> images [B, C, H, W], unbounded. `widths` are the maps at 4×4, 8×8, …

    Args:
        components: z's first so many numbers become 0, but for the largest, which becomes the root of their count: a
            choice. A G that is continuous in all of z draws what lies between two kinds, too (arXiv:1806.00880).
    """

    def __init__(
        self, widths: list[int], blocks: int, latent_dim: int, channels: int, patch: int, components: int = 0
    ) -> None:
        super().__init__()
        self.components = components
        self.width = widths[0]
        self.linear = begun(nn.Linear(latent_dim, widths[0] * 16), GAIN)
        self.blocks = nn.ModuleList([stage(width, blocks, len(widths), latent_dim) for width in widths])
        self.changes = nn.ModuleList([begun(nn.Conv2d(a, b, 1)) for a, b in itertools.pairwise(widths)])
        self.torgb = begun(nn.Conv2d(widths[-1], channels * patch**2, 3, padding=1))
        self.patch = patch
        with torch.no_grad():  # the pixels of a patch begin alike: no grid is to be unlearned (arXiv:1707.02937)
            self.torgb.weight.copy_(self.torgb.weight[:: patch**2].repeat_interleave(patch**2, 0))

    def forward(self, z: Tensor) -> Tensor:
        if self.components:
            first, others = z[:, : self.components], z[:, self.components :]
            chosen = (first == first.amax(1, keepdim=True)).to(z.dtype)
            z = torch.cat([chosen * math.sqrt(self.components), others], 1)
        x = self.linear(z).view(-1, self.width, 4, 4).contiguous(memory_format=torch.channels_last)
        for level, blocks in enumerate(self.blocks):
            if level:
                x = interpolate(self.changes[level - 1](x), scale_factor=2, mode="bilinear")
            for block in blocks.children():
                x = block(x, z)
        return nn.functional.pixel_shuffle(self.torgb(leaky_relu(x, SLOPE)), self.patch)


class Discriminator(nn.Module):
    """Images [B, C, H, W] -> logits [B]; G's mirror image."""

    last_layer = "linear"

    def __init__(self, widths: list[int], blocks: int, channels: int, patch: int) -> None:
        super().__init__()
        down = widths[::-1]
        self.fromrgb = begun(nn.Conv2d(channels, down[0], patch + 2, stride=patch, padding=1))
        self.blocks = nn.ModuleList([stage(width, blocks, len(widths)) for width in down])
        self.changes = nn.ModuleList([begun(nn.Conv2d(a, b, 1)) for a, b in itertools.pairwise(down)])
        self.flat = begun(nn.Linear(down[-1] * 16, down[-1]), GAIN)
        self.linear = begun(nn.Linear(down[-1], 1))

    def forward(self, images: Tensor) -> Tensor:
        x = self.fromrgb(images.contiguous(memory_format=torch.channels_last))
        for level, blocks in enumerate(self.blocks):
            if level:
                x = self.changes[level - 1](avg_pool2d(x, 2))
            for block in blocks.children():
                x = block(x)
        x = leaky_relu(self.flat(leaky_relu(x, SLOPE).flatten(1)), SLOPE)
        return self.linear(x)[:, 0]


class Block(nn.Module):
    """x [B, C, H, W] plus what a 3×3 convolution of each map and two 1×1 convolutions make of it.

    In G, z says by how much each of the maps within is to be multiplied.
    """

    def __init__(self, width: int, gain: float, latent_dim: int = 0) -> None:
        super().__init__()
        self.spatial = begun(nn.Conv2d(width, width, 3, padding=1, groups=width), gain)
        self.wider = begun(nn.Conv2d(width, 2 * width, 1), gain)
        self.style = begun(nn.Linear(latent_dim, 2 * width), 0.5) if latent_dim else None
        self.back = begun(nn.Conv2d(2 * width, width, 1), 0.0)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        inner = self.wider(self.spatial(leaky_relu(x, SLOPE)))
        if self.style is not None and z is not None:
            inner = inner * (1 + self.style(z))[:, :, None, None]
        return x + self.back(leaky_relu(inner, SLOPE))


def stage(width: int, blocks: int, stages: int, latent_dim: int = 0) -> nn.ModuleList:
    """The blocks of one size; their gain keeps the sum of all of them at its size (R3GAN, section 3.4)."""
    gain = GAIN * (blocks * stages) ** -0.25
    return nn.ModuleList([Block(width, gain, latent_dim) for _ in range(blocks)])


def begun(layer: nn.Linear | nn.Conv2d, gain: float = 1.0) -> nn.Linear | nn.Conv2d:
    """The layer with weights of N(0, gain / sqrt(inputs of one output)) and biases of 0."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
