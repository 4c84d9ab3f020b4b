"""DiscoGAN: Kim, Cha, Kim, Lee and Kim 2017, arXiv:1703.05192, as its authors' code trains it.

The networks work on images in [0, 1]; G and D map ganzoo's [-1, 1] to it and back, and so do the losses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from ganzoo.api import (
    Abilities,
    Batch,
    DataSpec,
    Progress,
    TwoDomains,
    TwoDomainsConfig,
    Update,
    UsageError,
    generator_loss,
    option,
)


@dataclass(frozen=True)
class DiscoGANConfig(TwoDomainsConfig):
    adversarial_d: float = option(0.5, "weight of the Ds' adversarial loss", low=0)
    features: float = option(0.9, "share of feature matching in what the Gs learn from the Ds", low=0, high=1)
    rate_start: float = option(0.01, "share of reconstruction in the Gs' loss at first", low=0, high=1)
    rate: float = option(0.5, "its share later", low=0, high=1)
    rate_steps: int = option(10_000, "steps at the first share", low=0)
    turn_d: int = option(3, "the Ds train at one step in this many, the Gs at the others", low=2)
    weight_decay: float = option(1e-5, "Adam's L2 penalty on all weights", low=0)
    bottleneck: int = option(0, "numbers that G squeezes an image into; 0: maps of 1/16 of its sides instead", low=0)
    width_g: int = option(64, "G's feature maps after the first layer; doubled at each layer below", low=1)
    width_d: int = option(64, "D's feature maps after the first layer; doubled at each layer below", low=1)
    batch_size: int = option(64, "images in a step")
    resolution: int = option(64, "height and width")


class DiscoGAN(TwoDomains):
    """A step trains either both Ds or both Gs, on images of its own."""

    Config = DiscoGANConfig
    abilities = Abilities(translate=True, channels=True)
    presets: ClassVar = {
        "bottleneck": {"bottleneck": 100},
        "paper": {
            "bottleneck": 100, "features": 0.0, "rate_start": 0.5, "turn_d": 2, "weight_decay": 1e-4, "batch_size": 200,
        },
        "small": {"batch_size": 16, "width_g": 24, "width_d": 16, "rate_steps": 500, "lr": 1e-3},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "bottleneck": "All of an image passes through 100 numbers, as in the paper's text.",
        "paper": "The released run: a bottleneck, no term of features at first, and batches of 200.",
        "small": "Narrow networks: a translation within ten minutes of a CPU core.",
    }

    def __init__(self, config: DiscoGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.height % 16 or data.width % 16:
            raise UsageError(f"DiscoGAN cannot do {data.height}×{data.width}: sides must be multiples of 16.")
        core = (data.height // 16, data.width // 16)
        self.side_multiple = None if config.bottleneck else 16
        a, b = (data.shape_of(name)[0] for name in data.domains)
        ways = {"AB": (a, b), "BA": (b, a)}
        self.G = nn.ModuleDict({way: Generator(config, *channels, core) for way, channels in ways.items()})
        self.D = nn.ModuleDict({x: Discriminator(config.width_d, each, core) for x, each in {"A": a, "B": b}.items()})

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        a, b = self.pair(next(batches))
        if progress.step % self.config.turn_d == 0:
            with torch.no_grad():
                fake_b, fake_a = self.G["AB"](a), self.G["BA"](b)
            terms_a, watch_a = self.discriminator_terms("A", a, fake_a, self.config.adversarial_d)
            terms_b, watch_b = self.discriminator_terms("B", b, fake_b, self.config.adversarial_d)
            yield Update("D", terms_a | terms_b, watch_a | watch_b)
            yield from self.lazy_turn(progress.step // self.config.turn_d, A=(a, fake_a), B=(b, fake_b))
        else:
            fake_b, fake_a = self.G["AB"](a), self.G["BA"](b)
            again_a, again_b = self.G["BA"](fake_b), self.G["AB"](fake_a)
            rate = self.config.rate_start if progress.step < self.config.rate_steps else self.config.rate
            terms_a = self._pursuit("A", a, fake_a, again_a, rate)
            terms_b = self._pursuit("B", b, fake_b, again_b, rate)
            yield Update("G", terms_a | terms_b)

    def _pursuit(self, domain: str, real: Tensor, fake: Tensor, again: Tensor, rate: float) -> dict[str, Tensor]:
        """The Gs' terms in a domain, of its real images, of translated ones, and of real ones sent there and back."""
        d, share = cast(Discriminator, self.D[domain]), self.config.features
        features_real, d_real = d.look(self.augment(real))
        features_fake, d_fake = d.look(self.augment(fake))
        return {
            f"adversarial {domain}": (1 - rate) * (1 - share) * generator_loss(self.loss, d_fake, lambda: d_real),
            f"features {domain}": (1 - rate) * share * feature_matching(features_real, features_fake),
            f"reconstruction {domain}": rate * mse_loss(to_unit(again.float()), to_unit(real)),
        }

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        optimizer = super().optimizer(network, parameters)
        for group in optimizer.param_groups:
            group["weight_decay"] = self.config.weight_decay
        return optimizer


class Generator(nn.Module):
    """images [B, C, H, W] in [-1, 1] -> images [B, C', H, W] in [-1, 1]; without a bottleneck sides in sixteens."""

    def __init__(self, config: DiscoGANConfig, before: int, after: int, core: tuple[int, int]) -> None:
        super().__init__()
        width, vector = config.width_g, config.bottleneck
        layers: list[nn.Module] = [nn.Conv2d(before, width, 4, 2, 1, bias=False), leaky()]
        for maps in (width, 2 * width, 4 * width):
            layers += [nn.Conv2d(maps, 2 * maps, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * maps), leaky()]
        deep = 8 * width  # [B, 8 * width, H / 16, W / 16]
        if vector:
            layers += [nn.Conv2d(deep, vector, core, bias=False), nn.BatchNorm2d(vector), leaky()]  # [B, vector, 1, 1]
            layers += [nn.ConvTranspose2d(vector, deep, core, bias=False), nn.BatchNorm2d(deep), nn.ReLU(inplace=True)]
        for maps in (4 * width, 2 * width, width):
            up = nn.ConvTranspose2d(2 * maps, maps, 4, 2, 1, bias=False)
            layers += [up, nn.BatchNorm2d(maps), nn.ReLU(inplace=True)]
        layers += [nn.ConvTranspose2d(width, after, 4, 2, 1, bias=False), nn.Sigmoid()]
        self.main = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        return 2 * self.main(to_unit(images)) - 1


class Discriminator(nn.Module):
    """images [B, C, H, W] in [-1, 1] -> logits [B]; the sigmoid is the loss's."""

    def __init__(self, width: int, channels: int, core: tuple[int, int]) -> None:
        super().__init__()
        layers = [nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1, bias=False), leaky())]
        for maps in (width, 2 * width, 4 * width):
            conv = nn.Conv2d(maps, 2 * maps, 4, 2, 1, bias=False)
            layers.append(nn.Sequential(conv, nn.BatchNorm2d(2 * maps), leaky()))
        self.layers = nn.ModuleList(layers)
        self.last = nn.Conv2d(8 * width, 1, core, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.look(images)[1]

    def look(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """Features, the outputs [B, …] of the layers with batch norm, and logits [B]."""
        x, features = to_unit(images), []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features[1:], self.last(x).flatten()


def feature_matching(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Sum over layers of the mean squared difference between the batch means of features [B, …] -> scalar."""
    pairs = zip(real, fake, strict=True)
    return torch.stack([mse_loss(y.float().mean(0), x.float().mean(0)) for x, y in pairs]).sum()


def to_unit(images: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1]."""
    return (images + 1) / 2


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)
