"""Mutated files: whatever is in them, an error of ganzoo's own or a data set; no hang, no write elsewhere.

The short form, a few hundred inputs, is part of the suite. The long form, by hand:
``GANZOO_FUZZ=10000 pytest -s tests/data/test_mutated.py``
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.mutated import Tally, mutated, numbers

from ganzoo import data
from ganzoo.errors import GanzooError
from ganzoo.plan.recipe import recipe_of

NUMBERS = numbers(300)


def picture(kind: str, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (12, 12, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def zipped(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for number in range(3):
            file.writestr(f"{number}.png", picture("PNG"))
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as file:
        for number in range(3):
            member = tarfile.TarInfo(f"{number}.png")
            content = picture("PNG")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def arrays(**kinds: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **kinds)
    return buffer.getvalue()


def idx() -> bytes:
    return bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in (4, 8, 8)) + bytes(range(256))


SEEDS: dict[str, Callable[[], bytes]] = {
    **{f"a.{kind.lower()}": (lambda kind=kind: picture(kind)) for kind in ("PNG", "GIF", "TIFF", "WEBP", "BMP", "PPM")},
    **{f"b.{kind.lower()}": (lambda kind=kind: picture(kind)) for kind in ("TGA", "PCX", "SGI", "ICO", "DDS", "QOI")},
    "c.jpg": lambda: picture("JPEG"),
    "c.jp2": lambda: picture("JPEG2000"),
    "d.tif": lambda: picture("TIFF", "I;16"),
    "x.zip": lambda: zipped(zipfile.ZIP_STORED),
    "y.zip": lambda: zipped(zipfile.ZIP_DEFLATED),
    "z.zip": lambda: zipped(zipfile.ZIP_LZMA),
    "x.tar": tarred,
    "x.tar.gz": lambda: gzip.compress(tarred()),
    "x.tar.xz": lambda: lzma.compress(tarred()),
    "x.npz": lambda: arrays(images=np.zeros((4, 8, 8), np.uint8), labels=np.arange(4)),
    "x-images-idx3-ubyte": idx,
    "y-images-idx3-ubyte.gz": lambda: gzip.compress(idx()),
    "labels.csv": lambda: b"name,label\n0.png,cat\n1.png,dog\n2.png,cat\n",
    "labels.json": lambda: json.dumps({"labels": [["0.png", 0], ["1.png", 1], ["2.png", 0]]}).encode(),
    "recipe.toml": lambda: b'architecture = "gan"\ndata = "points"\n[options]\nlr = 1e-4\n[[stages]]\nepochs = 1\n',
    "record.json": lambda: b"",
}


def attempt(name: str, content: bytes, folder: Path, home: Path) -> None:
    """What a user would do with such a file."""
    plain = folder.parent / "plain"
    file = folder / name
    file.write_bytes(content)
    if name == "recipe.toml":
        recipe_of(str(file))
    elif name == "record.json":
        (home / "data").mkdir(parents=True, exist_ok=True)
        (home / "data" / "kept.json").write_bytes(content)
        data.info("kept")
    elif name.startswith("labels"):
        data.add("set", plain, labels=file)
    elif name[0] in "abcd":
        data.add("set", folder, skip_bad=True, max_pixels=1_000_000)
    else:
        data.add("set", file, skip_bad=True, max_pixels=1_000_000, max_unpacked=10_000_000)


@pytest.mark.filterwarnings("ignore")
def test_no_mutated_file_ends_in_an_unexpected_error(tmp_path, monkeypatch):
    home, folder, plain = tmp_path / "home", tmp_path / "given", tmp_path / "plain"
    monkeypatch.setenv("GANZOO_HOME", str(home))
    plain.mkdir()
    for number in range(3):
        (plain / f"{number}.png").write_bytes(picture("PNG"))
    data.add("kept", plain)
    seeds = {name: make() for name, make in SEEDS.items()}
    seeds["record.json"] = (home / "data" / "kept.json").read_bytes()
    before = {path.name for path in tmp_path.iterdir()} | {"given"}
    tally = Tally()
    for number in NUMBERS:
        draw = random.Random(number)
        name = list(seeds)[number % len(seeds)]
        folder.mkdir()
        for other in range(2):
            (folder / f"{other}.png").write_bytes(picture("PNG"))
        content = mutated(seeds[name], draw)
        tally.attempt(f"{number} {name}", partial(attempt, name, content, folder, home))
        (home / "data" / "set.json").unlink(missing_ok=True)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        assert {path.name for path in tmp_path.iterdir()} <= before
    print(tally, *tally.unexpected, sep="\n")
    assert tally.unexpected == []


def test_what_the_long_form_found(tmp_path, monkeypatch):
    """A name of two lines in an archive, and a label for a file without a name."""
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.n\ny", b"nothing")
    with pytest.raises(GanzooError) as caught:
        data.add("set", tmp_path / "x.npz")
    assert "\n" not in str(caught.value)
    (tmp_path / "plain").mkdir()
    for number in range(2):
        (tmp_path / "plain" / f"{number}.png").write_bytes(picture("PNG"))
    (tmp_path / "labels.csv").write_text("0.png,a\n1.png,b\n.,a\n")
    assert data.add("named", tmp_path / "plain", labels=tmp_path / "labels.csv").classes == ("a", "b")
