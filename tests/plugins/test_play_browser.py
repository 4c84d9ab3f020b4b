"""The page of `ganzoo play` in a real browser, over a real server."""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import subprocess
import sys
from contextlib import closing

import pytest
from PIL import Image
from support.browser import Watched, chromium
from support.command_line import cli

pytest.importorskip("gradio", reason="the extra play is not installed")

UPLOADING = "Method not implemented."  # what Gradio's own script says to the console at each upload


@pytest.fixture(scope="module")
def address(finished):
    """Of a page of a finished run, served by a process of its own, which Ctrl-C ends."""
    words = ["play", str(finished.path), "--port", "0", "--device", "cpu"]
    served = subprocess.Popen(
        [sys.executable, "-m", "ganzoo", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SSH_CONNECTION": "there"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with served:
        said = served.stdout.readline()
        assert said.startswith(f"{finished.path}: http://127.0.0.1:"), said
        assert served.stdout.readline().startswith("On your own machine: ssh -N -L ")
        yield said.split()[-4]
        served.send_signal(signal.SIGINT)
        assert served.stdout.read() == "The page is not served any more.\n"
    assert served.returncode == 0


@pytest.fixture
def opened(address):
    with chromium() as browser:
        watched = Watched(browser, address, ready="button.thumbnail-item")
        yield watched
        assert [said for said in watched.complaints if said != UPLOADING] == []
        assert watched.outside == []


def command(page, name: str) -> str:
    """The command that stands below a result, once it is there."""
    page.wait_for_selector(f"#command-{name} .cm-line:has-text('ganzoo')", timeout=60_000)
    return page.inner_text(f"#command-{name} .cm-content").replace("\n", "")


def test_an_image_is_picked_varied_and_walked_from(opened, monkeypatch, tmp_path):
    page = opened.page
    assert page.locator("button.thumbnail-item").count() == 16
    assert command(page, "sheet").endswith("-n 16 --seed 0 --device cpu -o samples/")
    page.locator("button.thumbnail-item").nth(2).click()
    assert "--index 3 --vary 8 --strength 0.3" in command(page, "versions")
    words = shlex.split(command(page, "picked"))
    with page.expect_download() as download:
        page.locator("#file-picked a").first.click()
    monkeypatch.chdir(tmp_path)
    assert cli(*words[1:]).exit_code == 0
    with Image.open(download.value.path()) as given, Image.open(words[-1]) as made:
        assert given.size == made.size == (8, 8)
        assert given.tobytes() == made.tobytes()
    page.locator("button.thumbnail-item").nth(0).click()
    page.wait_for_selector("#command-versions .cm-line:has-text('interpolate')", timeout=60_000)
    assert "--index 3,1" in command(page, "versions")


def test_what_is_no_image_is_a_sentence(opened, tmp_path):
    page = opened.page
    (tmp_path / "face.png").write_text("no image")
    page.get_by_role("tab", name="Project").click()
    page.set_input_files("#to-project input[type=file]", str(tmp_path / "face.png"))
    page.wait_for_selector("#to-project :text('face')")
    page.get_by_role("button", name="Project").click()
    page.wait_for_selector(":text('face.png is not a readable image')", timeout=60_000)


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_is_wider_than_the_screen(address, width):
    with chromium() as browser:
        watched = Watched(browser, address, ready="button.thumbnail-item", viewport={"width": width, "height": 800})
        assert watched.page.evaluate("document.documentElement.scrollWidth") == width


def test_foreign_hosts_are_refused_and_no_file_is_served(address, finished):
    port = int(address.rstrip("/").rpartition(":")[2])

    def ask(path: str, host: str) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", str(path), headers={"Host": host})
            with connection.getresponse() as answer:
                answer.read()
                return answer.status

    assert ask("/", f"127.0.0.1:{port}") == ask("/", "localhost:9000") == 200
    assert ask("/", "evil.example") == ask("/", "127.0.0.1.evil.example") == 400
    for path in ("/etc/passwd", finished.path / "run.json", finished.path / "samples" / "epoch-0001.png"):
        assert ask(f"/gradio_api/file={path}", "localhost") in (403, 404)
