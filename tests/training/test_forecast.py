"""What a training will take, as it is said before it: counts that are exact, parts that add up, batches that fit."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from support.command_line import as_json, cli, refusal
from support.runs import At, assert_same_end, interrupt

import ganzoo
from ganzoo.contract.networks import weightless
from ganzoo.loop.display import Display
from ganzoo.loop.interrupts import Interruptible
from ganzoo.loop.trainer import Trainer
from ganzoo.plan import memory
from ganzoo.plan.plan import plan_run
from ganzoo.training import estimate
from ganzoo.training.estimate import forecast
from ganzoo.training.facts import facts_of, plan_of
from ganzoo.training.fit import presets_that_fit
from ganzoo.training.prepare import prepare

QUIET = Display()
PLAN = ("plan", "tinygan", "tiny", "--device", "cpu")
SECONDS = 0.01  # of a step, where the tests say how long it takes


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def _steps_take_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate.Pace, "mean", SECONDS)


def session_of(**options):
    return prepare(plan_run("tinygan", "tiny", device="cpu", **options), QUIET)


@pytest.mark.parametrize(("waits", "said"), [(0.6, True), (0.1, False)])
def test_other_programs_on_the_processor_are_named(monkeypatch, waits, said):
    """Whoever waits for the processor for so much of its time is told that the time is not all its own."""
    clock = iter(range(1000))
    monkeypatch.setattr(estimate._Crowd, "_now", staticmethod(lambda: (waits * (now := next(clock)), now)))
    assert forecast(session_of(epochs=20)).crowded is said
    plan = " ".join(cli(*PLAN, "--epochs", "20").stdout.split())
    assert ("; other programs use the processor now" in plan) is said
    run = cli("train", *PLAN[1:], "--epochs", "20").stdout
    assert (" other programs use the processor now, and it takes less when they do not." in run) is said


@pytest.mark.usefixtures("_steps_take_the_same")
def test_what_is_left_of_a_run():
    """48 items in batches of 16: an epoch is 3 steps. The same figures as what is trained in the end."""
    with pytest.raises(ganzoo.Stopped) as stopped:
        ganzoo.train("tinygan", "tiny", epochs=20, device="cpu", samples=4, display=At(25, interrupt))
    run = stopped.value.run
    session = prepare(plan_of(run), QUIET)
    whole, left = forecast(session, run.header), forecast(session, run.header, run=run)
    assert (whole.steps, whole.images, left.steps, left.images) == (60, 960, 35, 560)
    assert left.training == pytest.approx(35 * SECONDS)
    assert left.files > 0
    assert left.seconds == pytest.approx(left.training + left.files)
    said = cli("resume", run.path).stdout
    assert "35 steps of 0.01 s: about " in said
    assert "30 steps" in cli("extend", run.path, "--epochs", "10").stdout


@pytest.mark.usefixtures("_steps_take_the_same")
def test_stages_scores_and_several_models_are_counted():
    Path("mine.toml").write_text(
        'architecture = "tinygan"\ndata = "tiny"\nstages = [{epochs = 10}, {steps = 12}, {images = 640, lr = 1e-4}]\n'
    )
    session = prepare(plan_run(None, None, recipe="mine.toml", device="cpu", evaluate_every=160), QUIET)
    header = facts_of(session, None)
    made = forecast(session, header, scoring=[2.0, 2.0, 0.5])
    assert made.steps == 30 + 12 + 40
    assert made.scores == (3 + 1) * 2.0 + (1 + 1) * 2.0 + (4 + 1) * 0.5
    assert forecast(session, header).scores is None, "nobody tried, so nothing is made up"
    both = made.of(2, 2 * made.steps)
    assert (both.models, both.steps, both.images) == (2, 164, 2 * made.images)
    assert both.seconds == pytest.approx(2 * made.seconds)


@pytest.mark.usefixtures("_steps_take_the_same")
def test_a_training_is_timed_by_its_own_first_steps(monkeypatch):
    """None is thrown away, and what is trained is what a trial beforehand would leave."""
    taken, said = [], []

    class Heard(Display):
        def say(self, text):
            said.append((text, len(taken)))

    step = Trainer.step
    monkeypatch.setattr(Trainer, "step", lambda trainer: taken.append(trainer) or step(trainer))
    options = {"epochs": 10, "device": "cpu", "samples": 4, "display": Heard()}
    monkeypatch.setattr(estimate.Pace, "known", property(lambda pace: len(pace._times) >= 5))
    one = ganzoo.train("tinygan", "tiny", out="one", **options)
    assert len(taken) == 30
    assert ("30 steps, into one; how long they take is said after the first of them.", 0) in said
    assert [when for text, when in said if text.startswith("30 steps of 0.01 s: about ")] == [5]

    said.clear()
    with monkeypatch.context() as patched:
        patched.setattr("ganzoo.training.train.time_left", lambda _: 0.06)
        ganzoo.train("tinygan", "tiny", out="limited", max_time="1h", **options)
    stopped = next(text for text, _ in said if text.startswith("30 steps of 0.01 s"))
    assert re.search(
        r"--max-time stops it after .*, at about \d+ of 480 images, and `ganzoo resume` goes on\.$", stopped
    )

    taken.clear()
    monkeypatch.setattr("ganzoo.training.train.first_steps", lambda *_: None)
    other = ganzoo.train("tinygan", "tiny", out="other", **options)
    assert len(taken) == 35, "five of a trial"
    assert_same_end(one, other)


def test_a_first_step_that_takes_long_does_not_speak_alone_for_the_others():
    pace = estimate.Pace(least=2)
    for took, known in ((30.0, False), (8.0, True)):
        pace.hear(took)
        assert pace.known == known
    assert pace.mean == 8.0
    alone = estimate.Pace()  # of a trial, whose steps are thrown away
    alone.hear(30.0)
    assert (alone.known, alone.mean) == (True, 30.0)


def test_a_trial_beforehand_where_first_steps_would_not_tell():
    def asks(**options):
        session = prepare(plan_run("tinygan", "tiny", device="cpu", epochs=20, **options), QUIET)
        return estimate.first_steps(session, facts_of(session, None)) is None

    assert not asks()
    assert asks(processes=2)
    assert asks(max_restarts=1)
    session = session_of(steps=estimate.WORTH_TIMING)
    assert estimate.first_steps(session, facts_of(session, None)) is None, "it is over before"
    growing = prepare(plan_run("progan", "tiny", device="cpu", preset="small", resolution=16, images=4800), QUIET)
    assert estimate.first_steps(growing, facts_of(growing, None)) is None


def test_an_evaluation_is_timed_for_as_many_samples_as_it_takes(monkeypatch):
    from ganzoo.contract.settings import Settings
    from ganzoo.loop import validation
    from ganzoo.runs.rows import Measured

    keeper = validation.Validator(Settings(evaluate_every=10, evaluate="swd"))
    clock = iter([0.0, 1.0, 1.0, 1.0 + 1.0 + 112 * 0.01])  # a second, and a hundredth for each sample more
    monkeypatch.setattr(validation.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(validation.Evaluator, "evidence", lambda *_: ())
    monkeypatch.setattr(validation.Evaluator, "scores", lambda *_: [Measured(name="swd", value=0.0, protocol={})])

    class Model:
        header = None

    assert keeper.rehearse(Model, None) == pytest.approx(1.0 + (2000 - 16) * 0.01)


def test_a_process_is_timed_by_its_share(monkeypatch):
    seen = []
    monkeypatch.setattr(estimate.torch, "set_num_threads", lambda count: seen.append(count))
    monkeypatch.setattr(estimate, "_mean", lambda trainer, *_: seen.append(trainer.world) or len(trainer.step()) * 0.01)
    monkeypatch.setattr(estimate.os, "cpu_count", lambda: 4)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    forecast(session_of(processes=2, epochs=20))
    assert seen[:2] == [2, 2], "two of four cores each, and half of each batch"


def test_plan_is_the_dry_run():
    found = as_json(cli(*PLAN, "--epochs", "20", "--json"))
    dry = as_json(cli("train", *PLAN[1:], "--epochs", "20", "--dry-run", "--json"))
    timed = ("seconds", "images_per_second", "largest_batch")
    assert {k: v for k, v in found.items() if k not in timed} == {k: v for k, v in dry.items() if k not in timed}
    assert (found["steps"], found["images"], found["models"]) == (60, 960, 1)
    seconds = found["seconds"]
    assert seconds["whole"] == pytest.approx(seconds["training"] + seconds["files"] + seconds["packing"])
    assert seconds["scores"] == 0
    each = as_json(cli(*PLAN, "--epochs", "20", "--per-class", "--json"))
    assert (each["models"], each["steps"]) == (2, 2 * 30), "24 items of each label"
    assert as_json(cli(*PLAN, "--epochs", "20", "--seeds", "3", "--json"))["steps"] == 180
    assert "--max-time stops it after" in cli(*PLAN, "--epochs", "2000", "--max-time", "1s").stdout
    assert "--json is for --dry-run" in refusal(cli("train", *PLAN[1:], "--json"))
    assert "takes a time" in refusal(cli(*PLAN, "--max-time", "soon"))
    assert list(Path().iterdir()) == []


def test_the_largest_batch_fits_and_twice_as_many_do_not(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 50_000_000)
    session = session_of()
    model = weightless(session.plan.model, session.plan.config, ganzoo.api.DataSpec((3, 8, 8)))
    largest = memory.largest_batch(model, session.plan.settings, session.device)
    assert memory.memory_needed(model, largest) <= 50_000_000 < memory.memory_needed(model, 2 * largest)


def test_batch_size_auto_is_a_number_from_the_beginning(monkeypatch):
    """It fits, is split evenly, and is what run.json says; a stage refuses it, and what cannot be counted."""
    spec = ganzoo.api.DataSpec((3, 8, 8))
    free = memory.memory_needed(weightless(session_of().plan.model, session_of().plan.config, spec), 40)
    monkeypatch.setattr(memory, "free_memory", lambda: free)
    options = {"batch_size": "auto", "steps": 1, "device": "cpu"}
    plan = plan_run("tinygan", "tiny", **options)
    assert plan.settings.batch_size == 32, "most of 40, in eights"
    assert "--batch-size auto: 32, about what fits into memory." in plan.notes
    assert plan_run("tinygan", "tiny", accumulate=3, **options).settings.batch_size == 48, "twice 48 would fit"
    assert as_json(cli(*PLAN, "--batch-size", "auto", "--steps", "1", "--json"))["batch_size"] in range(2, 49)

    run = ganzoo.train("tinygan", "tiny", out="auto", samples=4, **options)
    assert ganzoo.Run.open("auto").header.settings.batch_size == 32
    assert [row["images"] for row in run.metrics()] == [32]
    with pytest.raises(ganzoo.UsageError, match="--batch-size auto is decided before a run's first step"):
        ganzoo.extend(run, steps=1, batch_size="auto")
    for amount, sentence in (
        (None, "cannot tell what a step of tinygan takes on cpu; say a number"),
        (1, "Not even two"),
    ):
        monkeypatch.setattr(memory, "free_memory", lambda amount=amount: amount)
        with pytest.raises(ganzoo.UsageError, match=sentence):
            plan_run("tinygan", "tiny", **options)


# ---- presets that fit ------------------------------------------------------------------------------------------------


def by_width(monkeypatch, seconds):
    """A step takes so many seconds for each feature map: 4 by default, 8 in the preset `wide`."""
    monkeypatch.setattr(estimate, "_mean", lambda trainer, *_: seconds * trainer.config.width)
    monkeypatch.setattr(estimate, "_files", lambda *_: 0.0)


def test_fit_takes_the_largest_preset_that_there_is_time_for(monkeypatch):
    by_width(monkeypatch, 10)
    words = ("train", "tinygan", "tiny", "--device", "cpu", "--samples", "4", "--steps", "2", "--preset", "fit")
    run = ganzoo.train("tinygan", "tiny", preset="fit", steps=2, max_time=170, device="cpu", samples=4, display=QUIET)
    assert (run.header.preset, run.facts["config"]["width"]) == ("wide", 8)
    less = ganzoo.train("tinygan", "tiny", preset="fit", steps=2, max_time=100, device="cpu", samples=4, display=QUIET)
    assert (less.header.preset, less.facts["config"]["width"]) == (None, 4)
    assert "The preset wide fits best: about 3 minutes." in cli(*words).stdout, "three hours where none are said"
    assert "No preset of tinygan trains on tiny here within 9 seconds" in refusal(cli(*words, "--max-time", "9s"))
    assert "of one run; name the preset here" in refusal(cli("show", "tinygan", "--preset", "fit"))
    assert as_json(cli("plan", *words[1:], "--json"))["preset"] == "wide"


def test_what_takes_long_or_does_not_fit_names_the_presets_that_do(monkeypatch):
    monkeypatch.setattr("tinyzoo.model.TinyGAN.presets", {"small": {"width": 2}, "tiny": {"width": 1}})
    by_width(monkeypatch, 1)
    said = "Of its presets, these take less than an hour here: tiny (about 20 minutes), small (about 40 minutes)"
    assert said in cli(*PLAN, "--steps", "1200").stdout
    assert "Of its presets" not in cli(*PLAN, "--steps", "600").stdout
    monkeypatch.setattr(memory, "memory_needed", lambda model, *_: 2**50 if model.config.width > 2 else 1)
    for command in ("plan", "train"):
        text = refusal(cli(command, *PLAN[1:], "--steps", "1200"))
        assert "GB are free" in text
        assert said in text


def test_no_plugin_may_call_a_preset_fit(monkeypatch):
    monkeypatch.setattr("tinyzoo.model.TinyGAN.presets", {"fit": {"width": 2}})
    assert "has a preset 'fit', which ganzoo chooses itself" in refusal(cli("show", "tinygan"), 1)


def test_no_preset_is_timed_any_more_after_ctrl_c() -> None:
    with Interruptible(QUIET.say):
        assert presets_that_fit("tinygan", "tiny", 1e9)
        signal.raise_signal(signal.SIGINT)
        assert presets_that_fit("tinygan", "tiny", 1e9) == {}
