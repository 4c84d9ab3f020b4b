"""StyleGAN2's networks: Karras et al. 2020, arXiv:1912.04958, section 2 and appendix B.

Letters in shapes: B batch, Z latents, L styles (one for each convolution, and one for the last colours), C maps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, one_hot

from ganzoo.api import (
    EqualizedConv2d,
    EqualizedLinear,
    MinibatchStddev,
    PixelNorm,
    full_precision,
    mean_over_processes,
    rows,
)
from ganzoo_stylegan2.upfirdn import downsample2, filtered, upsample2

SQRT2 = math.sqrt(2)


def rectified(x: Tensor, gain: float = SQRT2) -> Tensor:
    """A leaky rectifier that keeps the variance."""
    return leaky_relu(x, 0.2) * gain


class Mapping(nn.Module):
    """z [B, Z] and a class [B] -> w [B, width], or either alone: dense layers on what each is, normalised."""

    def __init__(self, latent_dim: int, classes: int, width: int, layers: int) -> None:
        super().__init__()
        self.latent_dim, self.classes, self.norm = latent_dim, classes, PixelNorm()
        self.embed = EqualizedLinear(classes, width, gain=1) if classes else None
        inputs = latent_dim + (width if classes else 0)
        for i in range(layers):
            self.add_module(f"fc{i}", EqualizedLinear(width if i else inputs, width, gain=1, rate=0.01))
        self.layers = layers

    def forward(self, z: Tensor | None, label: Tensor | None = None) -> Tensor:
        parts = [] if z is None else [self.norm(z)]
        if self.embed is not None and label is not None:
            parts.append(self.norm(self.embed(one_hot(label, self.classes).to(self.embed.weight.dtype))))
        x = torch.cat(parts, 1)
        for i in range(self.layers):
            x = rectified(self.get_submodule(f"fc{i}")(x))
        return x


class Generator(nn.Module):
    """z [B, Z] (and a class [B]) -> images [B, C, H, W], unbounded.

    Args:
        widths: maps at 4×4, 8×8, …, the last at the full size.
        classes: how many; 0 for none.

    Buffers:
        w_mean: running mean of w, [Z].
    """

    w_mean: Tensor

    def __init__(self, latent_dim: int, widths: Sequence[int], channels: int, layers: int, classes: int = 0) -> None:
        super().__init__()
        self.mapping = Mapping(latent_dim, classes, latent_dim, layers)
        self.synthesis = Synthesis(latent_dim, widths, channels)
        self.register_buffer("w_mean", torch.zeros(latent_dim))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.synthesis(self.mapping(z, label))

    @torch.no_grad()
    def follow_mean(self, w: Tensor, decay: float) -> None:
        """Moves the running mean by a batch w [B, Z]."""
        self.w_mean.lerp_(mean_over_processes(w.to(self.w_mean.dtype).mean(0)), 1 - decay)


class Synthesis(nn.Module):
    """w [B, Z], or [B, L, Z] with one for each layer -> images [B, C, H, W]; colours of all sizes are added up."""

    def __init__(self, latent_dim: int, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.styles = 2 * len(widths)  # L
        self.blocks = nn.ModuleDict()
        for level, width in enumerate(widths):
            below = widths[level - 1] if level else None
            self.blocks[f"b{4 << level}"] = SynthesisBlock(latent_dim, below, width, 4 << level, channels)

    def forward(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """noise: for each convolution, [B, 1, h, w]; None draws it while training, and takes a fixed one otherwise."""
        if w.dim() == 2:
            w = w[:, None].expand(-1, self.styles, -1)
        x = image = None
        for level, block in enumerate(self.blocks.values()):
            first, last = max(0, 2 * level - 1), 2 * level + 1  # of its convolutions; the colours take the next style
            x, image = block(x, image, w[:, first : last + 1], None if noise is None else noise[first:last])
        assert image is not None
        return image


class SynthesisBlock(nn.Module):
    """Doubles the size, convolves, and adds its colours to the image so far; the first begins with a constant."""

    def __init__(self, latent_dim: int, below: int | None, width: int, side: int, channels: int) -> None:
        super().__init__()
        self.const = nn.Parameter(torch.randn(width, side, side)) if below is None else None
        self.conv0 = None if below is None else StyledConvolution(latent_dim, below, width, side, up=True)
        self.conv1 = StyledConvolution(latent_dim, width, width, side)
        self.torgb = ToRGB(latent_dim, width, channels)

    def forward(
        self, x: Tensor | None, image: Tensor | None, w: Tensor, noise: Sequence[Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        if self.const is not None:
            x = self.const.expand(w.shape[0], -1, -1, -1)
        elif self.conv0 is not None:
            x = self.conv0(x, w[:, 0], None if noise is None else noise[0])
        x = self.conv1(x, w[:, -2], None if noise is None else noise[-1])
        color = self.torgb(x, w[:, -1])
        return x, color if image is None else upsample2(image) + color


class StyledConvolution(nn.Module):
    """Demodulated convolution, noise, bias, rectifier.

    Buffers:
        noise_const: the noise in evaluation, where an image depends on its latents alone.
    """

    noise_const: Tensor

    def __init__(self, latent_dim: int, inputs: int, width: int, side: int, up: bool = False) -> None:
        super().__init__()
        self.affine = style(latent_dim, inputs)
        self.weight = nn.Parameter(torch.randn(width, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(width))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise_const", torch.randn(side, side))
        self.up = up

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        x = modulated(x, self.affine(w), self.weight, up=self.up)
        if noise is None:
            side = self.noise_const.shape
            noise = rows((x.shape[0], 1, *side), device=x.device) if self.training else self.noise_const
        return rectified(x + noise.to(x.dtype) * self.noise_strength + self.bias[:, None, None])


class ToRGB(nn.Module):
    """Features [B, inputs, H, W] -> their part of the image, [B, C, H, W]; modulated, and not demodulated."""

    def __init__(self, latent_dim: int, inputs: int, channels: int) -> None:
        super().__init__()
        self.affine = style(latent_dim, inputs)
        self.weight = nn.Parameter(torch.randn(channels, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        scale = self.affine(w) / math.sqrt(x.shape[1])
        return modulated(x, scale, self.weight, demodulate=False) + self.bias[:, None, None]


def style(latent_dim: int, inputs: int) -> EqualizedLinear:
    """w [B, Z] -> the scale of each map [B, inputs], 1 at the beginning."""
    layer = EqualizedLinear(latent_dim, inputs, gain=1)
    assert layer.bias is not None
    nn.init.ones_(layer.bias)
    return layer


def modulated(x: Tensor, scale: Tensor, weight: Tensor, demodulate: bool = True, up: bool = False) -> Tensor:
    """A convolution whose weight is scaled for each item and input map, then normalised (equations 1 and 3).

    Scaling a weight's inputs is scaling the maps before it, and normalising its outputs scaling the maps behind it; so
    one convolution serves the whole batch.

    Args:
        x: [B, I, H, W].
        scale: s [B, I].
        weight: [O, I, k, k].
        up: a transposed convolution to twice the size, then the filter.
    """
    x = x * scale.to(x.dtype)[:, :, None, None]
    if up:
        x = filtered(conv_transpose2d(x, weight.transpose(0, 1), stride=2), 1, 1, gain=4)
    else:
        x = conv2d(x, weight, padding=weight.shape[2] // 2)
    if not demodulate:
        return x
    with full_precision(x.device):
        total = scale.to(weight.dtype).square() @ weight.square().sum((2, 3)).T  # [B, O]
        factor = torch.rsqrt(total + 1e-8)
    return x * factor.to(x.dtype)[:, :, None, None]


class Discriminator(nn.Module):
    """Images [B, C, H, W] (and a class [B]) -> logits [B].

    Args:
        widths: maps at 4×4, 8×8, …, the last at the full size.
        residual: each block has a path around it, the paper's choice; without, the layers follow each other alone.
        group: of the minibatch's standard deviation.
        classes: how many; 0 for none.
        layers: of the mapping of the class.
    """

    def __init__(
        self, widths: Sequence[int], channels: int, residual: bool, group: int, classes: int = 0, layers: int = 8
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict()
        for level in range(len(widths) - 1, 0, -1):
            colors = channels if level == len(widths) - 1 else None
            self.blocks[f"b{4 << level}"] = DiscriminatorBlock(widths[level], widths[level - 1], colors, residual)
        width = widths[0]
        self.spread = MinibatchStddev(group)
        self.conv = EqualizedConv2d(width + 1, width, 3, gain=1)
        self.fc = EqualizedLinear(width * 16, width, gain=1)
        self.out = EqualizedLinear(width, width if classes else 1, gain=1)
        self.mapping = Mapping(0, classes, width, layers) if classes else None
        self.last_layer = "" if classes else "out"

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        x = images
        for block in self.blocks.values():
            x = block(x)
        x = rectified(self.conv(self.spread(x)))  # [B, C, 4, 4]
        x = self.out(rectified(self.fc(x.flatten(1))))
        if self.mapping is None:
            return x[:, 0]
        return (x * self.mapping(None, label)).sum(1) / math.sqrt(x.shape[1])


class DiscriminatorBlock(nn.Module):
    """Two convolutions, the second to half the size; `colors` are the images' channels where it is the first block."""

    def __init__(self, width: int, following: int, colors: int | None, residual: bool) -> None:
        super().__init__()
        self.fromrgb = None if colors is None else EqualizedConv2d(colors, width, 1, gain=1)
        self.conv0 = EqualizedConv2d(width, width, 3, gain=1)
        self.conv1 = HalvingConv2d(width, following, 3, gain=1)
        self.skip = EqualizedConv2d(width, following, 1, bias=False, gain=1) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        if self.fromrgb is not None:
            x = rectified(self.fromrgb(x))
        found: Callable[[Tensor], Tensor] = self.conv1
        if self.skip is None:
            return rectified(found(rectified(self.conv0(x))))
        # Half the variance of each, so that their sum has that of one.
        return rectified(found(rectified(self.conv0(x))), 1.0) + self.skip(downsample2(x)) * math.sqrt(0.5)


class HalvingConv2d(EqualizedConv2d):
    """The filter, then a convolution that takes every second pixel: [B, inputs, H, W] -> [B, outputs, H / 2, W / 2]."""

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(filtered(x, 2, 2), self.weight * self.scale, self.bias, stride=2)
