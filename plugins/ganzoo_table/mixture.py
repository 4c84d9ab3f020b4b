"""Gaussian mixtures of one variable, with as many components as the data needs."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

COMPONENTS = 10  # at the most
NARROWEST = 1e-3  # standard deviation, in those of all the data
STEPS = 30  # of EM, after each merging
SEEN = 5_000  # values at the most that it is fitted on


def fit(values: NDArray[np.floating]) -> list[tuple[float, float]]:
    """Mean and standard deviation of each component, from the lowest. The same for the same values.

    EM (Bishop 2006, section 9.2.2) from many components down: the two nearest are merged again and again, and the
    number is kept whose Bayesian information criterion is best (Schwarz 1978).
    """
    chosen = np.sort(values.astype(np.float64))
    if len(chosen) > SEEN:
        chosen = chosen[np.linspace(0, len(chosen) - 1, SEEN).round().astype(int)]
    centre, scale = float(chosen.mean()), float(chosen.std())
    if scale == 0:
        return [(centre, 1.0)]
    x = torch.from_numpy((chosen - centre) / scale)[:, None]  # [N, 1]
    count = min(COMPONENTS, len(np.unique(chosen)))
    mean = torch.quantile(x[:, 0], (torch.arange(count, dtype=torch.float64) + 0.5) / count)
    weight, std = torch.full_like(mean, 1 / count), torch.full_like(mean, 0.3)
    best, found = math.inf, (mean, std)
    while True:
        weight, mean, std, criterion = _expected(x, weight, mean, std)
        if criterion < best:
            best, found = criterion, (mean, std)
        if len(mean) == 1:
            break
        weight, mean, std = _merged(weight, mean, std)
    pairs = zip(found[0].tolist(), found[1].tolist(), strict=True)
    return sorted((centre + scale * one, scale * other) for one, other in pairs)


def _expected(x: Tensor, weight: Tensor, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor, Tensor, float]:
    """Some steps of EM, and the Bayesian information criterion of what they reach."""
    for _ in range(STEPS):
        log = weight.log() - std.log() - ((x - mean) / std).square() / 2  # [N, K]
        share = log.softmax(1)
        total = share.sum(0).clamp(min=1e-9)
        weight, mean = total / len(x), (share * x).sum(0) / total
        std = ((share * (x - mean).square()).sum(0) / total).sqrt().clamp(min=NARROWEST)
    log = weight.log() - std.log() - ((x - mean) / std).square() / 2
    likelihood = float(log.logsumexp(1).sum())
    return weight, mean, std, (3 * len(mean) - 1) * math.log(len(x)) - 2 * likelihood


def _merged(weight: Tensor, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The two nearest neighbours (by the Bhattacharyya distance) as one, with their common mean and variance."""
    order = mean.argsort()
    weight, mean, std = weight[order], mean[order], std[order]
    both = std[1:].square() + std[:-1].square()
    distance = (mean[1:] - mean[:-1]).square() / both / 4 + (both / (2 * std[1:] * std[:-1])).log() / 2
    k = int(distance.argmin())
    pair = weight[k : k + 2] / weight[k : k + 2].sum()
    middle = (pair * mean[k : k + 2]).sum()
    spread = (pair * (std[k : k + 2].square() + (mean[k : k + 2] - middle).square())).sum().sqrt()
    merged = (weight[k : k + 2].sum(), middle, spread)
    kept = zip((weight, mean, std), merged, strict=True)
    parts = [torch.cat([each[:k], one[None], each[k + 2 :]]) for each, one in kept]
    return parts[0], parts[1], parts[2]
