"""StyleGAN2: Karras et al. 2020, arXiv:1912.04958. Networks are in `networks.py`."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganzoo.api import (
    Abilities,
    Batch,
    ConditionalConfig,
    DataSpec,
    Foreign,
    Imported,
    Progress,
    TrainingState,
    TwoPlayer,
    Update,
    UsageError,
    mean_over_processes,
    option,
    rows,
)
from ganzoo_stylegan2.networks import Discriminator, Generator


@dataclass(frozen=True)
class StyleGAN2Config(ConditionalConfig):
    """The defaults are the paper's configuration F, whose R1 is for 1024×1024 and follows the size."""

    penalty: str = option("r1:gamma=10,at=1024,every=16", "penalties on D, joined by +: r1:gamma=10,every=16")
    lr: float = 2e-3
    beta1: float = 0.0
    beta2: float = 0.99
    latent_dim: int = option(512, "length of the noise vector z, and of w", low=1)
    channel_base: int = option(32768, "feature maps are channel_base / r at resolution r, at most channel_max", low=1)
    channel_max: int = option(512, "most feature maps of a layer", low=1)
    mapping_layers: int = option(8, "dense layers of the mapping", low=1)
    discriminator: Literal["resnet", "orig"] = option("resnet", "with paths around each block of D, or none")
    group: int = option(4, "size of the groups whose standard deviation D is shown", low=1)
    mixing: float = option(0.9, "probability that a batch in training has styles of two latents", low=0, high=1)
    path_weight: float = option(2.0, "weight of the path length regularisation; 0: none", low=0)
    path_every: int = option(4, "steps from one regularisation of the path lengths to the next", low=1)
    path_decay: float = option(0.01, "share by which a batch moves the mean path length", low=0, high=1)
    mean_decay: float = option(0.995, "decay of the running mean of w, for truncation", low=0, high=1)
    truncation_layers: int | None = option(None, "styles from the first on that truncation reaches; none: all", low=0)
    batch_size: int = option(32, "images in a step")
    ema: int = option(10_000, "half-life of the averaged generator, in images")
    resolution: int = option(256, "height and width")


def auto(side: int) -> dict[str, Any]:
    """The options that NVIDIA's `auto` chooses for one GPU and images of this side."""
    batch = max(1, min(4096 // side, 32))
    return {
        "resolution": side, "batch_size": batch, "group": min(batch, 4), "ema": batch * 10_000 // 32,
        "channel_base": 32768 if side >= 512 else 16384, "lr": 2.5e-3 if side < 1024 else 2e-3, "mapping_layers": 2,
        "penalty": f"r1:gamma={0.0002 * side**2 / batch:.6g},at={side},every=16", "augment": "ada",
    }  # fmt: skip


class StyleGAN2(TwoPlayer):
    """Latents z are mapped to styles w, and each layer of the synthesis takes its own: `mapping` and `synthesis`."""

    Config = StyleGAN2Config
    abilities = Abilities(generate=True, truncation=True, mix=True, styles=True, realness=True)
    modalities = ("image",)
    idle: ClassVar = {
        "path_every": "the preset `small` has no path length regularisation",
        "path_decay": "likewise",
    }
    any_turn: ClassVar = {"G.w_mean": "the mean of w follows every image that is made in training"}
    G: Generator
    D: Discriminator
    presets: ClassVar = {
        "small": {
            "resolution": 32, "channel_base": 1024, "channel_max": 64, "latent_dim": 128, "mapping_layers": 2,
            "batch_size": 16, "lr": 2.5e-3, "penalty": "r1:gamma=1,every=16", "path_weight": 0.0, "epochs": 30,
        },
        "config-f": {"resolution": 1024, "penalty": "r1:gamma=10,every=16"},
        "paper256": {
            "resolution": 256, "batch_size": 64, "group": 8, "channel_base": 16384, "lr": 2.5e-3,
            "penalty": "r1:gamma=1,every=16", "ema": 20_000, "augment": "ada",
        },
        "cifar": {
            "resolution": 32, "batch_size": 64, "group": 32, "lr": 2.5e-3, "penalty": "r1:gamma=0.01,every=16",
            "ema": 500_000, "mapping_layers": 2, "discriminator": "orig", "path_weight": 0.0, "mixing": 0.0,
            "augment": "ada",
        },
        "auto": auto(256),
        **{f"auto-{side}": auto(side) for side in (32, 64, 128, 512, 1024)},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "32×32 and few maps, for two CPU cores.",
        "config-f": "1024×1024, the paper's largest networks.",
        "paper256": "256×256 with ADA, as the ADA paper has it.",
        "cifar": "CIFAR-10 with ADA, as the ADA paper tuned it.",
        "auto": "256×256 with ADA, the released code's automatic settings.",
        "auto-32": "The automatic settings at 32×32.",
        "auto-64": "The automatic settings at 64×64.",
        "auto-128": "The automatic settings at 128×128.",
        "auto-512": "The automatic settings at 512×512.",
        "auto-1024": "The automatic settings at 1024×1024.",
    }

    def __init__(self, config: StyleGAN2Config, data: DataSpec) -> None:
        """Raises: UsageError unless the images are square, of a power of two from 8 to 1024."""
        super().__init__(config, data)
        side = data.height
        if side != data.width or not 8 <= side <= 1024 or side & (side - 1):
            raise UsageError(
                f"StyleGAN2 cannot do {side}×{data.width}: it doubles from 4×4, so use --resolution with a power of "
                "two from 8 to 1024, such as 64."
            )
        sides = [4 << level for level in range(int(math.log2(side)) - 1)]
        widths = [max(1, min(config.channel_base // side, config.channel_max)) for side in sides]
        classes = len(data.classes) if self.conditional else 0
        self.G = Generator(config.latent_dim, widths, data.channels, config.mapping_layers, classes)
        self.D = Discriminator(widths, data.channels, config.discriminator == "resnet", config.group, classes)
        self.style_layers = self.G.synthesis.styles
        self.path = PathLengths()

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam; G's rate and betas make up for its lazy regularisation, as D's do (appendix B)."""
        if network != "G" or not self.config.path_weight:
            return super().optimizer(network, parameters)
        config, share = self.config, self.config.path_every / (self.config.path_every + 1)
        return torch.optim.Adam(parameters, lr=config.lr * share, betas=(config.beta1**share, config.beta2**share))

    @staticmethod
    def imported(foreign: Foreign) -> Imported:
        """A model of NVIDIA's files."""
        from ganzoo_stylegan2.official import imported

        return imported(foreign)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        self.progress = progress
        yield from super().step(batches, progress)

    def generator_turn(self, real: Tensor, fake: Tensor, label: Tensor | None) -> Iterator[Update]:
        yield from super().generator_turn(real, fake, label)
        if self.config.path_weight and self.progress.step % self.config.path_every == 0:
            yield from self.path_turn(max(1, len(real) // 2), label)

    def path_turn(self, count: int, label: Tensor | None) -> Iterator[Update]:
        """G's lazy turn (section 3.2): a step of fixed size in w should change an image by as much everywhere."""
        w = self.mixed(self.mapping(self.noise(count), None if label is None else label[:count]), label)
        w = w if w.dim() == 3 else w[:, None].expand(-1, self.G.synthesis.styles, -1)
        images = self.synthesis(w)
        noise = rows(tuple(images.shape), device=images.device)
        lengths = path_lengths(images, w, noise)
        weight, decay = self.config.path_weight * self.config.path_every, self.config.path_decay
        terms = {"path": weight * self.path(lengths, decay)}
        yield Update("G", terms, {"path length": lengths.detach().mean()}, name="path")
        self.path.follow(lengths, decay / self.progress.parts)

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Images [B, C, H, W] from z [B, Z]; styles are mixed at random while training, and never truncated there."""
        w = self.mapping(z, label)
        if self.training:
            self.G.follow_mean(w, self.config.mean_decay)
            return self.synthesis(self.mixed(w, label))
        return self.synthesis(self.truncated(w, truncation))

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """z [B, Z] (and label [B]) -> w [B, Z]."""
        w: Tensor = self.G.mapping(z, label)
        return w

    def synthesis(self, w: Tensor) -> Tensor:
        """w [B, Z], or one for each layer [B, L, Z] -> images [B, C, H, W]."""
        images: Tensor = self.G.synthesis(w)
        return images

    def truncated(self, w: Tensor, psi: float) -> Tensor:
        """w [B, Z] -> [B, L, Z], in the first layers drawn to the mean of w: mean + psi * (w - mean)."""
        layers = self.G.synthesis.styles
        if psi == 1.0:
            return w[:, None].expand(-1, layers, -1)
        most = self.config.truncation_layers
        near = self.G.w_mean.lerp(w.to(self.G.w_mean.dtype), psi)
        reached = torch.arange(layers, device=w.device)[:, None] < (layers if most is None else most)
        return torch.where(reached, near[:, None], w[:, None])

    def mixed(self, w: Tensor, label: Tensor | None) -> Tensor:
        """Mixing regularization: now and then the layers from a random one on take styles of other latents."""
        if random.random() >= self.config.mixing:
            return w
        cutoff = random.randrange(1, self.G.synthesis.styles)  # one for the whole batch, in every process
        others = self.mapping(self.noise(len(w)), None if label is None else label[: len(w)])
        return self.joined(w, others, cutoff)

    def mix(
        self,
        coarse: Tensor,
        fine: Tensor,
        cutoff: int | None = None,
        truncation: float = 1.0,
        label: Tensor | None = None,
    ) -> Tensor:
        """Images [B, C, H, W] whose first `cutoff` layers take the styles of `coarse` [B, Z], the others of `fine`."""
        layers = self.G.synthesis.styles
        if cutoff is None:
            cutoff = min(4, layers // 2)  # up to 8×8, what StyleGAN's paper calls coarse
        if not 1 <= cutoff < layers:
            raise UsageError(f"A cut-off of {cutoff} leaves nothing to mix; it takes 1 to {layers - 1} here.")
        first, last = (self.truncated(self.mapping(z, label), truncation) for z in (coarse, fine))
        return self.synthesis(torch.cat([first[:, :cutoff], last[:, cutoff:]], 1))

    def joined(self, first: Tensor, last: Tensor, cutoff: int) -> Tensor:
        """w [B, Z] twice -> [B, L, Z], the first `cutoff` layers' from `first`."""
        of_first = torch.arange(self.G.synthesis.styles, device=first.device)[:, None] < cutoff
        return torch.where(of_first, first[:, None], last[:, None])


def path_lengths(images: Tensor, w: Tensor, noise: Tensor) -> Tensor:
    """|J^T y| of each item, [B], the root of its mean square over the layers; with a graph to G's parameters.

    Args:
        images: [B, C, H, W], made from w.
        w: [B, L, Z].
        noise: y [B, C, H, W], standard normal.
    """
    height, width = images.shape[2:]
    total = (images * noise).sum() / math.sqrt(height * width)
    (slope,) = torch.autograd.grad(total, [w], create_graph=True)
    return slope.square().sum(2).mean(1).sqrt()


class PathLengths(TrainingState):
    """The mean path length a, which the lengths of a batch are drawn to and which follows them (equation 4)."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, lengths: Tensor, decay: float) -> Tensor:
        """lengths [B] -> the mean of (length - a)^2, a scalar.

        This a has moved by the batch already, and the gradient goes through it, as in the released code.
        """
        mean = self.mean.to(lengths.dtype).lerp(lengths.mean(), decay)
        return (lengths - mean).square().mean()

    @torch.no_grad()
    def follow(self, lengths: Tensor, decay: float) -> None:
        """Moves a by a batch."""
        self.mean.lerp_(mean_over_processes(lengths.mean().to(self.mean.dtype)), decay)
