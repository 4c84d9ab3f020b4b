"""BigGAN: Brock, Donahue and Simonyan 2019, arXiv:1809.11096, as its first author's PyTorch code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import erf, sqrt
from typing import Any, ClassVar, Literal

import torch
from ganzoo_sagan.attention import SelfAttention
from ganzoo_sngan.blocks import DownBlock, ProjectionHead, UpBlock, Wrap, convolution, dense
from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo.api import Abilities, DataSpec, TwoPlayer, TwoPlayerConfig, Update, UsageError, option, spectral_norm

# Side: multiples of the width at G's start and after each of its blocks; after each of D's; how many of D's halve.
WIDTHS = {
    32: ((4, 4, 4, 4), (4, 4, 4, 4), 2),
    64: ((16, 16, 8, 4, 2), (1, 2, 4, 8, 16), 4),
    128: ((16, 16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), 5),
    256: ((16, 16, 8, 8, 4, 2, 1), (1, 2, 4, 8, 8, 16, 16), 6),
}


@dataclass(frozen=True)
class BigGANConfig(TwoPlayerConfig):
    loss: str = "hinge"
    lr: float = 2e-4
    beta1: float = 0.0
    beta2: float = 0.999
    adam_eps: float = option(1e-8, "what Adam adds to the root of the mean squared gradient", low=0)
    n_critic: int = 4
    latent_dim: int = 128
    width: int = option(64, "maps that the sizes' tables are multiples of", low=1)
    hierarchical: bool = option(False, "each block of G gets a piece of z of its own, beside the class")
    shared: int = option(0, "length of one embedding of the class for all blocks; 0: a table for each block", low=0)
    attention: int = option(0, "side of the maps that attend, in G and D; 0: none do", low=0)
    first_weights: Literal["normal", "orthogonal"] = option("normal", "first weights: N(0, 0.02), or orthogonal")
    orthogonal: float = option(0.0, "weight of the orthogonal regularisation of G (equation 3)", low=0, scheduled=True)
    sn_eps: float = option(1e-8, "least norm that the spectral norm's vectors are divided by", low=1e-12)
    batch_size: int = option(50, "images in a turn")
    ema: int = option(1_386_000, "half-life of the averaged generator, in images")
    resolution: int = option(32, "height and width")


LARGE: dict[str, Any] = {"hierarchical": True, "shared": 128, "first_weights": "orthogonal", "sn_eps": 1e-6}


class BigGAN(TwoPlayer):
    """G(z, y) is told the class in every block, D(x, y) by projection; both spectrally normalised."""

    Config = BigGANConfig
    modalities = ("image",)
    abilities = Abilities(generate=True, truncation=True, realness=True, labels=frozenset({"class"}))
    idle: ClassVar = {"sn_eps": "norms far above it"}
    presets: ClassVar = {
        "small": {
            **LARGE, "resolution": 32, "width": 12, "latent_dim": 64, "shared": 32, "attention": 16, "lr": 5e-4,
            "lr_d": 1e-3, "n_critic": 1, "batch_size": 32, "ema": 20_000,
        },
        "cifar": {"resolution": 32, "channels": 3, "epochs": 500},
        "imagenet-128": {
            **LARGE, "resolution": 128, "width": 96, "latent_dim": 120, "attention": 64, "lr": 1e-4, "lr_d": 4e-4,
            "adam_eps": 1e-6, "n_critic": 1, "batch_size": 2048, "ema": 14_195_000,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "32×32 and an eighth of the width, for two CPU cores.",
        "cifar": "The authors' settings for CIFAR-10: 500 epochs, for a GPU.",
        "imagenet-128": "The authors' settings for ImageNet at 128×128, in batches of 2,048 over many GPUs.",
    }

    def __init__(self, config: BigGANConfig, data: DataSpec) -> None:
        """Raises: UsageError without classes, for a size that no table has, or maps that there are not."""
        super().__init__(config, data)
        if data.label != "class":
            raise UsageError(
                "biggan needs a class for each image, and this data set has none; add it with --labels, or train sagan."
            )
        if data.height != data.width or data.height not in WIDTHS:
            known = ", ".join(map(str, WIDTHS))
            raise UsageError(f"biggan cannot do {data.height}×{data.width}; use --resolution with one of {known}.")
        classes, (widths_g, widths_d, halvings) = len(data.classes), WIDTHS[data.height]
        widths_g, widths_d = (tuple(config.width * m for m in each) for each in (widths_g, widths_d))
        self.G = Generator(config, widths_g, data.channels, classes)
        wrap = partial(normalised, config.first_weights, config.sn_eps)
        sides = [data.height >> min(i + 1, halvings) for i in range(len(widths_d))]
        attends = config.attention and place(config.attention, sides)
        self.D = Discriminator(widths_d, halvings, attends, data.channels, classes, wrap)

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Images [B, C, H, W]. A truncation psi below 1 makes z psi times a number of the normal distribution that is
        cut off at 2 (section 3.1): the smaller, the more alike and the better are the images.
        """
        images: Tensor = self.G(z if truncation == 1.0 else truncation * cut_off(z), label)
        return images

    def generator_turn(self, real: Tensor, fake: Tensor, label: Tensor | None) -> Iterator[Update]:
        network = self.get_submodule("G")
        for update in super().generator_turn(real, fake, label):
            if self.config.orthogonal:
                update.terms = {**update.terms, "orthogonal": self.config.orthogonal * correlation(network)}
            yield update

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        optimizer = super().optimizer(network, parameters)
        for group in optimizer.param_groups:
            group["eps"] = self.config.adam_eps
        return optimizer


class Generator(nn.Module):
    """z [B, Z], label [B] -> images [B, C, H, W] in [-1, 1].

    With hierarchical latents z is split evenly: the first piece makes the map that G begins with, block b is told the
    next one beside the class.
    """

    def __init__(self, config: BigGANConfig, widths: tuple[int, ...], channels: int, classes: int) -> None:
        super().__init__()
        wrap = partial(normalised, config.first_weights, config.sn_eps)
        blocks = len(widths) - 1
        self.piece = config.latent_dim // (blocks + 1) if config.hierarchical else 0
        if config.hierarchical and (not config.shared or not self.piece):
            raise UsageError(f"--hierarchical takes --shared, and a --latent-dim of {blocks + 1} or more.")
        self.shared = nn.Embedding(classes, config.shared) if config.shared else None
        told = config.shared + self.piece
        norm = partial(TableNorm, classes, config.first_weights) if not told else partial(ConditionNorm, told, wrap)
        self.dense = dense(self.piece or config.latent_dim, widths[0] * 16, wrap)
        self.blocks = nn.ModuleList(UpBlock(a, b, norm, wrap) for a, b in pairwise(widths))
        i = config.attention and place(config.attention, [8 << i for i in range(blocks)])
        self.attention, self.after = SelfAttention(widths[i], wrap) if i else None, i
        self.norm = nn.BatchNorm2d(widths[-1])
        self.to_image = convolution(widths[-1], channels, 3, 1, wrap)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        condition = label if self.shared is None else self.shared(label)  # [B], or [B, S]
        pieces = torch.split(z, self.piece, 1) if self.piece else (z,)
        x = self.dense(pieces[0]).unflatten(1, (-1, 4, 4))
        for i, block in enumerate(self.blocks, 1):
            x = block(x, torch.cat([condition, pieces[i]], 1) if self.piece else condition)
            if self.attention is not None and i == self.after:
                x = self.attention(x)
        return self.to_image(relu(self.norm(x))).tanh()


class ConditionNorm(nn.Module):
    """Batch norm, then times 1 + gain and plus shift, both linear in the condition [B, S]."""

    def __init__(self, told: int, wrap: Wrap, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain, self.shift = (wrap(nn.Linear(told, channels, bias=False)) for _ in range(2))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain, shift = (layer(condition)[:, :, None, None] for layer in (self.gain, self.shift))
        return self.norm(x) * (1 + gain) + shift


class TableNorm(ConditionNorm):
    """The same, gain and shift looked up for each class, label [B]."""

    def __init__(self, classes: int, init: str, channels: int) -> None:
        super().__init__(1, lambda layer: layer, channels)
        self.gain, self.shift = (initialised(init, nn.Embedding(classes, channels)) for _ in range(2))


class Discriminator(nn.Module):
    """images [B, C, H, W], label [B] -> logits [B]."""

    def __init__(
        self, widths: tuple[int, ...], halvings: int, attends: int, channels: int, classes: int, wrap: Wrap
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential()
        for i, (inputs, outputs) in enumerate(pairwise((channels, *widths))):
            self.blocks.append(DownBlock(inputs, outputs, outputs, i < halvings, first=i == 0, wrap=wrap))
        if attends:
            self.blocks.insert(attends, SelfAttention(widths[attends - 1], wrap))
        self.head = ProjectionHead(widths[-1], classes, wrap)

    def forward(self, images: Tensor, label: Tensor) -> Tensor:
        return self.head(self.blocks(images), label)


def normalised(init: str, eps: float, layer: nn.Module) -> nn.Module:
    """The layer with first weights of the kind asked for, then spectrally normalised."""
    return spectral_norm(initialised(init, layer), eps)


def initialised(init: str, layer: Any) -> Any:
    if init == "normal":
        nn.init.normal_(layer.weight, 0.0, 0.02)
    else:
        nn.init.orthogonal_(layer.weight)
    return layer


def place(side: int, sides: list[int]) -> int:
    """How many blocks there are up to the first map of this side. Raises: UsageError when none has it."""
    if side not in sides:
        raise UsageError(f"--attention {side} is the side of no map here; there are {', '.join(map(str, sides))}.")
    return sides.index(side) + 1


def cut_off(z: Tensor, most: float = 2.0) -> Tensor:
    """N(0, 1) -> N(0, 1) without what is further than `most` from 0, by the quantiles; alike numbers stay alike."""
    outside = (1 - erf(most / sqrt(2))) / 2
    return torch.special.ndtri(outside + torch.special.ndtr(z.float()) * (1 - 2 * outside)).to(z.dtype)


def correlation(network: nn.Module) -> Tensor:
    """The sum over all weights of ||W W^T * (1 - I)||^2, rows being outputs: 0 where no two of them are alike."""
    total = torch.zeros((), device=next(network.parameters()).device)
    for name, weight in network.named_parameters():
        if weight.dim() > 1 and not name.startswith("shared."):
            rows = weight.flatten(1).float()
            products = rows @ rows.T
            total = total + (products - products.diag().diag()).square().sum()
    return total
