"""Loggers: a run tells those it names, all that it records, and none of them can stop it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch

import ganzoo
from ganzoo.api import hookimpl, need
from ganzoo.catalogue.catalogue import Catalogue, catalogue
from ganzoo.catalogue.components import make_loggers
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.display import Display
from ganzoo.runs import checkpoint
from ganzoo.training import estimate, fit


class Listener(Display):
    """Keeps the warnings, and fails after a step."""

    def __init__(self, fail_at: int = 0) -> None:
        self.warnings: list[str] = []
        self.fail_at = fail_at

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def step(self, moment, values) -> None:
        if moment.step == self.fail_at:
            raise RuntimeError("the power failed")


def heard(run, file="heard.jsonl"):
    return [json.loads(line) for line in (run.path / file).read_text(encoding="utf-8").splitlines()]


def test_a_logger_hears_all_that_the_run_records(train):
    run = train(epochs=2, log="tinylog")
    events = heard(run)
    assert events[0] == ["started", 0]
    assert [what for event, what in events if event == "logged"] == list(run.metrics())
    assert [what for event, what in events if event == "sampled"] == [[3, "epoch-0001.png"], [6, "epoch-0002.png"]]
    assert events[-1] == ["ended", "finished"]
    assert run.facts["settings"]["log"] == "tinylog"


def test_a_run_tells_nobody_unless_asked(train, run_python):
    run = train()
    assert {path.name for path in run.path.iterdir()} == {
        "run.json", "metrics.jsonl", "train.log", "losses.png", "real.png", "samples", "checkpoints",
        "model.safetensors", "lock",
    }  # fmt: skip
    code = (
        "import sys, ganzoo; from ganzoo.loop.display import Display\n"
        "ganzoo.train('tinygan', 'tiny', steps=1, device='cpu', display=Display(), out=sys.argv[1])\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('tensorboard', 'wandb', 'huggingface_hub')])"
    )
    assert run_python(code, run.path / "quiet").stdout.strip() == "[]"


def test_listing_loggers_imports_none(run_python):
    code = (
        "import sys; from ganzoo.catalogue.catalogue import entries\n"
        "print(*(entry.name for entry in entries('logger')))\n"
        "print([name for name in ('torch', 'numpy', 'PIL', 'tensorboard', 'wandb') if name in sys.modules])"
    )
    assert run_python(code).stdout.splitlines() == ["otherlog tensorboard tinylog trackio wandb", "[]"]


@pytest.mark.parametrize("how", ["error", "exit"])
@pytest.mark.parametrize("event", ["started", "logged", "sampled", "ended"])
def test_a_logger_that_raises_is_reported_once_and_stops_nothing(train, event, how):
    display = Listener()
    run = train(epochs=1, log=f"tinylog:fails={event},how={how}+otherlog:file=other.jsonl", display=display)
    (warning,) = display.warnings
    name = {"started": "run_started", "ended": "run_ended"}.get(event, event)
    what = "SystemExit: 3" if how == "exit" else "RuntimeError: no luck"
    assert warning.startswith(f"The logger ganzoo-tiny:tinylog failed in ganzoo_{name} ({what} (logger.py:")
    assert run.status == "finished"
    other = heard(run, "other.jsonl")
    assert [each for each, _ in other].count("logged") == len(list(run.metrics()))
    assert other[-1] == ["ended", "finished"]


def test_what_was_left_out_of_one_run_is_told_of_the_next(train):
    train(steps=1, log="tinylog:fails=started")
    assert heard(train("again", steps=1, log="tinylog"))[-1] == ["ended", "finished"]


def test_a_plugin_that_listens_to_every_run_stops_none_either(train, monkeypatch):
    """One that is no logger: its module implements the hook."""

    @hookimpl
    def ganzoo_run_started(run):
        raise SystemExit(3)

    module, display = SimpleNamespace(ganzoo_run_started=ganzoo_run_started), Listener()
    catalogue().manager.register(module, name="a:noisy")
    run = train(steps=1, log="tinylog", display=display)
    (warning,) = display.warnings
    assert warning.startswith("The a:noisy failed in ganzoo_run_started (SystemExit: 3 (")
    assert heard(run)[-1] == ["ended", "finished"]
    catalogue().unregister("a:noisy")


def test_the_weights_do_not_depend_on_who_listens(train):
    quiet, loud = train("quiet"), train("loud", log="tinylog:fails=logged+otherlog")
    first, second = (checkpoint.load(run.checkpoints()[-1])[0] for run in (quiet, loud))
    assert all(torch.equal(first[name], second[name]) for name in first | second)


def test_a_failure_is_told_and_the_next_start_says_from_where(train):
    with pytest.raises(RuntimeError, match="the power failed"):
        train(steps=6, checkpoint_every=2, log="tinylog", display=Listener(fail_at=5))
    run = ganzoo.resume("run", display=Display())
    told = [each for each in heard(run) if each[0] in ("started", "ended")]
    assert told == [["started", 0], ["ended", "failed"], ["started", 4], ["ended", "finished"]]


def test_an_end_is_told_only_to_who_heard_of_the_start(train):
    """A run that cannot be taken up never starts."""
    run = train(steps=4, log="tinylog", display=Display())
    run.checkpoints()[-1].write_bytes(b"broken")
    with pytest.raises(GanzooError, match="damaged"):
        ganzoo.extend("run", steps=2, display=Display())
    assert [event for event, _ in heard(run)].count("ended") == 1


def test_loggers_are_chosen_anew_when_a_run_goes_on(train):
    train(log="tinylog")
    run = ganzoo.extend("run", steps=2, display=Display())
    assert [event for event, _ in heard(run)].count("started") == 2
    run = ganzoo.extend("run", steps=2, log="otherlog:file=other.jsonl", display=Display())
    run = ganzoo.extend("run", steps=2, log="none", display=Display())
    assert run.facts["settings"]["log"] is None
    assert [event for event, _ in heard(run)].count("started") == 2
    assert [event for event, _ in heard(run, "other.jsonl")].count("started") == 1


def test_runs_of_each_label_tell_their_loggers(train, tmp_path):
    whole = ganzoo.train_per_class(
        "tinygan", "tiny", out="each", steps=1, samples=4, device="cpu", log="tinylog", display=Display()
    )
    assert [heard(run)[-1] for run in whole.runs.values()] == [["ended", "finished"]] * 2


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("tinylob", "There is no logger 'tinylob'; did you mean tinylog"),
        ("tinylog:mood=good", "the logger tinylog has no option 'mood'"),
        ("tinylog:how=badly", "tinylog:how takes error or exit, not .badly."),
        ("tinylog+tinylog:how=exit", " names tinylog twice; once is enough"),
    ],
)
def test_bad_loggers_are_refused_before_anything_is_written(train, tmp_path, spec, sentence):
    with pytest.raises(UsageError, match=sentence):
        train(log=spec)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("module", "log", "package"),
    [("torch.utils.tensorboard", "tensorboard", "tensorboard"), ("wandb", "wandb", "wandb")],
)
def test_a_missing_extra_is_said_before_training(train, tmp_path, monkeypatch, module, log, package):
    monkeypatch.setitem(sys.modules, module, None)
    words = rf"^--log {log} needs the package {package}, .* type: pip install 'ganzoo\[{package}\]'"
    with pytest.raises(GanzooError, match=words):
        train(log=log)
    assert not (tmp_path / "run").exists()


def test_need_gives_the_module():
    assert need("json", "json", "this") is json


def test_a_stage_of_a_recipe_cannot_change_the_loggers(train, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('architecture = "tinygan"\ndata = "tiny"\n[[stages]]\nsteps = 1\nlog = "tinylog"\n', "utf-8")
    with pytest.raises(UsageError, match="--log cannot change within a run"):
        train(architecture=None, data=None, recipe=str(recipe))


@dataclass
class Deaf:
    pass


@dataclass
class Foreign:
    @hookimpl
    def ganzoo_holograms(self) -> None: ...


@dataclass
class Moody:
    @hookimpl
    def ganzoo_logged(self, mood) -> None: ...


@pytest.mark.parametrize(
    ("logger", "reason"),
    [(Deaf(), "implements no hook"), (Foreign(), "no hook ganzoo_holograms"), (Moody(), "mood")],
    ids=["deaf", "foreign", "moody"],
)
def test_an_authors_mistake_is_said(logger, reason):
    fresh = Catalogue()
    with pytest.raises(GanzooError, match=rf"^The logger a:b does not work: .*{reason}"):  # noqa: SIM117
        with fresh.listening({"logger a:b": logger}):
            pytest.fail("it should not have come to this")
    fresh.notify("ganzoo_logged", pytest.fail, run=None, step=1, values={})


def test_making_loggers_leaves_none_registered():
    before = [name for name, _ in catalogue().manager.list_name_plugin()]
    assert list(make_loggers("tinylog+otherlog")) == ["logger ganzoo-tiny:tinylog", "logger ganzoo-tiny:otherlog"]
    assert [name for name, _ in catalogue().manager.list_name_plugin()] == before
    assert make_loggers(None) == make_loggers("") == {}


def test_presets_are_timed_while_loggers_listen(tmp_path, monkeypatch):
    """A long training says after its first steps which presets are shorter; its loggers hear nothing of that."""
    monkeypatch.setattr(estimate, "WORTH_TIMING", 0)
    monkeypatch.setattr(fit, "LONG", 1e-9)
    tried = []
    monkeypatch.setattr(fit, "forecast", lambda *args, **given: tried.append(1) or estimate.Forecast(1, 1))
    run = ganzoo.train("tinygan", "tiny", out=tmp_path / "run", steps=40, samples=4, device="cpu", display=Display(),
                       log="tinylog")  # fmt: skip
    assert tried
    assert [event for event, _ in heard(run) if event in ("started", "ended")] == ["started", "ended"]
