"""Sheets as they are shown: enlarged, with names and a caption, and with notes in the file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo import UsageError
from ganzoo.catalogue.modalities import make_modality
from ganzoo.pictures.framed import LARGEST, framed, save_sheet
from ganzoo.pictures.grid import to_picture


@pytest.mark.parametrize(("side", "times"), [(8, 16), (28, 4), (32, 4), (64, 2), (128, 1), (256, 1)])
def test_small_images_are_enlarged_in_whole_steps(side, times):
    images = torch.rand(4, 3, side, side) * 2 - 1
    small, shown = ganzoo.sheet(images, scale=1), ganzoo.sheet(images)
    assert shown.size == (small.width * times, small.height * times)
    assert (np.asarray(shown)[::times, ::times] == np.asarray(small)).all()


def test_a_large_sheet_is_enlarged_less():
    assert max(ganzoo.sheet(torch.zeros(1024, 1, 32, 32)).size) <= LARGEST
    assert ganzoo.sheet(torch.zeros(1, 1, 32, 32), scale=7).size == (7 * 36, 7 * 36)
    with pytest.raises(UsageError, match="1 time or more"):
        ganzoo.sheet(torch.zeros(1, 1, 8, 8), scale=0)
    with pytest.raises(UsageError, match="too large"):
        ganzoo.sheet(torch.zeros(1, 1, 8, 8), scale=100_000)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_names_and_a_caption_leave_the_images_as_they_are(mode):
    picture = Image.effect_noise((300, 200), 80).convert(mode)
    whole = framed(picture, "dcgan trên mặt người · seed 1", ["day", "→ night"], ["a", "b", "c"])
    assert whole.mode == mode
    left, above = (whole.width - picture.width), next(y for y in range(200) if _found(whole, picture, y))
    assert left > 20 > above > 10
    assert whole.height > above + picture.height
    inked = np.asarray(whole.convert("L")) < 128
    assert inked[:, :left].any()
    assert inked[:above].any()
    assert inked[above + picture.height :].any()


def _found(whole, picture, top):
    left = whole.width - picture.width
    return whole.crop((left, top, whole.width, top + picture.height)).tobytes() == picture.tobytes()


def test_a_caption_that_is_too_long_takes_more_lines():
    picture = Image.new("RGB", (120, 40))
    short, long = framed(picture, "seed 1"), framed(picture, "a long caption of many words " * 5)
    assert (short.width, long.width) == (120, 120)
    assert long.height > short.height + 60


def test_a_png_is_exact_equal_each_time_and_no_larger_than_usual(tmp_path):
    """Of what is smooth and slightly noisy, as generated images are, alone and enlarged on a sheet."""
    coarse = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    images = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bicubic").tanh()
    for picture in (ganzoo.sheet(images), to_picture(images[0])):
        picture.save(usual := tmp_path / "usual.png")
        save_sheet(picture, ours := tmp_path / "ours.png")
        assert ours.stat().st_size <= 1.05 * usual.stat().st_size
        assert Image.open(ours).tobytes() == picture.tobytes()
    make_modality("image").save(images[:1], again := tmp_path / "again.png")
    assert again.read_bytes() == ours.read_bytes()


def test_notes_are_in_the_file(tmp_path):
    notes = {"seed": "3", "command": "ganzoo sample ảnh --seed 3"}
    picture = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    for ending in (".png", ".jpg", ".webp"):
        save_sheet(picture, tmp_path / f"a{ending}", notes)
    with Image.open(tmp_path / "a.png") as png, Image.open(tmp_path / "a.jpg") as jpg:
        assert {name: png.info[name] for name in notes} == notes
        assert jpg.info["comment"].decode() == "seed: 3\ncommand: ganzoo sample ảnh --seed 3"
        assert min(jpg.getpixel((4, 4))) > 250  # transparent is white
