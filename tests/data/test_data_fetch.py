"""Sources that are fetched: URLs from a server on this machine, torchvision's sets from stand-ins for them."""

from __future__ import annotations

import hashlib
import io
import re
import socket
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import torchvision
from ganzoo_hub import data_sets
from PIL import Image

from ganzoo import data
from ganzoo.errors import GanzooError, UsageError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def faces() -> bytes:
    """A zip of six noisy images."""
    buffer = io.BytesIO()
    random = np.random.default_rng(0)
    with zipfile.ZipFile(buffer, "w") as file:
        for number in range(6):
            image = io.BytesIO()
            Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(image, "PNG")
            file.writestr(f"{number}.png", image.getvalue())
    return buffer.getvalue()


class Server:
    """Serves `content` at every path but /missing; breaks off after `stop_after` bytes; remembers what was asked."""

    def __init__(self) -> None:
        self.content, self.version, self.stop_after, self.ranges = faces(), '"1"', -1, list[str | None]()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/sets/faces.zip"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if request.path == "/missing":
            request.send_error(404, "Not Found")
            return
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked[6:-1]) if asked and request.headers.get("If-Range") == self.version else 0
        request.send_response(206 if start else 200)
        if start:
            size = len(self.content)
            request.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        request.send_header("Content-Length", str(len(self.content) - start))
        request.send_header("ETag", self.version)
        request.end_headers()
        end = len(self.content) if self.stop_after < 0 else self.stop_after
        request.wfile.write(self.content[start:end])

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_a_url_is_downloaded_once_with_its_hash(server, home):
    progress: list[tuple[str, int, int]] = []
    info = data.add("faces", server.url, report=lambda *what: progress.append(what))
    size = len(server.content)
    assert ("Downloading faces.zip", size, size) in progress
    assert info.sha256 == hashlib.sha256(server.content).hexdigest()
    assert (info.images, info.source, info.origin) == (6, server.url, "added by the user: faces.zip")
    data.add("again", f"{server.url}#sha256={info.sha256}")
    assert len(server.ranges) == 1
    assert data.prepare("faces").shape == (3, 16, 16)
    data.remove("faces")
    assert len(list((home / "downloads").glob("*faces.zip"))) == 1
    data.remove("again")
    assert not list((home / "downloads").glob("*faces.zip"))


def test_a_broken_download_goes_on(server):
    server.stop_after = 500
    with pytest.raises(GanzooError, match="the connection broke"):
        data.add("faces", server.url)
    server.stop_after = -1
    info = data.add("faces", server.url)
    assert server.ranges == [None, "bytes=500-"]
    assert info.sha256 == hashlib.sha256(server.content).hexdigest()


def test_a_broken_download_of_what_has_changed_starts_again(server):
    server.stop_after = 500
    with pytest.raises(GanzooError, match="the connection broke"):
        data.add("faces", server.url)
    server.stop_after, server.version, server.content = -1, '"2"', server.content + b"\0"
    assert data.add("faces", server.url).sha256 == hashlib.sha256(server.content).hexdigest()


def test_another_hash_than_asked_is_refused(server, home):
    with pytest.raises(GanzooError, match=f"has the SHA-256 {hashlib.sha256(server.content).hexdigest()}, not 0000"):
        data.add("faces", f"{server.url}#sha256={'0' * 64}")
    assert not list((home / "downloads").glob("*faces.zip*"))
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        data.add("faces", f"{server.url}#sha256=12")


def test_a_download_of_no_use_is_not_kept(server, home):
    """What stands at the address may be mended; the sentence names the address, not a file of ganzoo's own."""
    good, server.content = server.content, b"<html>not here any more</html>"
    with pytest.raises(GanzooError, match=f"{re.escape(server.url)} is of no kind that ganzoo knows"):
        data.add("faces", server.url)
    assert not list((home / "downloads").glob("*faces.zip"))
    server.content = good
    assert data.add("faces", server.url).images == 6


def test_what_cannot_be_reached_is_one_sentence(server):
    with pytest.raises(GanzooError, match=r"Cannot fetch .*/missing \(the server answers 404 Not Found\)"):
        data.add("faces", server.url.replace("/sets/faces.zip", "/missing"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(GanzooError, match=r"Cannot fetch http://127.* add the file\.$") as caught:
            data.add("faces", f"http://name:secret@127.0.0.1:{free.getsockname()[1]}/x.zip")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


class Squares:
    """Looks like one of torchvision's data sets."""

    fetched = 0

    def __init__(self, root: str, train: bool = True, download: bool = False) -> None:
        assert train
        assert download
        print("Downloading squares")
        Squares.fetched += 1
        self.classes = ["0 - small", "1 - large", "2 - never"]

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        if index >= 5:
            raise IndexError
        return Image.new("L", (28, 28), 50 * index), index % 2


class Unreachable:
    def __init__(self, root: str, download: bool = False) -> None:
        raise RuntimeError("Error downloading x-images.gz:\nTried 2 mirrors")


def test_torchvision_sets_are_fetched_once_and_read_as_files(monkeypatch, capfd):
    monkeypatch.setattr(torchvision.datasets, "Squares", Squares, raising=False)
    Squares.fetched = 0
    info = data.add("squares", "torchvision://Squares")
    data.add("again", "torchvision://Squares")
    assert Squares.fetched == 1
    assert (info.images, info.channels, info.classes) == (5, 1, ("0", "1", "2"))
    assert info.origin == "added by the user: torchvision's Squares"
    source = data.open_source("squares")
    assert [source.label(index) for index in range(5)] == [0, 1, 0, 1, 0]
    assert source.read(3).getpixel((0, 0)) == 150
    assert capfd.readouterr().out == ""


def test_torchvision_sets_that_cannot_be_fetched(monkeypatch, home):
    monkeypatch.setattr(torchvision.datasets, "MNIST", Unreachable)
    with pytest.raises(GanzooError, match=r"cannot fetch MNIST \(Error downloading .* ganzoo data add NAME FOLDER"):
        data.add("numbers", "torchvision://MNIST")
    with pytest.raises(GanzooError, match="ganzoo data add mnist FOLDER") as caught:
        data.prepare("mnist")
    assert "\n" not in str(caught.value)
    assert not list((home / "downloads").rglob("*.zip"))
    with pytest.raises(UsageError, match="did you mean MNIST"):
        data.add("numbers", "torchvision://MNISTT")
    with pytest.raises(UsageError, match="does not download anything"):
        data.add("numbers", "torchvision://ImageFolder")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist", "cifar10"])
def test_the_built_in_sets_are_known_before_they_are_fetched(name, home):
    info = data.info(name)
    assert len(info.classes) == 10
    assert info.problem == ""
    assert hasattr(torchvision.datasets, info.origin.partition(",")[0])
    assert not (home / "downloads").exists()


def test_a_built_in_set_trains_once_fetched(monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "MNIST", Squares)
    from ganzoo_torchvision import sets

    monkeypatch.setattr(sets.MNIST, "images", 5)
    dataset = data.prepare("mnist")
    assert (dataset.shape, len(dataset.parts["train"]), dataset.origin) == (
        (1, 28, 28),
        5,
        "MNIST, fetched by torchvision",
    )
    assert dataset.parts["train"].labels.tolist() == [0, 1, 0, 1, 0]


@pytest.mark.parametrize("path", ["C:\\pictures", "C:/pictures", "\\\\server\\pictures", "./pictures"])
def test_a_path_of_any_system_behind_the_hubs_address_is_a_folder_of_this_machine(path):
    """One of Windows was taken for a repository of the hub."""
    with pytest.raises(UsageError, match=r"There is nothing at .*pictures; after hf://datasets/ comes USER/NAME, or"):
        data_sets.fetch(f"hf://datasets/{path}", lambda *_: None)
