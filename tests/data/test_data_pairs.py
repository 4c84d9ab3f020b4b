"""Pairs: halves of a picture, two folders by file name, a list; the loader keeps partners together."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from ganzoo import data
from ganzoo.contract.randomness import Share
from ganzoo.data.loader import Loader
from ganzoo.errors import UsageError


def picture(path: Path, *colours: int, size: int = 8) -> None:
    """Squares side by side, each a ramp that begins at its colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = Image.new("L", (size * len(colours), size))
    for which, colour in enumerate(colours):
        for x in range(size):
            whole.paste(colour + x, (which * size + x, 0, which * size + x + 1, size))
    whole.save(path)


def bytes_of(images: torch.Tensor) -> list[list[int]]:
    return ((images[:, 0, 0] + 1) * 127.5).round().int().tolist()


def test_halves_are_two_domains_and_partners_vary_alike(tmp_path: Path) -> None:
    for number in range(6):
        picture(tmp_path / "source" / "train" / f"{number}.png", 20 * number, 20 * number + 120)
    for number in range(2):
        picture(tmp_path / "source" / "val" / f"{number}.png", 3, 4)
    info = data.add("halves-1", tmp_path / "source", pairs="halves")
    assert info.paired
    assert dict(info.domains) == {"A": 6, "B": 6, "testA": 2, "testB": 2}
    assert (info.height, info.width) == (8, 8)
    dataset = data.prepare("halves-1")
    assert dataset.paired
    assert ({*dataset.parts}, {*dataset.held_out}) == ({"A", "B"}, {"testA", "testB"})
    torch.manual_seed(0)  # the step's stream, which flips and crops are drawn from
    loader = Loader(dataset, seed=3, crop=(5, 5), flip=True, paired=True)
    batch = loader.draw(0, 6, Share())
    first, second = bytes_of(batch.domains["A"]), bytes_of(batch.domains["B"])
    assert [[value + 120 for value in row] for row in first] == second
    assert {row[0] > row[-1] for row in first} == {True, False}
    apart = Loader(dataset, seed=3, crop=(5, 5), flip=True).draw(0, 6, Share())
    assert [[v + 120 for v in row] for row in bytes_of(apart.domains["A"])] != bytes_of(apart.domains["B"])


def test_names_pair_two_folders_whatever_the_suffix_and_what_is_alone_is_named(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "edges" / f"{number}.png", 10 * number)
        picture(tmp_path / "photos" / f"{2 - number}.bmp", 10 * (2 - number) + 100)
    picture(tmp_path / "photos" / "lonely.png", 1)
    info = data.add("names-1", [tmp_path / "edges", tmp_path / "photos"], pairs="names")
    assert dict(info.domains) == {"A": 3, "B": 3}
    assert info.skipped_files == ("B/lonely.png has no partner",)
    parts = data.prepare("names-1").parts
    every = torch.arange(3)
    first, second = bytes_of(parts["A"].gather(every)), bytes_of(parts["B"].gather(every))
    assert [[value + 100 for value in row] for row in first] == second


def test_a_list_pairs_by_line_and_a_wrong_name_is_told_with_its_line(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "all" / f"x{number}.png", 10 * number)
        picture(tmp_path / "all" / f"y{number}.png", 10 * number + 100)
    file = tmp_path / "pairs.csv"
    file.write_text("from,to\nx0.png,y2.png\nx1.png,y0.png\nx2.png,y1.png\n", encoding="utf-8")
    assert data.add("list-1", tmp_path / "all", pairs=file).paired
    parts = data.prepare("list-1").parts
    every = torch.arange(3)
    starts = [(a[0], b[0]) for a, b in zip(*(bytes_of(parts[name].gather(every)) for name in "AB"), strict=True)]
    assert starts == [(0, 120), (10, 100), (20, 110)]
    file.write_text("x0.png,y0.png\nx1.png,nothing.png\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"line 2: 'nothing.png' is not in the source"):
        data.add("list-2", tmp_path / "all", pairs=file)


def test_no_pairs_by_name_is_refused(tmp_path: Path) -> None:
    for number in range(2):
        picture(tmp_path / "a" / f"x{number}.png", 1)
        picture(tmp_path / "b" / f"y{number}.png", 2)
    with pytest.raises(UsageError, match="No two images are a pair"):
        data.add("none-1", [tmp_path / "a", tmp_path / "b"], pairs="names")


@pytest.mark.parametrize("line", ["{0};{1}", ".\\x\\{0},.\\x\\{1}", "{0}\t{1}"])
def test_lists_of_pairs_as_other_systems_write_them(tmp_path: Path, line: str) -> None:
    (tmp_path / "x").mkdir()
    for number in range(6):
        Image.new("RGB", (8, 8), (40 * number, 0, 0)).save(tmp_path / "x" / f"{number}.png")
    lines = [line.format("a", "b"), *(line.format(f"{number}.png", f"{number + 3}.png") for number in range(3))]
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    info = data.add("x", tmp_path / "x", pairs=tmp_path / "pairs.csv")
    assert dict(info.domains) == {"A": 3, "B": 3}
    parts = data.prepare("x", resolution=(8, 8)).parts
    index = torch.arange(3)
    assert (parts["B"].gather(index) - parts["A"].gather(index)).amax((1, 2, 3)).mul(127.5).round().tolist() == [
        120
    ] * 3


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("images/{}.bmp", "annotations/trimaps/{}.png"),
        ("train/{}.bmp", "train_masks/{}_mask.png"),
        ("leftImg8bit/aachen/{}_leftImg8bit.png", "gtFine/aachen/{}_gtFine_color.png"),
        ("images/{}_real.png", "labels/png/{}-1.png"),
    ],
)
def test_names_pair_without_what_all_in_a_folder_share(tmp_path: Path, first: str, second: str) -> None:
    for number, letter in enumerate("cab"):
        for place, colour in ((first, 10), (second, 110)):
            path = tmp_path / "x" / place.format(letter)
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(path, 10 * number + colour)
    info = data.add("shared", tmp_path / "x", pairs="names", parts="none")
    assert sorted(info.domains.values()) == [3, 3]
    parts = data.prepare("shared").parts
    every = torch.arange(3)
    low, high = sorted(bytes_of(parts[name].gather(every)) for name in parts)
    assert [[value + 100 for value in row] for row in low] == high


@pytest.mark.parametrize(
    ("folders", "domains"),
    [
        ("S1/blur S1/sharp S2/blur S2/sharp S3/blur S3/sharp", {"blur": 6, "sharp": 6}),
        ("A/s1 A/s2 B/s1 B/s2", {"A": 4, "B": 4}),
        ("A/s1 A/s2 A/s3 B/s1 B/s2 B/s3", {"A": 6, "B": 6}),
        ("train/S1/blur train/S1/sharp train/S2/blur train/S2/sharp test/S9/blur test/S9/sharp",
         {"blur": 4, "sharp": 4, "testblur": 2, "testsharp": 2}),
        ("S1/blur/a S1/sharp/a S2/blur/b S2/sharp/b", {"blur": 4, "sharp": 4}),
    ],
)  # fmt: skip
def test_folders_of_pairs_may_lie_in_others_or_hold_them(tmp_path: Path, folders: str, domains: dict[str, int]) -> None:
    """Some were refused without --parts none, and S1 was then paired with S2."""
    for colour, folder in enumerate(folders.split()):
        for number in range(2):
            picture(tmp_path / "source" / folder / f"{number}.png", 20 * colour + number)
    info = data.add(f"deep-{len(folders)}", tmp_path / "source", pairs="names")
    assert dict(info.domains) == domains
    trained = [name for name in domains if not name.startswith("test")]
    assert info.layout[-1] == f"Files of one name in {', '.join(trained)} are pairs."
    dataset = data.prepare(info.name)
    first, second = (bytes_of(dataset.parts[name].gather(torch.arange(2)))[0][0] for name in trained)
    at = {
        name: next(place for place, path in enumerate(folders.split()) if name in path.split("/")) for name in trained
    }
    assert second - first == 20 * (at[trained[1]] - at[trained[0]])


def test_pairs_have_no_labels(tmp_path: Path) -> None:
    """They were read and forgotten."""
    with pytest.raises(UsageError, match="Pairs have no labels; leave --labels out"):
        data.add("labelled-pairs", tmp_path, pairs="names", labels="folders")
