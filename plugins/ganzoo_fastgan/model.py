"""FastGAN: Liu, Zhu, Song and Elgammal 2021, arXiv:2101.04775. Networks are in `networks.py`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ganzoo.api import (
    Abilities,
    Batch,
    DataSpec,
    Foreign,
    Imported,
    Progress,
    TwoPlayer,
    TwoPlayerConfig,
    Update,
    UsageError,
    generator_loss,
    option,
)
from ganzoo_fastgan.lpips import lpips
from ganzoo_fastgan.networks import Discriminator, Generator, quarter, resized


@dataclass(frozen=True)
class FastGANConfig(TwoPlayerConfig):
    """The defaults are those of the released code."""

    loss: str = "soft-hinge"
    augment: str = option("diffaug:cutout=no", "what D sees is altered, by augmentations joined by +: ada")
    latent_dim: int = 256
    width_g: int = option(64, "feature maps of G at 128×128", low=1)
    width_d: int = option(64, "feature maps of D at 128×128", low=1)
    width_decoder: int = option(32, "feature maps of the last layer of D's decoders, at 128×128", low=1)
    reconstruction: float = option(1.0, "weight of the error of what D draws from its features", low=0)
    distance: Literal["l1", "lpips"] = option(
        "l1", "how that is measured; lpips needs `ganzoo weights add lpips-vgg FILE`"
    )
    batch_size: int = option(8, "images in a step")
    ema: int = option(5_500, "half-life of the averaged generator, in images")
    resolution: int = option(256, "height and width")


class FastGAN(TwoPlayer):
    """G makes each image in two sizes; D judges both, and must draw real images from its own features."""

    Config = FastGANConfig
    other_calls: ClassVar = {"D": "sees each image in two sizes, as G makes it"}
    abilities = Abilities(generate=True, realness=True)
    modalities = ("image",)
    config: FastGANConfig
    G: Generator
    D: Discriminator
    presets: ClassVar = {
        "small": {"resolution": 64, "width_g": 8, "width_d": 16, "width_decoder": 4, "latent_dim": 128, "epochs": 100},
        "official-256": {"resolution": 256},
        "official-512": {"resolution": 512},
        "official-1024": {"resolution": 1024},
    }
    preset_summaries: ClassVar = {
        "small": "64×64 and narrow networks, for two CPU cores.",
        "official-256": "The released networks at 256×256.",
        "official-512": "The released networks at 512×512.",
        "official-1024": "The released networks at 1024×1024.",
    }

    def __init__(self, config: FastGANConfig, data: DataSpec) -> None:
        """Raises: UsageError unless the images are square, of a power of two from 64 to 1024."""
        super().__init__(config, data)
        side = data.height
        if side != data.width or side not in (64, 128, 256, 512, 1024):
            raise UsageError(
                f"FastGAN cannot do {side}×{data.width}: use --resolution with a power of two from 64 to 1024."
            )
        self.G = Generator(side, config.latent_dim, config.width_g, data.channels)
        self.D = Discriminator(side, config.width_d, data.channels, config.width_decoder)
        self.perceptual = lpips() if config.distance == "lpips" and config.reconstruction else None

    @staticmethod
    def imported(foreign: Foreign) -> Imported:
        """A model of the authors' checkpoints."""
        from ganzoo_fastgan.official import imported

        return imported(foreign)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        n_critic = self.config.n_critic
        for turn in range(n_critic):
            real = next(batches).images
            with torch.set_grad_enabled(turn == n_critic - 1):  # G learns from the last fakes only
                big, small = self.G(self.noise(len(real)))
            yield from self.discriminator_turn(real, big.detach(), small.detach(), progress.step * n_critic + turn)
        d_fake = self.judge_pair(big, small)
        terms = {"adversarial": generator_loss(self.loss, d_fake, lambda: self.discriminate(real))}
        yield Update("G", terms, {"D(G(z)) after": self.mean_score(d_fake)})

    def discriminator_turn(self, real: Tensor, big: Tensor, small: Tensor, turn: int) -> Iterator[Update]:
        """D tells real from generated, and draws what it saw: all of it twice, and a quarter in more detail."""
        shown = self.augment(real)
        d_real, features = self.D.features(shown, resized(shown, self.D.small))
        d_fake = self.judge_pair(big, small)
        terms = {"adversarial": self.loss.discriminator(d_real, d_fake)}
        if self.config.reconstruction:
            part = random.randrange(4)  # the same in every process
            wanted = (shown, shown, quarter(shown, part))
            errors = [
                self.unlike(resized(image, self.D.small), drawn)
                for image, drawn in zip(wanted, self.D.reconstructions(features, part), strict=True)
            ]
            terms["reconstruction"] = self.config.reconstruction * torch.stack(errors).sum()
        terms |= self.penalties.terms(self.discriminate, real, big, d_real, d_fake)
        watch = {"D(x)": self.mean_score(d_real), "D(G(z))": self.mean_score(d_fake)}
        self.augment.observe(d_real)
        yield Update("D", terms, watch | self.augment.watch())
        yield from self.penalties.lazy_turn(turn, "D", {"": (self.discriminate, real, big)})

    def unlike(self, images: Tensor, drawn: Tensor) -> Tensor:
        """How far what D drew is from the images [B, C, H, W]: the mean over pixels, or LPIPS, summed as released."""
        if self.perceptual is None:
            return (images - drawn).abs().float().mean()
        return self.perceptual(images, drawn).sum()

    def judge_pair(self, big: Tensor, small: Tensor) -> Tensor:
        """D's logits [B, 50] on generated images, each size augmented by its own draws."""
        logits: Tensor = self.D(self.augment(big), self.augment(small))
        return logits

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Images [B, C, H, W] from z [B, Z]."""
        if truncation != 1.0:
            raise UsageError("FastGAN has no truncation; leave out --truncation.")
        images: Tensor = self.G(z)[0]
        return images

    def _logits(self, images: Tensor, label: Tensor | None) -> Tensor:
        logits: Tensor = self.D(images, resized(images, self.D.small))
        return logits
