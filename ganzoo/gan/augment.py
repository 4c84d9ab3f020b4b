"""Differentiable augmentation (Zhao et al. 2020, arXiv:2006.10738): what D sees, real and fake alike, is altered.

Every function takes images [B, C, H, W] and its random draws, so that it can be tested without them; `DiffAugment`
draws them. Gradients flow to the images.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ganzoo.contract.options import option
from ganzoo.contract.randomness import rows
from ganzoo.errors import UsageError


def brightness(images: Tensor, u: Tensor) -> Tensor:
    """x + (u - 0.5), u [B, 1, 1, 1] in [0, 1)."""
    return images + (u - 0.5)


def saturation(images: Tensor, u: Tensor) -> Tensor:
    """Distance from the pixel's mean over channels, times 2u."""
    mean = images.mean(1, keepdim=True)
    return (images - mean) * (2 * u) + mean


def contrast(images: Tensor, u: Tensor) -> Tensor:
    """Distance from the image's mean, times u + 0.5."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return (images - mean) * (u + 0.5) + mean


def translation(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """output[r, c] = input[r + down, c + right], zero outside; down and right [B] int64."""
    batch, _, height, width = images.shape
    row = torch.arange(height, device=images.device) + down[:, None]  # [B, H]
    column = torch.arange(width, device=images.device) + right[:, None]  # [B, W]
    inside = ((row >= 0) & (row < height))[:, :, None] & ((column >= 0) & (column < width))[:, None, :]  # [B, H, W]
    item = torch.arange(batch, device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[item, row.clamp(0, height - 1)[:, :, None], column.clamp(0, width - 1)[:, None]]
    return moved.permute(0, 3, 1, 2) * inside[:, None].to(images.dtype)


def cutout(images: Tensor, row: Tensor, column: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """A block of this height and width (half the image's, rounded) around (row, column), clipped to the image, becomes
    0; row and column [B] int64.
    """
    height, width = images.shape[2:]
    tall, wide = size or (int(height * 0.5 + 0.5), int(width * 0.5 + 0.5))
    top, left = (row - tall // 2)[:, None], (column - wide // 2)[:, None]
    r, c = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
    # The block's edges are clipped into the image, as the paper's code does: a block wholly outside keeps its edge.
    in_rows = (r >= top.clamp(0, height - 1)) & (r <= (top + tall - 1).clamp(0, height - 1))  # [B, H]
    in_columns = (c >= left.clamp(0, width - 1)) & (c <= (left + wide - 1).clamp(0, width - 1))  # [B, W]
    hole = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return images * (~hole).to(images.dtype)


@dataclass(frozen=True)
class DiffAugment:
    """Augments a batch by a policy: any of color, translation and cutout, joined by commas, in the order named.

    The three of these names leave one of them out; `cutout_chance` is drawn alike on every process.
    """

    policy: str = option("color,translation,cutout", "their order")
    ratio: float = option(0.125, "largest shift as a share of the side", low=0, high=1)
    cutout_chance: float = option(1.0, "probability that a batch is cut out of at all", low=0, high=1)
    color: bool = option(True, "brightness, saturation and contrast change")
    translation: bool = option(True, "images are shifted")
    cutout: bool = option(True, "half the side is cut out")
    cutout_least: int = option(
        0,
        "least side of what is cut out, in pixels, drawn for each batch up to half the image's and this; 0: half",
        low=0,
    )

    def __post_init__(self) -> None:
        unknown = set(self.policy.split(",")) - {"color", "translation", "cutout"}
        if unknown:
            raise UsageError(f"DiffAugment has no {unknown.pop()!r}; it takes color, translation and cutout.")

    def __call__(self, images: Tensor) -> Tensor:
        """images [B, C, H, W] -> the same shape, drawn anew at each call."""
        for change in filter(partial(getattr, self), self.policy.split(",")):
            images = {"color": self._recolor, "translation": self._move, "cutout": self._cut}[change](images)
        return images

    def _recolor(self, images: Tensor) -> Tensor:
        for change in (brightness, saturation, contrast):
            images = change(images, rows((len(images), 1, 1, 1), torch.rand, images.device).to(images.dtype))
        return images

    def _move(self, images: Tensor) -> Tensor:
        batch, _, height, width = images.shape
        tall, wide = int(height * self.ratio + 0.5), int(width * self.ratio + 0.5)
        down, right = _integers(batch, -tall, tall, images.device), _integers(batch, -wide, wide, images.device)
        return translation(images, down, right)

    def _cut(self, images: Tensor) -> Tensor:
        if self.cutout_chance < 1 and random.random() >= self.cutout_chance:
            return images
        batch, _, height, width = images.shape
        tall, wide = int(height * 0.5 + 0.5), int(width * 0.5 + 0.5)
        if least := self.cutout_least:
            tall, wide = random.randint(least, height // 2 + least), random.randint(least, width // 2 + least)
        row = _integers(batch, 0, height - tall % 2, images.device)
        return cutout(images, row, _integers(batch, 0, width - wide % 2, images.device), (tall, wide))


def _integers(count: int, low: int, high: int, device: torch.device) -> Tensor:
    """[count] int64, uniform in low … high, both included."""
    return low + (rows((count,), torch.rand, device) * (high - low + 1)).long()
