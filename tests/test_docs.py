"""The documentation says what is so: code it shows is code that runs, and what it names exists."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from conftest import forget_files

import ganzoo
import ganzoo.api
from ganzoo import hookspecs

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", *(ROOT / "plugins").glob("*/README.md")])
GUIDE_FOLDER = ROOT / "docs" / "plugins"
GUIDE = sorted(GUIDE_FOLDER.glob("*.md"))
FENCE = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.M | re.S)
COMMENT = re.compile(r"\s+#\s.*$")  # behind a command; "#" within a word is part of it


def pages() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Language, title and text of each fenced block."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [(language, (re.findall(r'title="(.*?)"', rest) or [""])[0], text) for language, rest, text in found]


def titled(title: str) -> str:
    """The guide's only block of that title, on whichever page."""
    (text,) = [text for page in GUIDE for _, name, text in blocks(page) if name == title]
    return text


def page_text(name: str) -> str:
    """The text of a page of the plugin guide."""
    return (GUIDE_FOLDER / f"{name}.md").read_text(encoding="utf-8")


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


# ---- links -----------------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Names of the page's headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pages()
def test_relative_links_resolve(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{page.name} links to {target}, which is not there"
        if anchor and file.suffix == ".md" and file.exists():
            assert anchor in anchors(file), f"{page.name} links to {target}, a heading that is not there"


# ---- commands --------------------------------------------------------------------------------------------------------


def commands(page: Path) -> Iterator[list[str]]:
    """Words of each `ganzoo …` line in the page's blocks of shell commands."""
    indented = re.findall(r"^    (ganzoo .*)$", prose(page), re.M)
    fenced = [text for language, _, text in blocks(page) if language in ("sh", "powershell", "")]
    lines = [line.strip() for text in fenced for line in text.replace("\\\n", " ").splitlines()]
    for line in [*lines, *indented]:
        for part in re.split(r"&&|;", COMMENT.sub("", line)):
            words = shlex.split(re.sub(r"^\S*[/\\](?=ganzoo\b)", "", part.strip()))
            if words[:1] == ["ganzoo"]:
                yield words[1:]


@pytest.fixture(scope="module")
def known_run(finished, tmp_path_factory) -> str:
    """A folder with a dcgan run's facts, for commands whose options depend on the run."""
    folder = tmp_path_factory.mktemp("documented")
    import dataclasses

    from ganzoo_dcgan.model import DCGANConfig

    config = dataclasses.asdict(DCGANConfig())
    facts = {**finished.facts, "architecture": "dcgan", "distribution": "ganzoo", "config": config}
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return str(folder)


@pages()
def test_documented_commands_parse(page, known_run, tmp_path, monkeypatch):
    """Each command and each option exists; nothing is run."""
    from ganzoo.cli.app import app

    monkeypatch.chdir(tmp_path)
    for text in [text for language, _, text in blocks(page) if language == "toml" and "[[stages]]" in text]:
        (tmp_path / "faces.toml").write_text(text, encoding="utf-8")
    for _, title, text in blocks(page):
        if title.endswith(".py") and "/" not in title:  # a plugin, which may be given as a file
            (tmp_path / title).write_text(text, encoding="utf-8")
    for words in commands(page):
        words = [known_run if word.startswith("runs/") else word for word in words]
        if "small" in words:  # the guide's own architecture is installed only in the test that trains it
            words = [{"small": "dcgan", "--width": "--width-g"}.get(word, word) for word in words]
        command: click.Command = app
        context = click.Context(app, info_name="ganzoo")
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            _, command, words = command.resolve_command(context, words)
            context = click.Context(command, parent=context, info_name=command.name)
        if "--help" in words:
            words.remove("--help")
            context.resilient_parsing = True
        try:
            command.parse_args(context, words)
        except (click.ClickException, ganzoo.GanzooError) as error:
            message = error.format_message() if isinstance(error, click.ClickException) else error
            pytest.fail(f"{page.name} has `ganzoo {command.name} {' '.join(words)}`: {message}")
        finally:
            forget_files()


@pages()
def test_nobody_is_told_to_install_somebody_elses_package(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"pip3? install (-\S+ )*['\"]?ganzoo['\"]?(?![\w./-])", text)


# ---- data in blocks --------------------------------------------------------------------------------------------------


@pages()
def test_json_and_toml_blocks_parse(page):
    for language, _, text in blocks(page):
        if language == "json":
            json.loads(text)
        if language == "toml":
            tomllib.loads(text)


@pages()
def test_python_blocks_compile(page):
    for language, title, text in blocks(page):
        if language == "python":
            compile(text, f"{page.name} {title}", "exec")


# ---- names -----------------------------------------------------------------------------------------------------------


def test_every_hook_and_every_public_name_is_documented():
    text = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    hooks = [name for name in dir(hookspecs) if name.startswith("ganzoo_")]
    assert hooks
    for name in [*hooks, *ganzoo.api.__all__]:
        assert re.search(rf"\b{name}\b", text), f"no page mentions {name}"
    for name in ganzoo.__all__:
        assert f"ganzoo.{name}" in text, f"no page mentions ganzoo.{name}"


def test_every_field_of_a_card_is_documented():
    import dataclasses

    for field in dataclasses.fields(ganzoo.api.Card):
        assert re.search(rf"^\|.*`{field.name}`.*\|", page_text("dcgan"), re.M), field.name


# ---- the plugin guide ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["__init__.py", "model.py"])
def test_the_guide_shows_dcgan_whole(name):
    """Its blocks, one after the other, are the file itself."""
    path = f"plugins/ganzoo_dcgan/{name}"
    shown = [text for _, title, text in blocks(GUIDE_FOLDER / "dcgan.md") if title == path]
    assert shown
    lines = [line for line in "\n".join(shown).splitlines() if line.strip()]
    there = [line for line in (ROOT / path).read_text(encoding="utf-8").splitlines() if line.strip()]
    for number, (line, real) in enumerate(itertools.zip_longest(lines, there), 1):
        assert line == real, f"docs/plugins/dcgan.md and {path} differ in their line {number} that is not empty"
    whole = (ROOT / path).read_text(encoding="utf-8")
    assert all(text.strip("\n") in whole for text in shown)


PLUGINS = ("began", "beep", "contrast", "newest", "stripes")


def installed(site: Path) -> Path:
    """The guide's plugins as pip would have them: modules and a dist-info folder with the entry points."""
    project = tomllib.loads(titled("pyproject.toml"))["project"]
    folder = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    folder.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (folder / "METADATA").write_text(metadata, encoding="utf-8")
    points = {**project["entry-points"]["ganzoo"], **{name: f"ganzoo_{name}" for name in PLUGINS}}
    lines = "".join(f"{name} = {module}\n" for name, module in points.items())
    (folder / "entry_points.txt").write_text(f"[ganzoo]\n{lines}", encoding="utf-8")
    for module in points.values():
        (site / f"{module}.py").write_text(titled(f"{module}.py"), encoding="utf-8")
    return site


TRAIN = """
import sys
import ganzoo
from ganzoo.cli import main
for name, data, options in (
    ("small", "points:images=64", ["--log", "newest:file=now.txt"]),
    ("small", "stripes:images=64", ["--width", "32", "--resolution", "16"]),
    ("began-small", "tiny:images=64", ["--preset", "wide", "--width", "16", "--norm", "l2", "--accumulate", "2"]),
):
    sys.argv = ["ganzoo", "train", name, data, "--steps", "2", "--batch-size", "16", "--device", "cpu", *options]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
(score,) = ganzoo.evaluate("runs/small-stripes-1", ["contrast:scale=1"], samples=8, device="cpu")
print(score["name"], score["value"] >= 0, score["protocol"]["scale"], score["protocol"]["real_contrast"] > 0)
"""


def test_the_guides_plugins_train(tmp_path, monkeypatch, run_python):
    site = installed(tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(site))
    result = run_python(TRAIN)
    assert result.returncode == 0, result.stderr
    assert "Small GAN (G 92,162 + D 66,817 parameters) on points:images=64" in result.stdout
    assert " k: 0.0000" in result.stdout
    assert "contrast-error True 1.0 True" in result.stdout
    assert result.stdout.count("\a") == 3  # the module was told of each end
    newest = (tmp_path / "runs" / "small-points-1" / "now.txt").read_text(encoding="utf-8")
    assert newest.startswith("step 2\nepoch 0\nimages 32\nloss/D ")
    runs = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert runs == ["began-small-tiny-1", "small-points-1", "small-stripes-1"]
    facts = json.loads((tmp_path / "runs" / "small-points-1" / "run.json").read_text(encoding="utf-8"))
    assert (facts["distribution"], facts["version"]) == ("ganzoo-small", "0.1.0")


def test_the_guides_mistakes_are_what_the_trainer_says(make_trainer):
    """Each sentence of the table is what a step with that mistake gets."""
    import torch
    from tinyzoo.model import TinyGAN

    from ganzoo.api import Update

    def detached(self, batches, progress):
        fake = self.G(self.noise(len(next(batches).images)))
        yield Update("G", {"loss": self.loss.generator(self.D(fake.detach()))})

    def stranger(self, batches, progress):
        next(batches)
        yield Update("E", {"loss": torch.zeros(())})

    def idle(self, batches, progress):
        next(batches)
        yield from ()

    def dataless(self, batches, progress):
        yield Update("G", {"loss": self.G(self.noise(4)).mean()})

    def gradless(self, batches, progress):
        next(batches)
        with torch.no_grad():
            yield Update("G", {"loss": self.G(self.noise(4)).mean()})

    def a_dict(self, batches, progress):
        next(batches)
        yield {"loss": 1}

    def without_terms(self, batches, progress):
        next(batches)
        yield Update("G", {})

    said = set()
    for step in (detached, stranger, idle, dataless, gradless, a_dict, without_terms):
        trainer = make_trainer(type("MyGAN", (TinyGAN,), {"step": step}))
        with pytest.raises(ganzoo.GanzooError) as error:
            trainer.step()
        said.add(str(error.value))
        torch.set_grad_enabled(True)
    table = re.findall(r"^\| ((?:The update of G|MyGAN).*?) \| .* \|$", page_text("reference"), re.M)
    assert set(table) == said


# ---- small programs --------------------------------------------------------------------------------------------------


def test_the_first_python_example_runs(tmp_path, run_python):
    """The one in getting-started, at a tiny size."""
    (text,) = [text for language, _, text in blocks(ROOT / "docs" / "getting-started.md") if language == "python"]
    assert 'ganzoo.train("dcgan", "anime", epochs=5)' in text
    text = text.replace('"anime", epochs=5', '"anime:images=64", resolution=16, batch_size=32, epochs=1')
    text = text.replace("epochs=5", "epochs=1")
    environment = {**os.environ, "GANZOO_HOME": str(tmp_path / "home")}
    result = subprocess.run(
        [sys.executable, "-c", text], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "sixteen.png").exists()
    assert "Stage 2 of 2: 1 epoch, lr 0.0001." in result.stdout
