"""Transformer blocks over maps of tokens. Letters in shapes: B batch, N tokens, C channels, W windows, h heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from ganzoo.api import PixelNorm, rows


@dataclass(frozen=True)
class Style:
    """What the blocks of a network have in common.

    Attributes:
        heads: of the attention.
        mlp_ratio: hidden width of the MLP over the block's width.
        norm: "layer", or "pixel" for ProGAN's, which learns nothing.
        relative: learn a bias for each head and each displacement between two tokens of a map.
        noise: add noise of learned strength to what the attention sees, in training.
        window: side of the squares that tokens attend within; None for the whole map.
    """

    heads: int = 4
    mlp_ratio: int = 4
    norm: str = "layer"
    relative: bool = True
    noise: bool = False
    window: int | None = None

    def windows(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that attention reaches over on a map; a map smaller than the window is one."""
        return (height, width) if self.window is None else (min(height, self.window), min(width, self.window))


def make_norm(style: Style, width: int) -> nn.Module:
    return nn.LayerNorm(width) if style.norm == "layer" else PixelNorm(dim=-1)


class Attention(nn.Module):
    """Multi-head self-attention, tokens [B, N, C] -> [B, N, C].

    The softmax is written out: fused attention has no second derivative, which a gradient penalty on D needs.

    Args:
        area: height and width of the map that the tokens are, row by row; None when they are no map.
    """

    def __init__(self, style: Style, width: int, area: tuple[int, int] | None) -> None:
        super().__init__()
        self.heads = style.heads
        self.area = area
        self.window = style.windows(*area) if area else None
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)
        self.strength = nn.Parameter(torch.zeros(())) if style.noise else None
        self.bias_table: nn.Parameter | None = None
        self.displacement: Tensor
        if style.relative and self.window:
            height, breadth = self.window
            self.bias_table = nn.Parameter(torch.empty((2 * height - 1) * (2 * breadth - 1), style.heads))
            nn.init.trunc_normal_(self.bias_table, std=0.02)
            self.register_buffer("displacement", displacements(height, breadth), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.strength is not None and self.training:
            x = x + (rows((len(x), x.shape[1], 1), device=x.device) * self.strength).to(x.dtype)
        if self.area == self.window:
            return self.attend(x)
        return self.from_windows(self.attend(self.to_windows(x)))

    def attend(self, x: Tensor) -> Tensor:
        """Self-attention among all tokens of each item."""
        batch, count, width = x.shape
        qkv = self.qkv(x).reshape(batch, count, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each [B, h, N, C/h]
        logits = (q * (width // self.heads) ** -0.5) @ k.transpose(2, 3)  # [B, h, N, N]
        if self.bias_table is not None:
            logits = logits + self.bias_table[self.displacement].permute(2, 0, 1)
        mixed = logits.softmax(-1) @ v
        return self.proj(mixed.transpose(1, 2).reshape(batch, count, width))

    def to_windows(self, x: Tensor) -> Tensor:
        """[B, H * W, C] -> [B * windows, tokens of a window, C]."""
        (high, wide), (tall, broad) = cast(tuple[int, int], self.area), cast(tuple[int, int], self.window)
        x = x.reshape(-1, high // tall, tall, wide // broad, broad, x.shape[2])
        return x.transpose(2, 3).reshape(-1, tall * broad, x.shape[5])

    def from_windows(self, x: Tensor) -> Tensor:
        """[B * windows, tokens of a window, C] -> [B, H * W, C]."""
        (high, wide), (tall, broad) = cast(tuple[int, int], self.area), cast(tuple[int, int], self.window)
        x = x.reshape(-1, high // tall, wide // broad, tall, broad, x.shape[2])
        return x.transpose(2, 3).reshape(-1, high * wide, x.shape[5])


class Block(nn.Module):
    """Attention, then an MLP on each token, each after a norm and around a shortcut: [B, N, C] -> [B, N, C]."""

    def __init__(self, style: Style, width: int, area: tuple[int, int] | None) -> None:
        super().__init__()
        self.norm1 = make_norm(style, width)
        self.attention = Attention(style, width, area)
        self.norm2 = make_norm(style, width)
        hidden = style.mlp_ratio * width
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Stage(nn.Module):
    """A map of tokens: its learned positions are added, then its blocks run."""

    def __init__(self, style: Style, depth: int, width: int, area: tuple[int, int]) -> None:
        super().__init__()
        self.position = position(area[0] * area[1], width)
        self.blocks = nn.Sequential(*[Block(style, width, area) for _ in range(depth)])

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x + self.position)


def displacements(height: int, width: int) -> Tensor:
    """Row of the bias table for each pair of tokens, query first, [N, N] int64: by rows and columns apart."""
    row, column = (torch.arange(height * width) // width), (torch.arange(height * width) % width)
    down, right = row[:, None] - row, column[:, None] - column
    return (down + height - 1) * (2 * width - 1) + right + width - 1


def position(count: int, width: int) -> nn.Parameter:
    """A learned vector for each of `count` tokens, [1, count, width]."""
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(1, count, width), std=0.02))


def to_tokens(maps: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, H * W, C]."""
    return maps.flatten(2).transpose(1, 2)


def to_maps(tokens: Tensor, area: tuple[int, int]) -> Tensor:
    """[B, H * W, C] -> [B, C, H, W]."""
    return tokens.transpose(1, 2).reshape(-1, tokens.shape[2], *area)
