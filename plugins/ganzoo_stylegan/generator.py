"""StyleGAN's generator, with each of the paper's steps from the progressive baseline as a switch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from ganzoo_progan.growing import GrowingGenerator
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo.api import Blur, EqualizedConv2d, EqualizedLinear, PixelNorm, mean_over_processes, rows


class Generator(GrowingGenerator):
    """z [B, Z] -> images [B, C, H, W], unbounded; two layers at each level.

    Buffers:
        w_mean: running mean of w, [Z].
    """

    w_mean: Tensor

    def __init__(
        self,
        resolution: int,
        latent_dim: int,
        maps: Sequence[int],
        channels: int,
        blur: bool,
        styles: bool,
        constant: bool,
        noise: bool,
        mapping_layers: int,
        mapping_rate: float,
    ) -> None:
        super().__init__(resolution, maps, channels)
        self.mapping = Mapping(latent_dim, mapping_layers, mapping_rate) if styles else PixelNorm()
        self.register_buffer("w_mean", torch.zeros(latent_dim))
        self.start = Constant(maps[0]) if constant else Dense(latent_dim, maps[0])
        style = latent_dim if styles else None
        layers: list[Layer] = []
        for level, width in enumerate(maps):
            below, side = maps[max(level - 1, 0)], 4 << level
            first: nn.Module = nn.Identity()
            if level > 0:
                first = EqualizedConv2d(below, width, 3, bias=False, resample="up")
                first = nn.Sequential(first, Blur()) if blur else first
            for convolution in (first, EqualizedConv2d(width, width, 3, bias=False)):
                layers.append(Layer(convolution, width, side, style, len(layers) if noise else None))
        self.layers = nn.ModuleList(layers)

    @property
    def layers_now(self) -> int:
        """Layers at the level it has grown to: 18 at 1024×1024."""
        return 2 * self.level + 2

    def forward(self, z: Tensor) -> Tensor:
        return self.synthesis(self.mapping(z))

    def synthesis(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """w [B, Z], or [B, layers, Z] with one for each layer -> images [B, C, H, W].

        Args:
            noise: for each layer, [B, 1, h, w]; None draws it while training, and takes a fixed one otherwise.
        """
        if w.dim() == 2:
            w = w[:, None].expand(-1, self.layers_now, -1)
        x, before = self.start(w[:, 0]), None
        for i in range(self.layers_now):
            if i % 2 == 0:
                before = x  # what the level below ends in
            x = self.layers[i](x, w[:, i], None if noise is None else noise[i])
        return self.colour(before, x)

    @torch.no_grad()
    def follow_mean(self, w: Tensor, decay: float) -> None:
        """Moves the running mean by a batch w [B, Z]."""
        self.w_mean.lerp_(mean_over_processes(w.to(self.w_mean.dtype).mean(0)), 1 - decay)


class Mapping(nn.Module):
    """z [B, Z] -> w [B, Z]: dense layers on normalised latents, each with a rectifier, at a lower learning rate."""

    def __init__(self, width: int, layers: int, rate: float) -> None:
        super().__init__()
        self.norm = PixelNorm()
        self.dense = nn.ModuleList(EqualizedLinear(width, width, rate=rate) for _ in range(layers))

    def forward(self, z: Tensor) -> Tensor:
        x = self.norm(z)
        for dense in self.dense:
            x = leaky_relu(dense(x), 0.2)
        return x


class Constant(nn.Module):
    """The same learned [C, 4, 4] for every image."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.ones(maps, 4, 4))

    def forward(self, w: Tensor) -> Tensor:
        return self.value.expand(w.shape[0], -1, -1, -1)


class Dense(nn.Module):
    """w [B, Z] -> [B, C, 4, 4], as in a traditional generator."""

    def __init__(self, latent_dim: int, maps: int) -> None:
        super().__init__()
        self.dense = EqualizedLinear(latent_dim, maps * 16, bias=False, gain=2**0.5 / 4)

    def forward(self, w: Tensor) -> Tensor:
        return self.dense(w).unflatten(1, (-1, 4, 4))


class Layer(nn.Module):
    """Convolution, noise, bias, rectifier, then the style; without styles, pixel norm.

    Args:
        convolution: or nn.Identity() for the first layer.
        side: of its output, [B, width, side, side].
        latent_dim: of its style; None for none.
        noise: seed of the noise in evaluation, where an image depends on its latents alone; None for no noise.
    """

    fixed: Tensor

    def __init__(
        self, convolution: nn.Module, width: int, side: int, latent_dim: int | None, noise: int | None
    ) -> None:
        super().__init__()
        self.convolution = convolution
        self.strength = nn.Parameter(torch.zeros(width)) if noise is not None else None
        self.bias = nn.Parameter(torch.zeros(width))
        self.style = None if latent_dim is None else EqualizedLinear(latent_dim, 2 * width, gain=1)
        self.norm = PixelNorm()
        if noise is not None:
            drawn = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(noise), device="cpu")
            self.register_buffer("fixed", torch.empty(1, 1, side, side).copy_(drawn), persistent=False)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        x = self.convolution(x)  # [B, width, side, side]
        if self.strength is not None:
            if noise is None:
                noise = rows((len(x), 1, *x.shape[2:]), device=x.device) if self.training else self.fixed
            x = x + noise.to(x.dtype) * self.strength[:, None, None]
        x = leaky_relu(x + self.bias[:, None, None], 0.2)
        return self.norm(x) if self.style is None else adain(x, self.style(w))


def adain(x: Tensor, style: Tensor, eps: float = 1e-8) -> Tensor:
    """Each map of x [B, C, H, W] normalised, then times 1 + s plus t; style [B, 2 C] is s beside t."""
    full = x.to(torch.promote_types(x.dtype, torch.float32))
    # Nothing changes by it but the rounding: that of a mean far from 0 would count in a map that is nearly constant.
    full = full - full[:, :, :1, :1].detach()
    variance, mean = torch.var_mean(full, (2, 3), correction=0, keepdim=True)
    s, t = style.to(full.dtype)[:, :, None, None].chunk(2, 1)
    return ((full - mean) * torch.rsqrt(variance + eps) * (s + 1) + t).to(x.dtype)
