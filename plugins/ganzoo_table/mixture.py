"""Gaussian mixtures of one variable, with as many components as the data needs."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

COMPONENTS = 10  # at the most
PRIOR = 1e-3  # of the Dirichlet distribution of weights: what is not needed dies out
LIGHTEST = 5e-3  # weight of a component that is kept
NARROWEST = 1e-3  # standard deviation, in those of all the data
STEPS = 100
SEEN = 10_000  # values at the most that it is fitted on


def fit(values: NDArray[np.floating]) -> list[tuple[float, float]]:
    """Mean and standard deviation of each component, from the lowest: variational EM over the weights (Bishop 2006,
    section 10.2, with point estimates of means and variances). The same for the same values.
    """
    chosen = np.sort(values.astype(np.float64))
    if len(chosen) > SEEN:
        chosen = chosen[np.linspace(0, len(chosen) - 1, SEEN).round().astype(int)]
    centre, scale = float(chosen.mean()), float(chosen.std())
    if scale == 0 or not len(chosen):
        return [(centre, 1.0)]
    x = torch.from_numpy((chosen - centre) / scale)[:, None]  # [N, 1]
    mean = torch.quantile(x[:, 0], (torch.arange(COMPONENTS, dtype=torch.float64) + 0.5) / COMPONENTS)
    std = torch.full_like(mean, 0.5)
    count = torch.full_like(mean, len(chosen) / COMPONENTS)
    for _ in range(STEPS):
        weight = torch.digamma(PRIOR + count) - torch.digamma((PRIOR + count).sum())  # the expected logarithm
        log = weight - std.log() - ((x - mean) / std).square() / 2
        share = log.softmax(1)  # [N, K]
        count = share.sum(0)
        mean = (share * x).sum(0) / count.clamp(min=1e-9)
        std = ((share * (x - mean).square()).sum(0) / count.clamp(min=1e-9)).sqrt().clamp(min=NARROWEST)
    kept = (count / len(chosen) > LIGHTEST).nonzero().flatten().tolist()
    return sorted((centre + scale * float(mean[k]), scale * float(std[k])) for k in kept)
