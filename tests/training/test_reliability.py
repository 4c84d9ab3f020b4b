"""Runs that are killed, hung up, short of time, disk or folders: nothing lost, nothing doubled, the true cause said."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from support.runs import At, assert_same_end, interrupt

import ganzoo
from ganzoo import Run
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.display import Display
from ganzoo.loop.interrupts import Interruptible
from ganzoo.loop.record import Recorder
from ganzoo.runs import checkpoint

QUIET = Display()


def files(run: Run) -> dict[str, bytes]:
    """What two equal runs have to the byte."""
    patterns = ("*.safetensors", "checkpoints/*", "samples/*", "real*.png", "scores.jsonl")
    return {str(f.relative_to(run.path)): f.read_bytes() for pattern in patterns for f in run.path.glob(pattern)}


# ---- asked to stop -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_saves_and_asks_to_be_resumed(train, finished, name):
    if not hasattr(signal, name):
        pytest.skip(f"there is no {name} here")
    number = getattr(signal, name)
    with pytest.raises(ganzoo.Stopped, match=f"Stopped by {name}. Go on with: ganzoo resume run") as stopped:
        train("run", epochs=2, display=At(2, lambda: (signal.raise_signal(number), signal.raise_signal(number))))
    assert stopped.value.exit_code == 75
    assert Run.open("run").checkpoints()[-1].name == "step-00000002.safetensors", "the second one changes nothing"
    assert signal.getsignal(number) == signal.SIG_DFL
    assert_same_end(ganzoo.resume("run", display=QUIET), finished)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no hangup here")
def test_a_hangup_that_was_ignored_before_is_ignored(train, finished):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = train("run", epochs=2, display=At(2, lambda: signal.raise_signal(signal.SIGHUP)))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert_same_end(run, finished)


def test_the_end_of_the_time_saves_and_asks_to_be_resumed(train, finished):
    with pytest.raises(ganzoo.Stopped, match="Stopped by --max-time") as stopped:
        train("run", epochs=2, max_time=1e-3)
    assert (stopped.value.exit_code, stopped.value.run.status) == (75, "interrupted")
    with pytest.raises(ganzoo.Stopped):
        ganzoo.resume("run", max_time=1e-3, display=QUIET)
    assert Run.open("run").checkpoints()[-1].name == "step-00000002.safetensors", "one step each time, at least"
    assert_same_end(ganzoo.resume("run", max_time="1h30m", display=QUIET), finished)
    with pytest.raises(ganzoo.Stopped):
        ganzoo.extend("run", steps=3, max_time=1e-3, display=QUIET)


def test_the_end_of_the_time_while_data_is_packed(tmp_path, monkeypatch):
    """Packing took as long as it liked. What is packed stays, and the same command goes on with it."""
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    options = {"steps": 2, "device": "cpu", "samples": 4, "display": QUIET, "out": "run"}
    with pytest.raises(GanzooError, match=r"\(Packing .*: 64 of 200\).* the same command goes on") as stopped:
        ganzoo.train("tinygan", "digits:images=200", max_time=1e-3, **options)
    assert (stopped.value.exit_code, list(tmp_path.glob("run/*"))) == (75, [])
    [done] = (tmp_path / "home/packs").glob("*/done.txt")
    assert done.read_text().split() == ["0"]
    ganzoo.train("tinygan", "digits:images=200", **options)
    assert sorted(done.read_text().split()) == ["0", "1", "2", "3"]


def test_ctrl_c_while_the_last_files_are_written_begins_nothing_else(train, monkeypatch):
    keep = Recorder.checkpoint
    monkeypatch.setattr(Recorder, "checkpoint", lambda *given: (interrupt(), keep(*given)))
    with pytest.raises(ganzoo.Stopped) as stopped:
        train("run", steps=2)
    assert (stopped.value.why, stopped.value.run.status) == ("Ctrl-C", "finished")
    assert ganzoo.resume("run", display=QUIET).status == "finished"
    with pytest.raises(ganzoo.Stopped):
        ganzoo.sweep("tinygan", "tiny", seeds=(0, 1), steps=2, out="sweep", device="cpu", samples=4, display=QUIET)
    assert [run.name for run in ganzoo.list_runs("sweep")] == ["seed=0"]


def test_scores_that_take_longer_to_prepare_than_there_is_time_are_said(train, monkeypatch):
    def rehearse(self, model, dataset):
        self.evaluator.report("Training a classifier, once and kept", 25, 100)

    monkeypatch.setattr("ganzoo.loop.validation.Validator.rehearse", rehearse)
    with pytest.raises(UsageError, match=r"over before training began \(Training a classifier, .*25 of 100\)"):
        train("run", epochs=2, evaluate_every=4, max_time=1e-3)
    assert not Path("run").exists()


@pytest.mark.parametrize("text", ["", "8", "h", "8 hours", "-1h", "0s", 0, -1.0])
def test_what_is_no_time_is_refused(train, text):
    with pytest.raises(UsageError, match="--max-time"):
        train(max_time=text)
    assert not Path("run").exists()


def test_what_ctrl_c_does_now_is_said_as_it_is():
    said: list[str] = []
    assert Interruptible(said.append, deadline=0).asked
    with Interruptible(said.append):
        signal.raise_signal(signal.SIGTERM)
    with Interruptible(said.append):
        interrupt()
    time_over, asked, ctrl_c = said
    assert time_over.startswith("The time is over: stopping after this step and saving; Ctrl-C stops at once")
    assert asked.startswith("Stopping after this step and saving; Ctrl-C stops at once")
    assert ctrl_c.startswith("Stopping after this step and saving; Ctrl-C again stops at once")


def test_ctrl_c_stays_130(train):
    with pytest.raises(ganzoo.Stopped, match=r"^Stopped\. Go on") as stopped:
        train(display=At(2, interrupt))
    assert stopped.value.exit_code == 130


# ---- what kills leave ----------------------------------------------------------------------------------------------


def test_what_a_kill_left_is_cleaned_up_and_nothing_else(train, finished):
    with pytest.raises(KeyboardInterrupt):
        train("run", epochs=2, display=At(5, interrupt))
    ours = [
        ".run.4711.tmp.json", ".model.4711.tmp.safetensors", "checkpoints/.step-00000006.4711.tmp.safetensors",
        "checkpoints/.tmpAb3xYz", "samples/.epoch-0002.4711.tmp.png", ".losses.4711.tmp.png",
    ]  # fmt: skip
    yours = [".notes.4711.tmp.txt", "notes.tmp", "samples/.mine.png", "checkpoints/.tmp", ".tmp-notes.txt"]
    for name in (*ours, *yours):
        Path("run", name).write_text("half")
    shutil.copy(Run.open("run").checkpoints()[-1], "run/checkpoints/step-00000001.safetensors")
    shutil.copy(Run.open("run").checkpoints()[-1], "run/checkpoints/step-00000002.safetensors")
    resumed = ganzoo.resume("run", display=QUIET)
    assert_same_end(resumed, finished)
    assert [name for name in ours if Path("run", name).exists()] == []
    assert [name for name in yours if not Path("run", name).exists()] == []
    assert len(resumed.checkpoints()) == 3, "an old checkpoint that a kill left goes too"


@pytest.mark.parametrize("folder", ["samples", "checkpoints"])
def test_folders_that_are_missing_are_made_again(train, finished, folder):
    """Before a run goes on, and while it trains."""
    run = train("through", epochs=2, display=At(2, lambda: shutil.rmtree(f"through/{folder}")))
    assert_same_end(run, finished)
    with pytest.raises(KeyboardInterrupt):
        train("run", epochs=2, display=At(2, interrupt))
    shutil.rmtree(f"run/{folder}")
    assert_same_end(ganzoo.resume("run", display=QUIET), finished)


def test_so_many_checkpoints_stay_as_one_asks(train):
    run = train(steps=4, checkpoint_every=1, checkpoints=1)
    assert [file.name for file in run.checkpoints()] == ["step-00000004.safetensors"]
    more = ganzoo.extend(run, steps=3, checkpoints=2, display=QUIET)
    assert [file.name for file in more.checkpoints()] == ["step-00000006.safetensors", "step-00000007.safetensors"]


def test_logs_are_on_the_disk_before_the_checkpoint(train, monkeypatch):
    """What a power cut may take is what came after the checkpoint."""
    happened, fsync, write = [], os.fsync, checkpoint.write

    def flushed(descriptor):
        if os.path.exists(f"/proc/self/fd/{descriptor}"):
            happened.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    def written(path, tensors, facts):
        write(path, tensors, facts)
        happened.append(path.name)

    monkeypatch.setattr("ganzoo.loop.record.os.fsync", flushed)
    monkeypatch.setattr("ganzoo.loop.record.checkpoint.write", written)
    train(steps=2)
    if not Path("/proc/self/fd").exists():
        pytest.skip("nothing says which file a descriptor is")
    place = happened.index("step-00000002.safetensors")
    assert {"metrics.jsonl", "train.log"} <= set(happened[:place])


# ---- disks and folders ---------------------------------------------------------------------------------------------


def test_a_folder_that_is_deleted_while_it_trains(train):
    with pytest.raises(GanzooError, match=r"The folder run was moved or deleted while it trained") as error:
        train(steps=40, display=At(2, lambda: shutil.rmtree("run")))
    assert "\n" not in str(error.value)
    assert not Path("run").exists()


def test_curves_that_cannot_be_written_are_no_other_matter(train, monkeypatch):
    """They are what is written first, now and then, after a folder is gone or a disk is full."""

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    with pytest.raises(GanzooError, match=r"the disk is full .* ganzoo resume run\."):
        train(steps=2)


def test_a_folder_that_is_moved_while_it_trains(train, finished):
    undisturbed = train("through", steps=20, checkpoint_every=2)
    with pytest.raises(GanzooError, match="was moved or deleted"):
        train(steps=20, checkpoint_every=2, display=At(5, lambda: os.rename("run", "elsewhere")))
    assert_same_end(ganzoo.resume("elsewhere", display=QUIET), undisturbed)


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EROFS, "the disk is read-only"), (errno.ENOSPC, "the disk is full")]
)
def test_the_true_cause_is_said_whatever_is_written(train, finished, monkeypatch, number, words):
    """By safetensors as by Python; the run goes on when it is mended."""
    from safetensors import SafetensorError

    def fails(*_):
        raise SafetensorError(f"I/O error: {os.strerror(number)} (os error {number})")

    with monkeypatch.context() as patched:
        patched.setattr("ganzoo.runs.checkpoint.save_file", fails)
        with pytest.raises(GanzooError, match=rf"cannot be written or read: {words} .*ganzoo resume run"):
            train("run", epochs=2)
    assert_same_end(ganzoo.resume("run", display=QUIET), finished)


# ---- equal runs ----------------------------------------------------------------------------------------------------


def test_equal_runs_have_equal_files(train):
    """To the byte, wherever they are, and also where one was stopped."""
    options = {"steps": 6, "checkpoint_every": 3, "evaluate_every": 48, "evaluate": "swd:patches=4,directions=8"}
    options |= {"keep_best": "swd", "resolution": 16}
    ours, theirs = train("a", **options), train("deep/b", **options)
    assert "best.safetensors" in files(ours)
    assert "scores.jsonl" in files(ours)
    assert files(ours) == files(theirs)
    with pytest.raises(KeyboardInterrupt):
        train("c", **options, display=At(4, lambda: (interrupt(), interrupt())))
    assert files(ganzoo.resume("c", display=QUIET)) == files(ours)
    assert Path("c/train.log").read_text() == Path("a/train.log").read_text()
    assert [list(row) for row in Run.open("c").metrics()] == [list(row) for row in ours.metrics()]
    facts = [json.loads((run.path / "run.json").read_text()) for run in (ours, theirs)]
    times = ("started", "ended", "seconds")
    assert [{k: v for k, v in each.items() if k not in times} for each in facts] == [
        {k: v for k, v in facts[0].items() if k not in times}
    ] * 2


@pytest.mark.skipif(os.name == "nt", reason="there is no umask")
def test_files_have_the_rights_that_the_umask_leaves(train):
    before = os.umask(0o027)
    try:
        run = train()
    finally:
        os.umask(before)
    modes = {str(file.relative_to(run.path)): oct(file.stat().st_mode & 0o777) for file in run.path.rglob("*.*")}
    assert set(modes.values()) == {"0o640"}, modes


# ---- damaged, changed by hand, elsewhere ---------------------------------------------------------------------------


def test_a_torn_byte_costs_one_row(finished, tmp_path):
    run = Run.open(shutil.copytree(finished.path, tmp_path / "run"))
    rows = list(run.metrics())
    assert len(rows) > 1
    lines = (run.path / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    for bad in (b"\xff\x00\n", b'{"step": \n', b"[" * 100_000 + b"\n", b"7\n", b'{"step": "two"}\n'):
        (run.path / "metrics.jsonl").write_bytes(b"".join([lines[0], bad, *lines[1:]]))
        assert list(run.metrics()) == rows


def test_one_bad_run_does_not_take_the_others_down(train, tmp_path):
    train("runs/a"), train("runs/b"), train("runs/c")
    Path("runs/a/metrics.jsonl").write_bytes(b"\xff\xfe")
    Path("runs/b/run.json").write_bytes(b'{"architecture": \xff}')
    said = []
    assert [run.name for run in ganzoo.list_runs("runs", said.append)] == ["a", "c"]
    assert len(said) == 1
    assert "run.json is damaged" in said[0]


class Heard(Display):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [("config", "lr", 0.5e-3), ("settings", "batch_size", 8), ("settings", "seed", 9), (None, "seed", 9)],
)
def test_a_run_that_was_changed_by_hand_says_so(train, where, name, value):
    with pytest.raises(KeyboardInterrupt):
        train("run", epochs=2, display=At(2, interrupt))
    file = Path("run/run.json")
    facts = json.loads(file.read_text())
    (facts if where is None else facts[where])[name] = value
    file.write_text(json.dumps(facts))
    display = Heard()
    ganzoo.resume("run", display=display)
    (line,) = [text for text in display.said if "was changed" in text]
    assert name in line
    assert str(value) in line


def test_a_run_that_nobody_changed_says_nothing_of_it(train):
    with pytest.raises(KeyboardInterrupt):
        train("run", epochs=2, lr="linear:2e-3:0", penalty="r1", display=At(2, interrupt))
    display = Heard()
    ganzoo.resume("run", display=display)
    assert "Going on from step 2." in display.said
    ganzoo.extend("run", steps=2, lr=1e-3, checkpoints=1, display=display)
    assert [text for text in display.said if "changed" in text or "began" in text] == []


def test_another_number_of_threads_is_said(train):
    with pytest.raises(KeyboardInterrupt):
        train("run", epochs=2, display=At(2, interrupt))
    run = Run.open("run")
    run.change(environment=dataclasses.replace(run.header.environment, threads=97))
    run.write()
    display = Heard()
    ganzoo.resume("run", display=display)
    assert any("began with 97 threads" in text for text in display.said)


def test_a_run_keeps_its_own_clock(train):
    """Seconds of training, over all the lives of its process."""
    with pytest.raises(KeyboardInterrupt):
        train("run", steps=20, checkpoint_every=5, display=At(10, interrupt))
    before = list(Run.open("run").metrics())[-1]["seconds"]
    run = ganzoo.resume("run", display=QUIET)
    seconds = [row["seconds"] for row in run.metrics()]
    assert seconds == sorted(seconds)
    assert before > 0
    assert run.header.seconds >= seconds[-1] > before
    assert run.header.ended >= run.header.started


def test_a_run_goes_on_in_other_parts(train, finished):
    """As on a machine with less memory."""
    with pytest.raises(KeyboardInterrupt):
        train("run", epochs=2, display=At(2, interrupt))
    with pytest.raises(UsageError, match="does not split into 5 parts"):
        ganzoo.resume("run", accumulate=5, display=QUIET)
    run = ganzoo.resume("run", accumulate=2, display=QUIET)
    assert run.header.settings.accumulate == 2
    assert [row["images"] for row in run.metrics()] == [row["images"] for row in finished.metrics()]


# ---- what is forecast ----------------------------------------------------------------------------------------------


def test_several_critic_turns_draw_several_batches(train):
    """48 images in batches of 8, three of them a step: two steps an epoch, by the forecast, the log and the display."""
    display, moments = Heard(), []
    display.step = lambda moment, values: moments.append(moment)
    run = train("run", "wgan-gp", epochs=2, batch_size=8, n_critic=3, resolution=16, width=2, display=display)
    assert list(run.metrics())[-1]["step"] == 4
    assert any(text.startswith("4 steps") for text in display.said), display.said
    assert {moment.last_step for moment in moments} == {4}
    lines = (run.path / "train.log").read_text().splitlines()
    assert [line.split(" ")[0] for line in lines] == ["[0/2][0/2]", "[1/2][0/2]"]
