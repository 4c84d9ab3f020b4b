"""Self-attention GAN: Zhang, Goodfellow, Metaxas and Odena 2019, arXiv:1805.08318, on SNGAN's networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ganzoo_sngan.networks import Discriminator, Generator, check_sides

from ganzoo.api import ConditionalConfig, DataSpec, TwoPlayer, UsageError, option, spectral_norm
from ganzoo_sagan.attention import SelfAttention


@dataclass(frozen=True)
class SAGANConfig(ConditionalConfig):
    loss: str = "hinge"
    lr: float = 1e-4
    lr_d: float | None = 4e-4
    beta1: float = 0.0
    beta2: float = 0.9
    latent_dim: int = 128
    widths_g: tuple[int, ...] = option((256, 256, 256, 256), "G's maps at the start and after each doubling", low=8)
    widths_d: tuple[int, ...] = option((128, 128, 128, 128), "D's maps after each block", low=8)
    halvings: int = option(2, "how many of D's blocks, from the first on, halve the image", low=1)
    attention_g: int = option(2, "the block of G's after which the maps attend, from 1 on; 0: none do", low=0)
    attention_d: int = option(2, "the block of D's after which the maps attend, from 1 on; 0: none do", low=0)
    upsample: Literal["nearest", "bilinear"] = option("nearest", "how G doubles its maps")
    rectified: bool = option(False, "the shortcuts in D take ReLU(x), as an in-place ReLU makes them in mimicry")
    batch_size: int = option(64, "images in a turn")
    resolution: int = option(32, "height and width")


class SAGAN(TwoPlayer):
    """What is far apart in an image is seen together; D learns four times as fast as G, turn for turn."""

    Config = SAGANConfig
    modalities = ("image",)
    presets: ClassVar = {
        "small": {
            "resolution": 32, "widths_g": (64, 64, 32, 32), "widths_d": (32, 32, 64, 64), "halvings": 3, "lr": 5e-4,
            "lr_d": 1e-3, "batch_size": 32, "ema": 20_000,
        },
        "cifar": {"resolution": 32, "steps": 100_000},
        "classes": {"resolution": 32, "conditional": True, "steps": 100_000},
        "mimicry": {
            "resolution": 32, "conditional": True, "upsample": "bilinear", "rectified": True, "lr": "linear:2e-4:0",
            "lr_d": None, "n_critic": 5, "steps": 100_000,
        },
        "paper-128": {
            "resolution": 128, "widths_g": (1024, 1024, 512, 256, 128, 64), "widths_d": (64, 128, 256, 512, 1024, 1024),
            "halvings": 5, "attention_g": 3, "batch_size": 256, "conditional": True,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "32×32 and a quarter of the width, for two CPU cores.",
        "cifar": "32×32 without classes, for a GPU.",
        "classes": "32×32 with one model for all classes, for a GPU.",
        "mimicry": "32×32 as the library Mimicry trains it, with its order of layers.",
        "paper-128": "128×128 with classes, the paper's networks for ImageNet.",
    }

    def __init__(self, config: SAGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        widths_g, widths_d, halvings = config.widths_g, config.widths_d, config.halvings
        start = check_sides("sagan", data, len(widths_g) - 1, halvings, len(widths_d))
        classes = len(data.classes) if self.conditional else 0
        bilinear = config.upsample == "bilinear"
        self.G = Generator(config.latent_dim, widths_g, start, data.channels, classes, bilinear, spectral_norm)
        self.D = Discriminator(data.channels, widths_d, halvings, classes, config.rectified)
        for name, place, blocks, widths in (
            ("--attention-g", config.attention_g, self.G.blocks, widths_g[1:]),
            ("--attention-d", config.attention_d, self.D.blocks, widths_d),
        ):
            if place > len(widths):
                raise UsageError(f"{name} {place} is after more than the {len(widths)} blocks there are.")
            if blocks is self.D.blocks and min(data.height, data.width) >> min(place, halvings) < 2:
                raise UsageError(
                    f"{name} {place} is where maps have one row or column; choose an earlier block, or larger images."
                )
            if place:
                blocks.insert(place, SelfAttention(widths[place - 1]))
