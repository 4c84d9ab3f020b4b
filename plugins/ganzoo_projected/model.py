"""Projected GAN: Sauer, Chitta, Müller and Geiger 2021, arXiv:2111.01007.

D sees images through a pretrained network that is never trained.

Letters in shapes: B batch, C maps, h, w and s sides of a map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate
from torchvision.models import efficientnet_b0

from ganzoo.api import (
    Abilities,
    Architecture,
    DataSpec,
    Frozen,
    Pretrained,
    TwoPlayer,
    TwoPlayerConfig,
    UsageError,
    make_generator,
    option,
    spectral_norm,
)

# torchvision's EfficientNet_B0_Weights.IMAGENET1K_V1; the file's name has the beginning of its hash.
WEIGHTS = Pretrained(name="efficientnet-b0", address="", sha256="", licence="BSD-3-Clause")
LAYERS = (2, 3, 5, 7)  # of its features: the last at a 4th, 8th, 16th and 32nd of the sides
SEEN = (24, 40, 112, 320)  # maps of these


@dataclass(frozen=True)
class ProjectedConfig(TwoPlayerConfig):
    """The defaults are those of the paper, but for the features' network."""

    generator: str = option("fastgan", "whose G it is: an architecture that makes images from noise, NAME[:preset]")
    loss: str = "hinge"
    augment: str = "diffaug"
    beta1: float = 0.0
    beta2: float = 0.99
    latent_dim: int = option(0, "length of the noise vector z; 0: G's own", low=0)
    view: int = option(0, "side that images have for the pretrained network; 0: their own, at least 128", low=0)
    mixed: int = option(64, "maps of the first mixed features; the deeper have 2, 4 and 8 times as many", low=2)
    heads: int = option(512, "most maps of the discriminators", low=1)
    batch_size: int = option(64, "images in a step")
    resolution: int = option(256, "height and width")
    ema: int = 10_000


class Projected(TwoPlayer):
    """Another's generator, and four small discriminators on mixed features of a pretrained network."""

    Config = ProjectedConfig
    modalities = ("image",)
    G: Architecture
    D: Discriminator
    presets: ClassVar = {
        "small": {"generator": "dcgan:small", "resolution": 32, "view": 32, "mixed": 8, "heads": 16, "batch_size": 16},
        "small-64": {
            "generator": "fastgan:small", "resolution": 64, "view": 128, "mixed": 32, "heads": 128, "batch_size": 16,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "32×32 with the small DCGAN's generator, for two CPU cores.",
        "small-64": "64×64 with the small FastGAN's generator, for two CPU cores.",
    }
    other_calls: ClassVar = {"G": "it is an architecture, whose generate makes the images"}

    def __init__(self, config: ProjectedConfig, data: DataSpec) -> None:
        """Raises: UsageError for a generator that there is not, that cannot do the images, or is of another kind."""
        super().__init__(config, data)
        if data.channels not in (1, 3):
            raise UsageError(
                f"projected sees images in grey or colour, not with {data.channels} channels; use --channels 3."
            )
        if config.generator.partition(":")[0] == "projected":
            raise UsageError("projected takes another architecture's generator; choose one with --generator.")
        self.G = make_generator(config.generator, data)
        if config.latent_dim not in (0, self.G.latent_dim):
            raise UsageError(f"z of {config.generator} has {self.G.latent_dim} numbers; leave --latent-dim out.")
        self.latent_dim = self.G.latent_dim
        self.abilities = Abilities(generate=True, realness=True, truncation=self.G.abilities.truncation)
        view = config.view or max(128, data.height, data.width)
        if view % 32:
            raise UsageError(f"--view takes a multiple of 32, such as 128, not {view}.")
        self.D = Discriminator(view, config.mixed, config.heads)

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        return self.G.generate(z, None, truncation)


class Discriminator(nn.Module):
    """Images [B, C, H, W] -> the logits of four heads, [B, N], one beside the other."""

    def __init__(self, view: int, mixed: int, most: int) -> None:
        super().__init__()
        self.view = view
        self.eyes = Frozen(WEIGHTS, Eyes)
        widths = [mixed << depth for depth in range(4)]
        self.mixing = Mixing(SEEN, widths)
        self.heads = nn.ModuleList(
            Head(width, view >> (depth + 2), most) for depth, width in enumerate(self.mixing.widths)
        )

    def forward(self, images: Tensor) -> Tensor:
        images = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
        if images.shape[2:] != (self.view, self.view):
            images = interpolate(images, (self.view, self.view), mode="bilinear", antialias=images.shape[2] > self.view)
        mixed = self.mixing(self.eyes(images))
        return torch.cat([head(x).flatten(1) for head, x in zip(self.heads, mixed, strict=True)], 1)


class Eyes(nn.Module):
    """torchvision's EfficientNet-B0: images [B, 3, h, w] in [-1, 1] -> features of four depths."""

    def __init__(self) -> None:
        super().__init__()
        whole = efficientnet_b0()
        self.features, self.classifier = whole.features, whole.classifier  # both, so that its file fits

    def forward(self, x: Tensor) -> list[Tensor]:
        mean, spread = (x.new_tensor(each).view(3, 1, 1) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        x, found = ((x + 1) / 2 - mean) / spread, []
        for index, layer in enumerate(self.features[: LAYERS[-1] + 1]):
            x = layer(x)
            if index in LAYERS:
                found.append(x)
        return found


class Mixing(nn.Module):
    """Features of four depths mixed by fixed random weights, section 4: across the maps of each (CCM), and from the
    deepest upwards across scales (CSM). Neither is trained; both are kept, since D knows no others.

    Attributes:
        widths: maps of each depth as they come out.
    """

    def __init__(self, seen: Sequence[int], widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = [*(max(1, width // 2) for width in widths[:-1]), widths[-1]]
        for depth, (inputs, outputs) in enumerate(zip(seen, widths, strict=True)):
            self.register_buffer(f"channels{depth}", kaiming(outputs, inputs, 1))
        # What comes from below has as many maps as what it is added to: the deeper level's, halved.
        for depth, (upper, lower) in enumerate(pairwise(widths)):
            self.register_buffer(f"scales{depth}", kaiming(upper, lower, 3))
            self.register_buffer(f"out{depth}", kaiming(self.widths[depth], upper, 3))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        mixed = [conv2d(x, self.get_buffer(f"channels{depth}")) for depth, x in enumerate(features)]
        below, found = mixed[-1], [mixed[-1]]
        for depth in range(len(mixed) - 2, -1, -1):
            up = interpolate(below, scale_factor=2, mode="bilinear")
            below = mixed[depth] + conv2d(up, self.get_buffer(f"scales{depth}"), padding=1)
            found.append(conv2d(below, self.get_buffer(f"out{depth}"), padding=1))
        return found[::-1]


class Head(nn.Sequential):
    """Features [B, C, s, s] -> logits [B, 1, 4, 4], or smaller where s is: halved by convolutions of stride 2."""

    def __init__(self, width: int, side: int, most: int) -> None:
        layers: list[nn.Module] = []
        while side > 4:
            wider = min(2 * width, most)
            layers += [_conv(width, wider, 4, 2), nn.BatchNorm2d(wider), nn.LeakyReLU(0.2)]
            width, side = wider, side // 2
        super().__init__(*layers, _conv(width, 1, 3, 1))


def _conv(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=False))


def kaiming(outputs: int, inputs: int, kernel: int) -> Tensor:
    """Weights [outputs, inputs, kernel, kernel] of N(0, sqrt(2 / inputs of one output)) (He et al. 2015)."""
    return torch.randn(outputs, inputs, kernel, kernel) * math.sqrt(2 / (inputs * kernel**2))
