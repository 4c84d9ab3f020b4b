"""Sounds by convolutions in one dimension: Donahue, McAuley and Puckette 2019, arXiv:1802.04208 (WaveGAN), made small.

Letters in shapes: B batch, C channels, L samples, Z latents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from ganzoo.api import DataSpec, TwoPlayer, TwoPlayerConfig, UsageError, normal_init, option, rows
from torch import Tensor, nn

KERNEL, STRIDE, START = 25, 4, 16  # paper, tables 3 and 4


@dataclass(frozen=True)
class WavesConfig(TwoPlayerConfig):
    loss: str = "hinge"
    width: int = option(16, "feature maps at full length; doubled at each shortening", low=1)
    shuffle: int = option(2, "D sees its features moved by up to so many samples, either way; 0: as they are", low=0)
    lr: float = 1e-4
    beta2: float = 0.9
    ema: int = option(2_000, "half-life of the averaged generator, in sounds")
    batch_size: int = option(32, "sounds in a step")


class Waves(TwoPlayer):
    """Both players make a sound four times as long, or as short, at each layer."""

    Config = WavesConfig
    modalities = ("signal",)
    presets: ClassVar = {"small": {"width": 4, "latent_dim": 16}}

    def __init__(self, config: WavesConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        channels, length = data.shape
        layers = shortenings(length)
        self.G = generator(config.latent_dim, config.width, layers, channels)
        self.D = discriminator(config.width, layers, channels, config.shuffle)
        self.apply(normal_init)


def shortenings(length: int) -> int:
    """How many times a length is divided by 4 until 16 samples are left. Raises: UsageError when that is not even."""
    layers = 0
    while length > START and length % STRIDE == 0:
        length, layers = length // STRIDE, layers + 1
    if length != START or not layers:
        raise UsageError("waves makes sounds of 64, 256, 1024, 4096 or 16384 samples; choose one of these lengths.")
    return layers


def generator(latent_dim: int, width: int, layers: int, channels: int) -> nn.Module:
    """z [B, Z] -> sounds [B, C, L] in [-1, 1]."""
    widths = [width << i for i in reversed(range(layers))]
    blocks: list[nn.Module] = [nn.Linear(latent_dim, START * widths[0]), nn.Unflatten(1, (widths[0], START)), nn.ReLU()]
    for before, after in zip(widths, [*widths[1:], channels], strict=True):
        blocks += [nn.ConvTranspose1d(before, after, KERNEL, STRIDE, 11, output_padding=1), nn.ReLU()]  # [B, …, 4 * L]
    return nn.Sequential(*blocks[:-1], nn.Tanh())


def discriminator(width: int, layers: int, channels: int, shuffle: int) -> nn.Module:
    """sounds [B, C, L] -> logits [B]."""
    widths = [width << i for i in range(layers)]
    blocks: list[nn.Module] = []
    for before, after in zip([channels, *widths], widths, strict=False):
        blocks += [nn.Conv1d(before, after, KERNEL, STRIDE, 11), nn.LeakyReLU(0.2), PhaseShuffle(shuffle)]
    return nn.Sequential(*blocks[:-1], nn.Flatten(), nn.Linear(START * widths[-1], 1), nn.Flatten(0))


class PhaseShuffle(nn.Module):
    """Moves each item's features by a few samples, mirrored at the ends, so that D hears no phase (section 3.3)."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C, L] -> [B, C, L]; in evaluation as it is."""
        if not self.most or not self.training:
            return x
        length, most = x.shape[2], self.most
        moved = rows((len(x),), torch.rand, x.device).mul(2 * most + 1).floor().long()  # 0 … 2 * most, of each item
        places = torch.arange(length, device=x.device) + moved[:, None]  # [B, L]
        padded = nn.functional.pad(x, (most, most), mode="reflect")
        return padded.gather(2, places[:, None].expand_as(x))
