"""Bombs and lies, each in miniature with a lowered limit: one sentence, no memory or disk taken, nothing left."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo import data
from ganzoo.data.containers import Folder
from ganzoo.data.images import Unreadable
from ganzoo.errors import GanzooError, UsageError

LIMIT = 10_000  # bytes


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def left(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def png(value: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (value, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def test_an_idx_file_that_unpacks_to_far_more_is_refused_with_the_way(tmp_path, home):
    head = struct.pack(">4B3I", 0, 0, 8, 3, 100_000, 28, 28)
    file = tmp_path / "x-images-idx3-ubyte.gz"
    file.write_bytes(gzip.compress(head + bytes(100_000 * 28 * 28)))
    tracemalloc.start()
    with pytest.raises(UsageError, match=r"unpacks to 78 MB, far more than .*--max-unpacked 78400000"):
        data.add("set", file, max_unpacked=LIMIT)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert left(home) == []


def test_an_idx_file_that_claims_more_than_it_has_takes_no_memory(tmp_path):
    file = tmp_path / "x-images-idx3-ubyte"
    file.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 1_000_000, 28, 28) + bytes(100))
    with pytest.raises(GanzooError, match="should hold 784,000,000 bytes of data and holds 100"):
        data.add("set", file)


def test_an_idx_file_of_many_axes_is_none(tmp_path):
    file = tmp_path / "x-images-idx3-ubyte"
    file.write_bytes(bytes([0, 0, 8, 64]) + b"\xff" * 4 * 64)  # more items than a float can count
    with pytest.raises(UsageError, match="is not an idx file"):
        data.add("set", file)


def test_an_idx_file_that_is_meant_to_be_so_is_read_when_asked(tmp_path):
    file = tmp_path / "x-images-idx3-ubyte.gz"
    file.write_bytes(gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 500, 8, 8) + bytes(500 * 64)))
    with pytest.raises(UsageError, match="--max-unpacked 32000"):
        data.add("set", file, max_unpacked=LIMIT)
    assert data.add("set", file, max_unpacked=32_000).images == 500


def test_an_npz_that_unpacks_to_far_more_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((1000, 32, 32), np.uint8))
    with pytest.raises(UsageError, match=r"unpacks to 1 MB.*--max-unpacked 1024000"):
        data.add("set", tmp_path / "a.npz", max_unpacked=LIMIT)


def npy(shape: str, content: bytes = b"", descr: str = "'|u1'") -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + content


@pytest.mark.parametrize(
    ("shape", "descr"),
    [
        ("(10000000000, 28, 28)", "'|u1'"),
        ("(-1, 28, 28)", "'|u1'"),
        ("(1, " * 50 + ")" * 50, "'|u1'"),
        ("(5,)", "'|O'"),
        ("'five'", "'|u1'"),
        ("(2, 2, 2)", "[('a', '<f4')]"),
    ],
)
def test_a_header_of_an_array_is_not_believed(tmp_path, shape, descr):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("images.npy", npy(shape, b"1234", descr))
    (tmp_path / "a.npy").write_bytes(npy(shape, b"1234", descr))
    for name in ("a.npz", "a.npy"):
        with pytest.raises(GanzooError):
            data.add("set", tmp_path / name)


@pytest.mark.parametrize(("ending", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_tar_that_unpacks_to_far_more_leaves_nothing_behind(tmp_path, home, ending, compress):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as tar:
        for number in range(2):
            member = tarfile.TarInfo(f"{number}.png")
            member.size = 3_000_000
            tar.addfile(member, io.BytesIO(png() + bytes(member.size)))
    (tmp_path / f"x.tar.{ending}").write_bytes(compress(buffer.getvalue()))
    with pytest.raises(UsageError, match=r"unpacks to more than .*--max-unpacked"):
        data.add("set", tmp_path / f"x.tar.{ending}", max_unpacked=1_000_000)
    assert left(home) == []


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tgz", "x.bz2", "x.tar.xz", "x.npz", "x.npy"])
def test_a_file_that_does_not_begin_as_its_name_says_is_damaged(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x01" * 2000)
    with pytest.raises(GanzooError, match=rf"not begin as a {Path(name).suffix} file does, so it is damaged or has"):
        data.add("set", tmp_path / name)


@pytest.mark.parametrize(("ending", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_compressed_file_that_is_cut_short_is_damaged(tmp_path, ending, compress):
    whole = compress(np.random.default_rng(0).bytes(4000))
    for count in (20, len(whole) // 2):
        (tmp_path / f"x.tar.{ending}").write_bytes(whole[:count])
        with pytest.raises(GanzooError, match="damaged"):
            data.add("set", tmp_path / f"x.tar.{ending}")


def test_an_unpacked_tar_of_what_cannot_be_used_is_not_left_behind(tmp_path, home):
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        for number in range(4):
            member = tarfile.TarInfo(f"{number}.png")
            member.size = 100
            tar.addfile(member, io.BytesIO(bytes(100)))
    with pytest.raises(GanzooError, match="4 of 4 images"):
        data.add("set", tmp_path / "x.tar.gz")
    assert left(home) == []


def test_a_table_of_a_zip_that_lies_about_sizes_takes_no_more_than_it_says(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("0.png", bytes(50_000_000))
        file.writestr("1.png", png(1))
        file.writestr("2.png", png(2))
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\1\2") + 24  # the size of the first file in the table at the end
    content[place : place + 4] = struct.pack("<I", 1000)
    path.write_bytes(content)
    tracemalloc.start()
    info = data.add("set", path, skip_bad=True)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert (info.images, info.skipped) == (2, 1)


def test_a_file_of_a_zip_that_is_packed_too_well_is_no_picture(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(2):
            file.writestr(f"{number}.png", png(number))
        file.writestr("bomb.png", bytes(20_000_000))
    info = data.add("set", tmp_path / "x.zip", skip_bad=True)
    assert info.skipped_files == ("bomb.png unpacks to 20 MB, too much for its size to be a picture",)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_damage_in_a_packed_file_is_one_left_out(tmp_path, method):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", method) as file:
        for number in range(3):
            file.writestr(f"{number}.png", png(number) + os.urandom(500))
    content = bytearray(path.read_bytes())
    content[60:400] = os.urandom(340)
    path.write_bytes(content)
    info = data.add("set", path, skip_bad=True)
    assert (info.images, info.skipped) == (2, 1)


def test_damage_in_a_packed_tar_is_said(tmp_path, home):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as tar:
        member = tarfile.TarInfo("0.png")
        member.size = 200_000
        tar.addfile(member, io.BytesIO(os.urandom(member.size)))
    content = bytearray(lzma.compress(buffer.getvalue()))
    content[150_000:160_000] = bytes(10_000)
    (tmp_path / "x.tar.xz").write_bytes(content)
    with pytest.raises(GanzooError, match="damaged or cut short"):
        data.add("set", tmp_path / "x.tar.xz")
    assert left(home) == []


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_are_no_utf8_are_read_and_shown(tmp_path):
    (tmp_path / "d").mkdir()
    for number, name in enumerate((b"a\xff.png", b"b\x1b[31m.png", b"c.png")):
        (tmp_path / "d" / os.fsdecode(name)).write_bytes(png(number))
    (tmp_path / "d" / os.fsdecode(b"\xfe.png")).write_bytes(b"\x89PNG")
    info = data.add("set", tmp_path / "d", skip_bad=True)
    assert info.images == 3
    assert all(line.isprintable() for line in info.skipped_files)
    assert data.prepare("set", resolution=(8, 8)).items == 3


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is neither a file nor a folder"):
        data.add("set", tmp_path / "pipe")
    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    added = data.add("other", tmp_path)
    assert (added.images, added.skipped) == (30, 1)


def test_what_pillow_warns_of_is_said_in_a_sentence_or_not_at_all(tmp_path):
    for number in range(40):
        palette = Image.new("P", (8, 8), number)
        palette.putpalette([255, 0, 0] * 256)
        palette.save(tmp_path / f"{number}.png", transparency=bytes([128] * 256))
    Image.new("1", (12_000, 8_000)).save(tmp_path / "large.png")
    said = subprocess.run(
        [sys.executable, "-m", "ganzoo", "data", "add", "set", str(tmp_path)], capture_output=True, text=True
    )
    assert "large.png has 96,000,000 pixels" in said.stdout
    assert "Warning" not in said.stderr


@pytest.mark.parametrize("folder", ["__MACOSX", "@eaDir", "$RECYCLE.BIN", ".thumbnails"])
def test_what_a_system_keeps_beside_the_pictures_is_not_read(tmp_path, folder):
    (tmp_path / folder).mkdir()
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(number))
        (tmp_path / folder / f"{number}.png").write_bytes(png(number))
    os.symlink("nothing", tmp_path / ".#0.png")  # an editor's lock
    added = data.add("set", tmp_path)
    assert (added.images, added.skipped) == (3, 0)


def test_classes_with_names_that_a_terminal_would_obey(tmp_path):
    for label in ("\x1b[31mred", "new\nline", "\u202eabc"):
        (tmp_path / label).mkdir()
        for number in range(2):
            (tmp_path / label / f"{number}.png").write_bytes(png(number))
    added = data.add("set", tmp_path)
    assert added.classes == ("\\x1b[31mred", "new\\nline", "\\u202eabc")
    assert added.layout[:1] == ("The folders \\x1b[31mred, new\\nline, \\u202eabc are classes.",)
    (tmp_path / "new\\nline").mkdir()
    (tmp_path / "new\\nline" / "0.png").write_bytes(png())
    with pytest.raises(UsageError, match="2 classes called new"):
        data.add("other", tmp_path)


def archived(path: Path, files: list[tuple[str, bytes]]) -> Path:
    """A zip or tar file of these, whatever their names, in this order."""
    if path.suffix == ".zip":
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w") as archive:
            for name, content in files:
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w") as tar:
            for name, content in files:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_a_name_that_an_archive_holds_several_times_is_said(tmp_path, ending):
    every = [(f"{number}.png", png(number)) for number in range(60)]
    few = archived(tmp_path / f"few.{ending}", [("7.png", png(200)), *every, ("notes.txt", b"a"), ("notes.txt", b"b")])
    found = data.add("few", few)
    assert (found.images, found.skipped) == (60, 1)
    many = archived(tmp_path / f"many.{ending}", [("0.png", png(number)) for number in range(60)])
    with pytest.raises(GanzooError, match=r"59 of 60 images .*has the name of a later file in the archive"):
        data.add("many", many)
    twice = archived(tmp_path / f"twice.{ending}", [*every, *every])
    found = data.add("twice", twice)
    assert (found.images, found.skipped) == (60, 0)  # the same bytes: nothing is lost


def test_a_file_of_more_than_512_mb_is_not_read(tmp_path):
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate((512 << 20) + 1)  # which takes no room on the disk
    with pytest.raises(Unreadable, match="larger than 512 MB"):
        Folder(tmp_path).read("large.png")


def test_a_folder_that_may_not_be_looked_into_is_said(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("ganzoo.data.containers.os.scandir", refused)
    with pytest.raises(GanzooError, match="Cannot read the folder"):
        Folder(tmp_path)


def test_an_npz_of_other_names_says_which_it_has(tmp_path):
    np.savez(tmp_path / "other.npz", pixels=np.zeros((2, 8, 8), np.uint8), ages=np.zeros(2))
    with pytest.raises(UsageError, match=r"has arrays (pixels, ages|ages, pixels); name the images one of"):
        data.add("other", tmp_path / "other.npz")


def test_links_in_a_tar_are_the_files_they_lead_to(tmp_path):
    with tarfile.open(tmp_path / "links.tar", "w") as tar:
        for number in range(20):
            member = tarfile.TarInfo(f"a/{number}.png")
            member.size = len(png(number))
            tar.addfile(member, io.BytesIO(png(number)))
        for name, kind, target in (
            ("b/hard.png", tarfile.LNKTYPE, "./a/3.png"), ("b/soft.png", tarfile.SYMTYPE, "../a/4.png"),
            ("b/gone.png", tarfile.SYMTYPE, "never.png"), ("b/out.png", tarfile.SYMTYPE, "/etc/passwd"),
        ):  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            tar.addfile(member)
    found = data.add("links", tmp_path / "links.tar", labels="none")
    assert (found.images, found.skipped) == (22, 1)
