"""Runs: what they leave behind, how they are stopped, resumed, extended and sampled, and what bad input gets."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from ganzoo_dcgan.model import DCGAN
from PIL import Image
from support.runs import At, assert_same_end, edit, interrupt
from tinyzoo.model import TinyGAN

import ganzoo
from ganzoo import Run
from ganzoo.api import Update
from ganzoo.catalogue.catalogue import Catalogue
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import free_memory
from ganzoo.loop.display import Display
from ganzoo.loop.trainer import Trainer
from ganzoo.plan.memory import memory_needed
from ganzoo.runs import checkpoint
from ganzoo.runs.curves import PANEL
from ganzoo.runs.header import Process
from ganzoo.runs.run import claimed

QUIET = Display()
LINE = re.compile(
    r"\[(\d+)/(\d+)\]\[(\d+)/(\d+)\] Loss_D: -?\d+\.\d{4} Loss_G: -?\d+\.\d{4} "
    r"D\(x\): [01]\.\d{4} D\(G\(z\)\): [01]\.\d{4} / [01]\.\d{4}"
)


def newest(run: Run) -> dict[str, torch.Tensor]:
    """The whole state in the newest checkpoint."""
    return checkpoint.load(run.checkpoints()[-1])[0]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- what a run leaves ---------------------------------------------------------------------------------------------


def test_the_folder(finished):
    files = {str(path.relative_to(finished.path)).replace(os.sep, "/") for path in finished.path.rglob("*.*")}
    assert files == {
        "run.json", "metrics.jsonl", "train.log", "losses.png", "real.png", "model.safetensors",
        "samples/epoch-0001.png", "samples/epoch-0002.png",
        "checkpoints/step-00000003.safetensors", "checkpoints/step-00000006.safetensors",
    }  # fmt: skip


def test_run_json(finished):
    facts = json.loads((finished.path / "run.json").read_text(encoding="utf-8"))
    assert (facts["architecture"], facts["distribution"], facts["version"]) == ("tinygan", "ganzoo-tiny", "1.0")
    assert facts["status"] == finished.status == "finished"
    assert facts["ganzoo"] == ganzoo.__version__
    assert facts["data"]["origin"] == "of the tests"
    assert facts["data"]["fingerprint"] == "tiny:48:0"
    assert facts["data"]["shape"] == [3, 8, 8]
    assert facts["seed"] == 0
    assert facts["config"]["lr"] == 2e-3
    assert facts["config"]["beta1"] == 0.5
    assert facts["settings"]["batch_size"] == 16
    assert facts["parameters"].keys() == {"G", "D"}
    assert facts["stages"] == [{"length": {"epochs": 2}, "changes": {}}]
    assert {"python", "torch", "device", "precision", "system"} <= facts["environment"].keys()


def test_metrics(finished):
    rows = list(finished.metrics())
    assert [row["step"] for row in rows] == sorted({row["step"] for row in rows})
    assert rows[-1]["step"] == 6
    for row in rows:
        assert {"step", "epoch", "images", "loss/D", "loss/G", "D(x)", "D(G(z))", "images_per_second"} <= row.keys()
        assert row["images"] == 16 * row["step"]
        assert all(isinstance(value, (int, float)) for value in row.values())


def test_classic_lines(finished):
    lines = (finished.path / "train.log").read_text(encoding="utf-8").splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), lines
    assert [match.groups() for match in matches] == [("0", "2", "0", "3"), ("1", "2", "0", "3")]


def test_gradients_are_logged_and_drawn_where_asked(train, finished):
    run = train(epochs=2, gradients=True)
    ours, theirs = (checkpoint.load(each.checkpoints()[-1])[0] for each in (run, finished))
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    for row in run.metrics():
        assert row["gradient/D"] > 0
        assert row["gradient/G"] > 0
    assert not any(name.startswith("gradient") for row in finished.metrics() for name in row)
    assert (run.path / "train.log").read_text() == (finished.path / "train.log").read_text()
    with Image.open(run.path / "losses.png") as curves, Image.open(finished.path / "losses.png") as without:
        assert curves.height > without.height  # a panel more


def test_what_is_watched_besides_d_has_a_panel_and_a_scale_of_its_own(finished, tmp_path):
    """A controller's state says nothing of D's verdict, and would be a flat line beside it."""
    rows = list(finished.metrics())
    heights = []
    for more in ({}, {"D(x) again": 0.5}, {"D.A(real)": 0.5}, {"k": 0.003}, {"k": 0.003, "M": 1.3}):
        run = Run.create(tmp_path / str(len(heights)), finished.header)
        (run.path / "metrics.jsonl").write_text("".join(json.dumps({**row, **more}) + "\n" for row in rows))
        run.plot(run.path / "losses.png")
        with Image.open(run.path / "losses.png") as curves:
            heights.append(curves.height)
    three, *_ = heights
    panel = round(PANEL * 120)
    assert heights == [three, three, three, three + panel, three + 2 * panel]


def test_lines_count_steps_that_reach_over_the_end_of_the_data(train):
    """20 images in batches of 8: 3 steps, then 2 that begin 4 images into the second pass."""
    run = train(data="tiny:images=20", epochs=2, batch_size=8)
    lines = [LINE.fullmatch(line).groups() for line in (run.path / "train.log").read_text().splitlines()]
    assert lines == [("0", "2", "0", "3"), ("1", "2", "0", "2")]
    assert [file.name for file in sorted((run.path / "samples").iterdir())] == ["epoch-0001.png", "epoch-0002.png"]


def test_a_length_in_images_ends_with_the_step_that_reaches_it(train):
    assert [row["step"] for row in train(images=40).metrics()][-1] == 3


def test_trained_is_the_whole_architecture_of_the_newest_checkpoint(finished, tmp_path):
    model, saved = ganzoo.trained(finished), newest(finished)
    assert not model.training
    assert {name.partition(".")[0] for name in model.state_dict()} == {"G", "D"}
    assert all(torch.equal(tensor, saved[f"model/{name}"]) for name, tensor in model.state_dict().items())
    shutil.copytree(finished.path, tmp_path / "none", ignore=lambda *_: ["checkpoints"])
    with pytest.raises(GanzooError, match="no checkpoint"):
        ganzoo.trained(tmp_path / "none")


def test_pictures(finished):
    sizes = set()
    for name in ("samples/epoch-0001.png", "samples/epoch-0002.png", "real.png"):
        with Image.open(finished.path / name) as picture:
            sizes.add((picture.mode, picture.size))
    side = 16 * (2 * 8 + 3 * 2)  # 8 pixels, 16 times
    assert {(mode, width) for mode, (width, _) in sizes} == {("RGB", side)}
    assert len({height for _, (_, height) in sizes}) == 2  # samples have a caption
    with Image.open(finished.path / "losses.png") as curves:
        assert min(curves.size) > 200


def test_the_model_opens_alone(finished, tmp_path):
    """Moved elsewhere and renamed, it samples the same; it is the newest average."""
    moved = shutil.copy(finished.model_file, tmp_path / "mine.safetensors")
    model = ganzoo.load(moved)
    assert torch.equal(model.sample(5, seed=1), ganzoo.load(finished.path).sample(5, seed=1))
    assert model.facts["data"]["origin"] == "of the tests"
    assert (model.facts["step"], model.facts["images"]) == (6, 96)
    tensors, _ = checkpoint.load(finished.model_file)
    state = newest(finished)
    assert [name for name in tensors if not torch.equal(tensors[name], state[f"ema/{name}"])] == []
    assert all(name.startswith("G.") for name in tensors)


def test_list_runs(train, tmp_path):
    train("runs/a"), train("runs/deep/b")
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{", encoding="utf-8")
    assert [run.name for run in ganzoo.list_runs("runs")] == ["a", "b"]
    assert ganzoo.list_runs("nowhere") == []


def test_folders_are_numbered(train):
    assert [train(out=None).path for _ in range(2)] == [Path("runs/tinygan-tiny-1"), Path("runs/tinygan-tiny-2")]


def test_the_newest_few_checkpoints_stay(train):
    run = train(steps=6, checkpoint_every=1)
    assert [file.name for file in run.checkpoints()] == [f"step-{step:08d}.safetensors" for step in (4, 5, 6)]


def test_options_reach_the_run(train):
    run = train(preset="wide", lr="1e-3", seed=5)
    assert (run.facts["config"]["width"], run.facts["config"]["lr"], run.facts["seed"]) == (8, 1e-3, 5)
    assert run.facts["preset"] == "wide"
    assert train("other", preset="wide", width=3).facts["config"]["width"] == 3


def test_events(train, monkeypatch):
    heard = []
    monkeypatch.setattr(
        Catalogue, "notify", lambda self, event, complain, **facts: heard.append((event, facts.get("status"))) or []
    )
    train(epochs=1, steps=None)
    names = [event for event, _ in heard]
    assert names[0] == "ganzoo_run_started"
    assert {"ganzoo_logged", "ganzoo_sampled"} <= set(names)
    assert heard[-1] == ("ganzoo_run_ended", "finished")


# ---- stopped and resumed -------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
import ganzoo
from ganzoo.loop.display import Display

class Killer(Display):
    def step(self, moment, values):
        if moment.step == 5:
            os.kill(os.getpid(), signal.SIGKILL)

options = dict(steps=8, checkpoint_every=3, samples=4, augment="diffaug", flip=True, penalty="r1", device="cpu")
ganzoo.train("tinygan", "tiny", out=sys.argv[1], display=Killer(), **options)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_a_killed_run_resumes_to_the_same_bits(train, run_python, tmp_path):
    undisturbed = train("through", steps=8, checkpoint_every=3, augment="diffaug", flip=True, penalty="r1")
    done = run_python(KILLED, tmp_path / "killed")
    assert done.returncode == -signal.SIGKILL, done.stderr
    killed = Run.open("killed")
    assert killed.status == "stopped"
    assert killed.checkpoints()[-1].name == "step-00000003.safetensors"
    resumed = ganzoo.resume("killed", display=QUIET)
    assert resumed.status == Run.open("killed").status == "finished"
    assert_same_end(resumed, undisturbed)


@pytest.mark.parametrize("at", [2, 3, 5])
def test_ctrl_c_saves_and_resumes_to_the_same_bits(train, finished, at):
    """Within an epoch, at its end and before the last step."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train("stopped", epochs=2, display=At(at, interrupt))
    assert signal.getsignal(signal.SIGINT) is before
    stopped = Run.open("stopped")
    assert stopped.status == "interrupted"
    assert stopped.checkpoints()[-1].name == f"step-{at:08d}.safetensors"
    assert ganzoo.load("stopped").facts["step"] == at
    assert_same_end(ganzoo.resume("stopped", display=QUIET), finished)


def test_a_termination_signal_saves_too(train):
    with pytest.raises(KeyboardInterrupt):
        train(display=At(2, lambda: signal.raise_signal(signal.SIGTERM)))
    assert Run.open("run").checkpoints()[-1].name == "step-00000002.safetensors"


def test_a_run_in_a_thread(train):
    """Where no signal handler can be set."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(train).result().status == "finished"


def test_a_second_ctrl_c_stops_at_once(train, finished):
    """Without saving."""
    with pytest.raises(KeyboardInterrupt):
        train("stopped", epochs=2, checkpoint_every=2, display=At(5, lambda: (interrupt(), interrupt())))
    assert Run.open("stopped").checkpoints()[-1].name == "step-00000004.safetensors"
    assert_same_end(ganzoo.resume("stopped", display=QUIET), finished)


def test_what_was_logged_after_the_checkpoint_is_there_once(train, finished):
    with pytest.raises(KeyboardInterrupt):
        train("stopped", epochs=2, checkpoint_every=3, display=At(5, lambda: (interrupt(), interrupt())))
    resumed = ganzoo.resume("stopped", display=QUIET)
    assert_same_end(resumed, finished)
    logs = [[line[:10] for line in (run.path / "train.log").read_text().splitlines()] for run in (resumed, finished)]
    assert logs[0] == logs[1] == ["[0/2][0/3]", "[1/2][0/3]"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_dcgan_resumes_to_the_same_bits(train, precision):
    """Batch norm, and weights whose channels lie last in memory."""
    small = {
        "resolution": 16, "width_g": 4, "width_d": 4, "latent_dim": 8, "batch_size": 8, "steps": 6,
        "precision": precision,
    }  # fmt: skip
    undisturbed = train("through", "dcgan", **small)
    with pytest.raises(KeyboardInterrupt):
        train("stopped", "dcgan", **small, display=At(3, interrupt))
    assert_same_end(ganzoo.resume("stopped", display=QUIET), undisturbed)


def test_a_finished_run_is_left_as_it_is(finished):
    before = tree(finished.path)
    assert ganzoo.resume(finished.path, display=QUIET).status == "finished"
    assert tree(finished.path) == before


def test_sampling_from_a_running_run_does_not_disturb_it(train):
    undisturbed = train("through")
    samples = []

    def sample() -> None:
        samples.append(ganzoo.load("sampled").sample(3, seed=1))
        torch.manual_seed(99)

    run = train("sampled", display=At(2, sample))
    assert samples[0].shape == (3, 3, 8, 8)
    assert_same_end(run, undisturbed)


def test_a_line_of_metrics_cut_short_is_forgotten(train, finished):
    """A killed process may leave half a line; what is recorded after it must be readable."""
    with pytest.raises(KeyboardInterrupt):
        train("stopped", epochs=2, display=At(2, interrupt))
    with open("stopped/metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"step": 2, "epo')
    assert_same_end(ganzoo.resume("stopped", display=QUIET), finished)


def test_a_damaged_checkpoint_is_named_and_the_one_before_goes_on(train):
    undisturbed = train("through", steps=6, checkpoint_every=2)
    with pytest.raises(KeyboardInterrupt):
        train("stopped", steps=6, checkpoint_every=2, display=At(4, interrupt))
    damaged = Run.open("stopped").checkpoints()[-1]
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-100])
    with pytest.raises(GanzooError, match=re.escape(str(damaged))):
        ganzoo.resume("stopped", display=QUIET)
    damaged.unlink()
    assert_same_end(ganzoo.resume("stopped", display=QUIET), undisturbed)


HOLDER = """
import sys
from ganzoo import Run
with Run.open(sys.argv[1]).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_that_another_process_trains_is_left_alone(train, tmp_path):
    run = train()
    run.change(status="running", process=Process(4711, "elsewhere"))
    run.write()
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, run.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline()
    assert Run.open(run.path).status == "running"
    before = tree(run.path)
    with pytest.raises(UsageError, match=r"run is being trained by process 4711 on elsewhere; .*resume run --force"):
        ganzoo.resume(run.path, display=QUIET)
    with pytest.raises(UsageError, match="is being trained by"):
        ganzoo.extend(run.path, steps=1, display=QUIET)
    assert tree(run.path) == before
    assert ganzoo.resume(run.path, force=True, display=QUIET).status == "finished"
    holder.kill()
    holder.communicate()
    assert ganzoo.extend(run.path, steps=1, display=QUIET).status == "finished", "the lock died with its holder"


def test_a_killed_run_goes_on_whoever_has_its_process_number_now(train, finished):
    with pytest.raises(KeyboardInterrupt):
        train("run", epochs=2, display=At(2, interrupt))
    run = Run.open("run")
    run.change(status="running", process=Process(os.getppid(), socket.gethostname()))
    run.write()
    assert Run.open("run").status == "stopped"
    assert_same_end(ganzoo.resume("run", display=QUIET), finished)


def test_a_folder_is_trained_once_though_it_was_moved(train, tmp_path):
    run = train()
    with run.locked():
        os.rename("run", "moved")
        os.symlink("moved", "link", target_is_directory=True)
        for name in ("moved", "link"):
            with pytest.raises(UsageError, match="is being trained by another process"):
                ganzoo.extend(name, steps=1, display=QUIET)


def test_a_disk_without_locks(train, monkeypatch):
    """There a run that says it is running has to be taken at its word."""

    def none(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("ganzoo.files._try_lock", none)
    run = train()
    run.change(status="running", process=Process(1, "elsewhere"))
    run.write()
    with pytest.raises(UsageError, match="process 1 on elsewhere"):
        ganzoo.resume("run", display=QUIET)
    assert ganzoo.resume("run", force=True, display=QUIET).status == "finished"


def test_a_beginning_that_was_cut_short_is_begun_again_by_the_same_command(train, finished):
    """A kill at run.json's first rename."""
    for folder in ("samples", "checkpoints"):
        Path("run", folder).mkdir(parents=True)
    Path("run/lock").touch()
    Path("run/.run.4711.tmp.json").write_text("{", encoding="utf-8")
    assert_same_end(train("run", epochs=2), finished)
    Path("other").mkdir()
    Path("other/.mine.4711.tmp.json").touch()
    with pytest.raises(UsageError, match="is not an empty folder"):
        train("other")


def test_data_that_changed_is_refused(train, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        train(display=At(2, interrupt))
    before = tree(Path("run"))
    monkeypatch.setattr("tinyzoo.data.Tiny.fingerprint", property(lambda self: "changed"))
    with pytest.raises(GanzooError, match="is not the one that run was trained on"):
        ganzoo.resume("run", display=QUIET)
    with pytest.raises(GanzooError, match="is not the one that run was trained on"):
        ganzoo.extend("run", steps=1, display=QUIET)
    assert tree(Path("run")) == before, "a failed attempt must not add a stage"


# ---- stages --------------------------------------------------------------------------------------------------------

RECIPE = """
architecture = "tinygan"
data = "tiny"
options = { device = "cpu", samples = 4 }
stages = [{ steps = 3, lr = 1e-3 }, { steps = 3, lr = 5e-4, beta1 = 0.3 }, { epochs = 1 }]
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """The recipe's file, and the run of it that was never stopped."""
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "mine.toml").write_text(RECIPE, encoding="utf-8")
    return folder / "mine.toml", ganzoo.train(recipe=str(folder / "mine.toml"), out=folder / "run", display=QUIET)


@pytest.mark.parametrize("at", [2, 3, 4, 8])
def test_a_recipe_resumes_inside_the_right_stage(train, recipe, at):
    file, undisturbed = recipe
    assert len(undisturbed.facts["stages"]) == 3
    with pytest.raises(KeyboardInterrupt):
        train("stopped", None, None, recipe=str(file), display=At(at, interrupt))
    resumed = ganzoo.resume("stopped", display=QUIET)
    assert resumed.checkpoints()[-1].name == "step-00000009.safetensors"
    assert_same_end(resumed, undisturbed)


def test_extending_equals_the_recipe(train, recipe):
    """Weights, average and Adam's moments go along; the new rate and betas apply."""
    _, whole = recipe
    run = train("extended", steps=3, lr=1e-3)
    ganzoo.extend(run, steps=3, lr=5e-4, beta1=0.3, display=QUIET)
    extended = ganzoo.extend("extended", epochs=1, display=QUIET)
    assert_same_end(extended, whole)
    assert extended.facts["stages"][1] == {"length": {"steps": 3}, "changes": {"lr": 5e-4, "beta1": 0.3}}
    assert newest(extended)["optimizer/G/0/step"] == 9


def test_an_extension_keeps_the_optimizer_and_takes_the_new_options(train):
    run = train(steps=3)
    before = newest(run)
    after = newest(ganzoo.extend(run, steps=1, lr=0, beta1=0, display=QUIET))
    assert after["optimizer/D/0/step"] == before["optimizer/D/0/step"] + 1 == 4
    weights = [name for name in before if name.startswith("model/")]
    assert all(torch.equal(before[name], after[name]) for name in weights), "a rate of 0 leaves the weights"
    square = (after["optimizer/D/0/exp_avg_sq"] - 0.999 * before["optimizer/D/0/exp_avg_sq"]) / 0.001
    gradient = after["optimizer/D/0/exp_avg"]  # a beta1 of 0 keeps nothing of the gradients before
    assert torch.allclose(square, gradient.square(), rtol=1e-2, atol=1e-6)


def test_an_interrupted_run_ends_its_stage_before_the_extension(train):
    whole = train("whole", steps=3)
    ganzoo.extend(whole, steps=2, lr=1e-4, display=QUIET)
    with pytest.raises(KeyboardInterrupt):
        train("stopped", steps=3, display=At(2, interrupt))
    assert_same_end(ganzoo.extend("stopped", steps=2, lr=1e-4, display=QUIET), whole)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 1e-4}, "one of --epochs, --images and --steps"),
        ({"steps": 1, "epochs": 1}, "one of --epochs, --images and --steps"),
        ({"steps": 0}, "--steps 0 is too small"),
        ({"steps": 10**23}, "is too large"),  # which trained, and could not be resumed
        ({"steps": 1, "lr": -1}, "--lr -1 is too small"),
        ({"steps": 1, "rate": 1}, "tinygan has no option --rate"),
        ({"steps": 1, "seed": 1}, "--seed cannot change within a run"),
        ({"steps": 1, "resolution": 16}, "--resolution cannot change within a run"),
        ({"steps": 1, "batch_size": 49}, "larger than tiny, which has 48"),
        ({"steps": 1, "width": 8}, r"cannot change (with)?in a run"),
    ],
)
def test_an_extension_that_cannot_be_changes_nothing(finished, tmp_path, options, message):
    run = shutil.copytree(finished.path, tmp_path / "run")
    before = tree(run)
    with pytest.raises(GanzooError, match=message) as error:
        ganzoo.extend(run, display=QUIET, **options)
    assert "\n" not in str(error.value)
    assert tree(run) == before


def test_the_recipe_of_the_report():
    stages = next(card for card in ganzoo.recipes() if card.name == "report-anime").stages
    assert [(stage["epochs"], stage["lr"], stage["beta1"]) for stage in stages] == [
        (5, 2e-4, 0.5), (5, 1e-4, 0.3), (10, 1e-4, 0.5), (10, 1e-5, 0.5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("architecture = 'tinygan'", "does not say its data"),
        (
            "architecture = 'tinygan'\ndata = 'tiny'\n[options]\npreset = 'small'",
            r"has preset among its \[options\]; write it above them, by architecture",
        ),
        ("architecture = 'tinygan'\ndata = 'tiny'\nstage = []", "has a key 'stage'; did you mean stages"),
        ("architecture =", "is not a TOML file"),
        ("architecture = 'tinygan'\ndata = 'tiny'\nstages = [{lr = 1.0}]", "one of --epochs, --images and --steps"),
        ("architecture = 'tinygan'\ndata = 'tiny'\nstages = [{steps = 1, rate = 1}]", "no option --rate"),
        ("architecture = 'tinygan'\ndata = 'tiny'\nstages = 3", "stages"),
        ("architecture = 'tinygan'\ndata = 'tiny'\noptions = 'lr'", "options"),
    ],
)
def test_recipes_that_cannot_be(train, tmp_path, text, message):
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as error:
        train(architecture=None, data=None, recipe="bad.toml")
    assert "\n" not in str(error.value)
    assert not Path("run").exists()


# ---- a loss that is lost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["loss", "gradient"])
@pytest.mark.parametrize("at", [2, 3], ids=["before a checkpoint", "in the step of a checkpoint"])
def test_nan_stops_and_the_last_good_checkpoint_is_kept(train, fault, at):
    with pytest.raises(GanzooError, match=r"NaN .*stopped.* step-00000002\.safetensors") as error:
        train(architecture="faultygan", fault=fault, at=at, steps=12, checkpoint_every=2)
    assert "--lr" in str(error.value)
    run = Run.open("run")
    assert run.status == "failed"
    for file in [*run.checkpoints(), run.model_file]:
        tensors, _ = checkpoint.load(file)
        assert [name for name, value in tensors.items() if not value.isfinite().all()] == [], file.name


def test_ctrl_c_after_nan_does_not_save_it(train):
    with pytest.raises((GanzooError, KeyboardInterrupt)):
        train(architecture="faultygan", at=2, steps=20, display=At(4, interrupt))
    for file in [*Run.open("run").checkpoints(), Run.open("run").model_file]:
        tensors, _ = checkpoint.load(file)
        assert all(value.isfinite().all() for value in tensors.values()), file.name


# ---- first weights from elsewhere ----------------------------------------------------------------------------------


def test_init_from_a_run_takes_both_players(train, finished):
    run = train(init=finished.path, steps=1, lr=0, seed=7)
    ours, theirs = newest(run), newest(finished)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs if name.startswith("model/"))
    assert ours["optimizer/G/0/step"] == 1


def test_init_from_a_model_takes_the_generator(train, finished):
    run = train(init=finished.model_file, steps=1, lr=0, seed=7)
    state, (model, _) = newest(run), checkpoint.load(finished.model_file)
    assert all(torch.equal(state[f"model/{name}"], value) for name, value in model.items())
    assert all(torch.allclose(state[f"ema/{name}"], value, atol=1e-7) for name, value in model.items())
    assert not torch.equal(state["model/D.dense.weight"], newest(finished)["model/D.dense.weight"])


def test_init_takes_what_fits_and_says_what_begins_anew(train, finished):
    """Of another size the convolutions fit and the dense layers begin anew; the average begins at what was taken."""
    run = train(init=finished.path, steps=1, lr=0, resolution=16, ema=10**9)
    ours, theirs = newest(run), newest(finished)
    assert torch.equal(ours["model/G.up.weight"], theirs["model/G.up.weight"])
    assert torch.equal(ours["model/D.down.weight"], theirs["model/D.down.weight"])
    assert torch.equal(ours["ema/G.up.weight"], theirs["model/G.up.weight"])
    assert ours["model/D.dense.weight"].shape != theirs["model/D.dense.weight"].shape
    assert run.facts["taken"] == (
        f"5 of 8 tensors are taken from {finished.path}; G.dense.weight, G.dense.bias, D.dense.weight begin anew."
    )


def test_frozen_parts_keep_still_and_resuming_keeps_them(train):
    """FreezeD: neither a gradient nor Adam's moments reach them."""
    with pytest.raises(KeyboardInterrupt):
        train("stopped", seed=3, steps=6, freeze="D.down,G.up.bias", display=At(2, interrupt))
    before = newest(Run.open("stopped"))
    run = ganzoo.resume("stopped", display=QUIET)
    after = newest(run)
    for name in ("D.down.weight", "D.down.bias", "G.up.bias"):
        assert torch.equal(before[f"model/{name}"], after[f"model/{name}"])
    assert not torch.equal(before["model/D.dense.weight"], after["model/D.dense.weight"])
    assert {key for key in after if key.startswith("optimizer/D/") and key.endswith("exp_avg")} == {
        "optimizer/D/0/exp_avg",
        "optimizer/D/1/exp_avg",
    }
    assert run.facts["settings"]["freeze"] == "D.down,G.up.bias"


@pytest.mark.parametrize(("names", "words"), [("D.dwon", "did you mean D.down"), ("D", "leaves nothing of D to train")])
def test_what_cannot_be_frozen(train, names, words):
    with pytest.raises(UsageError, match=words):
        train(steps=1, freeze=names)
    assert not Path("run").exists()


def test_an_init_of_another_architecture(train, finished):
    with pytest.raises(GanzooError, match="are a tinygan's and do not fit faultygan; train a tinygan"):
        train(architecture="faultygan", init=finished.path, steps=1)


def test_an_init_that_does_not_fit_or_is_not_there(train, finished, tmp_path):
    for init, options, message in (
        (finished.path, {"width": 8}, "do not fit TinyGAN"),
        (finished.model_file, {"width": 8}, "do not fit TinyGAN"),
        ("nowhere", {}, "nowhere"),
        (tmp_path, {}, "not a run"),
    ):
        with pytest.raises(GanzooError, match=message) as error:
            train(init=init, **options)
        assert "\n" not in str(error.value)
        assert not Path("run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"init": "nowhere"}, "nowhere"),
        ({"init": "finished", "width": 8}, "do not fit TinyGAN"),
        ({"freeze": "D.dwon"}, "did you mean D.down"),
        ({"evaluate": "swd"}, "need --evaluate-every"),
        ({"evaluate_every": 24, "evaluate": "nosuch"}, "There is no metric 'nosuch'"),
        ({"evaluate_every": 24, "keep_best": "nosuch"}, "--keep-best nosuch is not a score"),
    ],
)
def test_refused_before_the_data_is_packed(train, finished, tmp_path, monkeypatch, options, message):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    options = {**options, "init": finished.path} if options.get("init") == "finished" else options
    with pytest.raises(UsageError, match=message):
        train(steps=1, **options)
    assert not list(tmp_path.glob("home/packs/*"))
    assert not Path("run").exists()


# ---- samples -------------------------------------------------------------------------------------------------------


def test_samples_are_a_function_of_the_seed(finished):
    model = ganzoo.load(finished.path)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    images = model.sample(5, seed=1)
    assert torch.equal(torch.get_rng_state(), before), "sampling has a stream of its own"
    assert images.shape == (5, 3, 8, 8)
    assert images.abs().max() <= 1
    assert torch.equal(ganzoo.load(finished.model_file).sample(5, seed=1), images)
    assert not torch.allclose(model.sample(5, seed=2), images)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 17, 63, 64, 65])
def test_samples_do_not_depend_on_how_many_are_asked_for(finished, n):
    model = ganzoo.load(finished.path)
    assert torch.equal(model.noise(n, seed=1), model.noise(70, seed=1)[:n])
    assert torch.allclose(model.sample(n, seed=1), model.sample(70, seed=1)[:n], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "At least one image"),
        ({"n": -3}, "At least one image"),
        ({"label": "even"}, "without labels"),
        ({"truncation": 0.5}, "no truncation"),
    ],
)
def test_samples_that_cannot_be(finished, options, message):
    with pytest.raises(UsageError, match=message):
        ganzoo.load(finished.path).sample(**options)


@pytest.mark.parametrize(
    ("distribution", "advice"),
    [("ganzoo-yours", r"pip install 'ganzoo-yours==1\.2'"), ("ganzoo", "upgrade ganzoo")],
)
def test_a_model_of_an_architecture_that_is_not_installed(finished, tmp_path, distribution, advice):
    tensors, facts = checkpoint.load(finished.model_file)
    facts.update(architecture="yours", distribution=distribution, version="1.2")
    checkpoint.save(tmp_path / "yours.safetensors", tensors, facts)
    with pytest.raises(GanzooError, match=advice) as error:
        ganzoo.load(tmp_path / "yours.safetensors")
    assert "\n" not in str(error.value)
    assert "pip install 'ganzoo==" not in str(error.value)

    run = Run.open(shutil.copytree(finished.path, tmp_path / "run"))
    run.change(architecture="yours", distribution=distribution, version="1.2", status="interrupted")
    run.write()
    with pytest.raises(GanzooError, match=advice):
        ganzoo.resume(run, display=QUIET)


def test_a_model_of_a_newer_ganzoo(finished, tmp_path):
    tensors, facts = checkpoint.load(finished.model_file)
    checkpoint.save(tmp_path / "new.safetensors", tensors, {**facts, "format": 99, "ganzoo": "9.0"})
    with pytest.raises(GanzooError, match=r"newer ganzoo \(9\.0\); upgrade"):
        ganzoo.load(tmp_path / "new.safetensors")


def test_a_run_folder_that_cannot_be_read(tmp_path):
    newer = '{"architecture": "x", "format": 99}'
    for text, message in (("{", "is damaged"), ("[]", "does not describe a run"), (newer, "newer")):
        (tmp_path / "run.json").write_text(text, encoding="utf-8")
        with pytest.raises(GanzooError, match=message) as error:
            ganzoo.resume(tmp_path, display=QUIET)
        assert "\n" not in str(error.value)


def test_a_model_whose_weights_are_not_its_architectures(finished, tmp_path):
    tensors, facts = checkpoint.load(finished.model_file)
    tensors.pop("G.dense.bias")
    checkpoint.save(tmp_path / "less.safetensors", tensors, facts)
    with pytest.raises(GanzooError, match="do not fit TinyGAN"):
        ganzoo.load(tmp_path / "less.safetensors")


def test_loading_what_is_not_there(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path, tmp_path / "x.safetensors"):
        with pytest.raises(UsageError):
            ganzoo.load(path)


def test_loading_what_is_no_model(finished):
    newest = finished.checkpoints()[-1]
    for file, message in ((finished.path / "run.json", "not a safetensors file"), (newest, "is a checkpoint")):
        with pytest.raises(GanzooError, match=message) as error:
            ganzoo.load(file)
        assert "elete" not in str(error.value)


# ---- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "tinygam"}, "There is no architecture 'tinygam'; did you mean tinygan"),
        ({"data": "tinny"}, "There is no data set 'tinny'; did you mean tiny"),
        ({"data": "tiny:pictures=3"}, "has no option 'pictures'"),
        ({"data": "tiny:images=1"}, "training needs two or more|is larger than tiny:images=1"),
        ({"architecture": None}, "Say an architecture and a data set"),
        ({"batch_size": 49}, "A batch of 49 is larger than tiny, which has 48; use --batch-size 48 or less"),
        ({"batch_size": 0}, "--batch-size 0 is too small"),
        ({"batch_size": -1}, "--batch-size -1 is too small"),
        ({"batch_size": 15, "accumulate": 4}, "does not split into 4 parts; use --batch-size 16"),
        ({"batch_size": 16, "processes": 3}, "does not split into 3 processes; use --batch-size 15"),
        ({"width": 10**18}, "TinyGAN cannot be built with these options"),
        ({"resolution": 7}, "tinygan cannot do 7×7"),
        ({"resolution": "8x7"}, "tinygan cannot do 8×7"),
        ({"resolution": "eight"}, "--resolution takes a number"),
        ({"resolution": 0}, "--resolution 0 is out of range"),
        ({"channels": 2}, "channels"),
        ({"channels": 5}, "--channels 5 is too large"),
        ({"steps": 0}, "--steps 0 is too small"),
        ({"steps": 2, "epochs": 2}, "one of --epochs, --images and --steps"),
        ({"steps": 1.5}, "--steps takes a whole number"),
        ({"seed": -1}, "--seed -1 is too small"),
        ({"lr": "quick"}, "--lr takes a number, not 'quick'"),
        ({"lr": -1}, "--lr -1 is too small"),
        ({"beta1": 1.0}, "--beta1 1.0 is too large"),
        ({"loss": "hing"}, "There is no loss 'hing'; did you mean hinge"),
        ({"penalty": "r1:gamma=x"}, "r1:gamma takes a number, not 'x'"),
        ({"preset": "narrow"}, "tinygan has no preset 'narrow'"),
        ({"leaning_rate": 1}, "tinygan has no option --leaning-rate"),
        ({"penalties": 1}, "tinygan has no option --penalties"),
        ({"xyz": 1}, "tinygan has no option --xyz; known: "),
        ({"device": "tpu"}, "--device takes auto, cpu, cuda or mps, not 'tpu'"),
        ({"recipe": "report-amine"}, "There is no recipe 'report-amine'; did you mean report-anime"),
        ({"recipe": "report-anime"}, "The recipe report-anime is for dcgan, not for tinygan"),
        ({"recipe": "none.toml"}, "cannot be read"),
    ],
    ids=lambda value: "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(train, options, message):
    with pytest.raises(UsageError, match=message) as error:
        train(**options)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2
    assert not Path("run").exists()
    listed = str(error.value).rstrip(".").partition("; known: ")[2].split(", ")
    assert len(listed) == len({*listed}), "options of the architecture and the trainer are listed once"


@pytest.mark.parametrize(
    ("network", "terms", "message"),
    [
        ("D", {"mean": torch.mean}, "updates D, all of whose parameters are frozen"),
        ("E", {"mean": torch.mean}, "updates 'E', which is no network of it"),
        ("G", {}, "an Update of G without terms"),
        ("G", {"each": torch.sigmoid}, r"gives \(16,\) as the loss 'each'; give its mean"),
    ],
    ids=["frozen", "unknown", "no terms", "no mean"],
)
def test_a_step_that_is_not_sound_is_refused_before_there_is_a_folder(train, monkeypatch, network, terms, message):
    """Of a short run too, of which no step is tried beforehand."""

    def step(self, batches, progress):
        said = self.D(self.G(self.noise(len(next(batches).images))))
        yield Update(network, {name: term(said) for name, term in terms.items()})

    begin = TinyGAN.__init__

    def frozen(self, *args):
        begin(self, *args)
        self.D.requires_grad_(network != "D")

    monkeypatch.setattr(TinyGAN, "__init__", frozen)
    monkeypatch.setattr(TinyGAN, "step", step)
    with pytest.raises(GanzooError, match=message):
        train(steps=1)
    assert not Path("run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA")
def test_cuda_without_cuda(train):
    with pytest.raises(UsageError, match=r"There is no cuda device here .*ganzoo doctor"):
        train(device="cuda")


def test_a_run_goes_on_where_its_device_is_not(train, finished):
    """As when a run that said --device cuda is moved to a machine without."""
    with pytest.raises(KeyboardInterrupt):
        train("moved", epochs=2, display=At(2, interrupt))
    settings = Run.open("moved").facts["settings"]
    edit(Path("moved/run.json"), settings={**settings, "device": "nowhere"})
    with pytest.raises(GanzooError, match=r"moved/run\.json is damaged: in `settings`, --device takes"):
        ganzoo.resume("moved", display=QUIET)
    edit(Path("moved/run.json"), settings={**settings, "device": "mps"})
    with pytest.raises(GanzooError, match="no mps device"):
        ganzoo.resume("moved", display=QUIET)
    with pytest.raises(UsageError, match="--device takes auto, cpu"):
        ganzoo.resume("moved", device="tpu", display=QUIET)
    assert_same_end(ganzoo.resume("moved", device="cpu", display=QUIET), finished)
    assert ganzoo.extend("moved", device="auto", steps=1, display=QUIET).facts["settings"]["device"] == "auto"


def test_a_folder_that_exists_is_not_overwritten(train):
    train()
    before = tree(Path("run"))
    with pytest.raises(UsageError, match=r"run already exists; choose another --out, or add --continue"):
        train()
    assert tree(Path("run")) == before
    Path("file").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="already exists and is not an empty folder; choose another --out"):
        train("file")
    assert Path("file").read_text(encoding="utf-8") == "mine"
    with pytest.raises(UsageError, match=r"cannot be written \(.*too long"):
        train("x" * 300)
    Path("empty").mkdir()
    assert train("empty").status == "finished"


def test_a_folder_that_cannot_be_written(train):
    Path("file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        train("file/run")


def test_go_on_resumes_or_begins(train):
    undisturbed = train("through")
    with pytest.raises(KeyboardInterrupt):
        train("some", display=At(2, interrupt))
    assert_same_end(train("some", go_on=True), undisturbed)
    assert_same_end(train("new", go_on=True), undisturbed)
    assert train("new", go_on=True).status == "finished"

    with pytest.raises(KeyboardInterrupt):
        train(None, display=At(2, interrupt))
    assert train(None, go_on=True).path == Path("runs/tinygan-tiny-1")
    assert [run.name for run in ganzoo.list_runs()] == ["tinygan-tiny-1"]


@pytest.mark.parametrize("options", [{}, {"augment": "diffaug", "penalty": "wgan-gp+dragan+r1", "n_critic": 2}])
def test_memory_that_will_not_do_is_said_before_the_first_step(train, monkeypatch, options):
    monkeypatch.setattr("ganzoo.plan.memory.free_memory", lambda: 10_000)
    with pytest.raises(UsageError, match=r"GB of memory .* lower --batch-size \(now 16\), --resolution or"):
        train(**options)
    assert not Path("run").exists()
    monkeypatch.setattr("ganzoo.plan.memory.free_memory", lambda: None)  # a system that does not say
    assert train().status == "finished"


def test_memory_of_a_system_and_of_a_container(tmp_path):
    """The lesser of what the system has and the container's limit leaves; cached files that can go are not in use."""
    group = tmp_path / "sys/fs/cgroup"
    installed = free_memory(tmp_path)  # where no file says: all there is
    assert installed is None or installed > 10**8
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 8000 kB\n")
    assert free_memory(tmp_path) == 8000 * 1024
    for folder, limit, used in (
        (group, "memory.max", "memory.current"),
        (group / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        folder.mkdir(parents=True)
        (folder / used).write_text("3000000\n")
        (folder / "memory.stat").write_text("anon 1\ninactive_file 1000000\n")
        for most, free in (("max", 8000 * 1024), ("5000000", 3_000_000), (str(2**63), 8000 * 1024)):
            (folder / limit).write_text(f"{most}\n")
            assert free_memory(tmp_path) == free
        shutil.rmtree(group)


def test_the_memory_estimate_grows_with_the_batch():
    with torch.device("meta"):
        model = DCGAN(DCGAN.Config(), ganzoo.api.DataSpec((3, 64, 64)))
    weights = sum(parameter.numel() * 4 for parameter in model.parameters())
    small, large = memory_needed(model, 32), memory_needed(model, 128)
    assert 5 * weights < small < large
    assert (large - small) / (96 * 3 * 64 * 64 * 4) > 10, "activations are many times the images"


CPU_FULL = "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"), RuntimeError(CPU_FULL), MemoryError()],
    ids=["GPU", "CPU", "Python"],
)
def test_running_out_of_memory_says_what_to_lower(train, monkeypatch, error):
    """In a step of the run, whose checkpoints stay; in the steps that are timed before it, nothing is left behind."""
    step, asked = Trainer.step, []

    def third_fails(self):
        asked.append(self)
        if len(asked) == 3:
            raise error
        return step(self)

    monkeypatch.setattr(Trainer, "step", third_fails)
    message = r"ran out of memory; lower --batch-size \(now 16\).*--accumulate 2"
    with pytest.raises(GanzooError, match=message) as said:
        train(checkpoint_every=1)
    assert "\n" not in str(said.value)
    assert Run.open("run").status == "failed"
    assert Run.open("run").checkpoints()[-1].name == "step-00000002.safetensors"
    asked.clear()
    with pytest.raises(GanzooError, match=message):
        train(None, steps=40, max_restarts=1)  # which is timed beforehand; else the run's own first steps are
    assert not Path("runs").exists()


def test_a_full_disk_says_how_to_go_on(train, finished, monkeypatch):
    def full(self, row):
        raise OSError(errno.ENOSPC, "No space left on device", "run/metrics.jsonl")

    with monkeypatch.context() as patched:
        patched.setattr("ganzoo.loop.record.Recorder.record", full)
        with pytest.raises(GanzooError, match=r"metrics\.jsonl .*No space left .*ganzoo resume run") as error:
            train(epochs=2)
    assert "\n" not in str(error.value)
    assert_same_end(ganzoo.resume("run", display=QUIET), finished)


def test_a_folder_that_cannot_be_begun_leaves_nothing(train, monkeypatch):
    def full(path, text):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ganzoo.runs.run.write_text", full)
    with pytest.raises(UsageError, match=r"cannot be written \(No space left on device\)"):
        train("deep/run")
    assert not Path("deep").exists()


def test_runs_that_begin_at_once_have_a_folder_each(train):
    with claimed("tinygan", "tiny") as first, claimed("tinygan", "tiny") as second:
        assert (first.name, second.name) == ("tinygan-tiny-1", "tinygan-tiny-2")
        assert train(None).path.name == "tinygan-tiny-3"
    with pytest.raises(RuntimeError), claimed("tinygan", "tiny") as folder:
        raise RuntimeError
    assert not folder.exists()


def test_going_on_from_first_weights_does_not_need_their_source(train, finished, tmp_path):
    source = shutil.copytree(finished.path, tmp_path / "source")
    undisturbed = train("through", init=source)
    with pytest.raises(KeyboardInterrupt):
        train("stopped", init=source, display=At(1, lambda: (interrupt(), interrupt())))
    shutil.rmtree(source)
    assert_same_end(ganzoo.resume("stopped", display=QUIET), undisturbed)


def test_a_run_that_lost_its_checkpoints_is_not_begun_again(finished, tmp_path):
    run = shutil.copytree(finished.path, tmp_path / "run", ignore=shutil.ignore_patterns("step-*.safetensors"))
    before = tree(run)
    with pytest.raises(GanzooError, match=r"lost its checkpoints.*--init .*model\.safetensors"):
        ganzoo.extend(run, steps=1, display=QUIET)
    assert tree(run) == before


@pytest.mark.parametrize("lost", ["stages", "config", "settings", "data"])
def test_a_run_json_that_lacks_something(finished, tmp_path, lost):
    run = shutil.copytree(finished.path, tmp_path / "run")
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    del facts[lost]
    (run / "run.json").write_text(json.dumps({**facts, "status": "interrupted"}), encoding="utf-8")
    with pytest.raises(GanzooError, match=rf"run\.json is damaged.*`{lost}`.*restore it") as error:
        ganzoo.resume(run, display=QUIET)
    assert "\n" not in str(error.value)
