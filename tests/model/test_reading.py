"""A model reads pictures as those it was trained on were read: by the whole set's levels, not by the picture's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.command_line import cli

import ganzoo
from ganzoo import data
from ganzoo.errors import GanzooError
from ganzoo.loop.display import Display

RAMP = np.linspace(0, 1, 16)[None, :].repeat(16, 0)
OPTIONS = {"steps": 1, "samples": 1, "device": "cpu", "batch_size": 2, "display": Display()}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def ramps(folder: str, top: float, dtype: type[np.generic] = np.uint16) -> Path:
    Path(folder).mkdir()
    for number in range(6):
        Image.fromarray(np.round(np.roll(RAMP, number, 1) * top).astype(dtype)).save(f"{folder}/{number}.png")
    return Path(folder)


def test_project_reads_by_the_range_of_training(train, tmp_path):
    """A picture that fills a quarter of the set's range stays as dark as the set's own would be."""
    data.add("deep", ramps("deep", 4095))
    run = train(data="deep", out="run", steps=1, samples=1, batch_size=2, resolution=16)
    assert run.facts["data"]["levels"] == {"": {"black": 0.0, "white": 4095.0}}
    Image.fromarray(np.full((16, 16), 1024, np.uint16)).save("dark.png")
    model = ganzoo.load(run.path, device="cpu")
    target = model.project("dark.png", steps=1, starts=1).target
    assert target.mean().item() == pytest.approx(2 * 1024 / 4095 - 1, abs=0.01)
    answer = cli("project", run.path, "dark.png", "--steps", 1, "--starts", 1, "--device", "cpu").output
    assert "Stored values 0-4095 are taken from black to white, as in training" in answer
    answer = cli("project", run.path, "dark.png", "--steps", 1, "--starts", 1, "--levels", "0-1024").output
    assert "Stored values 0-1024 are taken from black to white; results have 8 bits." in answer
    assert "is not understood" in cli("project", run.path, "dark.png", "--levels", "dark").output


def test_a_picture_of_8_bits_is_read_as_it_is_beside_deeper_ones(train):
    data.add("deep", ramps("deep", 4095))
    run = train(data="deep", out="run", steps=1, samples=1, batch_size=2, resolution=16)
    Image.fromarray(np.full((16, 16), 51, np.uint8)).save("plain.png")
    target = ganzoo.load(run.path, device="cpu").project("plain.png", steps=1, starts=1).target
    assert target.mean().item() == pytest.approx(2 * 51 / 255 - 1, abs=0.01)


def test_masks_of_0_and_1_are_black_and_white_to_their_model_too(train):
    data.add("masks", ramps("masks", 1, np.uint8))
    run = train(data="masks", out="run", steps=1, samples=1, batch_size=2, resolution=16)
    assert run.facts["data"]["levels"] == {"": {"black": 0.0, "white": 1.0, "of_bytes": True}}
    target = ganzoo.load(run.path, device="cpu").project("masks/0.png", steps=1, starts=1).target
    assert {*target.unique().tolist()} == {-1.0, 1.0}


def test_a_set_of_8_bits_leaves_no_levels(train):
    data.add("plain", ramps("plain", 255, np.uint8))
    assert "levels" not in train(data="plain", out="run", steps=1, samples=1, batch_size=2, resolution=16).facts["data"]


def test_translate_reads_by_the_levels_of_the_domain_that_the_images_are_of():
    data.add("two", [ramps("a", 4095), ramps("b", 60000)])
    small = {"resolution": 16, "width_g": 4, "width_d": 4, "layers_d": 1}
    run = ganzoo.train("cyclegan", "two", out="run", **small, **{**OPTIONS, "batch_size": 1})
    levels = run.facts["data"]["levels"]
    assert (levels["A"]["white"], levels["B"]["white"]) == (4095, 60000)
    dim = Image.fromarray(np.round(RAMP * 1000).astype(np.uint16))
    Path("given").mkdir()
    dim.save("given/dim.png")
    answer = cli("translate", run.path, "given", "--to", "B", "-o", "out", "--device", "cpu").output
    assert "Stored values 0-4095 are taken from black to white, as in training" in answer
    assert "lies beyond" not in answer
    Image.fromarray(np.round(RAMP * 9000).astype(np.uint16)).save("given/bright.png")
    answer = cli("translate", run.path, "given", "--to", "B", "-o", "out2", "--device", "cpu").output
    assert (
        "The images have values from 0 to 9000, and what lies beyond is cut; another choice: --levels=0-9000." in answer
    )
    # From Python, an opened picture of more than 8 bits is read alike.
    model = ganzoo.load(run.path, device="cpu")
    by_hand = Image.fromarray(np.floor(np.round(RAMP * 1000) * 255 / 4095 + 0.5).astype(np.uint8))
    assert model.translate(dim, "B").tobytes() == model.translate(by_hand, "B").tobytes()


def test_levels_that_cannot_be_are_a_sentence(train):
    data.add("deep", ramps("deep", 4095))
    run = train(data="deep", out="run", steps=1, samples=1, batch_size=2, resolution=16)
    file = run.path / "run.json"
    file.write_text(file.read_text().replace('"white": 4095.0', '"white": 0.0'))
    with pytest.raises(GanzooError, match=r"levels from 0.0 to 0.0"):
        ganzoo.Run.open(run.path)
