"""Several processes train as one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from support.command_line import as_json, cli, refusal

import ganzoo
from ganzoo import Run
from ganzoo.contract import distributed
from ganzoo.errors import GanzooError
from ganzoo.loop import processes
from ganzoo.loop.build import synchronized
from ganzoo.runs import checkpoint


def test_two_processes_equal_one(train, tmp_path):
    runs = [train(steps=3, batch_size=8, checkpoint_every=3, out=tmp_path / f"of-{n}", processes=n) for n in (1, 2)]
    assert [run.status for run in runs] == ["finished", "finished"]
    one, two = (checkpoint.load(run.checkpoints()[-1])[0] for run in runs)
    assert set(one) == set(two)
    for name in one:
        assert torch.allclose(one[name].double(), two[name].double(), rtol=1e-4, atol=1e-6), name
    rows = [list(run.metrics())[-1] for run in runs]
    assert abs(rows[0]["loss/D"] - rows[1]["loss/D"]) < 1e-5


def test_two_processes_resume_what_one_began(train, tmp_path):
    whole = train(steps=4, batch_size=8, checkpoint_every=2, out=tmp_path / "whole")
    run = train(steps=2, batch_size=8, out=tmp_path / "half", processes=2)
    run = ganzoo.extend(run, steps=2, display=ganzoo.loop.display.Display())
    one, two = (checkpoint.load(each.checkpoints()[-1])[0] for each in (whole, run))
    for name in one:
        assert torch.allclose(one[name].double(), two[name].double(), rtol=1e-4, atol=1e-6), name


def test_two_processes_score_as_one(train, tmp_path):
    """The scores that two gave on their way are those that one process gives the same model, to the last digit."""
    scoring = {"evaluate_every": 16, "evaluate": "swd:directions=64", "keep_best": "swd"}
    data = {"data": "tiny:images=200", "resolution": 16}
    run = train(steps=4, batch_size=8, out=tmp_path / "two", processes=2, **data, **scoring)
    alone = ganzoo.evaluate(run, ["swd:directions=64"])
    *on_the_way, kept, again = run.scores()
    assert [row["step"] for row in (*on_the_way, kept)] == [2, 4]
    assert (kept["metrics"], again["metrics"]) == (alone, alone)
    assert run.best_file.exists()


def test_commands_by_two_processes_give_what_one_gives(train):
    """Files of samples, and one of all, are equal byte for byte, scores in every digit; a refusal is said once."""
    run = train(data="tiny:images=200", resolution=16)
    score = ["evaluate", str(run.path), "--metric", "swd:directions=64", "--json"]
    by_two = _torchrun(["--standalone", "--nproc-per-node=2"], score)
    assert json.loads(by_two.communicate(timeout=300)[0]) == as_json(cli(*score))
    assert len(list(run.scores())) == 2

    for name in ("each", "all.npy"):
        for where, many in {"by-one": (), "by-two": ("--processes", "2")}.items():
            Path(where).mkdir(exist_ok=True)
            said = cli("sample", run.path, "-n", 150, "-o", f"{where}/{name}", *many)
            assert said.exit_code == 0, said.output
    one, two = ({file.relative_to(where): file.read_bytes() for file in Path(where).rglob("*.*")}
                for where in ("by-one", "by-two"))  # fmt: skip
    assert len(one) == 151
    assert one == two

    refused = cli("sample", run.path, "--label", "x", "--processes", 2)
    assert refusal(refused, code=1) == "Error: tinygan was trained without labels; leave out --label."


def test_work_is_shared_only_where_all_do_it():
    """Each of three does the pieces that are its own, and all have all, in order; else each does all of them."""

    class Three(distributed.Processes):
        def __init__(self, number: int) -> None:
            self.number, self.done = number, []

        def rank(self) -> int:
            return self.number

        def world(self) -> int:
            return 3

        def collect(self, value: int | None) -> list[int | None]:
            self.done.append(value)
            return [value if rank == self.number else -rank for rank in range(3)]

    for number, done in enumerate([[0, 9, 36], [1, 16, 49], [4, 25, None]]):
        here = Three(number)
        with distributed.standing_in(here):
            assert list(distributed.share(lambda x: x * x, range(8))) == [x * x for x in range(8)]
            with distributed.together():
                found = list(distributed.share(lambda x: x * x, range(8)))
        assert here.done == done
        assert found == [x * x if x % 3 == number else -(x % 3) for x in range(8)]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send")
def test_ctrl_c_reaches_all_processes_once_and_they_save(train, tmp_path):
    run = tmp_path / "run"

    def interrupt() -> None:
        while not (run / "train.log").exists() or not (run / "train.log").stat().st_size:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(ganzoo.Stopped, match="ganzoo resume"):
        train(steps=100_000, batch_size=8, out=run, processes=2)
    stopped = Run.open(run)
    assert stopped.status == "interrupted"
    assert ganzoo.load(run).facts["step"] == checkpoint.read_facts(stopped.checkpoints()[-1])["counters"]["step"] > 0


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL to send")
def test_a_process_that_dies_is_missed_or_brought_back(train, tmp_path, capfd):
    """A sentence says so; with --max-restarts the run goes on at its checkpoint and ends as it would have."""
    killed = {"architecture": "faultygan", "fault": "killed", "at": 3, "checkpoint_every": 2, "processes": 2}
    with pytest.raises(GanzooError, match=r"Process 1 of those that train .* ended with code -9 .* `ganzoo resume"):
        train(**killed, steps=6, out=tmp_path / "missed")
    back = train(**killed, steps=6, out=tmp_path / "back", max_restarts=1)
    assert back.status == "finished"
    assert "Traceback" not in capfd.readouterr().err
    whole = train(architecture="faultygan", at=99, checkpoint_every=2, steps=6, out=tmp_path / "whole", processes=2)
    one, two = (checkpoint.load(run.checkpoints()[-1])[0] for run in (back, whole))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_torchrun_on_two_machines_trains_one_run(train, tmp_path):
    """Two launchers that meet on the loopback stand for two machines with one disk; it goes on with one process."""
    train(steps=2, batch_size=8, out=tmp_path / "packed")
    words = ["train", "tinygan", "tiny", "--steps=22", "--batch-size=8", "--samples=4", "--device=cpu", "--out=both"]
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    how = ["--nnodes=2", "--nproc-per-node=1", f"--rdzv-endpoint=localhost:{port}"]
    machines = [_torchrun(how, words) for _ in "ab"]
    said = [machine.communicate(timeout=300)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    assert sorted(text.count("ganzoo sample both") for text in said) == [0, 1]
    both, one = Run.open("both"), train(steps=22, batch_size=8, out=tmp_path / "one")
    assert (both.status, both.header.settings.processes) == ("finished", 2)
    theirs, ours = (checkpoint.load(run.checkpoints()[-1])[0] for run in (both, one))
    for name in ours:
        assert torch.allclose(ours[name].double(), theirs[name].double(), rtol=1e-2, atol=1e-4), name
    assert ganzoo.extend("both", steps=1, processes=1, display=ganzoo.loop.display.Display()).status == "finished"


def test_torchrun_says_what_is_wrong_and_ends(train):
    machine = _torchrun(["--standalone", "--nproc-per-node=2"], ["train", "tinygan", "tiny", "--batch-size=7"])
    said = machine.communicate(timeout=300)[0]
    assert machine.returncode
    assert "A batch of 7 does not split into 2 processes; use --batch-size 8." in said


def test_torchrun_brings_a_killed_process_back(train):
    words = ["train", "faultygan", "tiny", "--fault=killed", "--at=3", "--steps=6", "--checkpoint-every=2"]
    machine = _torchrun(
        ["--standalone", "--nproc-per-node=2", "--max-restarts=1"],
        [*words, "--batch-size=8", "--samples=4", "--device=cpu", "--out=back", "--continue"],
    )
    said = machine.communicate(timeout=300)[0]
    assert machine.returncode == 0, said
    assert "Going on from step 2." in said
    assert "did not expect" not in said, "the one that lives on may say that the connection broke"
    assert Run.open("back").status == "finished"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (RuntimeError("[/pytorch/gloo/transport/tcp/pair.cc:545] Read error: Connection reset"), r"process broke, "),
        (torch.distributed.DistBackendError("NCCL error"), r"The connection to another process broke, "),
        (RuntimeError("The size of tensor a (3) must match"), r"^The size of tensor a"),
    ],
)
def test_a_broken_connection_is_said_in_a_sentence(monkeypatch, error, sentence):
    monkeypatch.setattr(processes, "rendezvous", lambda _: iter([(torch.distributed.HashStore(), 0, 1)]))
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "0")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    with pytest.raises(RuntimeError if "tensor" in sentence else GanzooError, match=sentence), processes.group():
        raise error


def _torchrun(how: list[str], words: list[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "torch.distributed.run", "--rdzv-backend=c10d", *how, "-m", "ganzoo", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_what_goes_wrong_in_a_process_is_said_once(train, capfd):
    with pytest.raises(GanzooError, match=r"NaN .*stopped"):
        train(architecture="faultygan", at=2, steps=12, checkpoint_every=2, processes=2, out="run")
    assert "Traceback" not in capfd.readouterr().err
    assert Run.open("run").status == "failed"
    assert [file.name for file in Path("run/checkpoints").iterdir()] == ["step-00000002.safetensors"]


def test_sync_batchnorm_is_refused_where_there_is_none(train):
    with pytest.raises(ganzoo.UsageError, match="--sync-batchnorm needs CUDA"):
        train(sync_batchnorm=True)


def test_sync_batchnorm_takes_the_place_of_torchs_own_alone():
    plain = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))
    names = list(plain.state_dict())
    synchronized(plain)
    assert isinstance(plain[1], torch.nn.SyncBatchNorm)
    assert list(plain.state_dict()) == names

    class Own(torch.nn.BatchNorm2d):
        pass

    with pytest.raises(ganzoo.UsageError, match="batch norm of its own"):
        synchronized(torch.nn.Sequential(Own(2)))


def test_an_error_is_whole_where_the_engine_reads_it_or_not_there(tmp_path, monkeypatch):
    """The engine reads it as soon as another process has died, and fails on a file that is half written."""
    file = tmp_path / "error.json"
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(file))
    seen = []

    class Handler:
        def record_exception(self, error):
            seen.append((os.environ["TORCHELASTIC_ERROR_FILE"], file.exists()))
            Path(os.environ["TORCHELASTIC_ERROR_FILE"]).write_text("{}")

    monkeypatch.setattr("torch.distributed.elastic.multiprocessing.errors.get_error_handler", Handler)
    assert processes._outcome(tmp_path / "verdict", lambda: 1 / 0) == 1
    assert seen == [(f"{file}.part", False)]
    assert file.read_text() == "{}"
    assert os.environ["TORCHELASTIC_ERROR_FILE"] == str(file)
