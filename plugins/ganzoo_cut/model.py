"""CUT and FastCUT: Park, Efros, Zhang and Zhu 2020, arXiv:2007.15651, as their authors' code sizes them.

Letters in shapes: B batch, C channels, H height, W width, M feature maps, P patches, F numbers that stand for a patch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, cross_entropy, pad

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
    option,
)

EPOCHS = 400  # of the published schedule, where the length of the training is not said in epochs
ITSELF = -10.0  # what stands in a patch's row of negatives for the patch itself


@dataclass(frozen=True)
class CUTConfig(TwoDomainsConfig):
    loss: str = "lsgan:half=1"
    to: str = option("", "domain that it makes; none: the second")
    nce: float = option(1.0, "weight of the contrastive loss", low=0)
    identity: bool = option(True, "images of the domain that it makes must also come through with their patches")
    flipped: bool = option(
        False, "in half of the steps G sees mirrored images and must do with them what it does with others"
    )
    adversarial_d: float = option(0.5, "weight of D's adversarial loss", low=0)
    patches: int = option(256, "patches of an image that are compared, on each layer", low=2)
    temperature: float = option(0.07, "that similarities are divided by", low=1e-3)
    layers: tuple[int, ...] = option(
        (0, 4, 8, 12, 16), "layers of G whose features are compared, counted as in its `model`"
    )
    width_f: int = option(256, "numbers that stand for a patch", low=1)
    blocks: int = option(9, "residual blocks of G", low=1)
    width_g: int = option(64, "G's feature maps at full size", low=1)
    width_d: int = option(64, "D's feature maps after its first layer", low=1)
    layers_d: int = option(3, "D's layers that halve the image; 3: it judges patches of 70×70", low=1)
    decay: float = option(0.5, "last share of the training over which the rate falls linearly to 0", low=0, high=1)
    batch_size: int = option(1, "images in a step")
    resolution: int = option(256, "height and width")
    load_size: int | None = option(286, "scale images to this first, then crop them at random")
    flip: bool = option(True, "mirror images at random")
    epochs: int | None = option(EPOCHS, "passes over the data")


class CUT(TwoDomains):
    """D moves first; then G, and with it F, which makes of each patch the numbers that are compared."""

    Config = CUTConfig
    abilities = Abilities(translate=True)
    presets: ClassVar = {
        "fastcut": {"nce": 10.0, "identity": False, "flipped": True, "epochs": 200, "decay": 0.25},
        "small": {
            "resolution": 64, "load_size": 72, "blocks": 3, "layers": (0, 4, 8, 12, 14), "width_g": 16, "width_d": 24,
            "width_f": 64, "patches": 128, "batch_size": 4, "lr": 1e-3, "images": 12_000,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "fastcut": "The paper's faster variant: no identity term, and the mirrored image as well.",
        "small": "64×64 and narrow networks: a translation on two CPU cores.",
    }
    side_multiple = 4
    smallest_side = 8

    def __init__(self, config: CUTConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        least = 3 << config.layers_d
        if data.height % 4 or data.width % 4 or min(data.height, data.width) < least:
            raise UsageError(
                f"CUT cannot do {data.height}×{data.width}: sides must be multiples of 4, {least} or more."
            )
        last = 11 + config.blocks  # the layer of the last block
        if not config.layers or list(config.layers) != sorted({layer for layer in config.layers if 0 <= layer <= last}):
            raise UsageError(
                f"--layers {','.join(map(str, config.layers))} are not layers of G's encoder; "
                f"name some of 0 to {last}, each once and in this order."
            )
        self.way, self.side = self.one_way(config.to)
        generator = Generator(config.width_g, config.blocks, data.channels)
        self.G = nn.ModuleDict({self.way: generator})
        self.D = nn.ModuleDict({self.side: Discriminator(config.width_d, config.layers_d, data.channels)})
        self.F = PatchFeatures([generator.maps[layer] for layer in config.layers], config.width_f)
        self.apply(xavier_init)

    @staticmethod
    def imported(foreign: Foreign) -> Imported:
        """A model of the authors' files."""
        from ganzoo_cut.official import imported

        return imported(foreign)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        a, b = self.pair(next(batches))
        given, wanted = (a, b) if self.side == "B" else (b, a)
        mirrored = self.config.flipped and torch.rand(()).item() < 0.5
        seen = torch.cat([given, wanted]) if self.config.identity else given
        made = self.G[self.way](seen.flip(3) if mirrored else seen)
        fake, kept = made[: len(given)], made[len(given) :]

        terms, watch = self.discriminator_terms(self.side, wanted, fake.detach(), self.config.adversarial_d)
        yield Update("D", terms, watch)
        yield from self.lazy_turn(progress.step, **{self.side: (wanted, fake.detach())})

        terms = {"adversarial": self.generator_loss(self.side, wanted, fake)}
        share = 0.5 if self.config.identity else 1.0
        terms["nce"] = share * self.contrast(given, fake, mirrored)
        if self.config.identity:
            terms["nce identity"] = share * self.contrast(wanted, kept, mirrored)
        yield Update((f"G.{self.way}", "F"), terms)

    def contrast(self, given: Tensor, made: Tensor, mirrored: bool = False) -> Tensor:
        """Equation 4: of its image's patches, a made one must be most like the given one in its place; a scalar.

        `made` [B, C, H, W] is of mirrored images where `mirrored` says so.
        """
        generator, layers = cast(Generator, self.G[self.way]), self.config.layers
        queries = [each.flip(3) if mirrored else each for each in generator.encode(made, layers)]
        places = [torch.randperm(each[0, 0].numel(), device=each.device)[: self.config.patches] for each in queries]
        # Queries first: up to torch 2.10 autocast keeps a weight as it first cast it, under no_grad without gradient.
        queries = self.F(queries, places)
        with torch.no_grad():
            keys = self.F(generator.encode(given, layers), places)
        losses = [info_nce(query, key, self.config.temperature) for query, key in zip(queries, keys, strict=True)]
        return self.config.nce * torch.stack(losses).mean()

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        if network != "F":
            return super().optimizer(network, parameters)
        return torch.optim.Adam(parameters, lr=self.config.lr, betas=(self.config.beta1, self.config.beta2))

    def learning_rate(self, progress: Progress, network: str) -> float:
        return linear_decay(progress, self.config.epochs or EPOCHS, self.config.decay)


class Generator(nn.Module):
    """images [B, C, H, W] in [-1, 1] -> images [B, C, H, W] in [-1, 1]; any sides that are multiples of 4.

    `maps` says how many feature maps each layer of the encoder gives; layer 0 is the padded image itself.
    """

    def __init__(self, width: int, blocks: int, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(channels, width, 7), *normalise(width)]
        self.maps = [channels] + 3 * [width]
        for maps in (width, 2 * width):
            layers += [nn.Conv2d(maps, 2 * maps, 3, 1, 1), *normalise(2 * maps), BlurDown()]
            self.maps += 4 * [2 * maps]
        layers += [Residual(4 * width) for _ in range(blocks)]  # [B, 4 * width, H / 4, W / 4]
        self.maps += blocks * [4 * width]
        for maps in (2 * width, width):
            layers += [nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(2 * maps, maps, 3, 1, 1)]
            layers += normalise(maps)
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), nn.Tanh())

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images)

    def encode(self, images: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """images [B, C, H, W] -> what these layers make of them, each [B, M, h, w]."""
        found = []
        for number, layer in enumerate(self.model[: max(layers) + 1]):
            images = layer(images)
            if number in layers:
                found.append(images)
        return found


class Residual(nn.Module):
    """x [B, M, H, W] plus what two convolutions make of it; nothing after the sum."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        first = (nn.ReflectionPad2d(1), nn.Conv2d(maps, maps, 3), *normalise(maps))
        second = (nn.ReflectionPad2d(1), nn.Conv2d(maps, maps, 3), nn.InstanceNorm2d(maps))
        self.conv_block = nn.Sequential(*first, *second)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class PatchFeatures(nn.Module):
    """The F of the paper: features of several layers -> of each layer vectors of length 1, of the patches at places.

    features, each [B, M, h, w], and places in h * w, each int64 [P] -> each [B, P, F].
    """

    def __init__(self, maps: Sequence[int], width: int) -> None:
        super().__init__()
        for number, each in enumerate(maps):
            layers = nn.Sequential(nn.Linear(each, width), nn.ReLU(), nn.Linear(width, width))
            self.add_module(f"mlp_{number}", layers)

    def forward(self, features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        found = []
        for layers, each, place in zip(self.children(), features, places, strict=True):
            vectors = layers(each.flatten(2)[:, :, place].transpose(1, 2)).float()
            found.append(vectors / (torch.linalg.vector_norm(vectors, dim=2, keepdim=True) + 1e-7))
        return found


class Discriminator(nn.Module):
    """images [B, C, H, W] -> logits [B, 1, h, w], each of a patch; every halving is blurred."""

    def __init__(self, width: int, layers: int, channels: int) -> None:
        super().__init__()
        stack: list[nn.Module] = [nn.Conv2d(channels, width, 4, 1, 1), nn.LeakyReLU(0.2, inplace=True), BlurDown()]
        before = width
        for layer in range(1, layers + 1):
            maps = width << min(layer, 3)
            stack += [nn.Conv2d(before, maps, 4, 1, 1), nn.InstanceNorm2d(maps), nn.LeakyReLU(0.2, inplace=True)]
            stack += [BlurDown()] if layer < layers else []
            before = maps
        self.model = nn.Sequential(*stack, nn.Conv2d(before, 1, 4, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images)


class BlurDown(nn.Module):
    """x [B, M, H, W] -> [B, M, H / 2, W / 2], rounded up: the filter [1, 2, 1] both ways, then every second pixel
    (Zhang 2019, arXiv:1904.11486).
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        row = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("kernel", row[:, None] * row, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        maps = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(maps, 1, 3, 3)
        return conv2d(pad(x, (1, 1, 1, 1), mode="reflect"), kernel, stride=2, groups=maps)


def info_nce(query: Tensor, key: Tensor, temperature: float) -> Tensor:
    """Equation 3 with the other patches of the same image: query and key [B, P, F] -> the mean cross entropy."""
    alike = (query * key).sum(2, keepdim=True)  # [B, P, 1]
    itself = torch.eye(query.shape[1], dtype=torch.bool, device=query.device)
    others = (query @ key.transpose(1, 2)).masked_fill(itself, ITSELF)  # [B, P, P]
    logits = torch.cat([alike, others], 2).flatten(0, 1) / temperature
    return cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device))


def normalise(maps: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(maps), nn.ReLU()


def xavier_init(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_normal_(module.weight, 0.02)
        nn.init.constant_(cast(Tensor, module.bias), 0.0)
