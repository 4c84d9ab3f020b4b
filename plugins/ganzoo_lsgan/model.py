"""Least squares GAN: Mao et al. 2017, arXiv:1611.04076, with the networks that its authors trained on LSUN."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, cast

from torch import Tensor, nn
from torch.nn.functional import pad

from ganzoo.api import DataSpec, TwoPlayer, TwoPlayerConfig, UsageError, make_loss, option

HALVINGS = 4  # D halves the image four times, G doubles it four times


@dataclass(frozen=True)
class LSGANConfig(TwoPlayerConfig):
    loss: str = option("lsgan", "adversarial loss; lsgan takes its labels from --a, --b and --c")
    a: float = option(0.0, "what D should say of fakes")
    b: float = option(1.0, "what D should say of real images")
    c: float = option(1.0, "what G wants D to say of fakes")
    width_g: int = option(64, "G's feature maps at full size; 2 times that at half, 4 times below", low=1)
    width_d: int = option(64, "D's feature maps after the first layer; doubled at each layer below", low=1)
    batch_size: int = option(64, "images in a step")
    resolution: int = option(64, "height and width")


class LSGAN(TwoPlayer):
    """D's output is linear; the loss is the squared distance to its labels, so far-away fakes still pull."""

    Config = LSGANConfig
    modalities = ("image",)
    presets: ClassVar = {
        "digits-32": {
            "resolution": 32, "latent_dim": 64, "width_g": 16, "width_d": 16, "lr": 1e-3, "batch_size": 64,
            "penalty": "r1:gamma=10", "ema": 200_000,
        },
        "lsun-112": {"resolution": 112, "channels": 3, "latent_dim": 1024, "lr": 1e-3},
        "pearson": {"a": -1.0, "b": 1.0, "c": 0.0},
        "small": {"resolution": 32, "latent_dim": 64, "width_g": 16, "width_d": 16, "lr": 1e-3, "batch_size": 32},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "digits-32": "Narrow networks with R1 at 32×32: the settings of its best score on MNIST.",
        "lsun-112": "The paper's settings for LSUN at 112×112, for a GPU.",
        "pearson": "The constants with which the loss is a Pearson divergence.",
        "small": "32×32 and narrow networks, for two CPU cores.",
    }

    def __init__(self, config: LSGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.height % 16 or data.width % 16:
            raise UsageError(f"lsgan cannot do {data.height}×{data.width}: sides must be multiples of 16, such as 64.")
        if config.loss == "lsgan":
            self.loss = make_loss(f"lsgan:a={config.a},b={config.b},c={config.c}")
        elif (config.a, config.b, config.c) != (LSGANConfig.a, LSGANConfig.b, LSGANConfig.c):
            raise UsageError(
                f"--a, --b and --c are labels of the loss lsgan, not of {config.loss}; leave them out, and the preset "
                "pearson, which sets them."
            )
        self.G = Generator(config.latent_dim, config.width_g, data)
        self.D = Discriminator(config.width_d, data)
        self.apply(initialise)


class Generator(nn.Module):
    """z [B, Z] -> images [B, C, H, W] in [-1, 1]."""

    def __init__(self, latent_dim: int, width: int, data: DataSpec) -> None:
        super().__init__()
        start = (4 * width, data.height >> HALVINGS, data.width >> HALVINGS)
        self.dense = nn.Sequential(
            nn.Linear(latent_dim, start[0] * start[1] * start[2]), nn.Unflatten(1, start), *normalise(4 * width)
        )
        self.main = nn.Sequential(  # sides in sixteenths of the image's, at 112×112: 7
            Up(4 * width, 4 * width), *normalise(4 * width),  # 2: 14
            nn.ConvTranspose2d(4 * width, 4 * width, 3, 1, 1), *normalise(4 * width),
            Up(4 * width, 4 * width), *normalise(4 * width),  # 4: 28
            nn.ConvTranspose2d(4 * width, 4 * width, 3, 1, 1), *normalise(4 * width),
            Up(4 * width, 2 * width), *normalise(2 * width),  # 8: 56
            Up(2 * width, width), *normalise(width),  # 16: 112
            nn.ConvTranspose2d(width, data.channels, 3, 1, 1), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z: Tensor) -> Tensor:
        return self.main(self.dense(z))


class Discriminator(nn.Module):
    """images [B, C, H, W] -> D(x) [B], linear."""

    def __init__(self, width: int, data: DataSpec) -> None:
        super().__init__()
        widths = [width << i for i in range(HALVINGS)]  # 64, 128, 256, 512
        blocks: list[nn.Module] = [Down(data.channels, width), nn.LeakyReLU(0.2)]
        for before, after in pairwise(widths):
            blocks += [Down(before, after), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        pixels = (data.height >> HALVINGS) * (data.width >> HALVINGS)
        self.main = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(widths[-1] * pixels, 1))
        self.last_layer = f"main.{len(self.main) - 1}"

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images).flatten()


class Up(nn.ConvTranspose2d):
    """[B, C, h, w] -> [B, C', 2h, 2w] by 3×3 kernels; TensorFlow's SAME cuts one row and column off at the end."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 3, stride=2)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(x, output_size)[:, :, :-1, :-1]


class Down(nn.Conv2d):
    """[B, C, h, w] -> [B, C', h/2, w/2] by 5×5 kernels, for even sides; SAME pads 1 before and 2 after."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 5, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad(x, (1, 2, 1, 2)))


def normalise(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU(inplace=True)


def initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), D's convolutions cut off at two deviations; no bias; batch norm starts as identity."""
    if isinstance(module, nn.Conv2d):
        nn.init.trunc_normal_(module.weight, 0.0, 0.02, -0.04, 0.04)
    elif isinstance(module, (nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.zeros_(cast(Any, module.bias))
