"""Progressive growing (Karras et al. 2018, arXiv:1710.10196): from 4×4 to the full size, each new level faded in.

All levels exist from the start; level k works at 4·2^k pixels. Where training stands is one number, `grown`: 2 is
level 2 alone, 2.7 is level 3 with seven tenths of its weight. Images have the data's shape throughout: those of a
lower level are enlarged, and D first averages what it sees down to its level, as the paper's own code does.

This module is public: other plugins' growing architectures import it.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo.api import (
    Batch,
    DataSpec,
    Progress,
    TwoPlayer,
    TwoPlayerConfig,
    Update,
    UsageError,
    option,
)
from ganzoo_progan.layers import (
    Blur,
    EqualizedConv2d,
    EqualizedLinear,
    MinibatchStddev,
    downsample,
    fade,
    upsample,
)


@dataclass(frozen=True)
class GrowingConfig(TwoPlayerConfig):
    """What every growing GAN can be asked. Phases are counted in images: of each level, one to fade in (the first has
    none) and one alone.
    """

    start: int = option(4, "resolution to begin with; the final one: no growing", low=4)
    phase_images: int | None = option(
        None,
        "length of each phase; none, or when the run is too short for it: spread over the run, see --grown-at",
        low=1,
    )
    grown_at: float = option(0.5, "share of the run after which the last level has faded in", low=0.01, high=1)
    batch_sizes: tuple[int, ...] = option(
        (), "largest batch at 4×4, 8×8, 16×16, …; the last holds for those above; empty: --batch-size throughout", low=1
    )
    lr_factors: tuple[float, ...] = option(
        (), "factor on the learning rates at 4×4, 8×8, 16×16, …; the last holds for those above; empty: 1", low=0
    )
    fmap_base: int = option(8192, "feature maps are 2 * fmap_base / r at resolution r, at most fmap_max", low=1)
    fmap_max: int = option(512, "most feature maps of a layer", low=1)
    group: int = option(4, "size of the groups whose standard deviation D is shown", low=1)
    latent_dim: int = 512
    lr: float = 1e-3
    beta1: float = 0.0
    beta2: float = 0.99
    batch_size: int = option(16, "images in a step, at most")
    resolution: int = option(64, "height and width")


class Growing(TwoPlayer):
    """A two-player GAN whose `G` and `D` are growing networks, which the subclass sets."""

    modalities = ("image",)
    config: Any
    G: GrowingNetwork
    D: GrowingNetwork
    any_turn: ClassVar = {"G.grown": "both networks grow at the beginning of a step", "D.grown": "likewise"}

    def __init__(self, config: Any, data: DataSpec) -> None:
        """Raises: UsageError unless the images are square, of a power of two from 4 to 1024 and not below `start`."""
        super().__init__(config, data)
        name = type(self).__name__
        side = data.height
        if side != data.width or not 4 <= side <= 1024 or side & (side - 1):
            raise UsageError(
                f"{name} cannot do {side}×{data.width}: it grows by doubling from 4×4, so use --resolution with "
                "a power of two up to 1024, such as 64."
            )
        if config.start & (config.start - 1) or config.start > side:
            raise UsageError(f"--start {config.start} is no level of {side}×{side}: 4, 8, 16, … {side} are.")
        self.first, self.top = level_of(config.start), level_of(side)

    def grown(self, progress: Progress) -> float:
        """Where growing stands. At the end of a run's first stage, and in every later one, it is over."""
        growth, config = self.top - self.first, self.config
        total = progress.stage_images or progress.total_images
        if growth == 0 or progress.images >= total:
            return float(self.top)
        phase = config.phase_images
        if phase is None or 2 * growth * phase > total:
            phase = max(1, int(config.grown_at * total / (2 * growth)))
        level, rest = divmod(progress.images, 2 * phase)
        return float(min(self.top, self.first + level + max(0, rest - phase) / phase))

    def phase(self, progress: Progress) -> Hashable:
        """Changes where a level begins to fade in and where it has: there the optimizers start fresh."""
        grown = self.grown(progress)
        return math.floor(grown), math.ceil(grown)

    def batch_size(self, progress: Progress) -> int | None:
        sizes = self.config.batch_sizes
        return min(self.config.batch_size, entry(sizes, math.ceil(self.grown(progress)))) if sizes else None

    def learning_rate(self, progress: Progress, network: str) -> float:
        factors = self.config.lr_factors
        return entry(factors, math.ceil(self.grown(progress))) if factors else 1.0

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        grown = self.grown(progress)
        self.G.grow(grown)
        self.D.grow(grown)
        faded = (replace(batch, images=self.faded(batch.images)) for batch in batches)
        yield from super().step(faded, progress)

    def faded(self, images: Tensor) -> Tensor:
        """Real images [B, C, H, W] as they look at D's level: averaged, and faded as G's are."""
        level, factor = self.D.level, 1 << (self.top - self.D.level)
        images = downsample(images, factor)
        if self.D.alpha < 1:
            images = fade(upsample(downsample(images)), images, self.D.alpha)
        return upsample(images, factor) if level < self.top else images


class GrowingNetwork(nn.Module):
    """Knows how far it has grown; a new one wholly. The buffer `grown` goes along when its weights are saved."""

    grown: Tensor

    def __init__(self, resolution: int) -> None:
        super().__init__()
        self.top = level_of(resolution)
        self.register_buffer("grown", torch.zeros(()))
        self.register_load_state_dict_post_hook(_recall)  # type: ignore[no-untyped-call]
        self.grow(self.top)

    def grow(self, grown: float) -> None:
        """`grown` from 0, 4×4, to `top`."""
        self.grown.fill_(grown)
        self.level = math.ceil(grown)
        self.alpha = grown - self.level + 1  # weight of the newest level


def _recall(network: GrowingNetwork, _: Any) -> None:
    network.grow(network.grown.item())


class GrowingGenerator(GrowingNetwork):
    """What growing generators end in: a 1×1 convolution to colours for each level, faded, without a nonlinearity.

    Args:
        maps: feature maps of each level, from 4×4 on.
    """

    def __init__(self, resolution: int, maps: Sequence[int], channels: int) -> None:
        super().__init__(resolution)
        self.to_rgb = nn.ModuleList(EqualizedConv2d(count, channels, 1, gain=1) for count in maps)

    def colour(self, before: Tensor | None, x: Tensor) -> Tensor:
        """Features of the present level, and of the one before (needed while fading) -> images [B, C, H, W]."""
        images: Tensor = self.to_rgb[self.level](x)
        if before is not None and self.alpha < 1:
            images = fade(upsample(self.to_rgb[self.level - 1](before)), images, self.alpha)
        return upsample(images, 1 << (self.top - self.level))


class GrowingDiscriminator(GrowingNetwork):
    """images [B, C, H, W] -> logits [B]: G in the mirror, with the minibatch's standard deviation at 4×4.

    Args:
        maps: feature maps of each level, from 4×4 on.
        hidden: features of the last dense layer but one.
        group: of `MinibatchStddev`.
        blur: filter before halving (StyleGAN).
        average_first: halve before the bias and the rectifier, as the authors' code, or after, as the paper's table.
    """

    last_layer = "dense1"

    def __init__(
        self,
        resolution: int,
        maps: Sequence[int],
        hidden: int,
        channels: int,
        group: int = 4,
        blur: bool = False,
        average_first: bool = True,
    ) -> None:
        super().__init__(resolution)
        self.from_rgb = nn.ModuleList(EqualizedConv2d(channels, count, 1) for count in maps)
        self.blocks = nn.ModuleList(HalvingBlock(above, below, blur, average_first) for below, above in pairwise(maps))
        self.stddev = MinibatchStddev(group)
        self.conv = EqualizedConv2d(maps[0] + 1, maps[0], 3)
        self.dense0 = EqualizedLinear(maps[0] * 16, hidden)
        self.dense1 = EqualizedLinear(hidden, 1, gain=1)

    def forward(self, images: Tensor) -> Tensor:
        level = self.level
        images = downsample(images, 1 << (self.top - level))  # [B, C, 4·2^level, 4·2^level]
        x = leaky(self.from_rgb[level](images))
        if level > 0:
            x = self.blocks[level - 1](x)
            if self.alpha < 1:
                x = fade(leaky(self.from_rgb[level - 1](downsample(images))), x, self.alpha)
        for k in reversed(range(level - 1)):
            x = self.blocks[k](x)
        x = leaky(self.conv(self.stddev(x)))  # [B, maps[0], 4, 4]
        logits: Tensor = self.dense1(leaky(self.dense0(x.flatten(1))))
        return logits.flatten()


class HalvingBlock(nn.Module):
    """[B, above, H, W] -> [B, below, H / 2, W / 2]."""

    def __init__(self, above: int, below: int, blur: bool, average_first: bool) -> None:
        super().__init__()
        self.conv0 = EqualizedConv2d(above, above, 3)
        self.blur = Blur() if blur else nn.Identity()
        self.conv1 = EqualizedConv2d(above, below, 3, resample="down" if average_first else None)
        self.average_first = average_first

    def forward(self, x: Tensor) -> Tensor:
        x = leaky(self.conv1(self.blur(leaky(self.conv0(x)))))
        return x if self.average_first else downsample(x)


def leaky(x: Tensor) -> Tensor:
    return leaky_relu(x, 0.2)


def level_of(resolution: int) -> int:
    """0 for 4, 1 for 8, … 8 for 1024."""
    return resolution.bit_length() - 3


def feature_maps(resolution: int, base: int, most: int) -> tuple[int, ...]:
    """Feature maps of each level, from 4×4 on: 2 * base / r at resolution r, at most `most`, at least one."""
    return tuple(max(1, min(most, base >> (level + 1))) for level in range(level_of(resolution) + 1))


def entry(table: Sequence[Any], level: int) -> Any:
    """A table's entry for a level; its last holds for the levels above."""
    return table[min(level, len(table) - 1)]
