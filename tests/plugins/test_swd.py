"""Scores against values computed another way, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganzoo_scores.swd import SlicedWasserstein, laplacian_pyramid, sliced_distance

from ganzoo import UsageError
from ganzoo.contract.metric import Evidence, TranslationEvidence


def images(count: int, side: int = 32, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_the_pyramid_sums_to_the_image():
    whole = images(4, 64)
    fine, middle, coarse = laplacian_pyramid(whole)
    assert [level.shape[2] for level in (fine, middle, coarse)] == [64, 32, 16]
    assert torch.allclose(enlarged(middle + enlarged(coarse)) + fine, whole, atol=1e-5)


def enlarged(small: torch.Tensor) -> torch.Tensor:
    """Twice the size: zeros between, then the binomial filter, written with numpy in float64."""
    batch, channels, height, width = small.shape
    spread = np.zeros((batch, channels, 2 * height, 2 * width))
    spread[:, :, ::2, ::2] = small.numpy()
    weights = np.array([1, 4, 6, 4, 1]) / 16
    for axis in (2, 3):
        padding = [(2, 2) if i == axis else (0, 0) for i in range(4)]
        mirrored = np.pad(spread, padding, mode="reflect")
        spread = sum(w * np.take(mirrored, range(k, k + spread.shape[axis]), axis) for k, w in enumerate(weights))
    return torch.from_numpy(4 * spread).float()


def test_the_distance_of_two_points_is_that_of_their_projections():
    """For a cloud moved by a vector, each direction sees the vector's projection: E|<d, v>| over the sphere."""
    generator = torch.Generator().manual_seed(1)
    cloud = torch.randn(500, 3, generator=generator)
    moved = cloud + torch.tensor([3.0, 0.0, 4.0])
    expected = 5 / 2  # the mean of |cos| over a sphere in 3 dimensions is 1/2
    assert sliced_distance(cloud, moved, directions=4096) == pytest.approx(expected, rel=0.03)


def test_the_distance_in_one_dimension_is_the_mean_difference_of_sorted_values():
    a, b = np.random.default_rng(0).normal(size=(2, 1000)) * [[1.0], [2.0]]
    expected = np.abs(np.sort(a) - np.sort(b)).mean()
    found = sliced_distance(torch.from_numpy(a).float()[:, None], torch.from_numpy(b).float()[:, None], directions=7)
    assert found == pytest.approx(expected, rel=1e-5)


def test_swd_is_0_for_the_same_images_and_grows_with_noise():
    metric = SlicedWasserstein(patches=16, directions=32)
    smooth = torch.nn.functional.interpolate(images(64, 8), size=32, mode="bilinear")
    noise = images(64, 32, seed=5)
    values = [metric(Evidence(smooth, smooth + strength * noise))["swd-32"] for strength in (0.0, 0.05, 0.5)]
    assert values[0] == 0
    assert values[0] < values[1] < values[2]


def test_swd_names_its_levels_and_their_mean():
    values = SlicedWasserstein(patches=4, directions=8)(Evidence(images(8), images(8, seed=1)))
    assert list(values) == ["swd-32", "swd-16", "swd"]
    assert values["swd"] == pytest.approx((values["swd-32"] + values["swd-16"]) / 2)


def test_swd_of_a_translation_stands_beside_that_of_doing_nothing():
    real, given = images(8), images(8, seed=1) * torch.linspace(0.1, 1, 32)
    halfway = (real + given) / 2
    metric = SlicedWasserstein(patches=16, directions=32)
    before = metric(Evidence(real, given))["swd"]
    assert metric(TranslationEvidence(real=real, fake=halfway, given=given))["swd-doing-nothing"] == before
    assert metric(TranslationEvidence(real=real, fake=halfway, given=given))["swd"] < before
    assert metric(TranslationEvidence(real=real, fake=given, given=given))["swd"] == before


def test_swd_needs_images():
    with pytest.raises(UsageError, match="needs images of 16 pixels"):
        SlicedWasserstein()(Evidence(torch.zeros(4, 2), torch.zeros(4, 2)))


def test_swd_of_clips_sees_what_moves():
    """Clips whose single frames are as the data's, but which stand still, go faster or have their frames mixed."""
    metric = SlicedWasserstein(patches=64, directions=64)
    start = images(200, 48)
    start = torch.nn.functional.avg_pool2d(start, 5, 1, 2)

    def clips(start: torch.Tensor, speed: int) -> torch.Tensor:
        return torch.stack([start[..., 4 : 4 + 32, 2 + speed * t : 34 + speed * t] for t in range(4)], 1)

    def swd(fake: torch.Tensor) -> float:
        return metric(Evidence(clips(start, 1), fake))["swd-32"]

    data_itself = swd(clips(torch.nn.functional.avg_pool2d(images(200, 48, seed=1), 5, 1, 2), 1))
    assert swd(clips(start, 1)) == 0
    assert min(swd(clips(start, 0)), swd(clips(start, 3)), swd(clips(start, 1).flip(1))) > 2 * data_itself
    assert swd(clips(start, 1)[:, :1].expand(-1, 4, -1, -1, -1)) > 2 * data_itself
