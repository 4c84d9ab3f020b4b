"""The order of data, files of labels, levels and packs: what holds for every set."""

from __future__ import annotations

import io
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganzoo import data
from ganzoo.data import label_files
from ganzoo.data.images import FITS, render
from ganzoo.data.levels import BYTES, Span, levels_text, own_levels, parse_levels, to_bytes
from ganzoo.data.loader import Order
from ganzoo.errors import GanzooError, UsageError

SEEDS = st.integers(0, 2**63 - 1)


# ---- order -----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 40), SEEDS, st.integers(0, 5))
def test_every_epoch_has_each_item_once(length: int, seed: int, epoch: int) -> None:
    assert sorted(Order(length, seed).at(epoch * length, length).tolist()) == list(range(length))


@given(st.integers(1, 40), SEEDS, st.integers(0, 200), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_what_stands_at_a_position_depends_on_no_batch(length: int, seed: int, start: int, counts: list[int]) -> None:
    """As a resumed run asks, or one with another batch size."""
    whole, pieces, position = Order(length, seed).at(start, sum(counts)), [], start
    for count in counts:
        pieces.append(Order(length, seed).at(position, count))
        position += count
    assert torch.equal(torch.cat(pieces), whole)


@given(SEEDS, SEEDS)
def test_another_seed_is_another_order(one: int, other: int) -> None:
    assert torch.equal(Order(50, one).at(0, 50), Order(50, other).at(0, 50)) == (one == other)


# ---- labels ----------------------------------------------------------------------------------------------------------

words = st.from_regex(r"[a-z]{1,8}", fullmatch=True)


@settings(max_examples=40)
@given(
    st.lists(words, min_size=2, max_size=12, unique=True),
    st.data(),
    st.sampled_from(",;\t|"),
    st.sampled_from(["", ".png"]),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_file_of_labels_says_the_same_in_any_order_and_with_any_separator(
    stems: list[str], drawn: st.DataObject, mark: str, suffix: str, heading: bool, end: str
) -> None:
    """With suffixes or without, with a heading or without, and with rows for images that are not there."""
    classes = drawn.draw(st.lists(words.map(str.upper), min_size=1, max_size=3, unique=True))
    given = {stem: classes[place % len(classes)] for place, stem in enumerate(stems)}
    rows = [f"{stem}{suffix}{mark}{label}" for stem, label in given.items()]
    rows.append(f"not-there-{stems[0]}{suffix}{mark}{classes[0]}")
    drawn.draw(st.randoms(use_true_random=False)).shuffle(rows)
    text = end.join(([f"Filename{mark}Label"] if heading else []) + rows) + end
    with TemporaryDirectory() as folder:
        file = Path(folder) / "labels.csv"
        file.write_bytes(text.encode())
        found = label_files.from_file(label_files.LabelsFile(file), [f"{stem}.png" for stem in stems])
    assert [found.classes[place] for place in found.of] == [given[stem] for stem in stems]


# ---- levels ----------------------------------------------------------------------------------------------------------

whole = st.integers(-(2**31), 2**32)


@given(whole, st.integers(1, 2**32), st.booleans())
def test_levels_come_back_from_what_is_typed(low: int, width: int, wide: bool) -> None:
    levels = own_levels(Span(low, low + width, low + width / 2, low + width, wide))
    assert levels[0] < levels[1]
    assert parse_levels(levels_text(levels)) == pytest.approx(levels)


@given(st.lists(whole, min_size=1, max_size=50), st.booleans())
def test_a_sets_own_levels_hold_all_of_it_and_keep_its_order(values: list[int], wide: bool) -> None:
    if not wide:
        values = [abs(value) % 256 for value in values]
    pixels = np.array(sorted(values), np.int64)
    span = Span(float(pixels.min()), float(pixels.max()), float(pixels.mean()), float(pixels.max()), wide)
    levels = own_levels(span)
    assert levels[0] <= span.low <= span.high <= levels[1]
    made = to_bytes(pixels if wide else pixels.astype(np.uint8), levels)
    assert (np.diff(made.astype(int)) >= 0).all()
    assert wide or levels != BYTES or (made == pixels).all()


@given(st.text())
def test_any_text_is_levels_or_refused(text: str) -> None:
    try:
        levels = parse_levels(text)
    except UsageError as error:
        assert "--levels" in str(error)  # noqa: PT017
    else:
        assert levels is None or -np.inf < levels[0] < levels[1] < np.inf


# ---- packs -----------------------------------------------------------------------------------------------------------

sides = st.integers(4, 12)


@settings(max_examples=12)
@given(st.integers(2, 6), sides, sides, st.sampled_from([1, 3, 4]), st.sampled_from(FITS), SEEDS, sides, sides)
def test_a_pack_holds_each_image_as_it_is_drawn(
    count: int, height: int, width: int, channels: int, fit: str, seed: int, to_height: int, to_width: int
) -> None:
    """At any size that is not more than twice the images'."""
    to_height, to_width = min(to_height, 2 * height), min(to_width, 2 * width)
    images = np.random.default_rng(seed).integers(0, 256, (count, height, width, channels), np.uint8)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_HOME", str(Path(folder) / "home"))
        np.savez(Path(folder) / "set.npz", images=images)
        data.add("set", Path(folder) / "set.npz", fit=fit)
        part = data.prepare("set", resolution=(to_height, to_width), channels=channels).parts["train"]
        rows = part.raw(torch.arange(count)).numpy()
        for image, row in zip(images, rows, strict=True):
            picture = Image.fromarray(image[..., 0] if channels == 1 else image)
            assert (row == render(picture, (to_height, to_width), channels, fit)).all()


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(["pack.npy", "pack.json"]))
def test_a_pack_with_a_changed_byte_is_noticed_or_the_same(seed: int, name: str) -> None:
    draw = random.Random(seed)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_HOME", str(Path(folder) / "home"))
        np.savez(Path(folder) / "set.npz", images=images)
        data.add("set", Path(folder) / "set.npz")
        data.prepare("set", resolution=(8, 8))
        [file] = (Path(folder) / "home" / "packs").glob(f"*/{name}")
        content = bytearray(file.read_bytes())
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        file.write_bytes(content)
        try:
            part = data.prepare("set", resolution=(8, 8)).parts["train"]
        except GanzooError as error:
            assert "is damaged; remove that folder" in str(error)  # noqa: PT017
        else:
            assert (part.raw(torch.arange(4)).numpy() == images).all()


def test_pictures_of_a_set_are_written_as_they_are_read(tmp_path, monkeypatch) -> None:
    """Lossless files in a folder give the pixels that the same ones in an array do."""
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    images = np.random.default_rng(0).integers(0, 256, (4, 9, 7, 3), np.uint8)
    (tmp_path / "files").mkdir()
    for number, image in enumerate(images):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        (tmp_path / "files" / f"{number}.png").write_bytes(buffer.getvalue())
    np.savez(tmp_path / "a.npz", images=images)
    data.add("files", tmp_path / "files")
    data.add("array", tmp_path / "a.npz")
    parts = [data.prepare(name, resolution=(8, 6)).parts["train"].raw(torch.arange(4)) for name in ("files", "array")]
    assert torch.equal(*parts)
