"""My GAN.

Unpaired translation with small networks and the losses of Zhu et al. 2017 (CycleGAN), arXiv:1703.10593.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ganzoo.api import Batch, DataSpec, Progress, TwoDomains, TwoDomainsConfig, Update, option
from torch import Tensor, nn
from torch.nn.functional import l1_loss


@dataclass(frozen=True)
class MyGANConfig(TwoDomainsConfig):
    loss: str = option("lsgan", "adversarial loss, with constants: lsgan:a=-1,c=0")
    cycle: float = option(10.0, "weight of the cycle: an image sent there and back should be itself", low=0)
    width: int = option(32, "feature maps of full size; doubled at each halving", low=1)
    batch_size: int = option(4, "images of each domain in a step")
    resolution: int = option(64, "height and width")


class MyGAN(TwoDomains):
    """G.AB and G.BA translate; D.A and D.B tell real images of their domain from translated ones."""

    Config = MyGANConfig
    presets: ClassVar = {"small": {"width": 8}}
    preset_summaries: ClassVar = {"small": "Narrow networks, for a first look."}
    side_multiple = 4
    smallest_side = 16

    def __init__(self, config: MyGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.G = nn.ModuleDict({way: generator(config.width, data.channels) for way in ("AB", "BA")})
        self.D = nn.ModuleDict({domain: discriminator(config.width, data.channels) for domain in "AB"})

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        a, b = self.pair(next(batches))  # [B, C, H, W] each, in [-1, 1]
        fake_b, fake_a = self.G["AB"](a), self.G["BA"](b)
        again_a, again_b = self.G["BA"](fake_b), self.G["AB"](fake_a)
        terms = {
            "adversarial A": self.generator_loss("A", a, fake_a),
            "adversarial B": self.generator_loss("B", b, fake_b),
            "cycle A": self.config.cycle * distance(again_a, a),
            "cycle B": self.config.cycle * distance(again_b, b),
        }
        yield Update("G", terms)

        fake_a, fake_b = fake_a.detach(), fake_b.detach()
        terms_a, watch_a = self.discriminator_terms("A", a, fake_a)
        terms_b, watch_b = self.discriminator_terms("B", b, fake_b)
        yield Update("D", terms_a | terms_b, watch_a | watch_b)
        yield from self.lazy_turn(progress.step, A=(a, fake_a), B=(b, fake_b))


def distance(images: Tensor, others: Tensor) -> Tensor:
    """Mean of |difference|, in float32 whatever the precision."""
    return l1_loss(images.float(), others.float())


def generator(width: int, channels: int) -> nn.Module:
    """images [B, C, H, W] -> images [B, C, H, W], all in [-1, 1]; sides are multiples of 4."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 7, 1, 3, padding_mode="reflect"),
        *normalise(width),
        nn.Conv2d(width, 2 * width, 4, 2, 1),  # [B, 2 * width, H / 2, W / 2]
        *normalise(2 * width),
        nn.Conv2d(2 * width, 4 * width, 4, 2, 1),  # [B, 4 * width, H / 4, W / 4]
        *normalise(4 * width),
        nn.Conv2d(4 * width, 4 * width, 3, 1, 1),
        *normalise(4 * width),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1),  # [B, 2 * width, H / 2, W / 2]
        *normalise(2 * width),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1),  # [B, width, H, W]
        *normalise(width),
        nn.Conv2d(width, channels, 7, 1, 3, padding_mode="reflect"),
        nn.Tanh(),
    )


def discriminator(width: int, channels: int) -> nn.Module:
    """images [B, C, H, W] -> logits [B, 1, h, w], one for each patch of 22 pixels a side."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 2, 1),
        nn.InstanceNorm2d(2 * width),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 4, 1, 1),
    )


def normalise(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels), nn.ReLU()
