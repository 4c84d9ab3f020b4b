"""What makes it a translator of pairs: one direction, pairs that belong together, dropout in use."""

from pathlib import Path

import ganzoo
import numpy as np
import pytest
import torch
from ganzoo.api import Batch, DataSpec, Progress, UsageError

from ganzoo_paired.model import Paired, PairedConfig
from ganzoo_paired.outlines import Outlines

PAIRS = DataSpec((3, 32, 32), domains=("A", "B"), paired=True)
SMALL = PairedConfig(width=4)


@pytest.fixture
def small() -> Paired:
    torch.manual_seed(0)
    return Paired(SMALL, PAIRS)


def updates(model: Paired, a: torch.Tensor, b: torch.Tensor) -> list:
    progress = Progress(step=0, images=0, epoch=0, stage_images=0, total_images=8)
    return list(model.step(iter([Batch(a, None, {"A": a, "B": b})]), progress))


def test_an_outline_and_its_shape_belong_together() -> None:
    data = Outlines(images=20)
    for index in range(0, 20, 2):
        outline, filled = data.read(index), data.read(index + 1)
        assert np.array_equal(filled, data.partner(index))
        rows, columns = np.nonzero(outline.sum(2) == 0)
        assert (filled[rows, columns] != 255).any(1).mean() > 0.2  # half of the line is within
        ys, xs = np.nonzero((filled != 255).any(2))
        assert abs(rows.mean() - ys.mean()) < 2
        assert abs(columns.mean() - xs.mean()) < 2


def test_who_moves_and_by_what(small: Paired) -> None:
    a, b = torch.rand(2, 4, 3, 32, 32) * 2 - 1
    first, second = updates(small, a, b)
    assert (first.networks, second.networks) == ("D", "G")
    assert set(second.terms) == {"adversarial", "l1"}


def test_the_distance_is_from_the_partner(small: Paired) -> None:
    a = torch.rand(4, 3, 32, 32) * 2 - 1
    torch.manual_seed(1)
    b = small.G(a).detach()
    torch.manual_seed(1)
    assert updates(small, a, b)[1].terms["l1"].item() == pytest.approx(0, abs=1e-3)
    torch.manual_seed(1)
    assert updates(small, a, b.roll(1, 0))[1].terms["l1"] > 0.1


def test_it_goes_one_way(small: Paired) -> None:
    assert small.targets == ("B",)


def test_outlines_may_have_one_channel() -> None:
    data = DataSpec((1, 32, 32), domains=("A", "B"), shapes={"A": (1, 32, 32), "B": (3, 32, 32)}, paired=True)
    assert Paired(SMALL, data).translate(torch.zeros(2, 1, 32, 32), "B").shape == (2, 3, 32, 32)


@pytest.mark.parametrize("data", [DataSpec((3, 32, 32)), DataSpec((3, 36, 32), domains=("A", "B"))])
def test_what_it_cannot_do_is_refused(data: DataSpec) -> None:
    with pytest.raises(UsageError):
        Paired(SMALL, data)


def test_each_item_drops_others_and_none_in_evaluation(small: Paired) -> None:
    x = torch.ones(2, 64, 1, 1)
    dropped = small.G.noise(x)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(dropped[0], dropped[1])
    assert torch.equal(small.eval().G.noise(x), x)


def test_a_run_translates_with_dropout_that_its_seed_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    run = ganzoo.train("paired", "outlines:images=32", preset="small", steps=2, device="cpu", out=str(tmp_path / "run"))
    model = ganzoo.load(run.path, device="cpu")
    assert model.domains == ("B",)
    images = torch.rand(3, 3, 32, 32) * 2 - 1
    there = model.translate(images, "B", seed=4)
    assert torch.equal(there, model.translate(images, "B", seed=4))
    assert torch.equal(there[1:2], model.translate(images[1:2], "B", seed=4, first=1))
    assert not torch.equal(there, model.translate(images, "B"))


def test_unpaired_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    with pytest.raises(UsageError, match="learns from pairs"):
        ganzoo.train("paired", "anime-hair:images=64", preset="small", steps=2, out=str(tmp_path / "run"))


def test_the_second_domain_may_be_larger() -> None:
    shapes = {"A": (1, 32, 32), "B": (3, 64, 64)}
    model = Paired(SMALL, DataSpec((1, 32, 32), domains=("A", "B"), paired=True, shapes=shapes))
    assert model.G(torch.zeros(2, 1, 32, 32)).shape == (2, 3, 64, 64)
    assert len(updates(model, torch.zeros(2, 1, 32, 32), torch.zeros(2, 3, 64, 64))) == 2
    with pytest.raises(UsageError, match="2, 4, … times as large"):
        Paired(
            SMALL, DataSpec((3, 32, 32), domains=("A", "B"), paired=True, shapes={"A": (3, 32, 32), "B": (3, 96, 96)})
        )
