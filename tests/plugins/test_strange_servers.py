"""Servers that answer something else than a file: one sentence, and nothing that is kept."""

from __future__ import annotations

import base64
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ganzoo_web import web
from PIL import Image

from ganzoo import data
from ganzoo.errors import GanzooError, UsageError
from ganzoo.runs.address import fetch as fetch_model

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Server:
    """Answers as `answer` does, and counts how often it was asked."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request: request.send_error(404)
        self.asked = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                with suppress(OSError):  # whoever asked has gone
                    server.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/model.safetensors"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()
    server.thread.join()


def body(content: bytes, kind: str = "application/octet-stream", length: bool = True) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        if length:
            request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


def kept(home) -> list[str]:
    return [path.name for path in (home / "downloads").glob("*") if path.suffix not in (".lock", ".part")]


def test_a_login_page_is_no_file(server, home):
    server.answer = body(b"<html>Log in", "text/html; charset=utf-8")
    for ask in (lambda: fetch_model(server.url), lambda: data.add("set", server.url)):
        with pytest.raises(GanzooError, match="a web page, not with a file"):
            ask()
    assert kept(home) == []


@pytest.mark.parametrize("content", [b"", b"Please log in", b"\xff" * 100, b"\x10\0\0\0\0\0\0\0{"])
def test_what_is_no_model_is_not_kept_as_one(server, home, content):
    server.answer = body(content)
    for _ in range(2):
        with pytest.raises(GanzooError, match="is no model file"):
            fetch_model(server.url)
    assert server.asked == 2
    assert kept(home) == []


def test_a_server_that_always_answers_416_is_asked_twice_at_most(server, home):
    (home / "downloads").mkdir(parents=True)
    server.answer = lambda request: request.send_error(416)
    with pytest.raises(GanzooError, match="answers 416"):
        fetch_model(server.url)
    assert server.asked == 1


@pytest.mark.parametrize("address", ["http://[::1", "http://", "http:///x", "http://a:b/", "http://a:99999/x"])
def test_addresses_that_are_none(address):
    with pytest.raises(UsageError, match=r"is no address|names no server"):
        fetch_model(address)


@pytest.mark.parametrize("to", ["ftp://127.0.0.1/x", "file:///etc/passwd", "data:,x"])
def test_redirects_lead_to_web_servers_only(server, to):
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()

    server.answer = answer
    with pytest.raises(GanzooError):
        fetch_model(server.url)


def test_a_body_without_a_stated_size_leaves_room_on_the_disk(server, home, monkeypatch):
    monkeypatch.setattr(web, "_LOOK", 1)
    monkeypatch.setattr(web, "_RESERVE", 10**18)
    server.answer = body(b"x" * 3_000_000, length=False)
    with pytest.raises(UsageError, match="no stated size and would fill the disk"):
        fetch_model(server.url)
    assert not list((home / "downloads").glob("*.part"))


@pytest.mark.parametrize("length", ["-5", "many", "9" * 40, "", "1e3"])
def test_lengths_that_are_none(server, length):
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", length)
        request.end_headers()
        request.wfile.write(b"x" * 100)

    server.answer = answer
    with pytest.raises(GanzooError):
        fetch_model(server.url)


def asking(content: bytes, heard: list[tuple[str, str | None]], to: str = "") -> Answer:
    """Gives the content to whoever says who they are; sends on `to` where it is asked for anything but that."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        login = request.headers.get("Authorization")
        heard.append((request.path, login))
        if login is None:
            request.send_error(401)
        elif to and not request.path.startswith("/there"):
            request.send_response(302)
            request.send_header("Location", to)
            request.send_header("Content-Length", "0")
            request.end_headers()
        else:
            body(content)(request)

    return answer


def test_a_password_in_an_address_is_told_to_its_server_and_kept_nowhere(server, home, tmp_path):
    pictures = io.BytesIO()
    with zipfile.ZipFile(pictures, "w") as archive:
        for number in range(4):
            picture = io.BytesIO()
            Image.new("L", (8, 8), 60 * number).save(picture, "PNG")
            archive.writestr(f"{number}.png", picture.getvalue())
    heard: list[tuple[str, str | None]] = []
    server.answer = asking(pictures.getvalue(), heard, to="/there/set.zip")
    place = server.url.removeprefix("http://").replace("model.safetensors", "set.zip")
    with pytest.raises(GanzooError, match=r"answers 401 .* asks for https://NAME:PASSWORD@SERVER/FILE"):
        data.add("set", f"http://{place}")
    said: list[str] = []
    info = data.add("set", f"http://al%40ice:hush=%2F@{place}", report=lambda what, *_: said.append(what))
    login = "Basic " + base64.b64encode(b"al@ice:hush=/").decode()
    assert heard[1:] == [("/set.zip", login), ("/there/set.zip", login)]
    written = b"".join(path.read_bytes() + str(path).encode() for path in home.rglob("*") if path.is_file())
    assert info.images == 4
    assert info.source == f"http://{place}"
    assert b"hush" not in written + "".join(said).encode()


def test_a_password_goes_to_no_other_server(server):
    heard: list[tuple[str, str | None]] = []
    server.answer = asking(b"", heard, to=server.url.replace("127.0.0.1", "localhost") + "?there")
    with pytest.raises(GanzooError, match="answers 401") as error:
        fetch_model(server.url.replace("//", "//alice:hush@"))
    assert [login is None for _, login in heard] == [False, True]
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("address", ["http://alice:hu/sh@host/x", "http://alice:hush@host:99999/x", "http://a:hush@/x"])
def test_a_password_is_in_no_error(address):
    with pytest.raises(UsageError) as error:
        fetch_model(address)
    assert "hu" not in str(error.value)
