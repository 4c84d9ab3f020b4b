"""Wasserstein GAN with gradient penalty: Gulrajani et al. 2017, arXiv:1704.00028, with its authors' small networks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Any, ClassVar, cast

from torch import Tensor, nn
from torch.nn.functional import pad

from ganzoo.api import DataSpec, TwoPlayer, TwoPlayerConfig, option

Size = tuple[int, int]
HALVINGS = 3  # D halves the image three times, G doubles it three times


@dataclass(frozen=True)
class WGANGPConfig(TwoPlayerConfig):
    loss: str = "wasserstein"
    penalty: str = "wgan-gp:weight=10"
    lr: float = 1e-4
    beta2: float = 0.9
    n_critic: int = 5
    latent_dim: int = 128
    width: int = option(128, "feature maps at half the image's size; doubled at each layer below", low=1)
    batch_norm: bool = option(True, "batch norm in G; D never has it, for the penalty is of each image by itself")
    pixels: bool = option(False, "the networks see values from 0 to 1, and G ends in a sigmoid; else -1 to 1 and tanh")
    batch_size: int = option(64, "images in a turn")
    resolution: int = option(32, "height and width")


class WGANGP(TwoPlayer):
    """Five turns of the critic D, each with its penalty, before one of G."""

    Config = WGANGPConfig
    modalities = ("image",)
    presets: ClassVar = {
        "cifar": {"resolution": 32, "channels": 3},
        "digits-32": {
            "resolution": 32, "width": 24, "latent_dim": 32, "lr": 2e-3, "beta1": 0.0, "beta2": 0.99, "n_critic": 1,
            "ema": 200_000,
        },
        # Slope 1 for values from 0 to 1 is slope 1/2 for ours, from -1 to 1.
        "mnist": {
            "width": 64, "batch_norm": False, "pixels": True, "penalty": "wgan-gp:weight=10,target=0.5",
            "batch_size": 50, "resolution": 28, "channels": 1,
        },
        "small": {"width": 16, "latent_dim": 32, "lr": 5e-4, "batch_size": 32},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "cifar": "32×32 in colour, the paper's networks for CIFAR-10 without residual blocks.",
        "digits-32": "Narrow, with one turn of D and no momentum: the settings of its best score on MNIST.",
        "mnist": "28×28 grey, as the released code trains on MNIST.",
        "small": "An eighth of the width, for a look on two CPU cores.",
    }

    def __init__(self, config: WGANGPConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.G = Generator(config, data)
        self.D = Discriminator(config.width, config.pixels, data)
        self.apply(initialise)


class Generator(nn.Module):
    """z [B, Z] -> images [B, C, H, W] in [-1, 1]."""

    def __init__(self, config: WGANGPConfig, data: DataSpec) -> None:
        super().__init__()
        widths = [config.width << i for i in (2, 1, 0)]  # 512, 256, 128
        smallest, *larger = reversed(sizes(data))  # 4×4; 8×8, 16×16, 32×32
        dense = widths[0] * smallest[0] * smallest[1]
        blocks: list[nn.Module] = [nn.Linear(config.latent_dim, dense)]
        if config.batch_norm:
            blocks += [nn.BatchNorm1d(dense)]  # a scale and a shift for each number, not for each map
        blocks += [nn.ReLU(inplace=True), nn.Unflatten(1, (widths[0], *smallest))]
        for (before, after), size in zip(pairwise(widths), larger, strict=False):
            blocks += [Up(before, after, size)]
            if config.batch_norm:
                blocks += [nn.BatchNorm2d(after)]
            blocks += [nn.ReLU(inplace=True)]
        self.main = nn.Sequential(*blocks, Up(widths[-1], data.channels, larger[-1]))
        self.pixels = config.pixels

    def forward(self, z: Tensor) -> Tensor:
        x = self.main(z)
        return 2 * x.sigmoid() - 1 if self.pixels else x.tanh()


class Discriminator(nn.Module):
    """images [B, C, H, W] in [-1, 1] -> D(x) [B], any number: the critic."""

    def __init__(self, width: int, pixels: bool, data: DataSpec) -> None:
        super().__init__()
        widths = [data.channels, *(width << i for i in range(HALVINGS))]  # 3, 128, 256, 512
        blocks: list[nn.Module] = []
        for (before, after), size in zip(pairwise(widths), sizes(data), strict=False):
            blocks += [Down(before, after, size), nn.LeakyReLU(0.2)]
        height, width = sizes(data)[-1]
        self.main = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(widths[-1] * height * width, 1))
        self.last_layer = f"main.{len(self.main) - 1}"
        self.pixels = pixels

    def forward(self, images: Tensor) -> Tensor:
        return self.main((images + 1) / 2 if self.pixels else images).flatten()


class Up(nn.ConvTranspose2d):
    """[B, C, h, w] -> [B, C', *size] by 5×5 kernels of stride 2, as TensorFlow's SAME cuts it; size is 2h or 2h - 1."""

    def __init__(self, before: int, after: int, size: Size) -> None:
        super().__init__(before, after, 5, stride=2, padding=1)
        self.size = size

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(x, output_size)[:, :, : self.size[0], : self.size[1]]


class Down(nn.Conv2d):
    """[B, C, *size] -> [B, C', h/2, w/2], rounded up, by 5×5 kernels of stride 2 with TensorFlow's SAME padding: 1
    before and 2 after an even side, 2 and 2 for an odd one.
    """

    def __init__(self, before: int, after: int, size: Size) -> None:
        super().__init__(before, after, 5, stride=2)
        height, width = size
        self.margins = (1 + width % 2, 2, 1 + height % 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad(x, self.margins))


def sizes(data: DataSpec) -> list[Size]:
    """The image's height and width, then halved three times, rounded up: 32, 16, 8, 4; or 28, 14, 7, 4."""
    return [(-(-data.height // 2**i), -(-data.width // 2**i)) for i in range(HALVINGS + 1)]


def initialise(module: nn.Module) -> None:
    """Uniform weights: dense ones as Glorot has them, convolutions with twice the variance and a stride's true fans."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        many, few = (module.in_channels, module.out_channels)
        if isinstance(module, nn.ConvTranspose2d):
            many, few = few, many
        fans = 25 * (many + few / 4)  # the side that the stride thins out has a quarter of the kernel
        bound = sqrt(3 * 4 / fans)
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(cast(Any, module.bias))
