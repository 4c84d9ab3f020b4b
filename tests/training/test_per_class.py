"""One label of a data set, or a model for each: what is left behind, how it is stopped and resumed, what is refused."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from support.command_line import as_json, cli, refusal
from support.runs import StopsAt, assert_same_end

import ganzoo
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.display import Display
from ganzoo.runs.per_class import PerClass
from ganzoo.scoring.evaluator import Evaluator

QUIET = {"samples": 4, "device": "cpu", "display": Display()}
WORDS = ("--device", "cpu", "--samples", "4")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def train(**options) -> PerClass:
    return ganzoo.train_per_class("tinygan", "tiny", **{**QUIET, "steps": 3, **options})


# ---- one label -------------------------------------------------------------------------------------------------------


def test_one_label_is_trained_on():
    run = ganzoo.train("tinygan", "tiny", label="odd", steps=2, **QUIET)
    assert (run.facts["data"]["label"], run.facts["data"]["images"]) == ("odd", 24)
    assert run.facts["data"]["classes"] == ["even", "odd"]
    by_number = ganzoo.train("tinygan", "tiny", label=1, steps=2, **QUIET)
    assert_same_end(run, by_number)
    everything = ganzoo.train("tinygan", "tiny", steps=2, **QUIET)
    assert everything.facts["data"]["label"] is None
    with pytest.raises(AssertionError):
        assert_same_end(run, everything)


def test_its_real_images_and_scores_are_of_that_label(monkeypatch):
    kept = []
    prepare = ganzoo.data.prepare
    with monkeypatch.context() as patch:
        patch.setattr(ganzoo.data, "prepare", lambda *a, **given: kept.append(given["keep"]) or prepare(*a, **given))
        run = ganzoo.train("tinygan", "tiny", label="odd", steps=2, **QUIET)
    assert kept == ["odd"]
    model, dataset = ganzoo.load(run.path), prepare("tiny")
    evidence, _ = Evaluator(["nearest"], samples=20).evidence(model, dataset)
    odd = dataset.parts["train"].gather(torch.arange(1, 48, 2))
    assert len(evidence.real) == 20
    assert all(any(torch.equal(real, each) for each in odd) for real in evidence.real)
    assert (evidence.label, evidence.asked.tolist()) == (1, [1] * 20)


def test_one_label_on_the_command_line(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    result = cli("train", "tinygan", "tiny", "--class", "odd", "--steps", "2", *WORDS)
    assert "on tiny with the label odd (24 items, of the tests)" in result.stdout
    [row] = as_json(cli("runs", "--json"))
    assert (row["data"], row["label"]) == ("tiny", "odd")
    assert "tiny, label odd" in cli("runs").stdout
    result = cli("train", "tinygan", "tiny", "--class", "even", "--steps", "2", "--dry-run", *WORDS)
    assert "label         even" in result.stdout
    assert "tiny, 24 of 3×8×8" in result.stdout
    result = cli("train", "tinygan", "tiny", "--class", "odd", "--continue", "--steps", "2", *WORDS)
    assert "runs/tinygan-tiny-1 is finished" in result.stdout.replace("\\", "/")
    result = cli("train", "tinygan", "tiny", "--class", "even", "--continue", "--steps", "2", *WORDS)
    assert "tinygan-tiny-2" in result.stdout, "the newest run is of another label"


# ---- a model for each ------------------------------------------------------------------------------------------------


def test_what_it_leaves():
    whole = train()
    assert whole.path == Path("runs/tinygan-tiny-1")
    names = {path.name for path in whole.path.iterdir()}
    assert names == {"classes.json", "sheet.png", "class-even", "class-odd", "lock"}
    assert list(whole.runs) == ["even", "odd"]
    for label, run in whole.runs.items():
        assert (run.status, run.facts["data"]["label"]) == ("finished", label)
        assert ganzoo.load(run.path).sample(2).shape == (2, 3, 8, 8)
    with Image.open(whole.sheet) as picture:
        assert picture.width > 16 * (10 * 10 + 2)  # 8 pixels, 16 times, and names at the left
        assert picture.height > 16 * (2 * 10 + 2)
    alone = ganzoo.train("tinygan", "tiny", label="odd", steps=3, **QUIET)
    assert_same_end(whole.runs["odd"], alone)


def test_stopped_and_resumed_it_ends_as_if_it_had_not_been(tmp_path):
    undisturbed = train(out="undisturbed")
    with pytest.raises(ganzoo.Stopped, match=r"ganzoo resume stopped$"):
        train(out="stopped", display=StopsAt("odd", 2))
    statuses = {label: run.status for label, run in PerClass.open("stopped").runs.items()}
    assert statuses == {"even": "finished", "odd": "interrupted"}
    before = (Path("stopped") / "class-even" / "run.json").read_bytes()
    whole = train(out="stopped", go_on=True)
    assert (Path("stopped") / "class-even" / "run.json").read_bytes() == before
    for label, run in undisturbed.runs.items():
        assert_same_end(whole.runs[label], run)
    assert whole.sheet.read_bytes() == undisturbed.sheet.read_bytes()


def test_resumed_before_a_label_has_begun():
    """Killed between two labels, or while a run's folder was being made; the first one has then no sheet either."""
    with pytest.raises(ganzoo.Stopped):
        train(out="some", display=StopsAt("even", 1))
    (Path("some") / "class-odd" / "samples").mkdir(parents=True)
    whole = ganzoo.resume_per_class("some", display=Display())
    assert [run.status for run in whole.runs.values()] == ["finished", "finished"]
    whole.sheet.unlink()
    assert ganzoo.resume_per_class(whole, display=Display()).sheet.exists()


def test_what_is_changed_on_resuming_is_changed_for_all():
    """Also for the model that was stopped, whose own run.json says otherwise."""
    with pytest.raises(ganzoo.Stopped):
        train(out="some", display=StopsAt("odd", 2))
    whole = ganzoo.resume_per_class("some", recompute=True, accumulate=2, max_restarts=0, display=Display())
    settings = whole.runs["odd"].header.settings
    assert (settings.recompute, settings.accumulate) == (True, 2)
    with pytest.raises(ganzoo.UsageError, match="does not go on with another batch_size"):
        ganzoo.resume_per_class("some", batch_size=2)  # type: ignore[call-arg]


KILLED = """
import os, signal, sys
import ganzoo
from support.runs import StopsAt
signal.raise_signal = lambda number: os.kill(os.getpid(), signal.SIGKILL)
os.chdir(sys.argv[1])
given = {"steps": 3, "samples": 4, "device": "cpu", "checkpoint_every": 1}
ganzoo.train_per_class("tinygan", "tiny", **given, display=StopsAt("odd", 2))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_and_resumed_on_the_command_line(run_python, tmp_path):
    assert run_python(KILLED, tmp_path).returncode == -signal.SIGKILL
    whole = PerClass.open("runs/tinygan-tiny-1")
    assert {label: run.status for label, run in whole.runs.items()} == {"even": "finished", "odd": "stopped"}
    result = cli("resume", whole.path)
    assert result.exit_code == 0, result.output
    assert "Going on from step 1." in result.stdout
    assert result.stdout.splitlines()[-1] == f"A row for each label: {whole.sheet}"
    undisturbed = train(out="undisturbed", checkpoint_every=1)
    for label, run in undisturbed.runs.items():
        assert_same_end(whole.runs[label], run)


def test_on_the_command_line():
    words = ("train", "tinygan", "tiny", "--per-class", "--steps", "2", *WORDS)
    result = cli(*words, "--dry-run")
    assert "2, one for each label" in result.stdout
    assert not Path("runs").exists()
    result = cli(*words)
    assert result.exit_code == 0, result.output
    assert "Label odd, 2 of 2." in result.stdout
    rows = as_json(cli("runs", "--json"))
    assert [(Path(row["run"]).name, row["label"]) for row in rows] == [("class-even", "even"), ("class-odd", "odd")]
    assert "All models of" in cli(*words, "--continue").stdout
    assert "has a run for each label in it" in refusal(cli("sample", "runs/tinygan-tiny-1"))
    assert "already exists" in refusal(cli(*words, "--out", "runs/tinygan-tiny-1"))


def test_a_recipe_for_each_label():
    Path("mine.toml").write_text(
        'architecture = "tinygan"\ndata = "tiny"\nper_class = true\n[options]\nsamples = 4\n[[stages]]\nsteps = 1\n',
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match=r"trains a model for each label; say which label, or use ganzoo\.train_per"):
        ganzoo.train(recipe="mine.toml", display=Display())
    assert cli("train", "--recipe", "mine.toml", "--class", "#0", "--out", "one").exit_code == 0
    assert ganzoo.Run.open("one").facts["data"]["label"] == "even"
    result = cli("train", "--recipe", "mine.toml", "--out", "all")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in Path("all").glob("class-*")) == ["class-even", "class-odd"]


def test_labels_that_no_file_can_be_called():
    labels = ["a/b", "a:b", "A b", "dark hair", "..", "ä"]
    whole = PerClass(Path("x"), SimpleNamespace(labels=tuple(labels)))
    names = [whole.folder(label).name for label in labels]
    assert names == ["class-a-b-0", "class-a-b-1", "class-A-b-2", "class-dark-hair", "class-..", "class-ä"]


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["tinygan", "tiny", "--class", "7"], "There is no label '7'; known: even, odd."),
        (["tinygan", "tiny", "--class", "od"], "There is no label 'od'; did you mean odd?"),
        (["tinygan", "tiny", "--class", "odd", "--per-class"], "Give --class for one label or --per-class"),
        (["tinygan", "anime-hair", "--per-class"], "The data set anime-hair has no labels"),
        (["tinygan", "anime-hair", "--class", "A"], "The data set anime-hair has no labels"),
        (["cgan", "tiny", "--per-class"], "cgan learns all labels in one model; train it without --class and"),
        (["cgan", "tiny", "--class", "odd"], "cgan learns all labels in one model"),
        (["tinygan", "tiny", "--per-class", "--batch-size", "25"], "tiny has only 24 items with the label even"),
        (["tinygan", "tiny", "--class", "odd", "--batch-size", "25"], "is larger than tiny with the label odd, which"),
        (["tinygan", "tiny:images=3", "--per-class", "--batch-size", "2"], "has 1 items with the label odd; training"),
    ],
)
def test_bad_usage(words, line):
    assert line in refusal(cli("train", *words, "--steps", "1", *WORDS))
    assert not Path("runs").exists()


def test_folders_that_cannot_be_gone_on_with():
    with pytest.raises(UsageError, match="nothing is not a folder of runs"):
        ganzoo.resume_per_class("nothing")
    whole = train()
    for change, message in (
        ({"format": 99}, "newer ganzoo"),
        ({"data": {**whole.facts["data"], "fingerprint": ""}}, "is not the one"),
    ):
        (whole.path / "classes.json").write_text(json.dumps({**whole.facts, **change}), encoding="utf-8")
        with pytest.raises(GanzooError, match=message):
            ganzoo.resume_per_class(whole.path)
    for text, message in (("{", "is damaged"), ("[]", "does not describe runs")):
        (whole.path / "classes.json").write_text(text, encoding="utf-8")
        with pytest.raises(GanzooError, match=message):
            ganzoo.resume_per_class(whole.path)
