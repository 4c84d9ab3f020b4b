"""Auxiliary classifier GAN: Odena, Olah and Shlens 2017, arXiv:1610.09585, with its networks for CIFAR-10 (table 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from ganzoo.api import (
    Abilities,
    DataSpec,
    TwoPlayer,
    TwoPlayerConfig,
    Update,
    UsageError,
    generator_loss,
    normal_init,
    option,
)


@dataclass(frozen=True)
class ACGANConfig(TwoPlayerConfig):
    classes_d: float = option(1.0, "weight of the classes' cross entropy in D's loss", low=0, scheduled=True)
    classes_g: float = option(1.0, "weight of the classes' cross entropy in G's loss", low=0, scheduled=True)
    widths_g: tuple[int, ...] = option(
        (384, 192, 96), "G's maps at the start and after each doubling but the last", low=1
    )
    widths_d: tuple[int, ...] = option((16, 32, 64, 128, 256, 512), "D's maps; every other layer halves", low=1)
    dropout: float = option(0.5, "share of D's numbers that are dropped after each layer", low=0, high=0.95)
    batch_size: int = option(100, "images in a turn")
    resolution: int = option(32, "height and width")


class ACGAN(TwoPlayer):
    """D tells real from generated images and one class from another; G is to make images whose class D finds."""

    Config = ACGANConfig
    modalities = ("image",)
    abilities = Abilities(generate=True, realness=True, labels=frozenset({"class"}))
    D: Discriminator
    presets: ClassVar = {
        "small": {
            "resolution": 32, "widths_g": (96, 48, 24), "widths_d": (16, 16, 32, 32, 64, 64), "dropout": 0.2,
            "lr": 1e-3, "batch_size": 32, "latent_dim": 64, "ema": 20_000,
        },
        "cifar": {"resolution": 32, "channels": 3},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "32×32 and a quarter of the widths: classes on two CPU cores.",
        "cifar": "The paper's networks for CIFAR-10, at 32×32.",
    }

    def __init__(self, config: ACGANConfig, data: DataSpec) -> None:
        """Raises: UsageError without classes, or for sides that do not halve often enough."""
        super().__init__(config, data)
        if data.label != "class":
            raise UsageError(
                "acgan needs a class for each image, and this data set has none; add it with --labels, or train dcgan."
            )
        if not config.widths_g or not config.widths_d:
            raise UsageError("--widths-g and --widths-d take one number or more, such as 96,48,24.")
        halvings = (len(config.widths_d) + 1) // 2
        times = 1 << max(len(config.widths_g), halvings)
        if data.height % times or data.width % times:
            raise UsageError(
                f"acgan cannot do {data.height}×{data.width} with these widths: both sides must be "
                f"multiples of {times}."
            )
        self.G = Generator(config, data)
        self.D = Discriminator(config, halvings, data)
        self.apply(normal_init)

    def critic_turn(self, real: Tensor, fake: Tensor, label: Tensor | None, turn: int) -> Iterator[Update]:
        """Maximises L_S + L_C: D learns the classes of real and of generated images."""
        (d_real, of_real), (d_fake, of_fake) = self.judged(real), self.judged(fake)
        terms = {"adversarial": self.loss.discriminator(d_real, d_fake)}
        terms["classes"] = self.config.classes_d * (classes_loss(of_real, label) + classes_loss(of_fake, label))
        critic = partial(self.discriminate, label=label)
        terms |= self.penalties.terms(critic, real, fake, d_real, d_fake)
        watch = {"D(x)": self.mean_score(d_real), "D(G(z))": self.mean_score(d_fake)}
        watch["classes right"] = share_right(of_real, label)
        self.augment.observe(d_real)
        yield Update("D", terms, watch | self.augment.watch(), self.clip)
        yield from self.penalties.lazy_turn(turn, "D", {"": (critic, real, fake)}, self.clip)

    def generator_turn(self, real: Tensor, fake: Tensor, label: Tensor | None) -> Iterator[Update]:
        """Maximises L_C - L_S."""
        d_fake, of_fake = self.judged(fake)
        adversarial = generator_loss(self.loss, d_fake, lambda: self.discriminate(real, label))
        terms = {"adversarial": adversarial, "classes": self.config.classes_g * classes_loss(of_fake, label)}
        watch = {"D(G(z)) after": self.mean_score(d_fake)}
        watch["fake classes right"] = share_right(of_fake, label)
        yield Update("G", terms, watch, self.clip)

    def judged(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, C, H, W] -> D's logits [B] and class logits [B, classes], on augmented images."""
        features = self.D.trunk(self.augment(images))
        return self.D.head(features), self.D.classes(features)


def classes_loss(logits: Tensor, label: Tensor | None) -> Tensor:
    assert label is not None
    return cross_entropy(logits.float(), label)


def share_right(logits: Tensor, label: Tensor | None) -> Tensor:
    """Share of the images whose class has the largest logit; detached."""
    assert label is not None
    return torch.eq(logits.detach().argmax(1), label).float().mean()


class Generator(nn.Module):
    """z [B, Z], label [B] -> images [B, C, H, W] in [-1, 1]; the class is told as ones and zeros beside z."""

    def __init__(self, config: ACGANConfig, data: DataSpec) -> None:
        super().__init__()
        self.classes, widths = len(data.classes), config.widths_g
        start = (widths[0], data.height >> len(widths), data.width >> len(widths))
        blocks: list[nn.Module] = [
            nn.Linear(config.latent_dim + self.classes, start[0] * start[1] * start[2]),
            nn.Unflatten(1, start),
            nn.ReLU(),
        ]
        for before, after in pairwise(widths):
            blocks += [larger(before, after), nn.BatchNorm2d(after), nn.ReLU()]
        self.main = nn.Sequential(*blocks, larger(widths[-1], data.channels), nn.Tanh())

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.main(torch.cat([z, one_hot(label, self.classes).to(z.dtype)], 1))


class Discriminator(nn.Module):
    """images [B, C, H, W] -> logits [B], whatever the label; `trunk`, `head` and `classes` are its parts."""

    def __init__(self, config: ACGANConfig, halvings: int, data: DataSpec) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise((data.channels, *config.widths_d))):
            norm = [nn.BatchNorm2d(after)] if i else []
            convolution = nn.Conv2d(before, after, 3, 1 + (i % 2 == 0), 1)
            blocks += [convolution, *norm, nn.LeakyReLU(0.2), nn.Dropout(config.dropout)]
        features = config.widths_d[-1] * (data.height >> halvings) * (data.width >> halvings)
        self.trunk = nn.Sequential(*blocks, nn.Flatten())
        self.head = nn.Sequential(nn.Linear(features, 1), nn.Flatten(0))
        self.classes = nn.Linear(features, len(data.classes))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        return self.head(self.trunk(images))


def larger(before: int, after: int) -> nn.Module:
    """[B, C, H, W] -> [B, C', 2 H, 2 W] by 5×5 kernels."""
    return nn.ConvTranspose2d(before, after, 5, 2, 2, output_padding=1)
