"""CycleGAN: Zhu, Park, Isola and Efros 2017, arXiv:1703.10593, as its authors' PyTorch code sizes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn.functional import l1_loss

from ganzoo.api import (
    Abilities,
    Batch,
    DataSpec,
    Foreign,
    ImagePool,
    Imported,
    Progress,
    TwoDomains,
    TwoDomainsConfig,
    Update,
    UsageError,
    linear_decay,
    normal_init,
    option,
)

EPOCHS = 200  # of the published schedule, whose steps the learning rate takes however long the training is


@dataclass(frozen=True)
class CycleGANConfig(TwoDomainsConfig):
    loss: str = "lsgan:half=1"
    adversarial_g: float = option(1.0, "weight of the Gs' adversarial loss", low=0)
    adversarial_d: float = option(0.5, "weight of the Ds'", low=0)
    cycle: float = option(10.0, "weight of the cycle loss, each way", low=0)
    identity: float = option(
        0.5, "weight of the identity loss as a share of the cycle loss's; 0, or other channels: none", low=0
    )
    pool: int = option(50, "generated images kept for each D; 0: none", low=0)
    blocks: int | None = option(None, "residual blocks of a G; none: 9 from 256 pixels up, 6 below", low=0)
    width_g: int = option(64, "G's feature maps at full size", low=1)
    width_d: int = option(64, "D's feature maps after its first layer", low=1)
    layers_d: int = option(3, "D's layers that halve the image; 3: it judges patches of 70×70", low=1)
    decay: float = option(0.5, "last share of the training over which the rate falls linearly to 0", low=0, high=1)
    batch_size: int = option(1, "images in a step")
    resolution: int = option(256, "height and width")
    load_size: int | None = option(286, "scale images to this first, then crop them at random")
    flip: bool = option(True, "mirror images at random")
    epochs: int | None = option(EPOCHS, "passes over the data")

    previous: ClassVar[Mapping[str, Mapping[str, Any]]] = {"0.1.0": {"average": 0, "loss": "lsgan"}}

    @staticmethod
    def upgrade(options: dict[str, Any], version: str | None) -> dict[str, Any]:
        """Before `--average` was called `--ema`, CycleGAN itself took lsgan's squares whole."""
        name, _, constants = str(options.get("loss", "")).partition(":")
        if "average" in options and name == "lsgan" and "half" not in constants:
            options["loss"] = "lsgan:" + ",".join(filter(None, (constants, "half=1")))
        return options


class CycleGAN(TwoDomains):
    """Both Gs move first, then both Ds, which see a history of generated images; all weights start at N(0, 0.02)."""

    Config = CycleGANConfig
    abilities = Abilities(translate=True, channels=True)
    presets: ClassVar = {
        "small": {
            "resolution": 64, "load_size": 72, "blocks": 3, "width_g": 16, "width_d": 24, "batch_size": 4, "lr": 1e-3,
            "images": 12_000,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "64×64, three blocks and narrow networks: a translation within half an hour of a CPU core.",
    }
    side_multiple = 4
    smallest_side = 8

    def __init__(self, config: CycleGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        least = 3 << config.layers_d
        if data.height % 4 or data.width % 4 or min(data.height, data.width) < least:
            raise UsageError(
                f"CycleGAN cannot do {data.height}×{data.width}: sides must be multiples of 4, {least} or more."
            )
        blocks = config.blocks if config.blocks is not None else 9 if min(data.height, data.width) >= 256 else 6
        a, b = (data.shape_of(name) for name in data.domains)
        ways = {"AB": (a[0], b[0]), "BA": (b[0], a[0])}
        self.G = nn.ModuleDict({way: Generator(config.width_g, blocks, *channels) for way, channels in ways.items()})
        sides = {"A": a[0], "B": b[0]}
        self.D = nn.ModuleDict(
            {x: Discriminator(config.width_d, config.layers_d, channels) for x, channels in sides.items()}
        )
        self.identity = config.identity if a == b else 0.0  # G.AB takes no B of other channels than A's
        self.pool_a, self.pool_b = ImagePool(config.pool, a), ImagePool(config.pool, b)
        self.apply(normal_init)

    @staticmethod
    def imported(foreign: Foreign) -> Imported:
        """A model of the authors' files."""
        from ganzoo_cyclegan.official import imported

        return imported(foreign)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        a, b = self.pair(next(batches))
        fake_b, fake_a = self.G["AB"](a), self.G["BA"](b)
        weight, cycle = self.config.adversarial_g, self.config.cycle
        terms = {
            "adversarial A": weight * self.generator_loss("A", a, fake_a),
            "adversarial B": weight * self.generator_loss("B", b, fake_b),
            "cycle A": cycle * distance(self.G["BA"](fake_b), a),
            "cycle B": cycle * distance(self.G["AB"](fake_a), b),
        }
        identity = cycle * self.identity
        if identity:
            terms["identity A"] = identity * distance(self.G["BA"](a), a)
            terms["identity B"] = identity * distance(self.G["AB"](b), b)
        yield Update("G", terms)

        weight = self.config.adversarial_d
        fake_a, fake_b = self.pool_a.query(fake_a), self.pool_b.query(fake_b)
        terms_a, watch_a = self.discriminator_terms("A", a, fake_a, weight)
        terms_b, watch_b = self.discriminator_terms("B", b, fake_b, weight)
        yield Update("D", terms_a | terms_b, watch_a | watch_b)
        yield from self.lazy_turn(progress.step, A=(a, fake_a), B=(b, fake_b))

    def learning_rate(self, progress: Progress, network: str) -> float:
        return linear_decay(progress, EPOCHS, self.config.decay)


class Generator(nn.Module):
    """images [B, C, H, W] in [-1, 1] -> images [B, C', H, W] in [-1, 1]; any sides that are multiples of 4."""

    def __init__(self, width: int, blocks: int, before: int, after: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(before, width, 7), *normalise(width)]
        for maps in (width, 2 * width):
            layers += [nn.Conv2d(maps, 2 * maps, 3, 2, 1), *normalise(2 * maps)]
        layers += [Residual(4 * width) for _ in range(blocks)]  # [B, 4 * width, H / 4, W / 4]
        for maps in (2 * width, width):
            layers += [nn.ConvTranspose2d(2 * maps, maps, 3, 2, 1, output_padding=1), *normalise(maps)]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, after, 7), nn.Tanh())

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images)


class Residual(nn.Module):
    """x [B, M, H, W] plus what two convolutions make of it; nothing after the sum."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        first = (nn.ReflectionPad2d(1), nn.Conv2d(maps, maps, 3), *normalise(maps))
        second = (nn.ReflectionPad2d(1), nn.Conv2d(maps, maps, 3), nn.InstanceNorm2d(maps))
        self.conv_block = nn.Sequential(*first, *second)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class Discriminator(nn.Module):
    """images [B, C, H, W] -> logits [B, 1, H / 8 - 2, W / 8 - 2], each of a patch of 70×70 (with three layers)."""

    def __init__(self, width: int, layers: int, channels: int) -> None:
        super().__init__()
        stack: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        before = width
        for i in range(1, layers + 1):
            maps = width << min(i, 3)
            stack += [nn.Conv2d(before, maps, 4, 2 if i < layers else 1, 1), nn.InstanceNorm2d(maps)]
            stack += [nn.LeakyReLU(0.2, inplace=True)]
            before = maps
        self.model = nn.Sequential(*stack, nn.Conv2d(before, 1, 4, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images)


def normalise(maps: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(maps), nn.ReLU(inplace=True)


def distance(x: Tensor, y: Tensor) -> Tensor:
    return l1_loss(x.float(), y.float())
