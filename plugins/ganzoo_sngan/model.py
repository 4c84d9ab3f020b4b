"""Spectral normalisation: Miyato, Kataoka, Koyama and Yoshida 2018, arXiv:1802.05957; with classes by projection,
Miyato and Koyama 2018, arXiv:1802.05637. Networks are in `networks.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ganzoo.api import ConditionalConfig, DataSpec, TwoPlayer, option
from ganzoo_sngan.networks import Discriminator, Generator, check_sides


@dataclass(frozen=True)
class SNGANConfig(ConditionalConfig):
    loss: str = "hinge"
    lr: float = 2e-4
    beta1: float = 0.0
    beta2: float = 0.9
    n_critic: int = 5
    latent_dim: int = 128
    widths_g: tuple[int, ...] = option((256, 256, 256, 256), "G's maps at the start and after each doubling", low=1)
    widths_d: tuple[int, ...] = option((128, 128, 128, 128), "D's maps after each block", low=1)
    halvings: int = option(2, "how many of D's blocks, from the first on, halve the image", low=1)
    upsample: Literal["nearest", "bilinear"] = option("nearest", "how G doubles its maps")
    rectified: bool = option(False, "the shortcuts in D take ReLU(x), as an in-place ReLU makes them in mimicry")
    batch_size: int = option(64, "images in a turn")
    resolution: int = option(32, "height and width")


DECAY: dict[str, Any] = {"lr": "linear:2e-4:0", "steps": 100_000}
LARGE: dict[str, Any] = {"widths_d": (64, 128, 256, 512, 1024)}


class SNGAN(TwoPlayer):
    """D's weights are divided by their largest singular value, so that its slope is bounded at every image."""

    Config = SNGANConfig
    modalities = ("image",)
    presets: ClassVar = {
        "small": {
            "resolution": 32, "widths_g": (64, 64, 32, 32), "widths_d": (32, 32, 64, 64), "halvings": 3, "n_critic": 1,
            "lr": 5e-4, "lr_d": 1e-3, "batch_size": 32, "ema": 20_000,
        },
        "cifar": {**DECAY, "resolution": 32},
        "projection": {**DECAY, "resolution": 32, "conditional": True},
        "mimicry": {**DECAY, "resolution": 32, "upsample": "bilinear", "rectified": True},
        "stl": {**DECAY, **LARGE, "resolution": 48, "widths_g": (512, 256, 128, 64), "halvings": 4},
        "celeba-64": {**DECAY, **LARGE, "resolution": 64, "widths_g": (1024, 512, 256, 128, 64), "halvings": 5},
        "celeba-128": {
            "resolution": 128, "widths_g": (1024, 1024, 512, 256, 128, 64), "widths_d": (64, 128, 256, 512, 1024, 1024),
            "halvings": 5, "n_critic": 2, "steps": 100_000,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "32×32 and a quarter of the width, for two CPU cores.",
        "cifar": "The paper's residual networks for CIFAR-10, for a GPU.",
        "projection": "The same with one model for all classes, by projection.",
        "mimicry": "The same with the order of layers that the library Mimicry has.",
        "stl": "The paper's networks for STL-10 at 48×48.",
        "celeba-64": "Deeper networks for faces at 64×64.",
        "celeba-128": "Deeper networks for faces at 128×128.",
    }

    def __init__(self, config: SNGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        start = check_sides("sngan", data, len(config.widths_g) - 1, config.halvings, len(config.widths_d))
        classes = len(data.classes) if self.conditional else 0
        bilinear = config.upsample == "bilinear"
        self.G = Generator(config.latent_dim, config.widths_g, start, data.channels, classes, bilinear)
        self.D = Discriminator(data.channels, config.widths_d, config.halvings, classes, config.rectified)
