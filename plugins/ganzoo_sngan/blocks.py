"""Residual blocks of SNGAN, SAGAN and BigGAN (Miyato et al. 2018, arXiv:1802.05957, appendix B.4).

Letters in shapes: B batch, C channels, H height, W width. This module is public: other plugins import it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from ganzoo.api import spectral_norm, upsample

Wrap = Callable[[nn.Module], nn.Module]  # what is done with each layer that has a weight
Norm = Callable[[int], nn.Module]  # channels -> a module called with x [B, C, H, W] and the block's condition


def plain(layer: nn.Module) -> nn.Module:
    return layer


def convolution(inputs: int, outputs: int, kernel: int, gain: float, wrap: Wrap) -> nn.Module:
    """One that keeps the size, its weight uniform as Glorot has it, times the gain."""
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return wrap(layer)


def dense(inputs: int, outputs: int, wrap: Wrap) -> nn.Module:
    """Likewise."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return wrap(layer)


class BatchNorm(nn.BatchNorm2d):
    """Batch norm with its own scale and shift, whatever the condition."""

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return super().forward(x)


class ClassNorm(nn.Module):
    """Batch norm whose scale and shift are looked up for each class: x [B, C, H, W], label [B] -> [B, C, H, W].

    Dumoulin et al. 2017, arXiv:1610.07629, as Miyato and Koyama 2018 (arXiv:1802.05637) use it.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.rows = nn.Embedding(classes, 2 * channels)  # scale beside shift
        nn.init.normal_(self.rows.weight[:, :channels], 1.0, 0.02)
        nn.init.zeros_(self.rows.weight[:, channels:])

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.rows(condition)[:, :, None, None].chunk(2, 1)
        return self.norm(x) * scale + shift


class UpBlock(nn.Module):
    """x [B, inputs, H, W], condition -> [B, outputs, 2 H, 2 W]: norm, ReLU, larger, convolution, norm, ReLU,
    convolution; and beside it, larger, a 1×1 convolution.
    """

    def __init__(self, inputs: int, outputs: int, norm: Norm, wrap: Wrap = plain, bilinear: bool = False) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(inputs), norm(outputs)
        self.conv1 = convolution(inputs, outputs, 3, sqrt(2), wrap)
        self.conv2 = convolution(outputs, outputs, 3, sqrt(2), wrap)
        self.shortcut = convolution(inputs, outputs, 1, 1, wrap)
        self.bilinear = bilinear

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        h = self.conv1(self.larger(relu(self.norm1(x, condition))))
        h = self.conv2(relu(self.norm2(h, condition)))
        return h + self.shortcut(self.larger(x))

    def larger(self, x: Tensor) -> Tensor:
        if self.bilinear:
            return interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return upsample(x)


class DownBlock(nn.Module):
    """x [B, inputs, H, W] -> [B, outputs, H / 2, W / 2], or as large as x: ReLU, convolution, ReLU, convolution, 2×2
    mean; and beside it a 1×1 convolution, where the shape changes. Spectrally normalised, unless `wrap` is another.

    Args:
        hidden: maps between the two convolutions.
        first: of the network: no ReLU before it, for it sees the image, and the shortcut is halved before its
            convolution.
        rectified: the shortcut takes ReLU(x).
    """

    def __init__(
        self, inputs: int, outputs: int, hidden: int, halve: bool, first: bool = False, rectified: bool = False,
        wrap: Wrap = spectral_norm,
    ) -> None:  # fmt: skip
        super().__init__()
        self.conv1 = convolution(inputs, hidden, 3, sqrt(2), wrap)
        self.conv2 = convolution(hidden, outputs, 3, sqrt(2), wrap)
        changes = halve or inputs != outputs
        self.shortcut = convolution(inputs, outputs, 1, 1, wrap) if changes else nn.Identity()
        self.halve, self.first, self.rectified = halve, first, rectified

    def forward(self, x: Tensor) -> Tensor:
        h = self.smaller(self.conv2(relu(self.conv1(x if self.first else relu(x)))))
        if self.first:
            return h + self.shortcut(self.smaller(x))
        return h + self.smaller(self.shortcut(relu(x) if self.rectified else x))

    def smaller(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, 2) if self.halve else x


class ProjectionHead(nn.Module):
    """x [B, C, H, W], label [B] -> logits [B]: ReLU, the sum over all pixels, a dense layer; with classes plus the
    inner product with a vector of the class (Miyato and Koyama 2018, equation 3).
    """

    def __init__(self, channels: int, classes: int = 0, wrap: Wrap = spectral_norm) -> None:
        super().__init__()
        self.dense = dense(channels, 1, wrap)
        self.embed: nn.Module | None = None
        if classes:
            embed = nn.Embedding(classes, channels)
            nn.init.xavier_uniform_(embed.weight)
            self.embed = wrap(embed)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        features = relu(x).sum((2, 3))  # [B, C]
        logits: Tensor = self.dense(features).flatten()
        return logits if self.embed is None else logits + (features * self.embed(label)).sum(1)
