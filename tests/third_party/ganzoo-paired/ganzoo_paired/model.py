"""Translation learned from pairs: Isola, Zhu, Zhou and Efros 2017, arXiv:1611.07004 (pix2pix), made small.

Letters in shapes: B batch, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from ganzoo.api import (
    Abilities,
    Architecture,
    Batch,
    DataSpec,
    Progress,
    Update,
    UsageError,
    generator_loss,
    make_loss,
    normal_init,
    option,
    rows,
)
from torch import Tensor, nn
from torch.nn.functional import interpolate, l1_loss, leaky_relu, relu


@dataclass(frozen=True)
class PairedConfig:
    loss: str = option("nonsaturating", "adversarial loss, with constants: lsgan:a=-1,c=0")
    l1: float = option(100.0, "weight of the distance from what the pair says", low=0)
    dropout: float = option(0.5, "share of the features that is dropped, in use too", low=0, high=0.9)
    width: int = option(32, "feature maps at half the size; doubled below", low=1)
    lr: float = option(2e-4, "learning rate", low=0)
    beta1: float = option(0.5, "Adam's decay of the mean gradient", low=0, high=0.9999)
    beta2: float = option(0.999, "Adam's decay of the mean squared gradient", low=0, high=0.999999)
    ema: int = option(0, "half-life of the averaged generator, in images; 0: no averaging")
    batch_size: int = option(4, "pairs in a step")
    resolution: int = option(64, "height and width")


class Paired(Architecture):
    """G makes an image of the second domain of one of the first; D sees both, and tells real pairs from made ones.

    Images of the second domain may be 2, 4, … times as large: G then enlarges, and D sees the first ones enlarged.
    """

    Config = PairedConfig
    modalities = ("image",)
    abilities = Abilities(translate=True, pairs=True, dropout=True, sizes=True)
    presets: ClassVar = {"small": {"width": 8, "resolution": 32}}
    side_multiple = 8
    smallest_side = 16

    def __init__(self, config: PairedConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if len(data.domains) != 2:
            raise UsageError(
                "paired translates from one domain to another; choose a data set of two, such as outlines."
            )
        if data.height % 8 or data.width % 8 or min(data.height, data.width) < 16:
            raise UsageError("paired makes images whose sides are multiples of 8, from 16 on, such as 32 or 64.")
        self.targets = (data.domains[1],)
        (given, *sides), (wanted, *larger) = (data.shape_of(domain) for domain in data.domains)
        self.times = larger[0] // sides[0]
        if larger != [self.times * side for side in sides] or self.times & (self.times - 1) or not self.times:
            raise UsageError("paired makes images as large as those it is given, or 2, 4, … times as large.")
        self.loss = make_loss(config.loss)
        self.G = UNet(given, wanted, config.width, config.dropout, doublings=self.times.bit_length() - 1)
        self.D = discriminator(given + wanted, config.width)
        self.apply(normal_init)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        batch = next(batches)
        a, b = (batch.domains[name] for name in self.data.domains)  # row i of both is a pair
        fake = self.G(a)

        d_real, d_fake = self.judged(a, b), self.judged(a, fake.detach())
        watch = {"D(x)": self.score(d_real), "D(G(z))": self.score(d_fake)}
        # The paper halves D's loss, so that D is slower than G.
        yield Update("D", {"adversarial": self.loss.discriminator(d_real, d_fake) / 2}, watch)

        d_fake = self.judged(a, fake)
        terms = {
            "adversarial": generator_loss(self.loss, d_fake, lambda: self.judged(a, b)),
            "l1": self.config.l1 * l1_loss(fake.float(), b.float()),
        }
        yield Update("G", terms, {"D(G(z)) after": self.score(d_fake)})

    def judged(self, a: Tensor, b: Tensor) -> Tensor:
        """D's logits [B, 1, h, w] on pairs, one for each patch."""
        if self.times > 1:
            a = interpolate(a, scale_factor=self.times)
        return self.D(torch.cat([a, b], 1))

    def score(self, logits: Tensor) -> Tensor:
        return self.loss.score(logits.detach()).mean()

    def translate(self, images: Tensor, to: str) -> Tensor:
        return self.G(images)

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, self.config.lr, (self.config.beta1, self.config.beta2))


class UNet(nn.Module):
    """Images [B, C, H, W] of one domain -> of the other, in [-1, 1]; features of each size reach the way up too.

    Args:
        doublings: how often the sides are doubled beyond those of what is given.
    """

    def __init__(self, given: int, wanted: int, width: int, dropout: float, doublings: int = 0) -> None:
        super().__init__()
        self.first = nn.Conv2d(given, width, 4, 2, 1)  # [B, width, H / 2, W / 2]
        self.second = nn.Conv2d(width, 2 * width, 4, 2, 1)  # [B, 2 * width, H / 4, W / 4]
        self.third = nn.Conv2d(2 * width, 4 * width, 4, 2, 1)  # [B, 4 * width, H / 8, W / 8]
        self.up_third = nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1)
        self.up_second = nn.ConvTranspose2d(4 * width, width, 4, 2, 1)
        beyond = [width] * doublings + [wanted]  # channels after each doubling from half the given size on
        self.up_first = nn.ConvTranspose2d(2 * width, beyond[0], 4, 2, 1)
        self.larger = nn.ModuleList(nn.ConvTranspose2d(width, channels, 4, 2, 1) for channels in beyond[1:])
        self.norms = nn.ModuleList(nn.InstanceNorm2d(2 * width if i != 2 else width) for i in range(3))
        self.noise = Dropped(dropout)

    def forward(self, images: Tensor) -> Tensor:
        one = self.first(images)
        two = self.norms[0](self.second(leaky_relu(one, 0.2)))
        three = self.third(leaky_relu(two, 0.2))
        up = self.noise(self.norms[1](self.up_third(relu(three))))
        up = self.norms[2](self.up_second(relu(torch.cat([up, two], 1))))
        up = self.up_first(relu(torch.cat([up, one], 1)))
        for layer in self.larger:
            up = layer(relu(up))
        return up.tanh()


class Dropped(nn.Dropout2d):
    """Dropout of whole feature maps, the paper's noise: on in use too, as the abilities say. Each item drops others."""

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C, H, W] -> the same, kept features scaled so that their mean stays."""
        if not self.training:
            return x
        kept = rows((x.shape[0], x.shape[1], 1, 1), torch.rand, x.device) >= self.p
        return x * kept / (1 - self.p)


def discriminator(channels: int, width: int) -> nn.Module:
    """Pairs [B, C, H, W], one image above the other -> logits [B, 1, h, w], one for each patch of 22 pixels a side."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 2, 1),
        nn.InstanceNorm2d(2 * width),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 4, 1, 1),
    )
