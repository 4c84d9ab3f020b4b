"""Spectral normalisation: Miyato, Kataoka, Koyama and Yoshida 2018, arXiv:1802.05957; with classes by projection,
Miyato and Koyama 2018, arXiv:1802.05637. Blocks are in `blocks.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, Literal

from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo.api import ConditionalConfig, DataSpec, TwoPlayer, UsageError, option
from ganzoo_sngan.blocks import (
    BatchNorm,
    ClassNorm,
    DownBlock,
    Norm,
    ProjectionHead,
    UpBlock,
    convolution,
    dense,
    plain,
)


@dataclass(frozen=True)
class SNGANConfig(ConditionalConfig):
    loss: str = "hinge"
    lr: float = 2e-4
    beta1: float = 0.0
    beta2: float = 0.9
    n_critic: int = 5
    latent_dim: int = 128
    widths_g: tuple[int, ...] = option((256, 256, 256, 256), "G's maps at the start and after each doubling", low=1)
    widths_d: tuple[int, ...] = option((128, 128, 128, 128), "D's maps after each block", low=1)
    halvings: int = option(2, "how many of D's blocks, from the first on, halve the image", low=1)
    upsample: Literal["nearest", "bilinear"] = option("nearest", "how G doubles its maps")
    rectified: bool = option(False, "the shortcuts in D take ReLU(x), as an in-place ReLU makes them in mimicry")
    batch_size: int = option(64, "images in a turn")
    resolution: int = option(32, "height and width")


DECAY: dict[str, Any] = {"lr": "linear:2e-4:0", "steps": 100_000}
LARGE: dict[str, Any] = {"widths_d": (64, 128, 256, 512, 1024)}


class SNGAN(TwoPlayer):
    """D's weights are divided by their largest singular value, so that its slope is bounded at every image."""

    Config = SNGANConfig
    modalities = ("image",)
    presets: ClassVar = {
        "small": {
            "resolution": 32, "widths_g": (64, 64, 32, 32), "widths_d": (32, 32, 64, 64), "halvings": 3, "n_critic": 1,
            "lr": 5e-4, "lr_d": 1e-3, "batch_size": 32, "ema": 20_000,
        },
        "cifar": {**DECAY, "resolution": 32},
        "projection": {**DECAY, "resolution": 32, "conditional": True},
        "mimicry": {**DECAY, "resolution": 32, "upsample": "bilinear", "rectified": True},
        "stl": {**DECAY, **LARGE, "resolution": 48, "widths_g": (512, 256, 128, 64), "halvings": 4},
        "celeba-64": {**DECAY, **LARGE, "resolution": 64, "widths_g": (1024, 512, 256, 128, 64), "halvings": 5},
        "celeba-128": {
            "resolution": 128, "widths_g": (1024, 1024, 512, 256, 128, 64), "widths_d": (64, 128, 256, 512, 1024, 1024),
            "halvings": 5, "n_critic": 2, "steps": 100_000,
        },
    }  # fmt: skip

    def __init__(self, config: SNGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        start = check_sides("sngan", data, len(config.widths_g) - 1, config.halvings, len(config.widths_d))
        classes = len(data.classes) if self.conditional else 0
        bilinear = config.upsample == "bilinear"
        self.G = Generator(config.latent_dim, config.widths_g, start, data.channels, classes, bilinear)
        self.D = Discriminator(data.channels, config.widths_d, config.halvings, classes, config.rectified)


class Generator(nn.Module):
    """z [B, Z], label [B] -> images [B, C, H, W] in [-1, 1]."""

    def __init__(
        self, latent_dim: int, widths: tuple[int, ...], start: tuple[int, int], channels: int, classes: int,
        bilinear: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.start = (widths[0], *start)
        self.dense = dense(latent_dim, widths[0] * start[0] * start[1], plain)
        norm: Norm = partial(ClassNorm, classes=classes) if classes else BatchNorm
        self.blocks = nn.ModuleList(UpBlock(a, b, norm, bilinear=bilinear) for a, b in pairwise(widths))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.to_image = convolution(widths[-1], channels, 3, 1, plain)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.dense(z).unflatten(1, self.start)
        for block in self.blocks:
            x = block(x, label)
        return self.to_image(relu(self.norm(x))).tanh()


class Discriminator(nn.Module):
    """images [B, C, H, W], label [B] -> logits [B]."""

    def __init__(self, channels: int, widths: tuple[int, ...], halvings: int, classes: int, rectified: bool) -> None:
        super().__init__()
        self.blocks = nn.Sequential()
        for i, (inputs, outputs) in enumerate(pairwise((channels, *widths))):
            hidden = inputs if i else outputs
            self.blocks.append(DownBlock(inputs, outputs, hidden, i < halvings, first=i == 0, rectified=rectified))
        self.head = ProjectionHead(widths[-1], classes)
        self.last_layer = "" if classes else "head.dense"  # a projection adds to what that says

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        return self.head(self.blocks(images), label)


def check_sides(name: str, data: DataSpec, doublings: int, halvings: int, blocks: int) -> tuple[int, int]:
    """Height and width that G begins at. Raises: UsageError when the sides do not halve so often."""
    if halvings > blocks:
        raise UsageError(f"--halvings {halvings} is more than the {blocks} blocks that --widths-d gives D.")
    times = max(doublings, halvings)
    if data.height % (1 << times) or data.width % (1 << times):
        raise UsageError(
            f"{name} cannot do {data.height}×{data.width} with these widths: both sides must be multiples of "
            f"{1 << times}; choose another --resolution."
        )
    return data.height >> doublings, data.width >> doublings
