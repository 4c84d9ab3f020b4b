"""SNGAN's networks, of blocks one after the other, so that others can be put between them.

This module is public: other plugins import it.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo.api import DataSpec, UsageError
from ganzoo_sngan.blocks import (
    BatchNorm,
    ClassNorm,
    DownBlock,
    Norm,
    ProjectionHead,
    UpBlock,
    Wrap,
    convolution,
    dense,
    plain,
)


class Generator(nn.Module):
    """z [B, Z], label [B] -> images [B, C, H, W] in [-1, 1]."""

    def __init__(
        self, latent_dim: int, widths: tuple[int, ...], start: tuple[int, int], channels: int, classes: int,
        bilinear: bool, wrap: Wrap = plain,
    ) -> None:  # fmt: skip
        super().__init__()
        self.start = (widths[0], *start)
        self.dense = dense(latent_dim, widths[0] * start[0] * start[1], wrap)
        norm: Norm = partial(ClassNorm, classes=classes) if classes else BatchNorm
        self.blocks = nn.ModuleList(UpBlock(a, b, norm, wrap, bilinear) for a, b in pairwise(widths))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.to_image = convolution(widths[-1], channels, 3, 1, wrap)

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
    if doublings < 0:
        raise UsageError("--widths-g takes one number or more, such as 256,256,256,256.")
    if halvings > blocks:
        raise UsageError(f"--halvings {halvings} is more than the {blocks} blocks that --widths-d gives D.")
    times = max(doublings, halvings)
    if data.height % (1 << times) or data.width % (1 << times):
        raise UsageError(
            f"{name} cannot do {data.height}×{data.width} with these widths: both sides must be multiples of "
            f"{1 << times}; choose another --resolution."
        )
    return data.height >> doublings, data.width >> doublings
