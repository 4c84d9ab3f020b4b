"""What can be trained and will disappoint is said; what is too small is refused with a size that leads somewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.command_line import as_json, cli

from ganzoo import data

CYCLE = ("cyclegan", "--layers-d", "1", "--blocks", "1", "--width-g", "4", "--width-d", "4", "--load-size", "32")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))


def paint(folder: Path, count: int, width: int = 32, height: int = 32) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.random.default_rng([number, width]).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{width}-{number}.png")
    return folder


def said(*words: object) -> str:
    result = cli("train", *words, "--device", "cpu", "--batch-size", "2", "--dry-run")
    return " ".join(result.output.split())


def test_pairs_of_an_unpaired_translator_are_said(tmp_path: Path) -> None:
    paint(tmp_path / "set", 6, width=64)
    data.add("pairs", tmp_path / "set", pairs="halves")
    assert "The pairs of pairs are not used: cyclegan draws its domains independently." in said(
        *CYCLE, "pairs", "--resolution", "32"
    )


def test_pictures_of_pairs_without_pairs_are_refused_with_what_to_type(tmp_path: Path) -> None:
    paint(tmp_path / "set" / "train", 6, width=64)
    paint(tmp_path / "set" / "val", 2, width=64)
    data.add("wide", tmp_path / "set")
    output = said(*CYCLE, "wide", "--resolution", "32")
    assert (
        "twice as wide as high. If each shows a pair A|B, add it so: ganzoo data add NAME SOURCE --pairs halves."
        in output
    )


def test_a_penalty_with_batch_norm_and_a_class_of_one_are_said(tmp_path: Path) -> None:
    paint(tmp_path / "set" / "a", 6)
    paint(tmp_path / "set" / "b", 1)
    data.add("lone", tmp_path / "set")
    size = ("--resolution", "32")
    assert "D has batch norm, through which an item's gradient" in said("dcgan", "lone", *size, "--penalty", "wgan-gp")
    assert "batch norm" not in said("dcgan", "lone", *size)
    assert "batch norm" not in said("dcgan", "lone", *size, "--preset", "digits-32")  # whose author measured it
    assert "There is one item or none of b; cgan cannot learn a class from that." in said("cgan", "lone", *size)


def test_sizes_that_lead_somewhere(tmp_path: Path) -> None:
    paint(tmp_path / "set", 8, 20, 20)
    paint(tmp_path / "set", 12, 90, 70)
    data.add("mixed", tmp_path / "set")
    assert as_json(cli("data", "show", "mixed", "--json"))["short_sides"] == {"16 to 31": 8, "64 to 127": 12}
    shown = " ".join(cli("data", "show", "mixed").output.split())
    assert "16 to 31 pixels: 8, 64 to 127 pixels: 12" in shown
    assert "crop: scaled until it covers the resolution, then the middle is cut out" in shown
    output = said("dcgan", "mixed", "--resolution", "64")
    assert (
        "8 of 20 images of mixed are too small: 20x20 where 64x64 is asked; choose --resolution 32, or leave" in output
    )
    assert "12 of 3×64×64" in said("dcgan", "mixed", "--resolution", "64", "--skip-small")
    assert "20 of 3×32×32" in said("dcgan", "mixed", "--resolution", "32")
    small = data.prepare("mixed", resolution=(64, 64), skip_small=True)
    assert (small.items, small.skipped) == (12, 8)


@pytest.mark.parametrize("batch", [("1",), ("4", "--accumulate", "4")])
def test_what_batch_norm_cannot_take_is_refused_before_there_is_a_folder(
    batch: tuple[str, ...], tmp_path: Path
) -> None:
    words = (
        "gan",
        "digits:images=64",
        "--preset",
        "small",
        "--device",
        "cpu",
        "--steps",
        "1",
        "--out",
        tmp_path / "run",
    )
    result = cli("train", *words, "--batch-size", *batch)
    assert result.exit_code == 2
    assert "Batch norm needs more than one item at a time" in " ".join(result.output.split())
    assert not (tmp_path / "run").exists()
