"""Bytes that changed behind ganzoo's back are noticed by their checksums; one bad record leaves the others alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo import data
from ganzoo.data import store
from ganzoo.errors import GanzooError
from ganzoo.files import home


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "mine").mkdir()
    for index in range(6):
        pixels = np.random.default_rng(index).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "mine" / f"{index}.bmp")
    return tmp_path / "mine"


def flip(file: Path, place: int) -> None:
    """Changes a byte; the file keeps its size and its time."""
    stat, content = file.stat(), bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_pack_with_a_flipped_byte_is_refused(folder: Path) -> None:
    data.add("mine", folder)
    data.prepare("mine")
    (file,) = (home() / "packs").glob("*/pack.npy")
    data.prepare("mine")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(GanzooError, match=r"pack .* is damaged; remove that folder, and it is made again"):
        data.prepare("mine")


def test_a_source_that_changed_under_the_same_size_and_time_is_refused(folder: Path) -> None:
    data.add("mine", folder)
    flip(folder / "3.bmp", -1)
    with pytest.raises(GanzooError, match=r"Item 3 is not what it was when the set was added"):
        data.prepare("mine")
    flip(folder / "3.bmp", -1)
    assert data.prepare("mine").items == 6


@pytest.mark.parametrize("bad", [b"{", b"\xff", b"[]", b"null", None])
def test_one_bad_record_does_not_take_the_others_down(folder: Path, bad: bytes | None) -> None:
    data.add("mine", folder)
    record = json.loads((home() / "data" / "mine.json").read_text(encoding="utf-8"))
    if bad is None:
        del record["paths"]
        bad = json.dumps(record).encode()
    (home() / "data" / "bad.json").write_bytes(bad)
    listed = {info.name: info.problem for info in store.names() if info.kind == "user"}
    assert listed["mine"] == ""
    assert "bad.json" in listed["bad"]
    store.remove("mine")
    with pytest.raises(GanzooError, match=r"bad\.json"):
        data.prepare("bad")
