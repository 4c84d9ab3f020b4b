"""How alike generated images are: the structural similarity of random pairs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from ganzoo.api import Evidence, Scores, UsageError, stream

WINDOW, SIGMA = 11, 1.5  # of the Gaussian window, pixels
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first
C1, C2 = 0.01**2, 0.03**2  # for values that span 1


@dataclass(frozen=True)
class Similarity:
    """Mean MS-SSIM between pairs of samples, and between as many pairs of real images: Odena et al. 2017, section 4.2.

    1: all samples are the same image. A generator whose pairs are more alike than the data's lacks variety. It says
    nothing of quality: noise is very diverse.
    """

    def __call__(self, evidence: Evidence) -> Scores:
        if evidence.real.dim() != 4 or min(evidence.real.shape[2:]) < WINDOW:
            raise UsageError(f"MS-SSIM needs images of {WINDOW} pixels or more a side.")
        values = {
            "ms-ssim": _of_pairs(evidence.fake, evidence.seed),
            "ms-ssim-real": _of_pairs(evidence.real, evidence.seed),
        }
        return Scores(values, scales=scales_of(evidence.real), pairs=len(evidence.fake) // 2)


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Multi-scale structural similarity [N] of images a and b, [N, C, H, W] in [-1, 1]: Wang et al. 2003.

    As many of the paper's five scales as hold its 11-pixel window whole, their weights scaled to sum to 1; negative
    terms count as 0. Channels are compared apart and averaged. Raises: UsageError below 11 pixels a side.
    """
    scales = scales_of(a)
    if not scales:
        raise UsageError(f"MS-SSIM needs images of {WINDOW} pixels or more a side.")
    weights = torch.tensor(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    a, b = (a + 1) / 2, (b + 1) / 2
    result = torch.ones(a.shape[:2])
    for scale, weight in enumerate(weights):
        luminance, contrast = _ssim(a, b)
        term = luminance * contrast if scale == scales - 1 else contrast
        result = result * term.mean((2, 3)).clamp_min(0) ** weight
        a, b = avg_pool2d(a, 2), avg_pool2d(b, 2)
    return result.mean(1)


def scales_of(images: Tensor) -> int:
    """How many scales of images [N, C, H, W] hold the window whole."""
    side = min(images.shape[2:])
    return sum(side // 2**scale >= WINDOW for scale in range(len(WEIGHTS)))


def _ssim(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM's luminance and contrast-structure terms [N, C, h, w] at each place of the window."""
    mean_a, mean_b = _window(a), _window(b)
    var_a, var_b = _window(a * a) - mean_a**2, _window(b * b) - mean_b**2
    covariance = _window(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return luminance, (2 * covariance + C2) / (var_a + var_b + C2)


def _window(images: Tensor) -> Tensor:
    """The Gaussian-weighted mean at each place where the window fits."""
    place = torch.arange(WINDOW) - (WINDOW - 1) / 2
    weight = torch.exp(-(place**2) / (2 * SIGMA**2))
    kernel = (weight / weight.sum()).expand(images.shape[1], 1, 1, WINDOW)
    rows = conv2d(images, kernel, groups=images.shape[1])
    return conv2d(rows, kernel.transpose(2, 3), groups=images.shape[1])


def _of_pairs(images: Tensor, seed: int) -> float:
    """Mean over disjoint random pairs."""
    order = torch.randperm(len(images), generator=stream(seed, "pairs"))
    half = len(images) // 2
    pieces = zip(torch.split(order[:half], 256), torch.split(order[half : 2 * half], 256), strict=True)
    values = [ms_ssim(images[one], images[other]) for one, other in pieces]
    return torch.cat(values).double().mean().item()
