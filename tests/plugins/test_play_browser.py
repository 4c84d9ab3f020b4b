"""The page of `ganzoo play` in a real browser, over a real server."""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PIL import Image
from support.browser import Watched, chromium
from support.command_line import cli

import ganzoo
from ganzoo.loop.display import Display

pytest.importorskip("gradio", reason="the extra play is not installed")

UPLOADING = "Method not implemented."  # what Gradio's own script says to the console at each upload


@contextmanager
def served(run: str):
    """The address of a run's page, served by a process of its own, which Ctrl-C ends."""
    words = ["play", run, "--port", "0", "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ganzoo", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SSH_CONNECTION": "there"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        said = process.stdout.readline()
        assert said.startswith(f"{run}: http://127.0.0.1:"), said
        assert process.stdout.readline().startswith("On your own machine: ssh -N -L ")
        yield said.split()[-4]
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "The page is not served any more.\n"
    assert process.returncode == 0


@pytest.fixture(scope="module")
def address(finished):
    with served(str(finished.path)) as where:
        yield where


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


ENCODING = '''
"""A GAN with an encoder, for the tests."""

import torch
from ganzoo.api import Abilities, ArchitectureCard, hookimpl
from tinyzoo.model import TinyGAN


@hookimpl
def ganzoo_architectures():
    yield ArchitectureCard(
        name="encoding", title="Encoding", year=2000, paper="none", summary="For the tests.", resolutions=(8,),
        smallest_length=1, licence="MIT", api=2, model="encoding_gan:Encoding",
    )


class Encoding(TinyGAN):
    abilities = Abilities(generate=True, realness=True, encode=True)

    def encode(self, items, label=None):
        return items.flatten(1)[:, : self.config.latent_dim]
'''


@contextmanager
def playing(folder: Path, architecture: str, dataset: str, **options: object):
    """The page of a run of one step, in the browser; it may complain of nothing, and ask nobody for anything."""
    run = ganzoo.train(
        architecture, dataset, out=folder / "run", steps=1, samples=2, device="cpu", display=Display(), **options
    )
    with served(str(run.path)) as address, chromium() as browser:
        watched = Watched(browser, address, ready="button[role=tab]")
        yield watched.page
        assert [said for said in watched.complaints if said != UPLOADING] == []
        assert watched.outside == []


def shown_size(page, name: str) -> list[int]:
    """Width and height of the picture beside a command, once it has come."""
    picture = f"xpath=//*[@id='command-{name}']/ancestor::*[.//img][1]//img"
    page.wait_for_function("i => i.complete && i.naturalWidth > 0", arg=page.wait_for_selector(picture))
    return page.eval_on_selector(picture, "i => [i.naturalWidth, i.naturalHeight]")


def test_an_upload_is_encoded(tmp_path):
    (tmp_path / "encoding_gan.py").write_text(ENCODING, encoding="utf-8")
    Image.new("RGB", (8, 8), (200, 30, 30)).save(tmp_path / "red.png")
    with playing(tmp_path, str(tmp_path / "encoding_gan.py"), "tiny") as page:
        page.get_by_role("tab", name="Project and encode").click()
        page.set_input_files("#to-project input[type=file]", str(tmp_path / "red.png"))
        page.wait_for_selector("#to-project :text('red')")
        page.get_by_role("button", name="Encode", exact=True).click()
        assert "red.png --steps 0 --device cpu -o encoded.png" in command(page, "projected")
        assert min(shown_size(page, "projected")) > 0


def test_a_label_is_chosen(tmp_path):
    with playing(tmp_path, "cgan", "digits:images=64", resolution=32, batch_size=4, width_g=4, width_d=4) as page:
        page.get_by_label("Label").first.click()
        page.get_by_role("option", name="7", exact=True).click()
        page.wait_for_selector("#command-sheet .cm-line:has-text('--label 7')", timeout=60_000)


def test_sounds_are_heard(tmp_path):
    with playing(tmp_path, "wavegan", "tones:images=16,length=64", batch_size=4) as page:
        assert command(page, "sheet").startswith("ganzoo sample ")
        page.wait_for_selector("[aria-label='Play']", timeout=60_000)
        page.locator("[aria-label='Play']").first.click()
