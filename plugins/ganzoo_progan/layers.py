"""Layers of growing and style-based GANs.

Karras et al. 2018 (ProGAN, arXiv:1710.10196), section 4 and appendix A.1; Karras et al. 2019 (StyleGAN,
arXiv:1812.04948), appendix C. Letters in shapes: B batch, C channels, H height, W width.

This module is public: `ganzoo.api` has what stands in it.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, interpolate, linear

SQRT2 = math.sqrt(2)


class EqualizedLinear(nn.Module):
    """A dense layer, x [..., inputs] -> [..., outputs], whose weight starts at N(0, 1) and is scaled when used.

    The scale gain / sqrt(inputs) gives every layer the same effective learning rate under Adam.

    Args:
        gain: sqrt(2) before a rectifier, 1 for a linear output.
        rate: multiplier of the layer's learning rate, also on its bias; its outputs start as with 1.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True, gain: float = SQRT2, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale, self.rate = gain / math.sqrt(inputs) * rate, rate

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight * self.scale, None if self.bias is None else self.bias * self.rate)


class EqualizedConv2d(nn.Module):
    """A convolution that keeps the size, [B, inputs, H, W] -> [B, outputs, H, W], scaled as `EqualizedLinear`.

    Args:
        kernel: its side, odd.
        resample: "up" enlarges the input to twice the size before the convolution, nearest neighbour; "down" averages
            2×2 pixels after it, before the bias. Either is computed as one strided convolution: the same numbers in
            less than half of the arithmetic.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        bias: bool = True,
        gain: float = SQRT2,
        resample: Literal["up", "down"] | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale, self.resample = gain / math.sqrt(inputs * kernel * kernel), resample

    def forward(self, x: Tensor) -> Tensor:
        weight, padding = self.weight * self.scale, self.weight.shape[2] // 2
        if self.resample == "up":  # each input pixel is four of the enlarged one, so four taps meet in each output
            return conv_transpose2d(
                x, _four(4 * weight.flip(2, 3)).transpose(0, 1), self.bias, stride=2, padding=padding
            )
        if self.resample == "down":
            return conv2d(x, _four(weight), self.bias, stride=2, padding=padding)
        return conv2d(x, weight, self.bias, padding=padding)


def _four(kernel: Tensor) -> Tensor:
    """The mean of kernels [outputs, inputs, k, k] at four places one pixel apart, [outputs, inputs, k + 1, k + 1]."""
    return avg_pool2d(kernel, 2, stride=1, padding=1)


class PixelNorm(nn.Module):
    """Each pixel's feature vector over the root of its mean square: x [B, C, ...] / sqrt(mean_C(x^2) + eps).

    Args:
        dim: where the features are; -1 for tokens [B, N, C].
    """

    def __init__(self, eps: float = 1e-8, dim: int = 1) -> None:
        super().__init__()
        self.eps, self.dim = eps, dim

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(_full(x).square().mean(self.dim, keepdim=True) + self.eps).to(x.dtype)


class MinibatchStddev(nn.Module):
    """Appends a map that says how varied the batch is, [B, C, H, W] -> [B, C + 1, H, W], so that D sees collapse.

    The batch splits into groups of `group` items, strided: of 8 in groups of 4, items 0, 2, 4, 6 are one. Over each
    group the standard deviation (biased, in float32) of every feature and pixel is averaged to one number. When the
    batch does not divide by `group`, the largest divisor of the batch below it is used.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        size = next(size for size in range(min(self.group, batch), 0, -1) if batch % size == 0)
        groups = _full(x).reshape(size, batch // size, *x.shape[1:])
        spread = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3)).repeat(size)  # [B]
        return torch.cat([x, spread.to(x.dtype)[:, None, None, None].expand(batch, 1, height, width)], 1)


class Blur(nn.Module):
    """The binomial filter [1, 2, 1] / 4 along both sides, with zeros around the image: [B, C, H, W] -> the same."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        row = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("kernel", row[:, None] * row, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, self.kernel.to(x.dtype).expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])


def upsample(images: Tensor, factor: int = 2) -> Tensor:
    """[B, C, H, W] -> [B, C, factor * H, factor * W], every pixel repeated."""
    return images if factor == 1 else interpolate(images, scale_factor=float(factor), mode="nearest")


def downsample(images: Tensor, factor: int = 2) -> Tensor:
    """[B, C, H, W] -> [B, C, H / factor, W / factor], squares averaged."""
    return images if factor == 1 else avg_pool2d(images, factor)


def fade(old: Tensor, new: Tensor, alpha: float) -> Tensor:
    """`new` faded in over `old`: (1 - alpha) * old + alpha * new."""
    return torch.lerp(old, new, alpha)


def _full(x: Tensor) -> Tensor:
    """In float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
