"""Deep convolutional GAN: Radford, Metz and Chintala 2015, arXiv:1511.06434, as the PyTorch tutorial sizes it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from ganzoo.api import DataSpec, TwoPlayer, TwoPlayerConfig, UsageError, normal_init, option


@dataclass(frozen=True)
class DCGANConfig(TwoPlayerConfig):
    width_g: int = option(64, "G's feature maps before the last layer; doubled at each layer below", low=1)
    width_d: int = option(64, "D's feature maps after the first layer; doubled at each layer below", low=1)
    lr: float = 5e-4
    penalty: str = "r1:gamma=1,at=64,every=4"
    batch_size: int = option(16, "images in a step")
    ema: int = option(5_000, "half-life of the averaged generator, in images")
    resolution: int = option(64, "height and width")


TUTORIAL = {  # all that decides a run, so that a preset made of it stays what it is when a default changes
    "loss": "nonsaturating", "penalty": "", "augment": "none", "lr": 2e-4, "lr_d": None, "beta1": 0.5, "beta2": 0.999,
    "n_critic": 1, "latent_dim": 100, "san": False, "width_g": 64, "width_d": 64, "batch_size": 128, "ema": 2_000,
}  # fmt: skip


class DCGAN(TwoPlayer):
    """Both players halve or double the image at each layer; all weights start at N(0, 0.02)."""

    Config = DCGANConfig
    modalities = ("image",)
    presets: ClassVar = {
        "tutorial": TUTORIAL,
        "digits": {**TUTORIAL, "resolution": 28, "channels": 1, "batch_size": 32},
        "digits-32": {
            **TUTORIAL, "resolution": 32, "width_g": 32, "width_d": 32, "batch_size": 64, "lr": 2e-3,
            "penalty": "r1:gamma=3", "ema": 200_000,
        },
        "small": {**TUTORIAL, "resolution": 32, "width_g": 16, "width_d": 16, "batch_size": 32},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "tutorial": "The settings of the PyTorch DCGAN tutorial, for comparisons.",
        "digits": "28×28 grey, for digits as they are.",
        "digits-32": "Half the width with R1 and ten times the rate: the settings of its best score on MNIST.",
        "small": "32×32 and a quarter of the width, for a look within minutes.",
    }

    def __init__(self, config: DCGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        layers = depth(data)
        self.G = Generator(config.latent_dim, config.width_g, layers, data)
        self.D = Discriminator(config.width_d, layers, data)
        self.apply(normal_init)


class Generator(nn.Module):
    """z [B, Z] -> images [B, C, H, W] in [-1, 1]."""

    def __init__(self, latent_dim: int, width: int, layers: int, data: DataSpec) -> None:
        super().__init__()
        start = (data.height >> layers, data.width >> layers)
        widths = [width << i for i in reversed(range(layers))]  # 512, 256, 128, 64 for 64×64
        blocks: list[nn.Module] = [nn.ConvTranspose2d(latent_dim, widths[0], start, bias=False)]
        for before, after in pairwise(widths):
            blocks += [*normalise(before), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
        blocks += [*normalise(width), nn.ConvTranspose2d(width, data.channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*blocks)

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z[:, :, None, None])


class Discriminator(nn.Module):
    """images [B, C, H, W] -> logits [B]; the sigmoid is the loss's."""

    def __init__(self, width: int, layers: int, data: DataSpec) -> None:
        super().__init__()
        end = (data.height >> layers, data.width >> layers)
        blocks: list[nn.Module] = [nn.Conv2d(data.channels, width, 4, 2, 1, bias=False), leaky()]
        for i in range(1, layers):
            before, after = width << (i - 1), width << i
            blocks += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), leaky()]
        blocks += [nn.Conv2d(width << (layers - 1), 1, end, bias=False)]
        self.main = nn.Sequential(*blocks)
        self.last_layer = f"main.{len(blocks) - 1}"

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images).flatten()


def normalise(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU(inplace=True)


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)


def depth(data: DataSpec) -> int:
    """Halvings until the shorter side is 4 (or as near as both sides allow): 3 at 32×32, 4 at 64×64, 5 at 128×128.

    At 28×28, the size of handwritten digits, they are 2, and 7 is left.
    """
    if (data.height % 16 or data.width % 16) and (data.height, data.width) != (28, 28):
        size = f"{data.height}×{data.width}"
        raise UsageError(f"dcgan cannot do {size}: sides must be multiples of 16, such as 64, or both 28.")
    layers = min(data.height, data.width).bit_length() - 3
    while data.height % (1 << layers) or data.width % (1 << layers):
        layers -= 1
    return layers
