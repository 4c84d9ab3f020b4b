"""What a sheet of samples says in numbers."""

from __future__ import annotations

import pytest
import torch

from ganzoo.loop.samples import changed, copied, diversity, sketch, small


def test_diversity_is_the_mean_distance_over_that_of_real_items():
    random = torch.Generator().manual_seed(0)
    real = torch.randn(12, 3, 32, 32, generator=random)
    assert diversity(real, real) == {"diversity": pytest.approx(1)}
    assert diversity(real / 4, real) == {"diversity": pytest.approx(0.25)}
    assert diversity(real[:1].expand(12, -1, -1, -1), real) == {"diversity": 0}
    assert diversity(real, torch.zeros_like(real)) == {}, "real items that are all alike say nothing"
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    assert diversity(points, 2 * points) == {"diversity": 0.5}


def test_copies_are_three_times_nearer_to_one_item_than_to_any_other():
    random = torch.Generator().manual_seed(0)
    training = torch.randn(40, 1, 8, 8, generator=random)
    near = training[:6] + 0.01 * torch.randn(6, 1, 8, 8, generator=random)
    others = torch.randn(2, 1, 8, 8, generator=random)
    pieces = [small(part) for part in torch.split(training, 15)]
    assert copied(torch.cat([near, others]), training[:8], pieces) == {"copied": 0.75}


@pytest.mark.parametrize("shape", [(1, 4096), (27, 12), (16, 3, 32, 32)], ids=["sounds", "text", "clips"])
def test_copies_and_change_of_items_that_are_no_images(shape):
    random = torch.Generator().manual_seed(0)
    training, made = (torch.randn(40, *shape, generator=random) for _ in range(2))
    pieces = [small(part) for part in torch.split(training, 15)]
    assert pieces[0].shape[1] <= 768
    assert copied(torch.cat([training[:6], made[:2]]), training[:8], pieces) == {"copied": 0.75}
    assert copied(made[:8], training[:8], pieces) == {"copied": 0}
    moved = made + 0.1 * torch.randn(40, *shape, generator=random)
    assert changed(sketch(moved), sketch(made))["change"] == pytest.approx(0.1, rel=0.3)


def test_points_that_lie_close_to_one_by_chance_are_no_copies():
    random = torch.Generator().manual_seed(0)
    training, made = (torch.randn(400, 1, generator=random) for _ in range(2))
    assert copied(made, training, [small(training)])["copied"] < 0.1, "where a third has such a neighbour"
    assert copied(training, training, [small(training)])["copied"] > 0.6


def test_change_is_measured_against_the_contrast():
    still = torch.zeros(2, 1, 8, 8)
    still[..., :4] = 2
    assert changed(sketch(still), sketch(still)) == {"change": 0}
    moved = still.clone()
    moved[..., :4] -= 0.1
    assert changed(sketch(still), sketch(moved)) == {"change": pytest.approx((0.1**2 / 2) ** 0.5)}
    assert changed(sketch(still), sketch(torch.zeros(2, 1, 9, 8))) == {}
    assert changed(sketch(0 * still), sketch(still)) == {}, "all alike"
