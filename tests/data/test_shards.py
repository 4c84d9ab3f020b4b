"""WebDataset shards: tars in a folder or on the web, read as one set."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo import data
from ganzoo.data import containers
from ganzoo.errors import GanzooError, UsageError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def png(value: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(file, "PNG")
    return file.getvalue()


def shard(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def faces(folder: Path, name: str = "faces", ending: str = "cls", label=lambda number: str(number % 2)) -> Path:
    """Three shards of two images each, numbered through, whose keys begin anew in each shard."""
    for number in range(3):
        members = {}
        for place in range(2):
            which = 2 * number + place
            members |= {f"{place}.png": png(10 * which), f"{place}.{ending}": label(which).encode()}
        shard(folder / f"{name}-{number:03}.tar", members)
    return folder


def pixels(name: str, unpack: bool | None = None) -> list[int]:
    part = data.prepare(name, resolution=(8, 8), unpack=unpack).training
    return part.raw(torch.arange(len(part)))[:, 0, 0, 0].tolist()


def test_shards_in_a_folder_are_one_set(tmp_path):
    info = data.add("faces", faces(tmp_path / "shards"))
    assert (info.images, info.classes, info.class_counts) == (6, ("0", "1"), {"0": (3, 0), "1": (3, 0)})
    assert info.notes == ("Items of one colour: 6, such as faces-000:0.png.",)
    assert pixels("faces", unpack=False) == pixels("faces") == [0, 10, 20, 30, 40, 50]
    assert data.prepare("faces", resolution=(8, 8)).training.labels.tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("ending", ["cls", "json"])
def test_labels_by_name(tmp_path, ending):
    word = ("black", "tabby").__getitem__
    said = (
        (lambda i: word(i % 2)) if ending == "cls" else (lambda i: json.dumps({"label": word(i % 2), "text": "a cat"}))
    )
    info = data.add("faces", faces(tmp_path / "shards", ending=ending, label=said))
    assert info.classes == ("black", "tabby")


def test_one_shard_is_a_tar_as_any_other(tmp_path):
    assert data.add("faces", faces(tmp_path / "shards") / "faces-001.tar").classes == ("0", "1")
    assert data.add("plain", tmp_path / "shards" / "faces-001.tar", labels="none").classes == ()


def test_json_without_labels_is_passed_over(tmp_path):
    info = data.add("faces", faces(tmp_path / "shards", ending="json", label=lambda i: '{"caption": "a cat"}'))
    assert info.classes == ()


def test_some_images_without_a_label_are_said(tmp_path):
    shard(tmp_path / "shards" / "a-0.tar", {"1.png": png(1), "1.cls": b"3", "2.png": png(2)})
    with pytest.raises(UsageError, match=r"What is beside the images .* has no label for a-0:2.png"):
        data.add("faces", tmp_path / "shards")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'{"label": [1, {}]}', b"{"])
def test_what_is_no_label_is_said(tmp_path, content):
    shard(tmp_path / "shards" / "a-0.tar", {"1.png": png(1), "1.json": content, "2.png": png(2), "2.json": content})
    with pytest.raises(UsageError, match=r"a-0:1.json .*label.*--labels none"):
        data.add("faces", tmp_path / "shards")
    assert data.add("faces", tmp_path / "shards", labels="none").images == 2


def test_shards_called_train_and_val_are_parts(tmp_path):
    faces(tmp_path / "shards", "train")
    faces(tmp_path / "shards", "val")
    info = data.add("faces", tmp_path / "shards")
    assert (info.trained, info.held_out, info.classes) == (6, 6, ("0", "1"))


def test_folders_within_shards_are_classes(tmp_path):
    for number in range(2):
        members = {f"{kind}/{place}.png": png(number + place) for place in range(2) for kind in ("cat", "dog")}
        shard(tmp_path / "shards" / f"x{number}.tar", members)
    info = data.add("pets", tmp_path / "shards")
    assert (info.images, info.classes) == (8, ("cat", "dog"))


def test_the_members_are_listed_once_and_forgotten_with_the_set(tmp_path, home, monkeypatch):
    monkeypatch.setattr(containers, "_MANY", 1)
    data.add("faces", faces(tmp_path / "shards"))
    kept = sorted((home / "downloads").glob("*.members.json"))
    assert len(kept) == 3
    monkeypatch.setattr(tarfile, "open", lambda *_, **__: pytest.fail("the list of members was kept"))
    assert pixels("faces") == [0, 10, 20, 30, 40, 50]
    monkeypatch.undo()
    monkeypatch.setenv("GANZOO_HOME", str(home))
    kept[0].write_text("{")  # a damaged list is made anew
    kept[1].write_text('{"files": {"0.png": 3}}')
    assert data.open_source("faces").read(5).getpixel((0, 0)) == (50, 50, 50)
    data.remove("faces")
    assert not list((home / "downloads").glob("*.members.json"))
    assert len(list((tmp_path / "shards").iterdir())) == 3


def test_a_shard_that_is_none_is_named(tmp_path):
    (faces(tmp_path / "shards") / "faces-001.tar").write_bytes(b"this is no tar" * 100)
    with pytest.raises(GanzooError, match=r"Cannot open .*faces-001.tar as a tar file .* damaged or cut short"):
        data.add("faces", tmp_path / "shards")


def test_hostile_members_are_left_out(tmp_path):
    """Links, devices and names that lead out are no items; nothing is written under a member's name."""
    folder = faces(tmp_path / "shards")
    with tarfile.open(folder / "faces-009.tar", "w") as tar:
        link = tarfile.TarInfo("9.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        out = tarfile.TarInfo("../../out.png")
        out.size = len(png(9))
        tar.addfile(out, io.BytesIO(png(9)))
    info = data.add("faces", folder, labels="none")
    assert info.images == 7
    assert not (tmp_path / "out.png").exists()


def test_a_shard_that_changed_stops_training(tmp_path):
    folder = faces(tmp_path / "shards")
    data.add("faces", folder)
    shard(folder / "faces-002.tar", {"0.png": png(1)})
    with pytest.raises(GanzooError, match="has changed since it was added"):
        data.prepare("faces", resolution=(8, 8))


@pytest.fixture
def web(tmp_path):
    """The address of a server of the folder "web"."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web")))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown(), server.server_close(), thread.join()


def test_shards_on_the_web_are_fetched_once(tmp_path, home, web):
    folder = faces(tmp_path / "web")
    address = f"{web}/faces-{{000..002}}.tar"
    info = data.add("faces", address)
    assert (info.images, info.source) == (6, address)
    assert info.origin == "added by the user: faces-000.tar to faces-002.tar"
    for file in folder.iterdir():
        file.unlink()
    assert data.add("faces", address) == info
    assert pixels("faces") == [0, 10, 20, 30, 40, 50]
    data.remove("faces")
    assert not [path for path in (home / "downloads").iterdir() if path.is_dir()]


def test_a_shard_that_is_not_there_or_none_is_said(tmp_path, home, web):
    faces(tmp_path / "web")
    with pytest.raises(GanzooError, match=r"Cannot fetch http://.*/faces-003.tar \(the server answers 404"):
        data.add("faces", f"{web}/faces-{{000..003}}.tar")
    (tmp_path / "web" / "faces-003.tar").write_bytes(b"no tar" * 1000)
    with pytest.raises(GanzooError, match=r"Cannot open http://.*\.tar/faces-003.tar as a tar file"):
        data.add("faces", f"{web}/faces-{{000..003}}.tar")
    assert not [path for path in (home / "downloads").iterdir() if path.is_dir()]  # to be fetched anew


def test_numbers_before_the_name_are_no_shards(web):
    with pytest.raises(GanzooError, match="Cannot fetch"):  # all of them would have one name
        data.add("faces", f"{web}/{{0..3}}/faces.tar")


def test_an_address_of_no_shards(web):
    for numbers in ("{9..0}", "{0..999999999}"):
        with pytest.raises(UsageError, match="must count upwards, to 100,000 shards at the most"):
            data.add("faces", f"{web}/faces-{numbers}.tar")
