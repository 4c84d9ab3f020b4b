"""What a metric is given and gives, and the first of them: the sliced Wasserstein distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ganzoo.api import Evidence, TranslationEvidence, UsageError, option, share, stream
from ganzoo_scores.translation import in_form_of

PATCH = 7  # pixels a side, as in the paper
COARSEST = 16  # smallest level of the pyramid, pixels


@dataclass(frozen=True)
class SlicedWasserstein:
    """Sliced Wasserstein distance on Laplacian pyramids: Karras et al. 2018 (ProGAN), section 5; times 1000.

    Small patches of each level, from the finest to 16 pixels, are compared as two clouds of points, projected on
    random directions. The finest level judges noise and edges, the coarsest the layout. Smaller is better. Of a
    translation, `swd-doing-nothing` is what its images were away from the other domain before. Of a clip two frames
    that follow one another are looked at as one image of twice the channels, so that patches hold what moves.
    """

    patches: int = option(128, "patches drawn from each image", low=1)
    directions: int = option(512, "random directions", low=1)

    def __call__(self, evidence: Evidence) -> dict[str, float]:
        real, fake = evidence.real, evidence.fake
        if real.dim() == 5:
            real, fake = (pairs_of_frames(clips, evidence.seed) for clips in (real, fake))
        if real.dim() != 4 or min(real.shape[2:]) < COARSEST:
            raise UsageError(f"The sliced Wasserstein distance needs images of {COARSEST} pixels or more a side.")
        values = self._levels(real, fake, evidence.seed)
        values["swd"] = sum(values.values()) / len(values)
        if isinstance(evidence, TranslationEvidence):  # how near its images were before
            given = in_form_of(evidence.real, evidence.given)
            untouched = self._levels(evidence.real, given, evidence.seed)
            values["swd-doing-nothing"] = sum(untouched.values()) / len(untouched)
        return values

    def _levels(self, real: Tensor, fake: Tensor, seed: int) -> dict[str, float]:
        """Of images [N, C, H, W] each, by level, finest first: ``{"swd-32": …, "swd-16": …}``."""
        count = min(len(real), len(fake))
        values = {}
        for one, other in zip(laplacian_pyramid(real[:count]), laplacian_pyramid(fake[:count]), strict=True):
            a, b = (_descriptors(images, self.patches, seed) for images in (one, other))
            values[f"swd-{min(one.shape[2:])}"] = 1000 * sliced_distance(a, b, self.directions, seed)
        return values


def pairs_of_frames(clips: Tensor, seed: int) -> Tensor:
    """From a random place of each clip [N, T, C, H, W] two frames that follow one another: [N, 2 C, H, W]."""
    count, frames = clips.shape[:2]
    first = torch.randint(max(1, frames - 1), (count,), generator=stream(seed, "frames"))
    both = torch.stack([first, (first + 1).clamp_max(frames - 1)], 1)
    return clips[torch.arange(count)[:, None], both].flatten(1, 2)


def laplacian_pyramid(images: Tensor) -> list[Tensor]:
    """What each halving of images [N, C, H, W] loses, finest first, and the coarsest images last."""
    levels = []
    while min(images.shape[2:]) >= 2 * COARSEST and not any(side % 2 for side in images.shape[2:]):
        smaller = _blur(images)[:, :, ::2, ::2]
        spread = torch.zeros_like(images)
        spread[:, :, ::2, ::2] = smaller
        levels.append(images - 4 * _blur(spread))
        images = smaller
    return [*levels, images]


def sliced_distance(a: Tensor, b: Tensor, directions: int, seed: int = 0) -> float:
    """Mean distance of two clouds [N, D] of equal size, sorted along each of so many random directions."""
    random = stream(seed, "directions")
    axes = torch.randn(directions, a.shape[1], generator=random)
    axes /= axes.norm(dim=1, keepdim=True)

    def distances(some: Tensor) -> float:
        one, other = (numpy.sort((some @ cloud.T).numpy(), axis=1) for cloud in (a, b))  # ten times as fast as torch's
        return float(numpy.abs(one - other).mean(1, dtype=numpy.float64).sum())

    # As many at a time as fit in memory beside the clouds.
    return sum(share(distances, torch.split(axes, 32))) / directions


def _blur(images: Tensor) -> Tensor:
    """Burt and Adelson's binomial filter, 1-4-6-4-1 in both directions; edges are mirrored."""
    channels = images.shape[1]
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = torch.outer(row, row).expand(channels, 1, 5, 5)
    return conv2d(pad(images, (2, 2, 2, 2), mode="reflect"), kernel, groups=channels)


def _descriptors(images: Tensor, patches: int, seed: int) -> Tensor:
    """Patches [N * patches, C * 49] at random places, each channel scaled to mean 0 and deviation 1 over all."""
    batch, _, height, width = images.shape
    random = stream(seed, "patches", height)
    top = torch.randint(height - PATCH + 1, (batch * patches, 1, 1), generator=random)
    left = torch.randint(width - PATCH + 1, (batch * patches, 1, 1), generator=random)
    item = torch.arange(batch).repeat_interleave(patches)[:, None, None]
    side = torch.arange(PATCH)
    found = images.permute(0, 2, 3, 1)[item, top + side[:, None], left + side[None, :]]  # [P, 7, 7, C]
    deviation, mean = torch.std_mean(found, (0, 1, 2), correction=0)
    return ((found - mean) / deviation.clamp_min(1e-8)).flatten(1)
