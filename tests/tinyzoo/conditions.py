"""Tiny GANs of the opened contract: translators that learn from pairs, and GANs of attributes and of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo.api import (
    Abilities,
    Architecture,
    ArchitectureCard,
    Batch,
    DataSpec,
    Progress,
    TwoPlayer,
    Update,
    UsageError,
    hookimpl,
    make_loss,
    option,
)
from tinyzoo.model import Config, Discriminator, Generator


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    tasks = {
        "TinyPairs": "translation",
        "TinyDoubles": "translation",
        "TinyAttributes": "conditional",
        "TinyNumbers": "conditional",
    }
    for title, task in tasks.items():
        yield ArchitectureCard(
            name=title.lower(), title=title, year=2000, paper="none", summary="For the tests.", resolutions=(8,),
            tasks={task}, licence="MIT", api=2, model=f"tinyzoo.conditions:{title}",
        )  # fmt: skip


@dataclass(frozen=True)
class PairsConfig:
    weight: float = option(10.0, "weight of the distance to the partner", low=0)
    lr: float = option(2e-3, "learning rate", low=0)
    beta1: float = option(0.5, "Adam's first")
    beta2: float = option(0.999, "Adam's second")
    batch_size: int = option(4, "images in a step")
    resolution: int = option(8, "height and width")
    ema: int = option(64, "half-life of the average")


class TinyPairs(Architecture):
    """From the first domain to the second alone; D sees A and B together, as pix2pix's does."""

    Config = PairsConfig
    abilities = Abilities(translate=True, pairs=True)
    modalities = ("image",)
    side_multiple = 1

    def __init__(self, config: PairsConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if len(data.domains) != 2:
            raise UsageError(f"tinypairs translates between two domains, and this data has {len(data.domains)}.")
        a, b = (data.shape_of(name)[0] for name in data.domains)
        self.loss = make_loss("lsgan")
        self.targets = (data.domains[1],)
        self.G = nn.Sequential(nn.Conv2d(a, 4, 3, 1, 1), nn.ReLU(), nn.Conv2d(4, b, 3, 1, 1), nn.Tanh())
        self.D = nn.Conv2d(a + b, 1, 4, 2, 1)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        batch = next(batches)
        a, b = (batch.domains[name] for name in self.data.domains)
        fake = self.G(a)
        d_real, d_fake = self.D(torch.cat([a, b], 1)), self.D(torch.cat([a, fake.detach()], 1))
        yield Update("D", {"adversarial": self.loss.discriminator(d_real, d_fake)})
        adversarial = self.loss.generator(self.D(torch.cat([a, fake], 1)))
        distance = self.config.weight * (fake - b).abs().mean()
        yield Update("G", {"adversarial": adversarial, "distance": distance}, {"distance": distance.detach()})

    def translate(self, images: Tensor, to: str) -> Tensor:
        return self.G(images)


class TinyDoubles(TinyPairs):
    """Images of the first domain, twice as large."""

    abilities = Abilities(translate=True, pairs=True, channels=True, sizes=True)
    side_multiple = 2

    def __init__(self, config: PairsConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        small, large = (data.shape_of(name)[1:] for name in data.domains)
        if large != (2 * small[0], 2 * small[1]):
            raise UsageError("tinydoubles doubles the sides of images; choose data whose second domain is as large.")
        self.G = nn.Sequential(self.G, nn.Upsample(scale_factor=2))

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        batch = next(batches)
        a, b = (batch.domains[name] for name in self.data.domains)
        fake, enlarged = self.G(a), interpolate(a, scale_factor=2)
        d_real, d_fake = (self.D(torch.cat([enlarged, each], 1)) for each in (b, fake.detach()))
        yield Update("D", {"adversarial": self.loss.discriminator(d_real, d_fake)})
        adversarial = self.loss.generator(self.D(torch.cat([enlarged, fake], 1)))
        distance = self.config.weight * (fake - b).abs().mean()
        yield Update("G", {"adversarial": adversarial, "distance": distance}, {"distance": distance.detach()})


class TinyAttributes(TwoPlayer):
    """Both players are told K numbers an item, [B, K]."""

    Config = Config
    abilities = Abilities(generate=True, realness=False, labels=frozenset({"attributes"}))

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        if not data.columns:
            raise UsageError(f"{type(self).__name__} takes labels of several columns, and this data set has none.")
        self.G, self.D = ToldGenerator(config, data), ToldDiscriminator(config, data)


class TinyNumbers(TinyAttributes):
    abilities = Abilities(generate=True, realness=False, labels=frozenset({"numbers"}))


class ToldGenerator(Generator):
    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        self.told = nn.Linear(data.columns, config.latent_dim)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return super().forward(z + self.told(label))


class ToldDiscriminator(Discriminator):
    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        self.told = nn.Linear(data.columns, 1)

    def forward(self, images: Tensor, label: Tensor) -> Tensor:
        return super().forward(images) + self.told(label).flatten()
