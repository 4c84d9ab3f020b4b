"""TransGAN: Jiang, Chang and Wang 2021, arXiv:2102.07074, with the numbers of the released CIFAR-10 script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import lcm, prod
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.api import (
    Augmentations,
    DataSpec,
    Foreign,
    Imported,
    TwoPlayer,
    TwoPlayerConfig,
    Update,
    UsageError,
    generator_loss,
    option,
)
from ganzoo_transgan.blocks import Block, Stage, Style, make_norm, position, to_maps, to_tokens

FARTHEST = 4096  # tokens among which each may attend to each; 64×64 are too many for most machines already


@dataclass(frozen=True)
class TransGANConfig(TwoPlayerConfig):
    loss: str = "wasserstein"
    penalty: str = "wgan-gp+mean-drift"
    augment: str = "diffaug"
    lr: float = 1e-4
    beta1: float = 0.0
    beta2: float = 0.99
    n_critic: int = 4
    latent_dim: int = 256
    batch_ratio: int = option(2, "images in G's turn for each real image in a turn of D's", low=1)
    clip: float | None = option(5.0, "largest norm of each player's gradient; none: as it comes", low=1e-6)
    shift: float = option(0.2, "diffaug: largest translation, as a share of the side", low=0, high=1)
    cutout: float = option(0.3, "diffaug: probability that a batch is cut out of", low=0, high=1)
    erase: int = option(
        0, "diffaug: least side of what is cut out, drawn up to half the image's and this; 0: half", low=0
    )
    width_g: int = option(1024, "channels of G's first stage; a quarter of it at each further one", low=1)
    depths_g: tuple[int, ...] = option((5, 4, 2), "blocks in each of G's stages, from small maps to large", low=0)
    discriminator: Literal["multiscale", "v1"] = option("multiscale", "patches of two sizes, or the first version's D")
    width_d: int = option(384, "D's channels", low=1)
    depth_d: int = option(3, "D's blocks at each of its scales", low=1)
    patch: int = option(2, "side of D's patches, the smaller ones of multiscale", low=1)
    heads: int = option(4, "heads of each attention", low=1)
    mlp_ratio: int = option(4, "hidden width of the blocks' MLPs over the blocks' width", low=1)
    norm: Literal["layer", "pixel"] = option("layer", "normalisation in the blocks; pixel learns nothing")
    relative_g: bool = option(True, "G learns a bias for each displacement between two tokens")
    noise_g: bool = option(False, "noise of learned strength before G's attention, in training")
    noise_d: bool = option(True, "noise of learned strength before D's attention, in training")
    window: int | None = option(None, "side of the squares that tokens attend within; none: the whole map", low=1)
    batch_size: int = option(64, "images in a turn of D's")
    resolution: int = option(32, "height and width")


V1 = {"discriminator": "v1", "patch": 4, "depth_d": 7, "relative_g": False, "noise_g": True}
CIFAR = {"flip": True, "ema": 2_000_000}  # half-life 500,000, which the released loop makes four times longer
SMALL = {
    "latent_dim": 64, "width_g": 128, "depths_g": (2, 1, 1), "heads": 2, "mlp_ratio": 2, "window": 8,
    "width_d": 96, "depth_d": 2, "patch": 4, "n_critic": 1, "lr": 5e-4, "batch_size": 16, "batch_ratio": 1,
    "resolution": 32, "ema": 60_000,
}  # fmt: skip


class TransGAN(TwoPlayer):
    """G paints pixels that attend to one another, D reads patches; a critic with a gradient penalty."""

    Config = TransGANConfig
    modalities = ("image",)
    fresh_fakes = True
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "cifar": CIFAR,
        "stl": {
            **CIFAR, "resolution": 48, "latent_dim": 512, "depths_g": (7, 5, 3), "norm": "pixel", "n_critic": 5,
            "batch_size": 32, "erase": 20,
        },
        "v1": {**CIFAR, **V1},
        "v1-s": {**CIFAR, **V1, "width_g": 384, "depths_g": (5, 2, 2)},
        "small": SMALL,
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "cifar": "The released run for CIFAR-10: a day and a half on eight GPUs.",
        "stl": "The released run for STL-10 at 48×48.",
        "v1": "The first version of the paper, with its largest generator.",
        "v1-s": "The first version of the paper, with its smallest generator.",
        "small": "32×32, four blocks and narrow layers: an hour and a half of a CPU core.",
    }

    def __init__(self, config: TransGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        check(config, data)
        self.clip = config.clip
        if diffaug := self.augment.changes.get("diffaug"):
            order: dict[str, Any] = {"policy": "translation,cutout,color", "ratio": config.shift}
            order |= {"cutout_chance": config.cutout, "cutout_least": config.erase}
            self.augment = Augmentations({**self.augment.given, "diffaug": replace(diffaug, **order)})
        style = Style(config.heads, config.mlp_ratio, config.norm, config.relative_g, config.noise_g, config.window)
        self.G = Generator(style, config.latent_dim, config.width_g, config.depths_g, data)
        style = Style(config.heads, config.mlp_ratio, config.norm, True, config.noise_d, config.window)
        kind = MultiScaleDiscriminator if config.discriminator == "multiscale" else PatchDiscriminator
        self.D = kind(style, config.patch, config.width_d, config.depth_d, data)
        self.apply(initialise_convolution)
        self.D.apply(initialise_dense)

    @staticmethod
    def imported(foreign: Foreign) -> Imported:
        """A model of the authors' checkpoints."""
        from ganzoo_transgan.official import imported

        return imported(foreign)

    def generator_turn(self, real: Tensor, fake: Tensor, label: Tensor | None) -> Iterator[Update]:
        ratio = self.config.batch_ratio
        d_fake = self.discriminate(self.generate(self.noise(ratio * len(real))))
        loss = generator_loss(self.loss, d_fake, lambda: self.discriminate(real).repeat(ratio))
        yield Update("G", {"adversarial": loss}, {"D(G(z)) after": self.mean_score(d_fake)}, self.clip)


class Generator(nn.Module):
    """z [B, Z] -> images [B, C, H, W], not bounded: only what is saved is clamped to [-1, 1]."""

    def __init__(self, style: Style, latent_dim: int, width: int, depths: tuple[int, ...], data: DataSpec) -> None:
        super().__init__()
        shrink = 1 << (len(depths) - 1)
        self.areas = [(data.height // shrink << i, data.width // shrink << i) for i in range(len(depths))]
        self.mlp = nn.Linear(latent_dim, prod(self.areas[0]) * width)
        self.stages = nn.ModuleList(
            Stage(style, depth, width >> 2 * i, area)
            for i, (depth, area) in enumerate(zip(depths, self.areas, strict=True))
        )
        self.to_image = nn.Conv2d(width >> 2 * (len(depths) - 1), data.channels, 1)

    def forward(self, z: Tensor) -> Tensor:
        first, *others = self.stages
        x = first(self.mlp(z).unflatten(1, (prod(self.areas[0]), -1)))  # [B, 8 * 8, C]
        for stage, before in zip(others, self.areas, strict=False):
            x = stage(to_tokens(F.pixel_shuffle(to_maps(x, before), 2)))  # [B, 16 * 16, C/4], [B, 32 * 32, C/16]
        return self.to_image(to_maps(x, self.areas[-1]))


class Discriminator(nn.Module):
    """What both have: [cls] before the tokens, whose last state is judged. images [B, C, H, W] -> logits [B]."""

    last_layer = "head"

    def __init__(self, style: Style, width: int) -> None:
        super().__init__()
        self.cls = position(1, width)
        self.norm = make_norm(style, width)
        self.head = nn.Linear(width, 1)

    def with_cls(self, tokens: Tensor) -> Tensor:
        """[B, N, C] -> [B, 1 + N, C]."""
        return torch.cat([self.cls.expand(tokens.shape[0], -1, -1), tokens], 1)

    def logits(self, tokens: Tensor) -> Tensor:
        return self.head(self.norm(tokens[:, 0])).flatten()


class PatchDiscriminator(Discriminator):
    """The first version's: patches of one size and [cls] with learned positions, through `depth` blocks."""

    def __init__(self, style: Style, patch: int, width: int, depth: int, data: DataSpec) -> None:
        super().__init__(style, width)
        self.patches = nn.Conv2d(data.channels, width, patch, patch)
        self.position = position(1 + (data.height // patch) * (data.width // patch), width)
        self.blocks = nn.Sequential(*[Block(style, width, None) for _ in range(depth)])

    def forward(self, images: Tensor) -> Tensor:
        x = self.with_cls(to_tokens(self.patches(images)))  # [B, 1 + 8 * 8, C]
        return self.logits(self.blocks(x + self.position))


class MultiScaleDiscriminator(Discriminator):
    """The released one: small patches, then, on maps half as large, patches twice as large beside them, then [cls]."""

    def __init__(self, style: Style, patch: int, width: int, depth: int, data: DataSpec) -> None:
        super().__init__(style, width)
        fine, coarse = ((data.height // side, data.width // side) for side in (patch, 2 * patch))
        self.area = fine
        self.patches1 = nn.Conv2d(data.channels, width * 3 // 4, patch, patch)
        self.patches2 = nn.Conv2d(data.channels, width // 4, 2 * patch, 2 * patch)
        self.stage1 = Stage(style, depth, width * 3 // 4, fine)
        self.stage2 = Stage(style, depth, width, coarse)
        self.last = Block(style, width, None)

    def forward(self, images: Tensor) -> Tensor:
        x = self.stage1(to_tokens(self.patches1(images)))  # [B, 16 * 16, 3C/4]
        x = F.avg_pool2d(to_maps(x, self.area), 2)
        x = self.stage2(to_tokens(torch.cat([x, self.patches2(images)], 1)))  # [B, 8 * 8, C]
        return self.logits(self.last(self.with_cls(x)))


def initialise_convolution(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)


def initialise_dense(module: nn.Module) -> None:
    """D's dense layers; G's are torch's own."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def check(config: TransGANConfig, data: DataSpec) -> None:
    """Raises: UsageError when networks of these options cannot make or judge images of this size."""
    check_widths(config)
    stages, coarse = len(config.depths_g), config.patch * (2 if config.discriminator == "multiscale" else 1)
    side = lcm(1 << (stages - 1), coarse)
    size = f"{data.height}×{data.width}"
    if data.height % side or data.width % side:
        raise UsageError(
            f"transgan cannot do {size}: with {stages} stages in G and patches of {coarse} in D, "
            f"sides must be multiples of {side}, such as {max(32 // side, 1) * side}."
        )
    areas = [(data.height >> i, data.width >> i) for i in range(stages)]
    if config.discriminator == "multiscale":
        areas += [(data.height // part, data.width // part) for part in (config.patch, coarse)]
    style = Style(window=config.window)
    for area in areas:
        window = style.windows(*area)
        if area[0] % window[0] or area[1] % window[1]:
            fits = max(
                w for w in range(1, window[0]) if all(side % min(side, w) == 0 for map_ in areas for side in map_)
            )
            raise UsageError(
                f"transgan cannot cut maps of {area[0]}×{area[1]} into windows of {config.window}; use --window {fits}."
            )
        check_tokens(size, prod(window), "--window 16 to let them attend within squares")
    check_tokens(size, (data.height // coarse) * (data.width // coarse), "a larger --patch")


def check_tokens(size: str, count: int, remedy: str) -> None:
    """Raises: UsageError when so many tokens cannot each attend to all."""
    if count > FARTHEST:
        raise UsageError(
            f"transgan cannot do {size} so: {count} tokens would each attend to all others, and {FARTHEST} is the "
            f"most; give {remedy}."
        )


def check_widths(config: TransGANConfig) -> None:
    """Raises: UsageError when channels do not divide into stages, scales and heads."""
    if not config.depths_g:
        raise UsageError("--depths-g takes at least one stage, such as 5,4,2.")
    share_g = config.heads << 2 * (len(config.depths_g) - 1)
    if config.width_g % share_g:
        raise UsageError(
            f"--width-g {config.width_g} does not divide into {len(config.depths_g)} stages of {config.heads} heads; "
            f"it must be a multiple of {share_g}."
        )
    share_d = config.heads * 4 if config.discriminator == "multiscale" else config.heads
    if config.width_d % share_d:
        raise UsageError(
            f"--width-d {config.width_d} does not divide into {config.heads} heads at each scale; "
            f"it must be a multiple of {share_d}."
        )
