"""The documentation says what is so: code it shows is code that runs, and what it names exists."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.documentation import PAGES, ROOT, blocks, pages, prose, shown_files
from support.install import forget_files

import ganzoo

COMMENT = re.compile(r"\s+#\s.*$")  # behind a command; "#" within a word is part of it


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
            part = re.sub(r"^(\w+=\S* )*", "", part.strip())  # variables that are set for this command
            words = shlex.split(re.sub(r"^\S*[/\\](?=ganzoo\b)", "", part))
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
    for recipe in ROOT.glob("plugins/*/*.toml"):
        (tmp_path / recipe.relative_to(ROOT).parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(recipe, tmp_path / recipe.relative_to(ROOT))
    for name, text in shown_files().items():  # plugins, which may be given as a file
        (tmp_path / name).write_text(text, encoding="utf-8")
    for words in commands(page):
        words = [known_run if word.startswith("runs/") else word for word in words]
        if words[0] == "train":  # the guide's own architecture is installed only in the test that trains it
            words = ["dcgan" if word == "my-gan" else word for word in words]
        command: click.Command = app
        context = click.Context(app, info_name="ganzoo", **app.context_settings)  # click keeps each --help
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
    assert not re.search(r"pip3? install (-\S+ )*['\"]?ganzoo['\"]?(?![\w./\[-])", text)


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


def test_every_table_of_results_says_what_was_pretrained():
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    headings = re.findall(r"^(\|.*)\n\|---", text, re.M)
    assert headings
    assert [each for each in headings if "| pretrained |" not in each] == []


def test_every_public_name_is_documented():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in ganzoo.__all__:
        assert f"ganzoo.{name}" in text, f"no page mentions ganzoo.{name}"


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
