"""The score of the data set `points`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganzoo_drawn.modes import Modes
from ganzoo_drawn.points import Points

import ganzoo
from ganzoo import UsageError
from ganzoo.contract.metric import Evidence


def items(**options) -> torch.Tensor:
    drawn = Points(**options)
    return torch.from_numpy(np.stack([drawn.read(index) for index in range(len(drawn))]))


@pytest.mark.parametrize(("kind", "count"), [("ring", 8), ("grid", 25)])
def test_points_themselves_are_good_but_for_the_tails(kind, count):
    """Within three deviations of a Gaussian in the plane: 1 - exp(-9 / 2)."""
    values = Modes()(Evidence(items(kind=kind, images=500), items(kind=kind, images=20000, seed=1)))
    assert values["modes"] == count
    assert values["good"] == pytest.approx(1 - np.exp(-4.5), abs=0.003)
    assert 0.85 < values["least-mode"] < 1


def test_what_collapsed_is_good_and_of_one_mode():
    fake = torch.tensor([[0.8, 0.0]]).repeat(40, 1)
    assert Modes()(Evidence(items(images=100), fake)) == {"modes": 1, "good": 1, "least-mode": 0}


def test_a_sample_counts_within_three_deviations_of_its_nearest_mode():
    fake = torch.tensor([[0.8 + 0.089, 0.0], [0.8 + 0.091, 0.0], [-0.8, 0.06], [0.0, 0.0], [torch.nan, 0.0]])
    assert Modes()(Evidence(items(images=100), fake)) == {"modes": 2, "good": 0.4, "least-mode": 0}
    wider = Modes(deviations=3.1)(Evidence(items(images=100), fake))
    assert wider["good"] == 0.6


def test_the_least_mode_is_1_where_all_have_as_many():
    fake = torch.from_numpy(Points().modes.copy()).repeat(3, 1)
    assert Modes()(Evidence(items(images=100), fake))["least-mode"] == pytest.approx(1)
    assert Modes()(Evidence(items(images=100), fake[:15]))["least-mode"] == pytest.approx(8 / 15)


@pytest.mark.parametrize("real", [torch.rand(50, 2), torch.rand(50, 3), torch.rand(50, 1, 8, 8)])
def test_other_data_has_no_modes_that_are_known(real):
    with pytest.raises(UsageError, match="modes is for the data set points"):
        Modes()(Evidence(real, real))


def test_it_is_found_and_says_its_protocol(train):
    options = {"preset": "points", "hidden_g": (8,), "hidden_d": (8,), "batch_size": 32}
    run = train(architecture="gan", data="points:images=128", steps=2, **options)
    scores = ganzoo.evaluate(run, samples=100)
    assert [score["name"] for score in scores] == ["modes", "good", "least-mode"]
    assert scores[0]["protocol"]["metric"] == "modes"
    assert scores[0]["protocol"]["deviations"] == 3
