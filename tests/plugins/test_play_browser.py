"""The page of `ganzoo play` in a real browser, over a real server."""

from __future__ import annotations

import http.client
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PIL import Image
from support.browser import PALE, Watched, chromium
from support.command_line import cli

import ganzoo
from ganzoo import data
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
        try:
            yield said.split()[-4]
        except BaseException:
            process.kill()
            raise
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
    label, picture = (
        page.locator(f".labelled:has-text('Picked') {part}").first.bounding_box() for part in ("label", "img")
    )
    assert picture["y"] >= label["y"] + label["height"], "the label covers nothing of the picture"
    assert picture["width"] >= 128
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out(address, scheme):
    with chromium() as browser:
        page = Watched(browser, address, ready="button.thumbnail-item", color_scheme=scheme).page
        page.locator("button.thumbnail-item").first.click()
        command(page, "versions")
        assert page.evaluate(PALE) == []


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


def same_as_typed(page, name: str, uploads: Path, monkeypatch, folder: Path) -> list[str]:
    """The words of the command beside a result, which makes the very file that can be downloaded there."""
    words = shlex.split(command(page, name))
    page.wait_for_selector(f"#file-{name} a", timeout=60_000)
    with page.expect_download() as download:
        page.locator(f"#file-{name} a").first.click()
    shutil.copytree(uploads, folder)
    monkeypatch.chdir(folder)
    result = cli(*words[1:])
    assert result.exit_code == 0, result.output
    made = Path(words[-1])
    file = made / download.value.suggested_filename if made.is_dir() else made
    assert Path(download.value.path()).read_bytes() == file.read_bytes()
    return words


def give(page, where: str, file: Path) -> None:
    """Uploads a file."""
    page.set_input_files(f"#{where} input[type=file]", str(file))
    page.wait_for_selector(f"#{where} :text('{file.stem}')")


def labelled(folder: Path, heading: str, row: Callable[[int], str]) -> None:
    """A data set `told` of grey levels and what is known of them."""
    (folder / "img").mkdir()
    for number in range(12):
        Image.new("RGB", (8, 8), (20 * number,) * 3).save(folder / "img" / f"{number:02d}.png")
    lines = [heading, *(f"{number:02d}.png,{row(number)}" for number in range(12))]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    data.add("told", folder / "img", labels=folder / "labels.csv")


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """A folder of one picture, red.png."""
    (tmp_path / "uploads").mkdir()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(tmp_path / "uploads" / "red.png")
    return tmp_path / "uploads"


def test_styles_are_mixed_and_an_upload_is_projected(tmp_path, uploads, monkeypatch):
    tiny: dict = {"channel_base": 32, "channel_max": 4, "latent_dim": 8, "mapping_layers": 2}
    with playing(tmp_path, "stylegan2", "tiny", resolution=8, batch_size=4, **tiny) as page:
        assert "--truncation" not in command(page, "sheet")
        slider = page.get_by_label("range slider for Truncation").first
        slider.focus()
        slider.press("ArrowLeft")
        page.wait_for_selector("#command-sheet .cm-line:has-text('--truncation 0.95')", timeout=60_000)
        page.get_by_role("tab", name="Mix styles").click()
        page.get_by_role("button", name="Mix", exact=True).click()
        words = same_as_typed(page, "mixed", uploads, monkeypatch, tmp_path / "mixed")
        assert words[1] == "mix"
        assert "--cutoff" not in words
        assert min(shown_size(page, "mixed")) > 0
        page.get_by_role("tab", name="Project").click()
        give(page, "to-project", uploads / "red.png")
        page.get_by_label("A style for each layer").check()
        page.get_by_label("number input for Steps of the descent").fill("10")
        page.get_by_role("button", name="Project", exact=True).click()
        words = same_as_typed(page, "projected", uploads, monkeypatch, tmp_path / "projected")
        assert words[3:6] == ["red.png", "--steps", "10"]
        assert "--each-layer" in words


def test_codes_are_chosen(tmp_path, uploads, monkeypatch):
    small: dict = {"width": 2, "hidden": 8, "hidden_q": 4, "incompressible": 4}
    with playing(tmp_path, "infogan", "tiny", resolution=8, batch_size=4, **small) as page:
        codes = page.get_by_label("Codes")
        assert codes.get_attribute("placeholder") == "category=0,c1=0,c2=0"
        command(page, "sheet")
        codes.fill("category=3,c1=-0.5")
        codes.press("Enter")
        page.wait_for_selector("#command-sheet .cm-line:has-text('--code category=3,c1=-0.5')", timeout=60_000)
        page.locator("button.thumbnail-item").nth(2).click()
        words = same_as_typed(page, "picked", uploads, monkeypatch, tmp_path / "typed")
        assert words[-6:-4] == ["--code", "category=3,c1=-0.5"]


def test_attributes_are_chosen(tmp_path, uploads, own_catalogue, install, monkeypatch):
    install("from tinyzoo.conditions import ganzoo_architectures")
    labelled(tmp_path, "file,glasses,hat", lambda number: f"{number % 2},{int(number > 5)}")
    with playing(tmp_path, "tinyattributes", "told", batch_size=4) as page:
        command(page, "sheet")
        page.get_by_label("Attributes").first.click()
        page.get_by_role("option", name="hat=1", exact=True).click()
        page.wait_for_selector("#command-sheet .cm-line:has-text('--label hat=1')", timeout=60_000)
        page.locator("button.thumbnail-item").nth(1).click()
        assert "hat=1" in same_as_typed(page, "picked", uploads, monkeypatch, tmp_path / "typed")


def test_numbers_are_chosen(tmp_path, uploads, own_catalogue, install, monkeypatch):
    install("from tinyzoo.conditions import ganzoo_architectures")
    labelled(tmp_path, "file,age", lambda number: f"{number + 0.5}")
    with playing(tmp_path, "tinynumbers", "told", batch_size=4) as page:
        command(page, "sheet")
        page.get_by_label("Label").first.fill("3.5")
        page.get_by_label("Label").first.press("Enter")
        page.wait_for_selector("#command-sheet .cm-line:has-text('--label 3.5')", timeout=60_000)
        page.locator("button.thumbnail-item").nth(1).click()
        assert "3.5" in same_as_typed(page, "picked", uploads, monkeypatch, tmp_path / "typed")


def test_an_upload_is_given_other_attributes(tmp_path, uploads, monkeypatch):
    labelled(tmp_path, "file,glasses,hat", lambda number: f"{number % 2},{int(number > 5)}")
    tiny: dict = {"width_g": 2, "width_d": 2, "layers_d": 2, "blocks": 1, "n_critic": 1}
    with playing(tmp_path, "stargan", "told", resolution=8, batch_size=4, **tiny) as page:
        give(page, "to-translate", uploads / "red.png")
        page.get_by_label("hat", exact=True).check()
        page.get_by_role("button", name="Translate", exact=True).click()
        words = same_as_typed(page, "translated", uploads, monkeypatch, tmp_path / "typed")
        assert words[3:6] == ["red.png", "--label", "glasses=0,hat=1"]
        assert min(shown_size(page, "translated")) > 0


def test_an_upload_is_taken_to_another_domain(tmp_path, uploads, monkeypatch):
    small: dict = {"layers_d": 1, "blocks": 1, "width_g": 4, "width_d": 4, "load_size": 32, "resolution": 32}
    with playing(tmp_path, "cyclegan", "anime-hair:images=8", batch_size=1, **small) as page:
        give(page, "to-translate", uploads / "red.png")
        page.get_by_label("A", exact=True).check()
        page.get_by_role("button", name="Translate", exact=True).click()
        words = same_as_typed(page, "translated", uploads, monkeypatch, tmp_path / "typed")
        assert words[3:6] == ["red.png", "--to", "A"]
