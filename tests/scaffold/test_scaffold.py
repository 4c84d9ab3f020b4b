"""`ganzoo plugins new`: what it writes for each kind is whole, works as it stands, and passes its own tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.install import write_distribution

import ganzoo
from ganzoo.cli.app import app
from ganzoo.contract.cards import API
from ganzoo.errors import UsageError
from ganzoo.scaffold import KINDS, TASKS, TEMPLATES, Spelling, clash, guesses, write_plugin

ROOT = Path(__file__).parents[2]
# name: kind and task; each has another name, so that all of them can be installed together
VARIANTS = {
    "plain-gan": ("architecture", "unconditional"),
    "label-gan": ("architecture", "conditional"),
    "pair-gan": ("architecture", "translation"),
    "some-data": ("dataset", "unconditional"),
    "some-loss": ("loss", "unconditional"),
    "some-penalty": ("penalty", "unconditional"),
    "some-augmentation": ("augmentation", "unconditional"),
    "some-metric": ("metric", "unconditional"),
    "some-logger": ("logger", "unconditional"),
    "some-modality": ("modality", "unconditional"),
    "some-scheme": ("scheme", "unconditional"),
    "some-command": ("command", "unconditional"),
    "some-recipe": ("recipe", "unconditional"),
}
WHOLE = {
    ".github/workflows/test.yml", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml",
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a distribution of each variant, and their metadata in ``site`` as pip would install it."""
    folder = tmp_path_factory.mktemp("written")
    for name, (kind, task) in VARIANTS.items():
        made = write_plugin(name, kind=kind, task=task, out=folder / f"ganzoo-{name}")
        project = tomllib.loads((made / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        points = project["entry-points"]["ganzoo"]
        write_distribution(folder / "site", project["name"], points, project["version"])
    return folder


@pytest.fixture
def installed(written: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Puts the variants on the path of processes that are started."""
    folders = [written / "site", *(written / f"ganzoo-{name}" for name in VARIANTS)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, folders)))
    monkeypatch.chdir(tmp_path)
    return written


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and text of each file."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not {"__pycache__", ".ruff_cache"} & {*file.parts}:
            yield file.relative_to(folder).as_posix(), file.read_text(encoding="utf-8")


def cli(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


# ---- what works ------------------------------------------------------------------------------------------------------


def test_there_is_a_variant_of_every_kind_and_task() -> None:
    assert {kind for kind, _ in VARIANTS.values()} == set(KINDS)
    assert {task for kind, task in VARIANTS.values() if kind == "architecture"} == set(TASKS)


def test_their_own_tests_pass(installed: Path) -> None:
    folders = [str(installed / f"ganzoo-{name}" / "tests") for name in VARIANTS]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-rA", *folders]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=900)
    assert result.returncode == 0, result.stdout
    for name in VARIANTS:
        assert re.search(rf"^PASSED .*test_{name.replace('-', '_')}", result.stdout, re.M), name
    assert "skipped" not in result.stdout


USE = """
import sys
from ganzoo.cli import main
small = ["--batch-size", "8", "--device", "cpu", "--samples", "4"]
for words in (
    ["train", "plain-gan", "some-data:images=64", "--preset", "small", "--loss", "some-loss:real=0.8", "--steps", "2"],
    ["train", "label-gan", "digits:images=64", "--preset", "small", "--steps", "2"],
    ["train", "pair-gan", "anime-hair:images=32", "--preset", "small", "--resolution", "32", "--steps", "2"],
    ["train", "--recipe", "some-recipe", "dcgan", "digits:images=64", "--steps", "2", "--log", "some-logger",
     "--penalty", "some-penalty"],
    ["evaluate", "runs/plain-gan-some-data-1", "--metric", "some-metric:order=2", "--samples", "16"],
    ["sample", "runs/label-gan-digits-1", "--label", "3", "-n", "4"],
):
    sys.argv = ["ganzoo", *words, *(small if words[0] == "train" else [])]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""


def test_they_work(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], *sys.path]))
    command = [sys.executable, "-c", USE]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=900)
    assert result.returncode == 0, result.stderr
    assert "drawn by ganzoo-some-data" in result.stdout
    assert re.search(r"some-metric +[\d.]+", result.stdout)
    runs = sorted(path.name for path in Path("runs").iterdir())
    assert runs == [
        "dcgan-digits-1",
        "label-gan-digits-1",
        "pair-gan-anime-hair-1",
        "plain-gan-some-data-1",
    ]
    rows = Path("runs/dcgan-digits-1/losses.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "step,name,value"
    assert any(row.startswith("1,loss/D,") for row in rows)
    assert any("some-penalty" in row for row in rows)
    facts = json.loads(Path("runs/plain-gan-some-data-1/run.json").read_text(encoding="utf-8"))
    assert (facts["distribution"], facts["version"]) == ("ganzoo-plain-gan", "0.1.0")


# ---- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_whole(written: Path, name: str) -> None:
    found = dict(texts(written / f"ganzoo-{name}"))
    module = f"ganzoo_{name.replace('-', '_')}"
    assert WHOLE | {f"{module}/__init__.py", f"tests/test_{name.replace('-', '_')}.py"} <= set(found)
    project = tomllib.loads(found["pyproject.toml"])["project"]
    assert project["name"] == f"ganzoo-{name}"
    assert project["entry-points"] == {"ganzoo": {name: module}}
    assert project["dependencies"] == ["ganzoo>=0.1"]
    assert f'checks("{name}")' in found[f"tests/test_{name.replace('-', '_')}.py"]
    assert f"Copyright (c) {date.today().year} " in found["LICENSE"]
    assert f"# ganzoo-{name}\n" in found["README.md"]
    assert f"api={API}," in found[f"{module}/__init__.py"]
    for path, text in found.items():
        left = re.search(r"\b(ganzoo.)?my.(gan|data|loss|penalty|metric|logger|recipe)\b|MyGAN|Ada |ada@", text, re.I)
        assert left is None, (path, left)
        assert not re.search(r"pip install (-\S+ )*['\"]?ganzoo['\"]?(?![\w./-])", text), path
        assert text.endswith("\n") or not text
        assert not text.endswith("\n\n")
        if path.endswith(".py"):
            compile(text, path, "exec")


@pytest.mark.parametrize("name", ["x", "a-name-of-only-thirty-two-letter"])
def test_ruff_is_content_whatever_the_name(tmp_path: Path, name: str) -> None:
    pytest.importorskip("ruff")
    for number, (kind, task) in enumerate(VARIANTS.values()):
        write_plugin(name, kind=kind, task=task, out=tmp_path / str(number))
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert result.returncode == 0, result.stdout


def test_the_workflow_is_yaml(written: Path) -> None:
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load((written / "ganzoo-plain-gan" / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    steps = [step.get("run", step.get("uses")) for step in workflow["jobs"]["test"]["steps"]]
    assert steps[-2:] == ['pip install "$GANZOO" -e ".[test]"', "pytest"]
    assert workflow["env"]["GANZOO"]


def test_the_distributions_name_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == ganzoo.DISTRIBUTION


def test_the_templates_are_spelt_as_they_are_replaced() -> None:
    assert Spelling("my-gan").all == ("my-gan", "my_gan", "MyGAN", "My GAN")
    assert Spelling("deep.stylegan_2").all == ("deep.stylegan_2", "deep_stylegan_2", "DeepStyleGAN2", "Deep StyleGAN 2")
    code = "".join(text for path, text in texts(TEMPLATES) if path.endswith((".py", ".md")))
    for name in KINDS.values():
        assert name in code
        assert f"{Spelling(name).all[3]}: " in code


# ---- what is guessed -------------------------------------------------------------------------------------------------


@pytest.fixture
def git_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Git's settings are those in this file alone, and there is no repository."""
    file = tmp_path / "gitconfig"
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.delenv("GIT_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return file


def project() -> dict[str, object]:
    folder = write_plugin("my-own")
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_author_is_who_git_says(git_config: Path) -> None:
    git_config.write_text('[user]\n name = "Zoë \\"Z\\" Ng"\n email = z@example.net\n', encoding="utf-8")
    assert project()["authors"] == [{"name": 'Zoë "Z" Ng', "email": "z@example.net"}]
    assert 'Zoë "Z" Ng\n' in Path("ganzoo-my-own/LICENSE").read_text(encoding="utf-8")


def test_nobody_is_the_author_where_nobody_is_known(git_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "authors" not in project()
    assert "the authors\n" in Path("ganzoo-my-own/LICENSE").read_text(encoding="utf-8")
    monkeypatch.setenv("PATH", "")  # no git at all
    assert guesses.git("--version") == ""


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            {"url": "https://example.org/zoo/ganzoo.git", "vcs_info": {"vcs": "git"}},
            "git+https://example.org/zoo/ganzoo.git",
        ),
        ({"url": "https://me:secret@example.org/ganzoo", "vcs_info": {"vcs": "git"}}, "ganzoo>=0.1"),
        ({"url": "https://example.org/ganzoo.whl", "archive_info": {}}, "ganzoo>=0.1"),
        (None, "ganzoo>=0.1"),
    ],
    ids=["git", "a secret", "a wheel", "unknown"],
)
def test_ci_installs_ganzoo_from_where_it_came(git_config: Path, monkeypatch, made: object, said: str) -> None:
    class Installed:
        def read_text(self, name: str) -> str | None:
            return None if made is None else json.dumps(made)

    monkeypatch.setattr(guesses.metadata, "distribution", lambda name: Installed())
    folder = write_plugin("my-own")
    assert f'GANZOO: "{said}" #' in (folder / ".github/workflows/test.yml").read_text(encoding="utf-8")


# ---- the command and its refusals ------------------------------------------------------------------------------------


def test_the_command_says_what_to_do_next(git_config: Path) -> None:
    result = cli("plugins", "new", "ganzoo-my-own")
    assert (result.exit_code, result.stderr) == (0, "")
    said = [line.strip() for line in result.stdout.splitlines()]
    assert said[1:] == ["pip install -e ./ganzoo-my-own", "ganzoo train my-own digits", "ganzoo plugins check my-own"]
    assert cli("plugins", "new", "own-loss", "--kind", "loss", "--out", "here/there").exit_code == 0
    assert Path("here/there/ganzoo_own_loss/loss.py").exists()


def test_a_title_that_nobody_could_guess(git_config: Path) -> None:
    assert cli("plugins", "new", "began", "--title", "BEGAN 2").exit_code == 0
    card = Path("ganzoo-began/ganzoo_began/__init__.py").read_text(encoding="utf-8")
    assert 'title="BEGAN 2"' in card
    assert 'model="ganzoo_began.model:BEGAN2"' in card
    assert "class BEGAN2(" in Path("ganzoo-began/ganzoo_began/model.py").read_text(encoding="utf-8")


def test_alone_the_group_lists() -> None:
    assert "tinygan" in cli("plugins").stdout
    assert "Usage" not in cli("plugins").stdout
    assert "There is no command 'nw'; did you mean new?" in cli("plugins", "nw").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["MyGAN"], "'MyGAN' cannot name a plugin.*did you mean my-gan?"),
        (["3d-gan"], "beginning with a letter"),
        (["../out"], "cannot name a plugin"),
        (["a" * 33], "up to 32"),
        (["none"], "A class for none would be called None, a name that is taken"),
        (["update"], "would be called Update, a name that is taken"),
        (["dcgan"], "ganzoo .* has a module ganzoo_dcgan, and Python imports only one of that name"),
        (["my-own", "--kind", "losss"], "There is no kind 'losss' of plugin; did you mean loss?"),
        (["my-own", "--task", "conditionl"], "There is no task 'conditionl'; did you mean conditional"),
        (["my-own", "--kind", "loss", "--task", "conditional"], "--task is for architectures; leave it out for a loss"),
        (["my-own", "--title", "2 GANs"], "'2 GANs' cannot be a title"),
        (["my-own", "--title", 'My "GAN"'], "cannot be a title"),
        (["my-own", "--title", "Update"], "A class for my-own would be called Update, a name that is taken"),
        (["my-own", "--out", "full"], "full already exists"),
        (["my-own", "--out", "file"], "file already exists"),
        (["my-own", "--out", "file/below"], "file/below cannot be written"),
    ],
    ids=lambda value: "-".join(value)[:20] if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_in_a_sentence(git_config: Path, words: list[str], said: str) -> None:
    Path("full").mkdir()
    Path("full/kept").write_text("", encoding="utf-8")
    Path("file").write_text("", encoding="utf-8")
    before = sorted(Path().rglob("*"))
    result = cli("plugins", "new", *words)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert re.search(said, line), line
    assert sorted(Path().rglob("*")) == before


def test_a_name_that_somebody_has_is_said(git_config: Path) -> None:
    result = cli("plugins", "new", "tinygan")
    assert result.exit_code == 0
    assert "write ganzoo-tiny:tinygan or ganzoo-tinygan:tinygan." in result.stderr
    assert "ganzoo train ganzoo-tinygan:tinygan digits" in result.stdout
    assert clash("tinygan", "loss") is None
    with pytest.raises(UsageError, match="already exists"):
        write_plugin("tinygan")
