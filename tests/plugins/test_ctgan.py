"""CTGAN: what the paper says of networks, sampling and packs; rows on demand, as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from ganzoo_table.table import Table
from matplotlib.figure import Figure
from support.command_line import cli, refusal

from ganzoo.api import Batch, DataSpec, Progress, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts

CTGAN = load_architecture(find("architecture", "ctgan"))
# A number with two modes, a category of three words, a number with one mode, a category of two words.
CHOICES = ((1, 3), (3, 6), (7, 8), (8, 10))
START = Progress(0, 0, 0, 0, 100)


def build(**options):
    torch.manual_seed(0)
    return CTGAN(CTGAN.Config(**options), DataSpec((10,), modality="table", choices=CHOICES))


def table(count: int, odds=(0.9, 0.08, 0.02)) -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    found = torch.zeros(count, 10)
    found[:, 0], found[:, 6] = torch.rand(2, count, generator=random) * 2 - 1
    for start, weights in ((1, (0.5, 0.5)), (3, odds), (7, (1.0,)), (8, (0.7, 0.3))):
        which = torch.multinomial(torch.tensor(weights), count, True, generator=random)
        found[torch.arange(count), start + which] = 1
    return found


def test_the_layers_of_the_paper():
    """Section 4.4: two hidden layers of 256; a layer of G sees all before it, D sees ten rows with their conditions."""
    asked, row = 5, 10
    g = (128 + asked) * 256 + 256 + 512 + (128 + asked + 256) * 256 + 256 + 512 + (128 + asked + 512) * row + row
    d = 10 * (row + asked) * 256 + 256 + 256 * 256 + 256 + 256 + 1
    assert parameter_counts(build()) == {"G": g, "C": d}


def test_categories_are_told_from_modes():
    model = build()
    assert model.categories == [(3, 6), (8, 10)]
    assert model.asked == [3, 4, 5, 8, 9]
    assert model.abilities.labels == {"choices"}
    assert model.latent_dim == 128 + 8


def test_rows_have_what_was_asked_and_rare_categories_come_often():
    model, real = build(), table(2000)
    rows, condition = model.sampled(real)
    assert torch.equal(condition.sum(1), torch.ones(2000))
    assert ((rows * condition).sum(1) == 1).all()
    assert condition[:, 3:6].sum() / 2000 == pytest.approx(0.5, abs=0.05)
    shares = condition[:, 3:6].sum(0) / condition[:, 3:6].sum()
    logs = (1 + real[:, 3:6].sum(0)).log()
    assert shares.tolist() == pytest.approx((logs / logs.sum()).tolist(), abs=0.05)
    none = table(500, (0.5, 0.5, 0.0))  # a category that the batch has not is not asked for
    assert model.sampled(none)[1][:, 5].sum() == 0


def test_packs_hold_ten_rows_and_are_filled_from_the_top():
    model = build()
    items, asked = torch.arange(250.0).reshape(25, 10), torch.zeros(25, 5)
    packs = model.packed(items, asked)
    assert packs.shape == (3, 150)
    assert torch.equal(packs[1, :10], items[10])
    assert torch.equal(packs[2, 5 * 15 : 5 * 15 + 10], items[0])


def test_who_moves_and_by_what():
    model = build(hidden=8)
    turns = list(model.step(iter([Batch(table(40))]), START))
    assert [turn.networks for turn in turns] == ["C", "G"]
    assert set(turns[0].terms) == {"adversarial", "wgan-gp"}
    assert set(turns[1].terms) == {"adversarial", "condition"}


def test_what_is_made_is_numbers_and_choices():
    model = build(hidden=8).eval()
    made = model.generate(torch.randn(50, model.latent_dim))
    for start, end in CHOICES:
        assert torch.allclose(made[:, start:end].sum(1), torch.ones(50), atol=1e-5)
    assert made[:, [0, 6]].abs().max() <= 1
    z = torch.randn(1, model.latent_dim).repeat(400, 1)
    z[:, 128:] = torch.randn(400, 8)  # the same logits, other Gumbel noise: the categories by their chances
    shares = torch.nn.functional.one_hot(model.generate(z)[:, 3:6].argmax(1), 3).float().mean(0)
    chances = model.G.logits(z[:1], torch.zeros(1, 5))[0, 3:6].softmax(0)
    assert (shares - chances).abs().max() < 0.1


def test_a_category_that_was_not_made_costs_its_cross_entropy():
    model = build()
    condition = torch.zeros(2, 10)
    condition[0, 4] = condition[1, 8] = 1
    logits = torch.zeros(2, 10)
    wanted = (torch.tensor(3.0).log() + torch.tensor(2.0).log()) / 2
    assert model.missed(logits, condition).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_other_items_are_refused():
    with pytest.raises(UsageError, match="tables"):
        CTGAN(CTGAN.Config(), DataSpec((3, 32, 32)))


def test_people_on_demand_as_csv(tmp_path: Path):
    run, file = tmp_path / "run", tmp_path / "rows.csv"
    out = cli("train", "ctgan", "people:images=1500", "--preset", "small", "--steps", "40", "--batch-size", "100",
              "--lr", "5e-3", "--hidden", "32", "--ema", "0", "--device", "cpu", "--out", run)  # fmt: skip
    assert out.exit_code == 0, out.output
    females = {}
    for sex in ("female", "male"):
        assert cli("sample", run, "-n", "200", "--label", f"sex={sex}", "-o", file).exit_code == 0
        with file.open() as text:
            rows = list(csv.DictReader(text))
        assert len(rows) == 200
        females[sex] = sum(row["sex"] == "female" for row in rows)
    assert females["female"] > females["male"] + 20
    for label, said in (
        ("sex=dog", "the column sex has female, male"),
        ("age=30", "'age' is a column of numbers"),
        ("six=male", "'six' is no column"),
    ):
        assert said in refusal(cli("sample", run, "--label", label))


def test_a_table_of_one_row_is_refused(tmp_path: Path):
    (tmp_path / "one.csv").write_text("a,b\n1,x\n")
    cli("data", "add", "one-row", tmp_path / "one.csv", "--as", "table")
    assert refusal(cli("train", "ctgan", "one-row", "--out", tmp_path / "run"))


def test_a_sheet_says_the_words_of_a_column_whole():
    axis = Figure().subplots()
    table = Table.__new__(Table)
    table.state = {"columns": [{"name": "school", "kind": "category", "values": ["university", "a" * 30]}]}
    table._draw(axis, 0, torch.tensor([0.0, 1.0]), None)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["university", "a" * 11 + "…"]
