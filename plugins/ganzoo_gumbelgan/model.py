"""A GAN of letters by the Gumbel softmax: Kusner and Hernández-Lobato 2016, arXiv:1611.04051.

A letter is a choice, and a choice has no gradient. G gives each letter a number; with noise of Gumbel's distribution
added, the largest is a draw from their softmax (Jang, Gu and Poole 2016, arXiv:1611.01144). In training a softmax of a
low temperature stands for the largest, so that D's opinion reaches the numbers. Letters in shapes: B batch, A letters
and the end, L places, W maps, Z latents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, relu

from ganzoo.api import DataSpec, TwoPlayer, TwoPlayerConfig, option


@dataclass(frozen=True)
class GumbelGANConfig(TwoPlayerConfig):
    loss: str = "wasserstein"
    penalty: str = "wgan-gp:weight=10"
    lr: float = 5e-4
    beta1: float = 0.0
    beta2: float = 0.9
    n_critic: int = 3
    latent_dim: int = option(32, "numbers of z, besides one for each letter of each place", low=1)
    width: int = option(64, "maps of every layer", low=1)
    blocks: int = option(3, "residual blocks of either network", low=0)
    temperature: float = option(0.5, "of the Gumbel softmax", low=1e-3)
    ema: int = 20_000
    batch_size: int = option(64, "lines in a turn")


class GumbelGAN(TwoPlayer):
    """Convolutions over the places of a line, as the networks of letters of WGAN-GP have them (arXiv:1704.00028)."""

    Config = GumbelGANConfig
    modalities = ("text",)
    presets: ClassVar = {"small": {"width": 32, "blocks": 2}}
    preset_summaries: ClassVar = {"small": "Half the width and two blocks, for words one can say within minutes."}

    def __init__(self, config: GumbelGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        letters, places = data.shape
        self.latent_dim = config.latent_dim + letters * places  # the rest is Gumbel's noise
        self.G = Generator(config, letters, places)
        self.D = Discriminator(config, letters, places)


class Generator(nn.Module):
    """z [B, Z] -> lines [B, A, L], one-of-many: nearly in training, and wholly in use."""

    def __init__(self, config: GumbelGANConfig, letters: int, places: int) -> None:
        super().__init__()
        self.noise, self.temperature, self.shape = config.latent_dim, config.temperature, (letters, places)
        self.dense = nn.Linear(config.latent_dim, config.width * places)
        self.blocks = nn.Sequential(*(Block(config.width) for _ in range(config.blocks)))
        self.last = nn.Conv1d(config.width, letters, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.dense(z[:, : self.noise]).unflatten(1, (-1, self.shape[1]))
        numbers = self.last(relu(self.blocks(x))).float()
        chance = torch.special.ndtr(z[:, self.noise :].float()).clamp(1e-6, 1 - 1e-6).unflatten(1, self.shape)
        numbers = numbers - (-chance.log()).log()  # Gumbel's noise, from the rest of z
        if self.training:
            return (numbers / self.temperature).softmax(1)
        return one_hot(numbers.argmax(1), self.shape[0]).transpose(1, 2).float()


class Discriminator(nn.Module):
    """lines [B, A, L] -> D(x) [B], any number: the critic."""

    last_layer = "output"

    def __init__(self, config: GumbelGANConfig, letters: int, places: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(letters, config.width, 1)
        self.blocks = nn.Sequential(*(Block(config.width) for _ in range(config.blocks)))
        self.output = nn.Linear(config.width * places, 1)

    def forward(self, lines: Tensor) -> Tensor:
        return self.output(relu(self.blocks(self.first(lines))).flatten(1)).flatten()


class Block(nn.Module):
    """x [B, W, L] plus what two convolutions over five places make of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv1d(width, width, 5, padding=2), nn.Conv1d(width, width, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.3 * self.two(relu(self.one(relu(x))))
