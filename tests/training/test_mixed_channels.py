"""Domains of different channels: grey A and colour B, from the folders to sheets, translations and exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.command_line import as_json, cli

import ganzoo
from ganzoo import data

SIZE = 32
TINY = {
    "cyclegan": ("--layers-d", "1", "--blocks", "1", "--width-g", "4", "--width-d", "4", "--load-size", str(SIZE)),
    "discogan": ("--width-g", "4", "--width-d", "4"),
}


@pytest.fixture
def grey_and_colour(tmp_path: Path) -> str:
    random = torch.Generator().manual_seed(0)
    for folder, channels in (("trainA", 1), ("trainB", 3), ("testA", 1), ("testB", 3)):
        (tmp_path / "set" / folder).mkdir(parents=True)
        for number in range(6 if folder.startswith("train") else 2):
            pixels = torch.randint(0, 256, (SIZE, SIZE, channels), dtype=torch.uint8, generator=random)
            picture = pixels[..., 0] if channels == 1 else pixels
            Image.fromarray(picture.numpy()).save(tmp_path / "set" / folder / f"{number}.png")
    data.remove("mixed") if "mixed" in {info.name for info in data.names()} else None
    assert cli("data", "add", "mixed", tmp_path / "set").exit_code == 0
    return "mixed"


def test_each_domain_keeps_its_channels_unless_channels_are_asked(grey_and_colour: str) -> None:
    dataset = data.prepare(grey_and_colour)
    assert dict(dataset.shapes) == {"A": (1, SIZE, SIZE), "B": (3, SIZE, SIZE)}
    assert dataset.shape == (1, SIZE, SIZE)
    some = torch.arange(2)
    parts = {**dataset.parts, **dataset.held_out}
    channels = {name: part.gather(some).shape[1] for name, part in parts.items()}
    assert channels == {"A": 1, "B": 3, "testA": 1, "testB": 3}
    colour = data.prepare(grey_and_colour, channels=3)
    assert colour.shapes == {}
    assert torch.equal(colour.parts["A"].gather(some), dataset.parts["A"].gather(some).expand(-1, 3, -1, -1))


@pytest.mark.parametrize("name", TINY)
def test_grey_stays_grey(name: str, grey_and_colour: str, tmp_path: Path) -> None:
    run_folder = tmp_path / "run"
    words = ("--steps", "4", "--batch-size", "2", "--resolution", str(SIZE), "--device", "cpu", "--samples", "4")
    result = cli("train", name, grey_and_colour, *words, *TINY[name], "--out", run_folder)
    assert result.exit_code == 0, result.output
    run = ganzoo.Run.open(run_folder)
    assert run.facts["data"]["shapes"] == {"A": [1, SIZE, SIZE], "B": [3, SIZE, SIZE]}
    with Image.open(next((run.path / "samples").iterdir())) as sheet:
        assert sheet.mode == "RGB"
        pixels = np.asarray(sheet.crop((2, 2, 2 + SIZE, 2 + SIZE)))
        assert (pixels[..., 0] == pixels[..., 2]).all()  # the first real image, of A
    model = ganzoo.load(run.path)
    grey = model.translate(torch.zeros(2, 3, SIZE, SIZE), "A")
    assert grey.shape == (2, 1, SIZE, SIZE)
    assert model.translate(grey, "B").shape == (2, 3, SIZE, SIZE)
    picture = tmp_path / "set" / "testB" / "0.png"
    assert cli("translate", run.path, picture, "--to", "A", "-o", tmp_path / "out").exit_code == 0
    with Image.open(tmp_path / "out" / "0.png") as made:
        assert made.mode == "L"
    for to in ("A", "B"):
        file = tmp_path / f"{to}.pt2"
        done = cli("export", run.path, "--format", "torch-export", "--to", to, "-o", file)
        assert done.exit_code == 0, done.output
    program = torch.export.load(tmp_path / "A.pt2").module()
    assert program(torch.zeros(2, 3, SIZE, SIZE)).shape == (2, 1, SIZE, SIZE)
    rows = as_json(cli("evaluate", run.path, "--metric", "there-and-back", "--metric", "swd", "--json"))["metrics"]
    assert {"there-and-back", "swd", "swd-doing-nothing"} <= {row["name"] for row in rows}


def test_others_get_every_domain_in_colour(
    grey_and_colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ganzoo_cyclegan.model import CycleGAN

    from ganzoo.api import Abilities

    monkeypatch.setattr(CycleGAN, "abilities", Abilities(translate=True))
    words = ("--steps", "1", "--batch-size", "2", "--resolution", str(SIZE), "--device", "cpu", "--out", tmp_path / "r")
    result = cli("train", "cyclegan", grey_and_colour, *words, *TINY["cyclegan"])
    assert result.exit_code == 0, result.output
    facts = ganzoo.Run.open(tmp_path / "r").facts["data"]
    assert (facts["shape"], facts.get("shapes")) == ([3, SIZE, SIZE], None)
