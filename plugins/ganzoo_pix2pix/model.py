"""pix2pix: Isola, Zhu, Zhou and Efros 2017, arXiv:1611.07004, as its authors' PyTorch code sizes it.

Letters in shapes: B batch, C channels, H height, W width, M feature maps.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm, l1_loss

from ganzoo.api import (
    Abilities,
    Batch,
    DataSpec,
    Foreign,
    Imported,
    Progress,
    TwoDomains,
    TwoDomainsConfig,
    Update,
    UsageError,
    linear_decay,
    normal_init,
    option,
    rows,
)

EPOCHS = 200  # of the published schedule, whose steps the learning rate takes however long the training is


@dataclass(frozen=True)
class Pix2PixConfig(TwoDomainsConfig):
    to: str = option("", "domain that it makes; none: the second")
    l1: float = option(100.0, "weight of the distance from the partner", low=0)
    adversarial_d: float = option(0.5, "weight of D's adversarial loss", low=0)
    dropout: float = option(0.5, "share of the features that is dropped, in use too", low=0, high=0.9)
    running: bool = option(False, "in use batch norm goes by averages of the training, not by the image itself")
    width_g: int = option(64, "G's feature maps at half the size; doubled three times below", low=1)
    width_d: int = option(64, "D's feature maps after its first layer", low=1)
    layers_d: int = option(
        3, "D's layers that halve the images; 3: it judges patches of 70×70, 0: single pixels", low=0
    )
    decay: float = option(0.5, "last share of the training over which the rate falls linearly to 0", low=0, high=1)
    batch_size: int = option(1, "pairs in a step")
    resolution: int = option(256, "height and width")
    load_size: int | None = option(286, "scale images to this first, then crop them at random")
    flip: bool = option(True, "mirror images at random")
    epochs: int | None = option(EPOCHS, "passes over the data")


class Pix2Pix(TwoDomains):
    """One generator makes an image's partner; the discriminator sees the image beside the partner, real or made."""

    Config = Pix2PixConfig
    idle: ClassVar = {"dropout": "a U-Net of five halvings, as of the smallest side on the card, drops nothing"}
    abilities = Abilities(translate=True, channels=True, pairs=True, dropout=True)
    presets: ClassVar = {
        "paper": {"decay": 0.0},
        "pixel": {"layers_d": 0},
        "small": {
            "resolution": 64, "load_size": 72, "width_g": 16, "width_d": 24, "layers_d": 2, "batch_size": 4, "lr": 5e-4,
            "images": 40_000,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "paper": "The rate stays as it is to the end, as in the paper.",
        "pixel": "D looks at single pixels.",
        "small": "64×64 and narrow networks: a translation on two CPU cores.",
    }

    def __init__(self, config: Pix2PixConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        halvings = min(8, *(_halvings(side) for side in (data.height, data.width)))
        if halvings < 3 or min(data.height, data.width) < 3 << config.layers_d:
            raise UsageError(
                f"pix2pix cannot do {data.height}×{data.width}: sides must be multiples of 8, "
                f"{max(8, 3 << config.layers_d)} or more."
            )
        self.way, self.side = self.one_way(config.to)
        made = data.domains["AB".index(self.side)]
        before, after = data.shape_before(made)[0], data.shape_of(made)[0]
        self.before = before
        unet = Generator(config.width_g, halvings, before, after, config.dropout, config.running)
        self.G = nn.ModuleDict({self.way: unet})
        self.D = nn.ModuleDict({self.side: Discriminator(config.width_d, config.layers_d, before + after)})
        self.abilities = replace(self.abilities, dropout=config.dropout > 0 and halvings > 5)
        self.apply(normal_init)

    @staticmethod
    def imported(foreign: Foreign) -> Imported:
        """A model of the authors' files."""
        from ganzoo_pix2pix.official import imported

        return imported(foreign)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        a, b = self.pair(next(batches))
        given, true = (a, b) if self.side == "B" else (b, a)
        fake = self.G[self.way](given)
        real_pair, fake_pair = torch.cat([given, true], 1), torch.cat([given, fake], 1)

        terms, watch = self.discriminator_terms(self.side, real_pair, fake_pair.detach(), self.config.adversarial_d)
        yield Update("D", terms, watch)
        yield from self.lazy_turn(progress.step, **{self.side: (real_pair, fake_pair.detach())})

        terms = {"adversarial": self.generator_loss(self.side, real_pair, fake_pair)}
        yield Update("G", terms | {"l1": self.config.l1 * l1_loss(fake.float(), true.float())})

    def discriminate(self, domain: str, images: Tensor) -> Tensor:
        """What D says of pairs [B, C + C', H, W], both images augmented alike and each by its own colours."""
        pairs = self.augment.alike(images[:, : self.before], images[:, self.before :])
        return self.D[domain](torch.cat(pairs, 1))

    def learning_rate(self, progress: Progress, network: str) -> float:
        return linear_decay(progress, EPOCHS, self.config.decay)


class Generator(nn.Module):
    """A U-Net: images [B, C, H, W] in [-1, 1] -> images [B, C', H, W]; sides are multiples of 2 ** halvings."""

    def __init__(self, width: int, halvings: int, before: int, after: int, dropout: float, running: bool) -> None:
        super().__init__()
        maps = [width << min(level, 3) for level in range(halvings)]
        inside: nn.Module | None = None
        for level in range(halvings - 1, 0, -1):
            noisy = 4 <= level < halvings - 1  # the innermost level has none
            inside = Level(maps[level - 1], maps[level], inside, dropout if noisy else 0.0, running)
        down = nn.Conv2d(before, width, 4, 2, 1, bias=False)  # [B, width, H / 2, W / 2]
        up = nn.ConvTranspose2d(2 * width, after, 4, 2, 1)
        layers = nn.Sequential(down, *([inside] if inside else []), nn.ReLU(), up, nn.Tanh())
        self.model = nn.Sequential(OrderedDict(model=layers))  # named as in the authors' code

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images)


class Level(nn.Module):
    """x [B, M, H, W] -> [B, 2M, H, W]: x itself, and what half its size and all below make of it."""

    def __init__(self, outer: int, inner: int, inside: nn.Module | None, dropout: float, running: bool) -> None:
        super().__init__()
        down: list[nn.Module] = [nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1, bias=False)]
        if inside is not None:
            down += [BatchNorm2d(inner, running), inside]  # [B, 2 * inner, H / 2, W / 2]
        wide = inner if inside is None else 2 * inner
        up = [nn.ReLU(), nn.ConvTranspose2d(wide, outer, 4, 2, 1, bias=False), BatchNorm2d(outer, running)]
        self.model = nn.Sequential(*down, *up, *([Dropout(dropout)] if dropout else []))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.model(x)], 1)


class BatchNorm2d(nn.BatchNorm2d):
    """Batch norm that in use goes by the image itself, as the paper's batches of one do (section 3.4)."""

    def __init__(self, maps: int, running: bool) -> None:
        super().__init__(maps)
        self.running = running

    def forward(self, x: Tensor) -> Tensor:
        if self.training or self.running:
            return super().forward(x)
        return instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)


class Dropout(nn.Dropout):
    """Dropout whose lots are drawn for the global batch, so that several processes draw what one would."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = rows(tuple(x.shape), torch.rand, x.device) >= self.p
        return x * kept / (1 - self.p)


class Discriminator(nn.Module):
    """Pairs [B, C, H, W], given image first -> logits [B, 1, h, w], each of a patch, or of one pixel without layers."""

    def __init__(self, width: int, layers: int, channels: int) -> None:
        super().__init__()
        kernel, stride, padding = (4, 2, 1) if layers else (1, 1, 0)
        stack: list[nn.Module] = [nn.Conv2d(channels, width, kernel, stride, padding), nn.LeakyReLU(0.2)]
        before = width
        for layer in range(1, max(1, layers) + 1):
            maps = width << min(layer, 3)
            stride = 2 if layer < layers else 1
            stack += [nn.Conv2d(before, maps, kernel, stride, padding, bias=False)]
            stack += [nn.BatchNorm2d(maps), nn.LeakyReLU(0.2)]
            before = maps
        self.model = nn.Sequential(*stack, nn.Conv2d(before, 1, kernel, 1, padding, bias=layers > 0))

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images)


def _halvings(side: int) -> int:
    """How often a side can be halved."""
    return (side & -side).bit_length() - 1
