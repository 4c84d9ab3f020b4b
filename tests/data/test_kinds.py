"""Files of any name: pictures are known by their content, and what is passed over is counted and named."""

from __future__ import annotations

import io
import os
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo import data
from ganzoo.data import kinds
from ganzoo.errors import GanzooError, UsageError

HEIC = b"\0\0\0\x18ftypheic" + b"\0" * 64


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))


def picture(kind: str, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (16, 16), 80 if mode == "L" else (80, 90, 100)).save(buffer, kind)
    return buffer.getvalue()


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a", "PNG"),
        ("photo.jpg.1", "JPEG"),
        ("a.bin", "WEBP"),
        ("a.dat", "TIFF"),
        ("a.jp2", "JPEG2000"),
        ("a.tga", "TGA"),
        ("a.ico", "ICO"),
        ("a.qoi", "QOI"),
        ("a.dds", "DDS"),
        ("a.pcx", "PCX"),
        ("a.sgi", "SGI"),
    ],
)
def test_what_pillow_reads_is_read_whatever_its_name(tmp_path, name, kind):
    files = {f"{number}{name}": picture(kind) for number in range(3)}
    assert data.add("set", fill(tmp_path / "d", files)).images == 3


def test_a_class_of_files_without_suffix_is_a_class(tmp_path):
    files = {f"cat/{n}.jpg": picture("JPEG") for n in range(3)} | {f"eel/{n}": picture("PNG") for n in range(3)}
    info = data.add("set", fill(tmp_path / "d", files))
    assert (info.images, info.classes) == (6, ("cat", "eel"))


def test_more_than_a_twentieth_of_an_unreadable_kind_stops_with_its_name_and_count(tmp_path):
    folder = fill(tmp_path / "d", {f"{n}.png": picture("PNG") for n in range(20)})
    for number in range(5):
        np.save(folder / f"{number}.npy", np.zeros(3))
    with pytest.raises(GanzooError, match=r"5 of 25 images .*5 \.npy, such as 0\.npy, which .*--skip-bad"):
        data.add("set", folder)
    info = data.add("set", folder, skip_bad=True)
    assert (info.images, info.skipped) == (20, 5)


def test_a_folder_of_which_nothing_can_be_read_is_named(tmp_path):
    files = {f"cat/{n}.png": picture("PNG") for n in range(9)} | {f"dog/{n}.raw": b"\0\xff\0" for n in range(3)}
    info = data.add("set", fill(tmp_path / "d", files), skip_bad=True)
    assert "Nothing in the folder dog can be read." in info.notes


def test_text_and_single_files_of_other_kinds_are_passed_over_and_counted(tmp_path):
    files = {f"{n}.png": picture("PNG") for n in range(4)} | {f"{n}.txt": b"a cat" for n in range(4)}
    files |= {"model.pth": b"PK\3\4\0\xff", "notes": "größer".encode(), ".hidden": b"\0\xff", "Thumbs.db": b"\0\xff"}
    info = data.add("set", fill(tmp_path / "d", files))
    assert (info.images, info.skipped) == (4, 0)
    assert info.notes[0] == "Passed over, since they are of other kinds: 4 .txt, 1 .pth, 1 without suffix."


def test_heic_and_jpeg_xl_say_the_package_that_reads_them(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    files = {"0.heic": HEIC, "1.jxl": b"\xff\x0a" + b"\0" * 30, "2": b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0" * 30}
    with pytest.raises(GanzooError, match=r"0\.heic is HEIC, .*ganzoo\[pictures\].*1\.jxl is JPEG XL.*2 is JPEG XL"):
        data.add("set", fill(tmp_path / "d", files))


def test_heic_is_read_by_its_package_when_it_is_there(tmp_path, monkeypatch):
    """With a stand-in that registers what pillow_heif does."""

    class Plugin(Image.Image):
        pass

    def opened(file: io.BytesIO, name: str) -> Image.Image:
        return Image.new("RGB", (16, 16), "red")

    def register() -> None:
        Image.register_open("HEIF", opened, lambda head: head[4:12] == b"ftypheic")

    monkeypatch.setitem(sys.modules, "pillow_heif", types.SimpleNamespace(register_heif_opener=register))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    try:
        assert data.add("set", fill(tmp_path / "d", {"0.heic": HEIC, "1.heic": HEIC + b"1"})).images == 2
    finally:
        kinds.formats.cache_clear()


@pytest.mark.parametrize(("package", "suffix"), [("pillow_heif", ".heic"), ("pillow_jxl", ".jxl")])
def test_heic_and_jpeg_xl_are_read_by_their_packages(tmp_path, package, suffix):
    module = pytest.importorskip(package, reason="the extra pictures is not installed")
    getattr(module, "register_heif_opener", int)()
    for number in range(3):
        Image.new("RGB", (16, 16), (80 * number, 0, 0)).save(tmp_path / f"{number}{suffix}")
    (tmp_path / "2.jpg").write_bytes((tmp_path / f"2{suffix}").read_bytes())  # by content, whatever the name
    assert data.add("set", tmp_path).images == 4
    reds = [np.asarray(data.open_source("set").read(place))[..., 0].mean() for place in range(4)]
    assert reds == pytest.approx([0, 80, 160, 160], abs=6)


@pytest.mark.parametrize("name", ["data.mdb", "train.h5", "train_32x32.mat", "clip.mp4", "data_batch.pkl", "a.pdf"])
def test_stores_that_are_not_read_are_named_with_what_to_do(tmp_path, name):
    folder = fill(tmp_path / "d", {name: b"\0\xff" * 99, "lock.mdb": b"\0\xff"})
    for source in (folder, folder / name):
        with pytest.raises(
            GanzooError,
            match=r"(LMDB|HDF5|MATLAB|video|pickled|PDF) files are not read: write their images out as files, or",
        ):
            data.add("set", source)


def test_a_spreadsheet_is_to_be_saved_as_csv(tmp_path):
    """One of today is a zip archive of XML files."""
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600)
    with zipfile.ZipFile(tmp_path / "new.xlsx", "w") as book:
        book.writestr("xl/workbook.xml", "<x/>")
    for source in (tmp_path, tmp_path / "old.xls", tmp_path / "new.xlsx"):
        for kind in ("", "table"):
            with pytest.raises(GanzooError, match="; save a spreadsheet as CSV"):
                data.add("set", source, modality=kind)


def test_a_folder_of_arrays_of_one_picture_each_is_told_to_stack_them(tmp_path):
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", np.zeros((8, 8), "uint8"))
    with pytest.raises(GanzooError, match=r"only 3 \.npy; .*; put arrays of one picture each into one npz file"):
        data.add("set", tmp_path)


def test_nothing_is_handed_to_ghostscript():
    assert "EPS" not in kinds.formats()


@pytest.mark.skipif(os.name == "nt", reason="links take rights there")
def test_links_to_nothing_and_to_themselves_are_named(tmp_path):
    folder = fill(tmp_path / "d", {f"{n}.png": picture("PNG") for n in range(60)})
    (folder / "self").symlink_to(folder / "self")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    info = data.add("set", folder)
    assert info.images == 60
    assert sorted(line.split(" leads nowhere")[0] for line in info.skipped_files) == ["gone.png", "self"]


def test_a_folder_without_pictures_says_what_it_has(tmp_path):
    with pytest.raises(UsageError, match=r"There are no images in .*, only 2 \.txt; ganzoo looks for"):
        data.add("set", fill(tmp_path / "d", {"a.txt": b"x", "b.txt": b"y"}))


@pytest.mark.parametrize("suffix", ["txt", "csv", "json", "md", "html", "xml", "yaml", "npy", "zip", "pt"])
def test_a_picture_is_read_whatever_it_is_called(tmp_path, suffix):
    files = {f"{number}.{suffix if number < 3 else 'png'}": picture("PNG") for number in range(20)}
    text = {f"{number}.{suffix}": b"a picture of a cat" for number in (100, 101)}
    info = data.add("named", fill(tmp_path / "named", {**files, **text}))
    assert info.images == 20


def test_drawings_count_as_what_cannot_be_read(tmp_path):
    drawn = {f"{number}.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>" for number in range(4)}
    with pytest.raises(GanzooError, match=r"4 of 24 images .*4 \.svg, such as 0\.svg, which is of a kind that cannot"):
        data.add("drawn", fill(tmp_path / "drawn", {**{f"{n}.png": picture("PNG") for n in range(20)}, **drawn}))
    with pytest.raises(UsageError, match=r"no images in .*, only 4 \.svg"):
        data.add("only", fill(tmp_path / "only", drawn))


def test_an_empty_folder_is_no_file_to_give(tmp_path):
    with pytest.raises(GanzooError, match=r"ganzoo looks for PNG, JPEG, TIFF and other images\.$"):
        data.add("set", tmp_path)
