"""The scores' maths against values found another way, in float64, and what `evaluate` makes of runs."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import Items
from PIL import Image

import ganzoo
from ganzoo import classifier, data
from ganzoo.classifier import Classifier, trained_classifier
from ganzoo.data.dataset import Packed, Part
from ganzoo.diversity import Similarity, ms_ssim, scales_of
from ganzoo.errors import UsageError
from ganzoo.fidelity import ByClassifier, frechet_distance
from ganzoo.metrics import Evidence, SlicedWasserstein
from ganzoo.nearest import NearestTraining, nearest


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


# ---- Fréchet distance ------------------------------------------------------------------------------------------------


def test_frechet_distance_of_diagonal_normals_is_the_closed_form():
    """Points at ±s along each axis have a diagonal covariance: the distance is |m|² + Σ (s_i - t_i)²."""
    s, t = np.array([1.0, 2.0, 0.5]), np.array([3.0, 0.1, 0.5])
    mean = np.array([0.5, -1.0, 2.0])

    def cloud(scale: np.ndarray) -> np.ndarray:
        points = np.concatenate([np.diag(scale), -np.diag(scale)])
        return points * math.sqrt((len(points) - 1) / 2)  # so that the unbiased variance is scale²

    found = frechet_distance(torch.from_numpy(cloud(s)), torch.from_numpy(cloud(t) + mean))
    assert found == pytest.approx(np.sum(mean**2) + np.sum((s - t) ** 2), rel=1e-10)


def test_frechet_distance_is_the_trace_of_the_products_root():
    """The other route: eigenvalues of the product of the covariances, which is not symmetric, by numpy."""
    generator = np.random.default_rng(0)
    a = generator.normal(size=(60, 5)) @ generator.normal(size=(5, 5))
    b = generator.normal(size=(90, 5)) @ generator.normal(size=(5, 5)) + 1
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    roots = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).real)
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(cov_a) + np.trace(cov_b) - 2 * roots.sum()
    assert frechet_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_a_collapsed_generator_is_finite():
    real = noise(50, 8)
    one = torch.zeros(50, 8)
    expected = real.double().mean(0).square().sum() + real.double().var(0).sum()
    assert frechet_distance(one, real) == pytest.approx(expected.item(), rel=1e-9)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)


# ---- MS-SSIM ---------------------------------------------------------------------------------------------------------


def slow_ms_ssim(a: np.ndarray, b: np.ndarray, scales: int) -> float:
    """One channel [H, W] in [0, 1], place by place, in float64."""
    window = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(window, window) / np.outer(window, window).sum()
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:scales]
    result = 1.0
    for scale, weight in enumerate(weights / weights.sum()):
        if scale:
            a, b = (z.reshape(z.shape[0] // 2, 2, z.shape[1] // 2, 2).mean((1, 3)) for z in (a, b))
        terms = []
        for y in range(a.shape[0] - 10):
            for x in range(a.shape[1] - 10):
                p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
                mp, mq = (window * p).sum(), (window * q).sum()
                vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
                cov = (window * (p - mp) * (q - mq)).sum()
                term = (2 * cov + 9e-4) / (vp + vq + 9e-4)
                if scale == scales - 1:
                    term *= (2 * mp * mq + 1e-4) / (mp**2 + mq**2 + 1e-4)
                terms.append(term)
        result *= max(0.0, np.mean(terms)) ** weight
    return result


def test_ms_ssim_is_that_of_a_plain_loop():
    a, b = noise(2, 3, 44, 48), noise(2, 3, 44, 48, seed=1)
    b = 0.7 * a + 0.3 * b  # alike enough that no term is cut off at 0
    assert scales_of(a) == 3
    found = ms_ssim(a, b)
    for n in range(2):
        pairs = [(a[n, c].double().numpy() / 2 + 0.5, b[n, c].double().numpy() / 2 + 0.5) for c in range(3)]
        assert found[n].item() == pytest.approx(np.mean([slow_ms_ssim(p, q, 3) for p, q in pairs]), rel=1e-4)


def test_ms_ssim_of_one_image_many_times_is_1_and_less_with_variety():
    one = noise(1, 1, 16, 16).expand(20, 1, 16, 16)
    values = Similarity()(Evidence(noise(20, 1, 16, 16, seed=2), one))
    assert values["ms-ssim"] == pytest.approx(1, abs=1e-5)
    assert values["ms-ssim-real"] < 0.3
    assert values.protocol == {"scales": 1, "pairs": 10}
    with pytest.raises(UsageError, match="images of 11 pixels"):
        Similarity()(Evidence(noise(4, 1, 8, 8), noise(4, 1, 8, 8)))


def test_scales_are_as_many_as_hold_the_window():
    assert [scales_of(torch.zeros(1, 1, side, side)) for side in (10, 11, 28, 32, 64, 128, 256, 512)] == [
        0, 1, 2, 2, 3, 4, 5, 5,
    ]  # fmt: skip


# ---- sliced Wasserstein distance -------------------------------------------------------------------------------------


def test_swd_of_one_level_is_that_of_sorted_projections():
    """A 16-pixel image has one level; all of it again in numpy and float64, but for the random places."""
    from ganzoo.metrics import _descriptors
    from ganzoo.randomness import stream

    real, fake = noise(6, 2, 16, 16), noise(6, 2, 16, 16, seed=3) ** 3
    found = SlicedWasserstein(patches=5, directions=9)(Evidence(real, fake, seed=4))["swd-16"]
    random = stream(4, "patches", 16)
    top, left = (torch.randint(10, (30,), generator=random).tolist() for _ in range(2))
    axes = torch.randn(9, 98, generator=stream(4, "directions")).double().numpy()
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    clouds = []
    for images in (real, fake):
        whole = images.double().numpy()
        patches = np.stack([whole[i // 5, :, top[i] : top[i] + 7, left[i] : left[i] + 7] for i in range(30)])
        patches = patches - patches.mean((0, 2, 3), keepdims=True)
        patches /= patches.std((0, 2, 3), keepdims=True)
        clouds.append(patches.transpose(0, 2, 3, 1).reshape(30, -1))
    projected = [np.sort(axes @ cloud.T, axis=1) for cloud in clouds]
    assert found == pytest.approx(1000 * np.abs(projected[0] - projected[1]).mean(), rel=1e-5)
    assert _descriptors(real, 5, 4).numpy() == pytest.approx(clouds[0], abs=1e-5)


# ---- nearest training images -----------------------------------------------------------------------------------------


def part_of(images: torch.Tensor, labels: torch.Tensor | None = None) -> Part:
    """A part of a data set in memory, from bytes [N, H, W, C]."""
    return Part(Packed(images, torch.device("cpu")), torch.arange(len(images)), labels)


def bytes_of(count: int, side: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, side, side, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_the_nearest_are_those_of_all_distances(monkeypatch):
    monkeypatch.setattr("ganzoo.nearest.PIECE", 7)
    training, queries = part_of(bytes_of(30)), noise(4, 1, 8, 8)
    everything = training.gather(torch.arange(30)).double().numpy().reshape(30, -1)
    each = queries.double().numpy().reshape(4, -1)
    expected = np.sqrt(((each[:, None] - everything[None]) ** 2).mean(2))
    distances, places = nearest(queries, training, 3)
    assert distances.numpy() == pytest.approx(np.sort(expected, 1)[:, :3], rel=1e-4)
    assert (places.numpy() == np.argsort(expected, 1)[:, :3]).all()
