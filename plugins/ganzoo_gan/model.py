"""The first GAN: Goodfellow et al. 2014, arXiv:1406.2661, with dense networks as wide and as deep as asked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganzoo.api import DataSpec, TwoPlayer, TwoPlayerConfig, option


@dataclass(frozen=True)
class GANConfig(TwoPlayerConfig):
    hidden_g: tuple[int, ...] = option((256, 256), "widths of G's hidden layers, from z on", low=1)
    hidden_d: tuple[int, ...] = option((256, 256), "widths of D's hidden layers, from the data on", low=1)
    batch_norm: bool = option(False, "batch norm in G, after each hidden layer's activation")
    batch_size: int = option(64, "items in a step")
    resolution: int = option(28, "height and width")


class GAN(TwoPlayer):
    """Two dense networks: whatever has a fixed size will do, images as well as points of the plane."""

    Config = GANConfig
    modalities = ("image", "point", "signal", "table")
    presets: ClassVar = {
        "digits-dense": {
            "hidden_g": (256, 512, 1024), "hidden_d": (512, 256), "batch_norm": True, "batch_size": 32,
            "resolution": 28, "channels": 1,
        },
        "digits-32": {
            "hidden_g": (256, 512, 1024), "hidden_d": (512, 256), "batch_norm": True, "batch_size": 64,
            "resolution": 32, "penalty": "r1:gamma=0.3", "ema": 200_000,
        },
        "minimax": {"loss": "minimax"},
        "points": {
            "hidden_g": (64, 64, 64), "hidden_d": (64, 64, 64), "latent_dim": 2, "lr": 5e-4, "batch_size": 256,
        },
        "small": {"hidden_g": (128, 256), "hidden_d": (128,), "batch_norm": True, "batch_size": 32},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "digits-dense": "Dense layers with batch norm, for digits of 28×28.",
        "digits-32": "The same at 32×32 with R1: the settings of its best score on MNIST.",
        "minimax": "The loss of the paper's equation, which the paper itself does not train with.",
        "points": "Narrow layers for points of the plane, in seconds.",
        "small": "Narrow dense layers, for a look within a minute.",
    }

    def __init__(self, config: GANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.G = Generator(config.latent_dim, config.hidden_g, config.batch_norm, data)
        self.D = Discriminator(config.hidden_d, data)
        self.apply(initialise)


class Generator(nn.Module):
    """z [B, Z] -> images [B, C, H, W] in [-1, 1], or vectors [B, D] of any size."""

    def __init__(self, latent_dim: int, hidden: tuple[int, ...], batch_norm: bool, data: DataSpec) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise((latent_dim, *hidden)):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
            if batch_norm:
                layers += [nn.BatchNorm1d(after, eps=1e-3, momentum=0.2)]
        layers += [nn.Linear((latent_dim, *hidden)[-1], prod(data.shape))]
        layers += [nn.Tanh()] if data.modality in ("image", "signal") else []
        layers += [Choices(data)] if data.choices else []
        self.main = nn.Sequential(*layers, nn.Unflatten(1, data.shape))

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


class Choices(nn.Module):
    """Rows of a table [B, D]: numbers in [-1, 1], and chances where the data has one of many."""

    def __init__(self, data: DataSpec) -> None:
        super().__init__()
        self.choices = data.choices

    def forward(self, x: Tensor) -> Tensor:
        pieces, done = [], 0
        for start, end in self.choices:
            pieces += [x[:, done:start].tanh(), x[:, start:end].softmax(1)]
            done = end
        return torch.cat([*pieces, x[:, done:].tanh()], 1)


class Discriminator(nn.Module):
    """images [B, C, H, W] or vectors [B, D] -> logits [B]; the sigmoid is the loss's."""

    def __init__(self, hidden: tuple[int, ...], data: DataSpec) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise((prod(data.shape), *hidden)):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*layers, nn.Linear((prod(data.shape), *hidden)[-1], 1))
        self.last_layer = f"main.{len(layers)}"

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x).flatten()


def initialise(module: nn.Module) -> None:
    """Glorot's uniform weights and no bias, as the cited script has them."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
