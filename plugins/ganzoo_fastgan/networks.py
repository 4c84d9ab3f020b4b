"""FastGAN's networks: Liu, Zhu, Song and Elgammal 2021, arXiv:2101.04775.

Letters in shapes: B batch, Z latents, C maps. Every convolution is spectrally normalised and has no bias. Where the
paper has one design for 256×256 and more, networks for smaller images leave out the layers of the sizes above.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo.api import rows, spectral_norm

# Feature maps at each size, times the width.
MAPS_G = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5, 512: 0.25, 1024: 0.125}
MAPS_D = {8: 16, 16: 8, 32: 4, 64: 2, 128: 1, 256: 0.5, 512: 0.25, 1024: 0.125}
EXCITED = {64: 4, 128: 8, 256: 16, 512: 32}  # G's maps of the one size are scaled by those of the other
BIG = (8, 32, 128, 512)  # sizes at which G has two convolutions and noise


class Generator(nn.Module):
    """z [B, Z] -> images [B, C, H, W], and the same at half the size, 128 at most.

    Args:
        big: sizes of the blocks with two convolutions and noise; the others have one.
    """

    def __init__(self, side: int, latent_dim: int, width: int, channels: int, big: Collection[int] = BIG) -> None:
        super().__init__()
        maps = {size: max(1, int(share * width)) for size, share in MAPS_G.items()}
        self.sides = [size for size in maps if 8 <= size <= side]
        self.small = min(128, side // 2)
        start = spectral(nn.ConvTranspose2d(latent_dim, 2 * maps[4], 4, bias=False))
        self.init = nn.Sequential(start, norm(2 * maps[4]), nn.GLU(1))
        for size in self.sides:
            block = big_block if size in big else small_block
            self.add_module(f"feat_{size}", block(maps[size // 2], maps[size], size))
            if size in EXCITED:
                self.add_module(f"se_{size}", Excitation(maps[EXCITED[size]], maps[size]))
        self.to_small = convolution(maps[self.small], channels, 1)
        self.to_big = convolution(maps[side], channels, 3)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        x = self.init(z[:, :, None, None])
        seen = {4: x}
        for size in self.sides:
            x = self.get_submodule(f"feat_{size}")(x)
            if size in EXCITED:
                x = self.get_submodule(f"se_{size}")(seen[EXCITED[size]], x)
            seen[size] = x
        image = self.to_big(x)
        return (image.tanh() if self.sides[-1] == 1024 else image), self.to_small(seen[self.small])


class Discriminator(nn.Module):
    """Images [B, C, H, W], and the same at half the size, 128 at most -> logits [B, 50], of 5×5 patches of each.

    Args:
        decoder_width: maps of a decoder's last layer.
    """

    def __init__(self, side: int, width: int, channels: int, decoder_width: int = 32) -> None:
        super().__init__()
        maps = {size: max(1, int(share * width)) for size, share in MAPS_D.items()}
        self.side = start = min(side, 256)  # larger images are halved first
        self.small = start // 2
        first = [convolution(channels, maps[min(1024, 2 * start)], 3)]
        if side == 512:
            first = [convolution(channels, maps[512], 4, stride=2)]
        if side == 1024:
            first = [convolution(channels, maps[1024], 4, stride=2), leaky()]
            first += [convolution(maps[1024], maps[512], 4, stride=2), norm(maps[512])]
        self.down_from_big = nn.Sequential(*first, leaky())
        self.sides = [size for size in (256, 128, 64, 32, 16) if size <= start]
        for size in self.sides:
            self.add_module(f"down_{1024 // size}", DownBlock(maps[2 * size], maps[size]))
            if size * 4 <= start:  # the maps of four times the size scale those that come out of here
                self.add_module(name_of(size), Excitation(maps[8 * size], maps[size]))
        self.rf_big = nn.Sequential(
            convolution(maps[16], maps[8], 1), norm(maps[8]), leaky(), convolution(maps[8], 1, 4, padding=0)
        )
        small: list[nn.Module] = [convolution(channels, maps[start], 4, stride=2), leaky()]
        small += [PlainDownBlock(maps[size], maps[size // 2]) for size in (256, 128, 64) if size <= start]
        self.down_from_small = nn.Sequential(*small)
        self.rf_small = convolution(maps[32], 1, 4, padding=0)
        self.decoder_big = Decoder(maps[16], decoder_width, channels, self.small)
        self.decoder_small = Decoder(maps[32], decoder_width, channels, self.small)
        self.decoder_part = Decoder(maps[32], decoder_width, channels, self.small)

    def forward(self, big: Tensor, small: Tensor) -> Tensor:
        return self.features(big, small)[0]

    def features(self, big: Tensor, small: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The logits, and what the decoders read: maps [B, C, 8, 8] of both images, and [B, C, 16, 16] of the first."""
        x = self.down_from_big(big)
        seen = {}
        for size in self.sides:
            seen[size] = x
            x = self.get_submodule(f"down_{1024 // size}")(x)
            if size * 4 in seen:
                x = self.get_submodule(name_of(size))(seen[size * 4], x)
            if size == 32:
                middle = x
        tiny = self.down_from_small(small)
        logits = torch.cat([self.rf_big(x).flatten(1), self.rf_small(tiny).flatten(1)], 1)
        return logits, [x, tiny, middle]

    def reconstructions(self, features: list[Tensor], part: int) -> list[Tensor]:
        """Of the image, the small one, and a quarter of the image: `part` 0 to 3, row by row."""
        x, tiny, middle = features
        return [self.decoder_big(x), self.decoder_small(tiny), self.decoder_part(quarter(middle, part))]


class Excitation(nn.Module):
    """Skip-layer excitation (section 3.1): few pixels say how much each map of many pixels counts."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.AdaptiveAvgPool2d(4), convolution(inputs, outputs, 4, padding=0), nn.SiLU(),
            convolution(outputs, outputs, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, few: Tensor, many: Tensor) -> Tensor:
        return many * self.main(few)


class DownBlock(nn.Module):
    """Half the size, by convolutions and by a direct path: the mean of both."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            convolution(inputs, outputs, 4, stride=2), norm(outputs), leaky(),
            convolution(outputs, outputs, 3), norm(outputs), leaky(),
        )  # fmt: skip
        self.direct = nn.Sequential(nn.AvgPool2d(2), convolution(inputs, outputs, 1), norm(outputs), leaky())

    def forward(self, x: Tensor) -> Tensor:
        return (self.main(x) + self.direct(x)) / 2


class PlainDownBlock(nn.Module):
    """Half the size, by one convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(convolution(inputs, outputs, 4, stride=2), norm(outputs), leaky())

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


class Decoder(nn.Module):
    """Maps [B, C, h, w], pooled to 8×8 -> an image of this side."""

    def __init__(self, inputs: int, width: int, channels: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.AdaptiveAvgPool2d(8)]
        for size in (16, 32, 64, 128):
            if size <= side:
                outputs = width * {16: 4, 32: 2, 64: 2, 128: 1}[size]
                layers.append(small_block(inputs, outputs, size))
                inputs = outputs
        self.main = nn.Sequential(*layers, convolution(inputs, channels, 3), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


class Noise(nn.Module):
    """x [B, C, side, side] plus noise, of a learned strength; in evaluation the same noise for every image."""

    fixed: Tensor

    def __init__(self, side: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        drawn = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(side), device="cpu")
        self.register_buffer("fixed", torch.empty(1, 1, side, side).copy_(drawn), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        noise = rows((len(x), 1, *x.shape[2:]), device=x.device) if self.training else self.fixed
        return x + self.weight * noise.to(x.dtype)


def small_block(inputs: int, outputs: int, side: int) -> nn.Sequential:
    """Twice the size, to `side`, and one convolution."""
    return nn.Sequential(nn.Upsample(scale_factor=2), convolution(inputs, 2 * outputs, 3), norm(2 * outputs), nn.GLU(1))


def big_block(inputs: int, outputs: int, side: int) -> nn.Sequential:
    """Twice the size, to `side`, two convolutions, and noise after each."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        convolution(inputs, 2 * outputs, 3), Noise(side), norm(2 * outputs), nn.GLU(1),
        convolution(outputs, 2 * outputs, 3), Noise(side), norm(2 * outputs), nn.GLU(1),
    )  # fmt: skip


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int | None = None) -> nn.Module:
    """Keeps the size, or halves it, unless a padding is given."""
    around = (kernel - 1) // 2 if padding is None else padding
    return spectral(nn.Conv2d(inputs, outputs, kernel, stride, around, bias=False))


def spectral(layer: nn.Conv2d | nn.ConvTranspose2d) -> nn.Module:
    nn.init.normal_(layer.weight, 0.0, 0.02)
    return spectral_norm(layer)


def norm(maps: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(maps)
    nn.init.normal_(layer.weight, 1.0, 0.02)
    return layer


def leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(0.2)


def name_of(size: int) -> str:
    """Of D's excitation at a size, by how much smaller than 1024 its two sides are."""
    return f"se_{128 // size}_{1024 // size}"


def quarter(images: Tensor, part: int) -> Tensor:
    """A quarter of images [B, C, H, W]: 0 to 3, row by row."""
    height, width = (side // 2 for side in images.shape[2:])
    row, column = divmod(part, 2)
    return images[:, :, row * height : (row + 1) * height, column * width : (column + 1) * width]


def resized(images: Tensor, side: int) -> Tensor:
    """[B, C, H, W] -> [B, C, side, side], nearest neighbour."""
    return images if images.shape[2] == side else interpolate(images, size=side)
