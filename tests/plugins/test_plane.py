"""Points of the plane: axes that stay, D's verdict behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from ganzoo_point import plane
from ganzoo_point.plane import CELLS, HIGH, LOW, MIDDLE, SIDE, View
from PIL import Image
from torch import nn

from ganzoo.api import Abilities, Architecture, DataSpec


def test_a_view_holds_the_points_in_its_middle_with_room():
    view = View.of(torch.tensor([[-1.0, 5.0], [3.0, 6.0], [0.0, 5.5]]))
    assert (view.x, view.y) == (1.0, 5.5)
    assert view.reach == pytest.approx(plane.ROOM * 2)
    assert View.of(torch.tensor([[7.0], [9.0]])).x == 8.0  # one coordinate will do


def test_places_in_the_picture():
    """The middle is the middle, up is up, what is outside lies on the edge, what is nowhere is left out."""
    points = torch.tensor([[1.0, 2.0], [1.0, 2.5], [99.0, 2.0], [torch.nan, 0.0]])
    middle, above, outside = View(1.0, 2.0, 1.0).pixels(points)
    assert middle == (SIDE / 2, SIDE / 2)
    assert above == (SIDE / 2, SIDE / 4)
    assert SIDE - 2 < outside[0] < SIDE


@dataclass(frozen=True)
class Nothing:
    pass


class Height(Architecture):
    """Its verdict is the second coordinate."""

    Config = Nothing

    def __init__(self, shape=(2,), conditional=False):
        super().__init__(Nothing(), DataSpec(shape))
        self.abilities = Abilities(realness=True, labels=frozenset({"class"} if conditional else ()))
        self.D = nn.Linear(2, 1)

    def realness(self, items):
        assert not self.training
        return items[:, 1]


def test_the_surface_is_the_verdict_where_it_is_drawn():
    model, view = Height(), View(0.0, 3.0, 2.0)
    surface = plane.surface(model, view)
    assert surface.shape == (CELLS, CELLS)
    assert torch.allclose(surface[:, 0], surface[:, -1])
    assert surface[0, 0].item() == pytest.approx(3 + 2 * (1 - 1 / CELLS))  # the topmost cell's middle
    assert surface[-1, 0].item() == pytest.approx(3 - 2 * (1 - 1 / CELLS))
    assert model.training


@pytest.mark.parametrize("model", [Height(shape=(3,)), Height(conditional=True), Height(shape=(1, 8, 8))])
def test_no_surface_where_there_is_none(model):
    assert plane.surface(model, View()) is None


def test_nor_for_who_gives_no_verdict():
    silent = Height()
    silent.verdict = None
    assert plane.surface(type("Silent", (Architecture,), {})(Nothing(), DataSpec((2,))), View()) is None


def colour(values: torch.Tensor, x: int, y: int) -> tuple[int, ...]:
    pixel = plane.draw(torch.zeros(0, 2), View(), verdict=values).getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel


def near(one, other) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 12  # half a band


def test_probabilities_have_the_same_colours_in_every_picture():
    for value, expected in ((0.0, LOW), (0.5, MIDDLE), (1.0, HIGH)):
        assert near(colour(torch.full((CELLS, CELLS), value), 9, 9), expected)


def test_other_verdicts_are_coloured_from_their_least_to_their_greatest():
    values = torch.linspace(-70, 30, CELLS).expand(CELLS, CELLS)
    assert near(colour(values, 1, 9), LOW)
    assert near(colour(values, SIDE - 2, 9), HIGH)


def test_a_verdict_says_its_values_and_two_kinds_of_dots_are_seen():
    real, made = torch.tensor([[0.5, 0.5]]), torch.tensor([[-0.5, 0.5]])
    picture = plane.draw(made, View(0, 0, 1), real, torch.full((CELLS, CELLS), 0.5))
    assert picture.getpixel((SIDE * 3 // 4, SIDE // 4)) == plane.REAL
    assert picture.getpixel((SIDE // 4, SIDE // 4)) == plane.MADE
    assert (np.asarray(picture)[SIDE - 16 :, :60] < 120).all(-1).any()  # letters


def test_a_run_on_points(train):
    """Every sheet shows the same real points at the same places, D's surface, and says when it was made."""
    options = {"preset": "points", "hidden_g": (8,), "hidden_d": (8,), "batch_size": 32, "sample_every": 2}
    run = train(architecture="gan", data="points:images=128", steps=5, **options)
    sheets = sorted((run.path / "samples").iterdir())
    notes = {}
    for file in sheets:
        with Image.open(file) as picture:
            notes[file.name] = (picture.width, picture.info["step"], picture.info["epoch"])
    assert notes == {
        "epoch-0000.png": (SIDE, "0", "0"),
        "step-000002.png": (SIDE, "2", "0"),
        "epoch-0001.png": (SIDE, "4", "1"),  # the fourth step ended an epoch
        "step-000005.png": (SIDE, "5", "1"),
    }
    dots = [(np.asarray(Image.open(file))[:SIDE] == plane.REAL).all(-1) for file in (sheets[0], run.path / "real.png")]
    assert (dots[0] <= dots[1]).all()  # what is not covered by samples
    assert dots[0].any()


def test_the_verdict_of_two_players_is_what_the_log_shows_of_each(make_trainer):
    trainer = make_trainer(loss="lsgan")
    images = torch.rand(5, 3, 8, 8)
    verdict = trainer.model.realness(images)
    assert verdict.shape == (5,)
    assert verdict.mean().item() == pytest.approx(trainer.model.mean_score(trainer.model.D(images)).item(), rel=1e-5)
    assert trainer.model.abilities.realness
