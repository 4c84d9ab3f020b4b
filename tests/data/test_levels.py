"""Pictures of more than 8 bits, of several pages, with hidden colours: what becomes of them is right, and is said."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from support.command_line import cli

from ganzoo import data
from ganzoo.data.images import Reading, Unreadable, decode, render, survey
from ganzoo.data.levels import Span, advice, levels_text, own_levels, parse_levels
from ganzoo.errors import UsageError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))


RAMP = np.linspace(0, 1, 32)[None, :].repeat(32, 0)
Pixels = npt.NDArray[np.generic]


def ramps(top: float, dtype: type[np.generic], low: float = 0.0) -> list[Pixels]:
    """Twelve pictures of the same ramp from `low` to `top`, its mean half way."""
    scaled = RAMP * (top - low) + low
    whole = np.round(scaled) if np.dtype(dtype).kind in "iu" else scaled
    return [np.roll(whole, shift, 1).astype(dtype) for shift in range(12)]


def add(folder: Path, pictures: list[Pixels], suffix: str, **options: object) -> data.Info:
    folder.mkdir(exist_ok=True)
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{number:02d}.{suffix}")
    return data.add("set", folder, **options)


def mean(name: str = "set", size: int = 16) -> float:
    part = data.prepare(name, resolution=(size, size)).parts["train"]
    return ((part.gather(torch.arange(len(part))) + 1) * 127.5).mean().item()


@pytest.mark.parametrize(
    ("top", "dtype", "suffix", "levels"),
    [
        (255, np.uint16, "png", "0-255"),
        (1023, np.uint16, "png", "0-1023"),
        (4095, np.uint16, "tif", "0-4095"),
        (4095, np.uint16, "pgm", "0-4095"),
        (5000, np.uint16, "png", "0-5000"),
        (65535, np.uint16, "png", "0-65535"),
        (255, np.int32, "tif", "0-255"),
        (65535, np.int32, "tif", "0-65535"),
        (1.0, np.float32, "tif", "0-1"),
        (255.0, np.float32, "tif", "0-255"),
    ],
)
def test_a_set_of_any_depth_comes_out_with_its_own_range(tmp_path, top, dtype, suffix, levels):
    info = add(tmp_path / "d", ramps(top, dtype), suffix)
    assert info.levels == (levels,)
    assert info.channels == 1
    assert mean() == pytest.approx(127.5, abs=1)
    assert not info.notes


def test_signed_values_are_not_cut(tmp_path):
    info = add(tmp_path / "d", ramps(3000, np.int32, low=-1000), "tif")
    assert info.levels == ("-1000:3000",)
    assert mean() == pytest.approx(127.5, abs=1)


@pytest.mark.parametrize(
    ("dtype", "kind", "bits", "levels", "middle"),
    [
        (np.int8, 2, 8, "-100:100", 127.5),
        (np.uint32, 1, 32, "0-4000000000", 127.5),
        (np.int32, 2, 32, "-100:100", 127.5),
    ],
)
def test_a_tiff_files_numbers_are_as_it_says(tmp_path, dtype, kind, bits, levels, middle):
    """Pillow gives 8 signed bits as unsigned ones, and 32 unsigned ones as signed: -1 was white, 4e9 black."""
    low, high = map(int, levels.replace(":", " ").replace("0-", "0 ").split())
    (tmp_path / "set").mkdir()
    for number in range(4):
        pixels = np.round(RAMP * (high - low) + low).astype(dtype).tobytes()
        entries = [(256, 32), (257, 32), (258, bits), (259, 1), (262, 1), (273, 8), (277, 1), (278, 32),
                   (279, len(pixels)), (339, kind)]  # fmt: skip
        table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
        head = b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + struct.pack("<H", len(entries))
        (tmp_path / "set" / f"{number}.tif").write_bytes(head + table + bytes(4))
    assert data.add("set", tmp_path / "set").levels == (levels,)
    assert mean() == pytest.approx(middle, abs=1)


def test_levels_given_are_kept_with_the_set_and_in_its_fingerprint(tmp_path):
    own = add(tmp_path / "d", ramps(4095, np.uint16), "png")
    data.remove("set")
    given = add(tmp_path / "d", ramps(4095, np.uint16), "png", levels="0-8190")
    assert given.levels == ("0-8190",)
    assert given.fingerprint != own.fingerprint
    assert mean() == pytest.approx(64, abs=1)
    with pytest.raises(UsageError, match="another data set set already"):
        data.add("set", tmp_path / "d", levels="0-4095")


def test_the_range_is_the_sets_not_each_pictures(tmp_path):
    """A dark picture stays dark beside a bright one."""
    dark, bright = ramps(1000, np.uint16), ramps(60000, np.uint16)
    add(tmp_path / "d", [*dark[:6], *bright[6:]], "png")
    part = data.prepare("set").parts["train"]
    means = ((part.gather(torch.arange(12)) + 1) * 127.5).mean((1, 2, 3))
    assert means[:6].max() < 3 < 120 < means[6:].min()


def test_bytes_of_0_and_1_are_black_and_white(tmp_path):
    info = add(tmp_path / "d", [np.uint8(pixels > 0.5) for pixels in ramps(1, np.float64)], "png")
    assert info.levels == ("0-1",)
    assert mean() == pytest.approx(127.5, abs=1)


def test_a_set_that_stays_nearly_black_is_announced(tmp_path):
    info = add(tmp_path / "d", ramps(5, np.uint8), "png")
    assert info.levels == ("",)
    (note,) = info.notes
    assert "nearly black" in note
    assert "--levels 0-5" in note


@pytest.mark.parametrize(
    ("images", "levels"),
    [
        (np.uint8([[[0, 1]] * 2] * 4), "0-1"),
        (np.uint16(np.linspace(0, 4095, 4 * 8 * 8)).reshape(4, 8, 8), "0-4095"),
        (np.linspace(-1, 1, 4 * 8 * 8, dtype=np.float32).reshape(4, 8, 8), "-1:1"),
        (np.linspace(0, 255, 4 * 8 * 8).reshape(4, 8, 8), "0-255"),
        (np.linspace(0, 0.5, 4 * 8 * 8).reshape(4, 8, 8), "0-1"),
        (np.int64(np.linspace(0, 255, 4 * 8 * 8)).reshape(4, 8, 8), "0-255"),
    ],
)
def test_arrays_of_any_type(tmp_path, images, levels):
    np.savez(tmp_path / "a.npz", images=images)
    assert data.add("set", tmp_path / "a.npz").levels == (levels,)
    low, high = parse_levels(levels) or (0, 0)
    expected = 255 * (images.astype(np.float64).mean() - low) / (high - low)
    assert mean(size=images.shape[1]) == pytest.approx(expected, abs=0.5)


def wide_png(pixels: Pixels, key: tuple[int, ...] = ()) -> bytes:
    """A PNG file of channels with 16 bits each, which Pillow does not write; `key`: the stored value that is hidden."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + pixels[y].astype(">u2").tobytes() for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 16, (0, 4, 2, 6)[channels - 1], 0, 0, 0)

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    hidden = chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)) if key else b""
    content = chunk(b"IHDR", header) + hidden + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def wide_tiff(pixels: Pixels, order: str) -> bytes:
    """The same as TIFF, with the bytes of each number in `order`, "<" or ">"."""
    height, width, _ = pixels.shape
    content = pixels.astype(order + "u2").tobytes()
    bits_at = 8 + 2 + 9 * 12 + 4
    entries = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, bits_at), (259, 3, 1, 1), (262, 3, 1, 2)]
    entries += [(273, 4, 1, bits_at + 6), (277, 3, 1, 3), (278, 3, 1, height), (279, 4, 1, len(content))]
    table = b"".join(
        struct.pack(order + "HHI", tag, kind, count)
        + (struct.pack(order + "HH", value, 0) if (kind, count) == (3, 1) else struct.pack(order + "I", value))
        for tag, kind, count, value in entries
    )
    start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(entries))
    return start + table + struct.pack(order + "IHHH", 0, 16, 16, 16) + content


@pytest.mark.parametrize("write", [wide_png, lambda p: wide_tiff(p, "<"), lambda p: wide_tiff(p, ">")])
@pytest.mark.parametrize("top", [4095, 65535])
def test_colours_of_16_bits_are_read_whole(write, top):
    pixels = np.round(RAMP[..., None].repeat(3, 2) * [top, top / 2, 0])
    seen = survey(write(pixels))
    assert (seen.span.low, seen.span.high, seen.span.wide, seen.grey) == (0, top, True, False)
    image = decode(write(pixels), Reading((0, top)))
    assert np.asarray(image).mean((0, 1)) == pytest.approx([127.5, 63.75, 0], abs=0.5)


def test_colours_that_nobody_sees_count_neither_in_the_range_nor_in_the_pixels():
    pixels = np.full((4, 4, 4), 1000.0)
    pixels[..., 3] = 65535
    pixels[0, 0] = [60000, 60000, 60000, 0]
    assert survey(wide_png(pixels)).span.high == 1000


@pytest.mark.parametrize("top", [4095, 65535])
def test_grey_of_16_bits_with_transparency_is_read_whole(top):
    pixels = np.round(np.dstack([RAMP * top, np.full_like(RAMP, 65535)]))
    pixels[0, 0] = [60000, 0]
    seen = survey(wide_png(pixels))
    assert (seen.span.wide, seen.span.high, seen.grey, seen.alpha) == (True, top, True, True)
    image = decode(wide_png(pixels), Reading((0, top)))
    assert image.mode == "LA"
    assert np.asarray(image)[1:, :, 0].mean() == pytest.approx(127.5, abs=0.5)
    assert (image.getpixel((0, 0))[1], image.getpixel((1, 1))[1]) == (0, 255)


@pytest.mark.parametrize("colours", [1, 3])
def test_a_stored_value_that_is_transparent_stays_so_with_16_bits(colours):
    pixels = np.round(RAMP[..., None].repeat(colours, 2) * 4095)
    image = decode(wide_png(pixels, (4095,) * colours), Reading((0, 4095)))
    alpha = np.asarray(image.getchannel("A"))
    assert not alpha[:, -1].any()
    assert alpha[:, :-1].min() == 255
    assert survey(wide_png(pixels, (4095,) * colours)).span.high < 4095


def test_transparency_in_an_array_has_its_own_range_and_hides_colours(tmp_path):
    images = np.full((4, 8, 8, 4), 65535, np.uint16)
    images[..., :3] = np.round(np.linspace(0, 4095, 64)).reshape(8, 8, 1)
    images[:, 0, 0] = [60000, 60000, 60000, 0]
    np.savez(tmp_path / "a.npz", images=images)
    assert data.add("set", tmp_path / "a.npz").levels == ("0-4095",)
    pixels = np.asarray(data.open_source("set").read(0))
    assert (pixels[0, 0, 3], pixels[1:, :, 3].min(), pixels[-1, -1, 0]) == (0, 255, 255)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (4, 4), (5, 3), (16, 16)])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_hidden_colours_never_show_at_any_size(channels, size, fit):
    rows = []
    for hidden in ([255, 0, 0], [0, 0, 255]):
        pixels = np.zeros((8, 8, 4), np.uint8)
        pixels[:, :4] = [10, 200, 30, 255]
        pixels[:, 4:, :3] = hidden
        rows.append(render(Image.fromarray(pixels), size, channels, fit))
    assert (rows[0] == rows[1]).all()


def pages(count: int) -> bytes:
    buffer = io.BytesIO()
    images = [Image.new("L", (8, 8), 40 * page) for page in range(count)]
    images[0].save(buffer, "TIFF", save_all=True, append_images=images[1:])
    return buffer.getvalue()


def test_further_pages_are_counted_in_words_or_taken(tmp_path):
    (tmp_path / "d").mkdir()
    for number, count in enumerate((1, 3, 4)):
        (tmp_path / "d" / f"{number}.tif").write_bytes(pages(count))
    first = data.add("first", tmp_path / "d")
    assert first.images == 3
    assert first.notes[0] == "2 files have 5 further pages or frames, which are left out; --pages all takes them."
    every = data.add("every", tmp_path / "d", pages="all", labels=labels_file(tmp_path))
    assert every.images == 8
    source = data.open_source("every")
    assert [source.read(index).getpixel((0, 0)) for index in range(8)] == [0, 0, 40, 80, 0, 40, 80, 120]
    assert [every.classes[source.label(index)] for index in range(8)] == [*"a", *"bbb", *"cccc"]


def labels_file(folder: Path) -> Path:
    file = folder / "labels.csv"
    file.write_text("0.tif,a\n1.tif,b\n2.tif,c\n")
    return file


def test_pages_of_pictures_of_one_kind_are_trained_on_from_another_process(tmp_path):
    (tmp_path / "d").mkdir()
    for number in range(2):
        (tmp_path / "d" / f"{number}.tif").write_bytes(pages(5))
    data.add("set", tmp_path / "d", pages="all")
    source = data.open_source("set")
    from ganzoo.data.pack_worker import reopen, reopening

    made = reopening(source)
    assert made is not None
    assert reopen(made).read(7).getpixel((0, 0)) == 80


def test_larger_pictures_than_are_read_are_left_out_with_the_way(tmp_path):
    buffer = io.BytesIO()
    Image.new("1", (300, 200)).save(buffer, "PNG")
    with pytest.raises(Unreadable, match="has 60,000 pixels, more than the 59,999 that are read; --max-pixels 60000"):
        decode(buffer.getvalue(), Reading(max_pixels=59_999))
    assert decode(buffer.getvalue(), Reading(max_pixels=60_000)).size == (300, 200)


def test_the_command_takes_and_says_it(tmp_path):
    (tmp_path / "d").mkdir()
    for number, pixels in enumerate(ramps(4095, np.uint16)):
        Image.fromarray(pixels).save(tmp_path / "d" / f"{number}.png")
    answer = cli("data", "add", "deep", tmp_path / "d")
    assert "levels    0-4095, from black to white" in answer.output
    answer = cli("data", "add", "deeper", tmp_path / "d", "--levels=-5:9000")
    assert "levels    -5:9000" in answer.output


def test_levels_as_they_are_typed():
    assert parse_levels("auto") is None
    assert parse_levels("0-4095") == (0, 4095)
    assert parse_levels("-1000:3000") == (-1000, 3000)
    assert parse_levels("0.25-0.75") == (0.25, 0.75)
    assert parse_levels(levels_text((-0.5, 1e6))) == (-0.5, 1e6)
    for text in ("", "4095", "9-3", "a-b", "1-1", "0-1e999"):
        with pytest.raises(UsageError, match="is not understood"):
            parse_levels(text)


def test_levels_of_odd_sets():
    assert own_levels(Span(7, 7, 7, 7, wide=True)) == (0, 7)
    assert own_levels(Span(0, 0, 0, 0, wide=True)) == (0, 1)
    assert own_levels(Span(0, 250, 9, 200, wide=True)) == (0, 255)
    assert own_levels(Span(0, 0.01, 0.005, 0.01, wide=True, whole=False)) == (0, 0.01)
    hot = Span(0, 60000, 300, 600, wide=True)  # one bright pixel over a faint set
    assert "--levels 0-600" in advice(hot, own_levels(hot))


@pytest.mark.parametrize(
    ("low", "high", "levels"),
    [(-0.5, 0.5, (-0.5, 0.5)), (-0.495, 0.499, (-0.5, 0.5)), (-0.5, 0.2, (-1, 1)), (-0.3, 0.5, (-1, 1))],
)
def test_fractions_around_nothing_up_to_a_half(low: float, high: float, levels: tuple[float, float]) -> None:
    assert own_levels(Span(low, high, 0.0, high, wide=True, whole=False)) == levels
