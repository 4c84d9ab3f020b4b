"""TinyGAN: two small convolutional players without batch norm. FaultyGAN: the same, until its fault shows."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ganzoo.api import Batch, DataSpec, Progress, TwoPlayer, TwoPlayerConfig, Update, UsageError, option


@dataclass(frozen=True)
class Config(TwoPlayerConfig):
    width: int = option(4, "feature maps", low=1)
    latent_dim: int = option(6, "length of the noise vector z", low=1)
    lr: float = option(2e-3, "learning rate", low=0)
    batch_size: int = option(16, "images in a step")
    resolution: int = option(8, "height and width")
    ema: int = option(64, "half-life of the average")


class TinyGAN(TwoPlayer):
    Config = Config
    presets: ClassVar = {"wide": {"width": 8}}

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.height % 2 or data.width % 2:
            raise UsageError(f"tinygan cannot do {data.height}×{data.width}: sides must be even.")
        self.G = Generator(config, data)
        self.D = Discriminator(config, data)


class Generator(nn.Module):
    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__()
        self.start = (config.width, data.height // 2, data.width // 2)
        self.dense = nn.Linear(config.latent_dim, config.width * self.start[1] * self.start[2])
        self.up = nn.ConvTranspose2d(config.width, data.channels, 4, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.up(torch.relu(self.dense(z)).unflatten(1, self.start)))


class Discriminator(nn.Module):
    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__()
        self.down = nn.Conv2d(data.channels, config.width, 4, 2, 1)
        self.dense = nn.Linear(config.width * (data.height // 2) * (data.width // 2), 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.dense(nn.functional.leaky_relu(self.down(images), 0.2).flatten(1)).flatten()


@dataclass(frozen=True)
class FaultyConfig(Config):
    fault: Literal["loss", "gradient", "killed"] = option("loss", "what becomes NaN in G's turn, or its process killed")
    at: int = option(4, "at this step, counted from 0")


class FaultyGAN(TinyGAN):
    Config = FaultyConfig
    idle: ClassVar = {"fault": "shows in step `at`", "at": "beyond the first steps"}

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        for update in super().step(batches, progress):
            if update.names == ("G",) and progress.step == self.config.at and self.config.fault == "killed":
                if os.environ.get("RANK") == "1" and os.environ.get("TORCHELASTIC_RESTART_COUNT") == "0":
                    os.kill(os.getpid(), signal.SIGKILL)  # once, and only one of several
            elif update.names == ("G",) and progress.step == self.config.at:
                zero = 0 * next(self.G.parameters()).sum()
                # The root's slope at 0 is infinite, so that its gradient is NaN while its value is 0.
                fault = zero * torch.nan if self.config.fault == "loss" else zero.square().sqrt()
                update.terms["fault"] = fault
            yield update
