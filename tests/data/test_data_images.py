"""From a file's bytes to pixels: what each colour format, shape and damage becomes."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
from PIL import Image

from ganzoo import data
from ganzoo.data.images import Unreadable, decode, has_alpha, is_grey, render


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_exif_orientation_is_applied():
    image = Image.new("RGB", (4, 2), "black")
    image.putpixel((3, 0), (255, 255, 255))
    corners = {1: (3, 0), 2: (0, 0), 3: (0, 1), 4: (3, 1), 5: (0, 3), 6: (1, 3), 7: (1, 0), 8: (0, 0)}
    for orientation, corner in corners.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned = decode(encoded(image, exif=exif))
        assert turned.size == ((4, 2) if orientation < 5 else (2, 4))
        assert turned.getpixel(corner) == (255, 255, 255), orientation


def test_sixteen_bit_grey_is_scaled_to_eight():
    wide = np.array([[0, 257, 257 * 100, 65535]], np.uint16)
    image = decode(encoded(Image.fromarray(wide)))
    assert is_grey(image)
    assert render(image, (1, 4), 1, "crop")[..., 0].tolist() == [[0, 1, 100, 255]]


def test_transparency_is_laid_on_white_unless_four_channels_are_asked():
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 255, 0))
    assert has_alpha(image)
    assert render(image, (1, 2), 3, "crop").tolist() == [[[255, 0, 0], [255, 255, 255]]]
    assert render(image, (1, 2), 4, "crop").tolist() == [[[255, 0, 0, 255], [255, 255, 255, 0]]]  # blue is hidden
    assert render(Image.new("LA", (1, 1), (7, 0)), (1, 1), 1, "crop").tolist() == [[[255]]]


def test_transparent_palette_and_half_transparent_pixels():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    read = decode(encoded(image, transparency=1))
    assert has_alpha(read)
    assert render(read, (1, 2), 3, "crop").tolist() == [[[255, 0, 0], [255, 255, 255]]]
    half = Image.new("RGBA", (1, 1), (0, 0, 0, 128))
    assert render(half, (1, 1), 3, "crop").tolist() == [[[127, 127, 127]]]


@pytest.mark.parametrize(
    ("mode", "colour", "kind", "expected"),
    [
        ("CMYK", (0, 255, 255, 0), "TIFF", (255, 0, 0)),
        ("1", 1, "PNG", (255, 255, 255)),
        ("L", 80, "PNG", (80, 80, 80)),
        ("YCbCr", (76, 85, 255), "TIFF", (254, 0, 0)),
    ],
)
def test_every_colour_format_becomes_rgb(mode, colour, kind, expected):
    image = decode(encoded(Image.new(mode, (8, 8), colour), kind))
    assert tuple(render(image, (8, 8), 3, "crop")[4, 4]) == expected


def test_grey_and_colour_turn_into_each_other():
    red = Image.new("RGB", (2, 2), (255, 0, 0))
    assert render(red, (2, 2), 1, "crop")[0, 0].tolist() == [76]
    assert render(Image.new("L", (2, 2), 9), (2, 2), 4, "crop")[0, 0].tolist() == [9, 9, 9, 255]


def bands() -> Image.Image:
    """12 wide, 4 high: red, green and blue squares side by side."""
    image = Image.new("RGB", (12, 4), (255, 0, 0))
    image.paste((0, 255, 0), (4, 0, 8, 4))
    image.paste((0, 0, 255), (8, 0, 12, 4))
    return image


def test_crop_takes_the_middle_unblurred():
    pixels = render(bands(), (4, 4), 3, "crop")
    assert (pixels == (0, 255, 0)).all()
    odd = Image.fromarray(np.arange(7 * 4, dtype=np.uint8).reshape(4, 7))
    assert render(odd, (4, 4), 1, "crop")[..., 0].tolist() == np.asarray(odd)[:, 1:5].tolist()


def test_pad_keeps_all_of_it_on_a_stated_ground():
    pixels = render(bands(), (12, 12), 3, "pad")
    assert (pixels[:4] == 255).all()
    assert (pixels[8:] == 255).all()
    assert pixels[6, 1].tolist() == [255, 0, 0]
    assert pixels[6, 10].tolist() == [0, 0, 255]
    assert render(Image.new("L", (4, 2), 200), (4, 4), 1, "pad")[..., 0].tolist()[0] == [0] * 4
    assert render(bands(), (12, 12), 4, "pad")[0, 0].tolist() == [255, 255, 255, 0]


def test_stretch_and_sizes_that_are_not_square():
    assert render(bands(), (8, 3), 3, "stretch").shape == (8, 3, 3)
    for fit in ("crop", "pad", "stretch"):
        assert render(Image.new("RGB", (37, 53), "navy"), (10, 21), 3, fit).shape == (10, 21, 3)


def test_shrinking_is_antialiased():
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    small = render(Image.fromarray(stripes), (16, 16), 1, "crop")
    assert abs(small[4:-4, 4:-4].astype(int) - 128).max() < 12  # plain subsampling would give 0 or 255


@pytest.mark.parametrize("data", [b"", b"no image", encoded(Image.new("RGB", (99, 99), "red"), "JPEG")[:-200]])
def test_damaged_files_are_unreadable(data):
    with pytest.raises(Unreadable):
        decode(data)


@pytest.mark.parametrize("limit", [60, 40])
def test_decompression_bombs_are_refused(monkeypatch, limit):
    data = encoded(Image.new("L", (10, 10)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # Pillow warns above it and refuses above twice of it
    with pytest.raises(Unreadable, match="decompression bomb"):
        decode(data)


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr", "LAB", "HSV"])
def test_every_mode_of_colour_is_drawn_in_any_number_of_channels(mode):
    file = io.BytesIO()
    grey = Image.linear_gradient("L").resize((16, 16))
    picture = grey.convert("RGB").convert(mode) if mode not in ("LAB", "HSV") else Image.merge(mode, [grey] * 3)
    if mode == "HSV":
        image = picture  # no format keeps it; a plugin may hand it out
    else:
        picture.save(file, "JPEG" if mode == "YCbCr" else "TIFF")  # which Pillow 12 cannot read back
        image = decode(file.getvalue())
    for channels in (1, 3, 4):
        pixels = render(image, (16, 16), channels, "crop")
        assert pixels.shape == (16, 16, channels)
        assert int(pixels.max()) - int(pixels.min()) > 50


def test_pictures_without_anything_to_see_are_counted(tmp_path, monkeypatch):
    """Wholly transparent ones came out white without a word."""
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    hidden, grey_hidden = noise.copy(), noise[..., :2].copy()
    hidden[..., 3] = grey_hidden[..., 1] = 0
    palette = Image.fromarray(noise[..., :3]).quantize(16)
    key = Image.new("P", (8, 8), 3)
    key.putpalette(bytes(range(48)))
    key.save(tmp_path / "key.png", transparency=3)
    pictures = {"hidden": Image.fromarray(hidden), "grey": Image.fromarray(grey_hidden), "palette": palette}
    pictures |= {f"seen{n}": Image.fromarray(noise[..., :n] if n > 1 else noise[..., 0]) for n in (1, 2, 3, 4)}
    pictures |= {
        "plain": Image.new("RGB", (8, 8), "red"),
        "black": Image.new("1", (8, 8)),
        "void": Image.new("L", (8, 8)),
    }
    pictures["deep"] = Image.fromarray(np.full((8, 8), 700, np.uint16))
    pictures["veil"] = Image.new("RGBA", (8, 8), (9, 9, 9, 100))
    (tmp_path / "set").mkdir()
    for name, image in pictures.items():
        image.save(tmp_path / "set" / f"{name}.png")
    (tmp_path / "key.png").rename(tmp_path / "set" / "key.png")
    notes = data.add("bare", tmp_path / "set").notes
    assert "Items wholly transparent, so white without --channels 4: 3, such as grey.png." in notes
    assert "Items of one colour: 5, such as black.png." in notes


def test_sounds_of_silence_are_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "set").mkdir()
    for number in range(4):
        with wave.open(str(tmp_path / "set" / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(200) if number % 2 else bytes(range(200)))
    assert data.add("quiet", tmp_path / "set").notes == ("Items of one value throughout: 2, such as 1.wav.",)
