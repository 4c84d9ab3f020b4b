"""Density and coverage (Naeem et al. 2020, arXiv:2002.09797), in float64."""

from __future__ import annotations

import torch
from torch import Tensor

PIECE = 1000  # rows of distances at a time


def density_coverage(fake: Tensor, real: Tensor, neighbours: int = 5) -> tuple[float, float]:
    """How many real images' neighbourhoods a sample lies in, over `neighbours` (density), and the share of real images
    with a sample in theirs (coverage).

    A real image's neighbourhood reaches to its `neighbours`-th nearest other real image.

    Args:
        fake, real: features [M, D] and [N, D], N > `neighbours`.
    """
    fake, real = fake.double(), real.double()
    pieces = [_distances(some, real).kthvalue(neighbours + 1, 1).values for some in torch.split(real, PIECE)]
    radius = torch.cat(pieces)
    within, nearest = 0.0, torch.full((len(real),), torch.inf, dtype=torch.float64)
    for some in torch.split(fake, PIECE):
        distances = _distances(some, real)
        within += float((distances < radius).double().sum())
        nearest = torch.minimum(nearest, distances.min(0).values)
    return within / (neighbours * len(fake)), float((nearest < radius).double().mean())


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")  # whose zeros are exact
