"""Adaptive discriminator augmentation: Karras et al. 2020, arXiv:2006.06676, section 3 and appendix B.

Each change is done to an image with the probability p, which follows how sure D is of augmented real images.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.api import AdaptiveAugmentation, Progress, gather, option
from ganzoo_ada.pipeline import Groups, augment, draw


@dataclass(frozen=True)
class Ada:
    """As StyleGAN2-ADA's `bgc`: pixel blitting, geometric and colour changes; those of its `bgcfnc` where asked for."""

    target: float = option(0.6, "mean sign of D's logits on real images that the strength aims at", low=-1, high=1)
    speed: int = option(500_000, "images in which the strength can go from 0 to 1", low=1)
    interval: int = option(4, "steps from one move of the strength to the next", low=1)
    strength: float | None = option(
        None, "of itself, or by a schedule: burn-in:0:0.55; none: it follows D", low=0, high=1, scheduled=True
    )
    blit: bool = option(True, "flips, quarter turns and shifts by whole pixels")
    geometric: bool = option(True, "scaling, rotation, stretching and shifts")
    color: bool = option(True, "brightness, contrast, inverted luma, hue and saturation")
    color_chance: float = option(1.0, "chance of each change of colour, in shares of the strength", low=0, high=1)
    filter: bool = option(False, "bands of frequencies, made stronger or weaker")
    noise: bool = option(False, "noise, added to each pixel")
    cutout: bool = option(False, "a rectangle of half the sides, cut out")

    def state(self) -> AdaAugmentation:
        return AdaAugmentation(self)


class AdaAugmentation(AdaptiveAugmentation):
    """`strength` is the paper's p.

    signs, count: sum over images of the mean sign of D's logits, and how many they were, since the last move.
    images: of the run, at the last move.
    """

    options: Ada
    signs: Tensor
    count: Tensor
    images: Tensor

    def __init__(self, options: Ada) -> None:
        super().__init__(options)
        self.reads_sign = options.strength is None
        self.register_buffer("signs", torch.zeros(()))
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("images", torch.zeros((), dtype=torch.int64))

    def forward(self, images: Tensor) -> Tensor:
        groups = Groups(*(getattr(self.options, name) for name in Groups._fields))
        return augment(images, draw(images.shape, images.device, groups), self.strength, groups)

    def observe(self, d_real: Tensor) -> None:
        signs = gather(d_real.float().sign().reshape(len(d_real), -1).mean(1))  # [B] of all processes
        self.signs.add_(signs.sum())
        self.count.add_(len(signs))

    def begin_step(self, progress: Progress) -> None:
        if self.options.strength is not None:
            self.strength.fill_(self.options.strength)
        elif progress.step % self.options.interval == 0 and progress.step:
            step = (progress.images - self.images) / self.options.speed
            self.strength.copy_(moved(self.strength, self.signs / self.count.clamp(min=1), self.options.target, step))
            self.images.fill_(progress.images)
            self.signs.zero_()
            self.count.zero_()


def moved(strength: Tensor, sign: Tensor, target: float, step: Tensor | float) -> Tensor:
    """The strength after a move, not below 0: up where D is surer of real images than it should be, else down.

    Args:
        sign: mean sign of D's logits on real images.
        step: how far it goes.
    """
    return (strength + (sign - target).sign() * step).clamp(min=0)
