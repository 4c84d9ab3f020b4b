"""A single file as a plugin: what a run says of it, and when its code is run again."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.install import forget_files as forget
from support.runs import edit

import ganzoo
from ganzoo.catalogue.catalogue import catalogue, entries
from ganzoo.catalogue.single_file import named, use_plugin
from ganzoo.cli.app import app
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.display import Display
from ganzoo.runs import checkpoint
from ganzoo.testing import checks

SOURCE = """
from __future__ import annotations

from dataclasses import dataclass

from ganzoo.api import ArchitectureCard, DataSpec, hookimpl, option
from tinyzoo.model import Config, TinyGAN


@dataclass(frozen=True)
class OneConfig(Config):
    shade: float = option(0.5, "how dark", low=0)


class One(TinyGAN):
    Config = OneConfig


@hookimpl
def ganzoo_architectures():
    yield ArchitectureCard(
        name="one", title="One", year=2020, paper="none", summary="For the tests.", resolutions=(8,), licence="MIT",
        api=2, model=One,
    )
"""
LOSS = """
from ganzoo.api import LossCard, hookimpl
from ganzoo.gan.losses import Hinge

class Mine(Hinge):
    pass

@hookimpl
def ganzoo_losses():
    yield LossCard(name="mine", summary="For the tests.", api=2, loss="mine:Mine")
"""


class Said(Display):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(autouse=True)
def new_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    forget()
    yield
    forget()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Its code is this test's alone, so that nobody has given it to ganzoo before."""
    path = tmp_path / "one.py"
    path.write_text(f"# {tmp_path}\n{SOURCE}", encoding="utf-8")
    return path


@pytest.fixture
def run(file: Path, train: Callable[..., Any]) -> Any:
    """A run of the file's architecture, 2 steps; the process that made it is over."""
    made = train(architecture="./one.py", steps=2)
    forget()
    return made


def cli(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def names() -> list[str]:
    return [entry.name for entry in entries("architecture")]


def test_a_run_says_which_code_it_was_made_with(run: Any, file: Path) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    _, header = checkpoint.load(run.model_file)
    for facts in (run.facts, json.loads((run.path / "run.json").read_text(encoding="utf-8")), header):
        assert facts["plugin_files"] == [{"path": str(file), "sha256": digest, "offers": ["architecture one"]}]
        assert (facts["architecture"], facts["distribution"]) == ("one", str(file))
        assert digest.startswith(facts["version"])
    assert "one" not in names()


def test_the_same_file_is_taken_up_by_itself(run: Any, train: Callable[..., Any]) -> None:
    images = ganzoo.load(run.path).sample(2)
    assert images.shape == (2, 3, 8, 8)
    forget()
    assert ganzoo.load(run.model_file).sample(2).equal(images)
    forget()
    again = ganzoo.extend(run.path, steps=2, display=Display())
    forget()
    whole = train(out="whole", architecture="one.py:one", steps=4, checkpoint_every=2)
    one, other = (checkpoint.load(each.checkpoints()[-1])[0] for each in (again, whole))
    assert all(one[name].equal(other[name]) for name in one)


def test_a_changed_file_is_refused_until_it_is_given(run: Any, file: Path) -> None:
    before = file.read_text(encoding="utf-8")
    file.write_text(before + "\nprint('changed')\n", encoding="utf-8")
    words = f"which has changed since; put it back, or take it as it is now: --plugin {file}"
    for work in (ganzoo.load, lambda path: ganzoo.extend(path, steps=1)):
        with pytest.raises(GanzooError, match=words.replace("\\", "\\\\")):
            work(run.path)
    assert "one" not in names()

    use_plugin(file)
    said = Said()
    again = ganzoo.extend(run.path, steps=1, display=said)
    assert f"{file} is not what {run.path} was begun with; training goes on with the code as it is now." in said.lines
    [now], [was] = again.facts["plugin_files"], again.facts["earlier_plugin_files"]
    assert (now["path"], now["sha256"]) == (str(file), hashlib.sha256(file.read_bytes()).hexdigest())
    assert was == run.facts["plugin_files"][0]
    assert now["sha256"].startswith(again.facts["version"])
    forget()
    assert ganzoo.load(run.path).sample(1).shape == (1, 3, 8, 8)  # nothing need be given any more

    file.write_text(before, encoding="utf-8")
    forget()
    with pytest.raises(GanzooError, match="has changed since"):
        ganzoo.load(run.path)


def test_a_file_that_moved_must_be_given(run: Any, file: Path) -> None:
    moved = file.rename(file.with_name("two.py"))
    with pytest.raises(GanzooError, match=r"one\.py, which is not there; say where it is: --plugin FILE"):
        ganzoo.load(run.path)
    use_plugin(moved)
    said = Said()
    again = ganzoo.extend(run.path, steps=1, display=said)
    assert not [line for line in said.lines if "not what" in line]  # it is the same code
    assert again.facts["plugin_files"][0]["path"] == again.facts["distribution"] == str(moved)
    assert again.header.earlier_plugin_files == ()


def test_another_file_may_take_its_place(run: Any, file: Path) -> None:
    other = file.with_name("other.py")
    other.write_text(file.read_text(encoding="utf-8").replace("class One(", "class Other(").replace("=One", "=Other"))
    file.unlink()
    use_plugin(other)
    assert type(ganzoo.load(run.path).architecture).__name__ == "Other"


def test_no_run_folder_says_what_is_executed(run: Any, file: Path, tmp_path: Path, monkeypatch) -> None:
    """Neither a file in it, nor one that its run.json or its model names, unless the user gave that code before."""
    evil = run.path / "one.py"
    evil.write_text(f"open({str(tmp_path / 'executed')!r}, 'w').close()\n{SOURCE}", encoding="utf-8")
    record = {"path": str(evil), "sha256": hashlib.sha256(evil.read_bytes()).hexdigest(), "offers": []}
    tensors, header = checkpoint.load(run.model_file)
    changes = {"plugin_files": [record], "distribution": str(evil), "architecture": "one"}
    for change in (changes, {**changes, "plugin_files": []}, {**changes, "architecture": f"{evil}"}):
        edit(run.path / "run.json", **change)
        checkpoint.save(run.model_file, tensors, {**header, **change})
        for work in (ganzoo.load, ganzoo.resume, lambda path: ganzoo.extend(path, steps=1)):
            if work is ganzoo.resume:
                edit(run.path / "run.json", status="interrupted")
            with pytest.raises(GanzooError):
                work(run.path)
    assert not (tmp_path / "executed").exists()


def test_code_that_was_never_given_here_is_refused(run: Any, file: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(GanzooError, match="code that was never given to ganzoo here; if you trust it: --plugin"):
        ganzoo.load(run.path)
    use_plugin(file)
    assert ganzoo.load(run.path).sample(1).shape == (1, 3, 8, 8)


def test_a_loss_in_a_file(train: Callable[..., Any], tmp_path: Path) -> None:
    """Whatever a file offers goes by its name, is recorded, and is found again."""
    path = tmp_path / "mine.py"
    path.write_text(LOSS, encoding="utf-8")
    use_plugin("mine.py")
    run = train(loss="mine", steps=1)
    assert run.facts["distribution"] == "ganzoo-tiny"
    assert run.facts["plugin_files"][0]["offers"] == ["loss mine"]
    forget()
    assert type(ganzoo.load(run.path).architecture.loss).__name__ == "Mine"


def test_the_newest_of_a_file_counts(file: Path) -> None:
    first = use_plugin(file)
    assert use_plugin(file) is first
    file.write_text(file.read_text(encoding="utf-8").replace('name="one"', 'name="uno"'), encoding="utf-8")
    use_plugin(file)
    assert "uno" in names()
    assert "one" not in names()


def test_it_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "random.py"
    path.write_text(SOURCE.replace("model=One", 'model="random:One"'), encoding="utf-8")
    assert named("random.py") == f"{path}:one"
    assert sys.modules["random"] is random
    [entry] = [entry for entry in entries("architecture") if entry.name == "one"]
    assert entry.load().__name__ == "One"
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, r"The plugin it\.py cannot be read \(No such file"),
        ("def", r"The plugin .*it\.py does not work: SyntaxError"),
        (
            "import surely_not_installed",
            "it needs the module surely_not_installed, .* pip install surely_not_installed",
        ),
        ("x = 1", "implements no hook"),
        (LOSS, r"it\.py has no architecture; what else it has can be used with --plugin it\.py\."),
        (SOURCE + SOURCE[SOURCE.index("    yield") :].replace('"one"', '"two"'), r"write it\.py:one or it\.py:two\."),
    ],
    ids=["missing", "syntax", "import", "no hook", "a loss", "two"],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, source: str | None, words: str) -> None:
    if source is not None:
        (tmp_path / "it.py").write_text(source, encoding="utf-8")
    before = len(catalogue().plugins)
    with pytest.raises(UsageError, match=words):
        named("it.py")
    assert len(catalogue().plugins) == before + ("no architecture" in words or "write it" in words)


def test_commands_take_a_file(file: Path, run: Any) -> None:
    help = cli("train", file, "--help").stdout
    assert "Options of One" in help
    assert "--shade NUMBER" in help
    shown = json.loads(cli("show", "./one.py", "--json").stdout)
    assert (shown["name"], shown["distribution"], shown["readme"]) == ("one", str(file), None)
    forget()
    assert "one" not in {row["name"] for row in json.loads(cli("list", "--json").stdout)}
    assert "one" in {row["name"] for row in json.loads(cli("list", "--json", "--plugin", file).stdout)}
    forget()
    assert "one (" not in cli("train", "one", "tiny", "--dry-run").stdout
    dry = cli("train", "--plugin=one.py", "one", "tiny", "--dry-run", "--shade", "0.1", "--device", "cpu")
    assert dry.exit_code == 0, dry.output
    assert f"One ({file} " in " ".join(dry.stdout.split())


def test_every_command_that_opens_a_run_takes_a_file(file: Path, run: Any) -> None:
    given = shutil.move(file, file.with_name("moved.py"))
    work = {
        ("sample", run.path, "-n", 2): "2 images are in",
        ("extend", run.path, "--steps", 1): "What you can do now",
        ("resume", run.path): "is finished",
        ("interpolate", run.path, "--points", 2, "--frames", 2): "",
        ("export", run.path, "--format", "safetensors"): "",
        ("extend", run.path, "--help"): "--shade",
    }
    for words, said in work.items():
        forget()
        result = cli(*words, "--plugin", given)
        assert result.exit_code == 0, result.output
        assert said in result.stdout


def test_the_kit_takes_a_file(file: Path) -> None:
    loads = [check for check in checks(file) if check.name.startswith("loads")]
    assert len(loads) == 4  # it may import torch
    for check in loads:
        check()


def test_two_processes_find_the_file(file: Path, train: Callable[..., Any]) -> None:
    run = train(architecture="one.py", steps=1, batch_size=8, processes=2)
    assert run.status == "finished"
    assert run.checkpoints()


METRIC = """
from dataclasses import dataclass

from ganzoo.api import MetricCard


@dataclass(frozen=True)
class Twice:
    def __call__(self, evidence):
        return {"twice": 2.0 * len(evidence.fake)}


@hookimpl
def ganzoo_metrics():
    yield MetricCard(name="of-file", summary="For the tests.", api=2, better={"twice": "larger"}, metric=Twice)
"""


def test_a_runs_own_files_metrics_are_found(file: Path, train: Callable[..., Any]) -> None:
    file.write_text(file.read_text(encoding="utf-8") + METRIC, encoding="utf-8")
    run = train(architecture="./one.py", steps=2)
    for source in (run.path, run.model_file):
        forget()
        assert [score["value"] for score in ganzoo.evaluate(source, ["of-file"], samples=4)] == [8.0]
    forget()
    assert cli("evaluate", run.path, "--metric", "of-file", "--samples", "4").exit_code == 0


def test_a_file_that_is_given_with_a_run_may_bring_the_metric(tmp_path: Path, train: Callable[..., Any]) -> None:
    (tmp_path / "scores.py").write_text("from ganzoo.api import hookimpl\n" + METRIC, encoding="utf-8")
    use_plugin(tmp_path / "scores.py")
    run = train(steps=2)
    forget()
    assert [score["value"] for score in ganzoo.evaluate(run, ["of-file"], samples=4)] == [8.0]
