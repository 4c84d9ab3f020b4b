"""GANs that are told attributes or numbers: trained on files of them, and sampled with `--label`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from support.command_line import cli, refusal

import ganzoo

COUNT = 12


@pytest.fixture(autouse=True)
def conditions(own_catalogue: None, install: Callable[..., Path]) -> None:
    install("from tinyzoo.conditions import ganzoo_architectures")


def labelled(folder: Path, name: str, heading: str, row: Callable[[int], str]) -> None:
    """A data set of grey levels, and its labels file."""
    (folder / "img").mkdir()
    for number in range(COUNT):
        Image.new("RGB", (8, 8), (20 * number,) * 3).save(folder / "img" / f"{number:02d}.png")
    lines = [heading, *(f"{number:02d}.png,{row(number)}" for number in range(COUNT))]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert cli("data", "add", name, folder / "img", "--labels", folder / "labels.csv").exit_code == 0


def trained(name: str, data: str, out: Path) -> ganzoo.Run:
    words = ("--device", "cpu", "--samples", "4", "--steps", "4", "--batch-size", "4", "--out", out)
    result = cli("train", name, data, *words)
    assert result.exit_code == 0, result.output
    return ganzoo.Run.open(out)


def test_attributes_are_learned_and_asked_for(tmp_path: Path) -> None:
    labelled(tmp_path, "marked", "file,a,b", lambda number: f"{number % 2},{int(number > 5)}")
    run = trained("tinyattributes", "marked", tmp_path / "run")
    assert run.facts["data"]["label_names"] == ["a", "b"]
    assert cli("sample", run.path, "-n", "4", "--label", "a=1,b=0", "-o", tmp_path / "x.png").exit_code == 0
    model = ganzoo.load(run.path)
    assert torch.equal(model.labels(3, label="a=1,b=0"), torch.tensor([[1.0, 0.0]] * 3))
    one, other = model.sample(3, label="a=1,b=0"), model.sample(3, label="a=0,b=0")
    assert not torch.equal(one, other)
    assert torch.equal(one, model.sample(3, label="b=0,a=1"))
    assert "There is no column 'c'" in refusal(cli("sample", run.path, "--label", "c=1"))
    line = refusal(cli("train", "tinynumbers", "marked", "--steps", "1", "--batch-size", "4"))
    assert "tinynumbers takes labels of the kind numbers, and marked has those of the kind attributes" in line
    assert "the first in the column 'a';" in line


def test_numbers_are_learned_and_asked_for_in_their_own_units(tmp_path: Path) -> None:
    labelled(tmp_path, "measured", "file,age", lambda number: f"{number + 0.5}")
    run = trained("tinynumbers", "measured", tmp_path / "run")
    assert cli("sample", run.path, "-n", "4", "--label", "3.5", "-o", tmp_path / "x.png").exit_code == 0
    model = ganzoo.load(run.path)
    expected = (3.5 - 6.0) / torch.arange(COUNT).float().std(correction=0)
    assert model.labels(2, label="3.5") == pytest.approx(expected.expand(2, 1))
    assert torch.equal(model.sample(2, label="3.5"), model.sample(2, label="age=3.5"))
    assert not torch.equal(model.sample(2, label="3.5"), model.sample(2, label="9"))
    assert "--label takes a number for the column 'age'" in refusal(cli("sample", run.path, "--label", "age=old"))


def test_classes_are_refused_where_columns_are_needed(tmp_path: Path) -> None:
    line = refusal(cli("train", "tinyattributes", "tiny", "--steps", "1", "--batch-size", "4"))
    assert "tinyattributes takes labels of the kind attributes, and tiny has those of the kind class;" in line
