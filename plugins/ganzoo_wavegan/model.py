"""WaveGAN: Donahue, McAuley and Puckette 2019, arXiv:1802.04208, tables 3 and 4, with TensorFlow's alignment.

Letters in shapes: B batch, C channels, L samples, Z latents.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad, relu

from ganzoo.api import DataSpec, TwoPlayer, TwoPlayerConfig, UsageError, option

KERNEL, STRIDE, START = 25, 4, 16
BEFORE, AFTER = 10, 11  # zeros around a sound that TensorFlow's SAME adds for this kernel and stride
LENGTHS = tuple(START * STRIDE**k for k in range(1, 7))  # 64 to 65,536


@dataclass(frozen=True)
class WaveGANConfig(TwoPlayerConfig):
    loss: str = "wasserstein"
    penalty: str = "wgan-gp:weight=10"
    lr: float = 1e-4
    beta2: float = 0.9
    n_critic: int = 5
    prior: Literal["uniform", "normal"] = option("uniform", "what z is made of: U(-1, 1), or N(0, 1)")
    width: int = option(64, "maps at a quarter of the length; doubled at each quarter of that", low=1)
    shuffle: int = option(2, "largest shift of D's features, in samples, either way; 0: none", low=0, high=8)
    batch_size: int = option(64, "sounds in a turn")


class WaveGAN(TwoPlayer):
    """G makes a sound four times as long at each layer, D one a quarter as long."""

    Config = WaveGANConfig
    modalities = ("signal",)
    presets: ClassVar = {
        "small": {
            "width": 12, "latent_dim": 32, "lr": 1e-3, "beta1": 0.0, "n_critic": 2, "batch_size": 32, "ema": 20_000,
        },
        "paper": {},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "A fifth of the width, for short sounds on two CPU cores.",
        "paper": "The paper's networks and batches, which is what no preset gives too.",
    }

    def __init__(self, config: WaveGANConfig, data: DataSpec) -> None:
        """Raises: UsageError for a length that is not 16 times a power of 4."""
        super().__init__(config, data)
        channels, length = data.shape
        if length not in LENGTHS:
            near = next((each for each in LENGTHS if each > length), LENGTHS[-1])
            raise UsageError(
                f"wavegan makes sounds of {', '.join(map(str, LENGTHS))} samples, and those of this data have "
                f"{length}; add it again with `--as signal:length={near}`, which cuts and fills up with silence, or "
                f"where ganzoo draws the sounds write tones:length={near}."
            )
        layers = LENGTHS.index(length) + 1
        self.G = Generator(config.latent_dim, config.width, layers, channels)
        self.D = Discriminator(config.width, layers, channels, config.shuffle)
        self.apply(initialise)

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Sounds [B, C, L] from z [B, Z] of N(0, 1), by its quantiles where the prior is uniform."""
        return super().generate(torch.erf(z / sqrt(2)) if self.config.prior == "uniform" else z, label, truncation)


class Generator(nn.Module):
    """z [B, Z] -> sounds [B, C, L] in [-1, 1]."""

    def __init__(self, latent_dim: int, width: int, layers: int, channels: int) -> None:
        super().__init__()
        widths = [width << i for i in reversed(range(layers))]  # 1024, 512, 256, 128, 64
        self.dense = nn.Linear(latent_dim, START * widths[0])
        self.layers = nn.ModuleList(
            nn.ConvTranspose1d(a, b, KERNEL, STRIDE, BEFORE) for a, b in pairwise([*widths, channels])
        )

    def forward(self, z: Tensor) -> Tensor:
        x = self.dense(z).unflatten(1, (START, -1)).transpose(1, 2)  # [B, C, 16], stored time first
        for layer in self.layers:
            x = layer(relu(x))[:, :, :-1]  # [B, C', 4 L]
        return x.tanh()


class Discriminator(nn.Module):
    """sounds [B, C, L] -> D(x) [B], any number: the critic."""

    last_layer = "output"

    def __init__(self, width: int, layers: int, channels: int, shuffle: int) -> None:
        super().__init__()
        widths = [width << i for i in range(layers)]
        self.layers = nn.ModuleList(nn.Conv1d(a, b, KERNEL, STRIDE) for a, b in pairwise([channels, *widths]))
        self.output = nn.Linear(START * widths[-1], 1)
        self.shuffle = shuffle

    def forward(self, sounds: Tensor, shifts: list[int] | None = None) -> Tensor:
        """
        Args:
            shifts: of the features after each layer but the last; None draws them in training, and shifts none else.
        """
        if shifts is None:
            most = self.shuffle if self.training else 0
            shifts = [random.randint(-most, most) for _ in self.layers[1:]]  # the same for all sounds, and processes
        x = sounds
        for layer, shift in zip(self.layers, [*shifts, 0], strict=True):
            x = shifted(leaky_relu(layer(pad(x, (BEFORE, AFTER))), 0.2), shift)
        return self.output(x.transpose(1, 2).flatten(1)).flatten()  # time first


def shifted(x: Tensor, by: int) -> Tensor:
    """Phase shuffle (section 3.3): y[t] = x[t - by], mirrored at the ends; x [B, C, L] -> the same shape."""
    if not by:
        return x
    wide = pad(x, (max(by, 0), max(-by, 0)), mode="reflect")
    return wide[:, :, : x.shape[2]] if by > 0 else wide[:, :, -x.shape[2] :]


def initialise(module: nn.Module) -> None:
    """Glorot's uniform weights and no bias, TensorFlow's own."""
    if isinstance(module, (nn.Linear, nn.Conv1d, nn.ConvTranspose1d)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
