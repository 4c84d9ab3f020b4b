"""Runs for every choice of some options, and for several seeds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ganzoo_sweep.commands import parse_over
from ganzoo_sweep.folder import Sweep
from ganzoo_sweep.sweep import _command

import ganzoo
from ganzoo.cli.app import app
from ganzoo.contract.settings import parse_seeds
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import TEXT_BYTES
from ganzoo.loop.display import Lines
from ganzoo.runs.run import Run
from ganzoo.training.train import Stopped

DATA = "points:images=64"
SMALL = {"preset": "points", "batch_size": 16, "steps": 2}


def run(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


@pytest.mark.parametrize(
    ("text", "first", "seeds"),
    [
        ("3", 0, (0, 1, 2)),
        ("3", 5, (5, 6, 7)),
        ("2-4", 9, (2, 3, 4)),
        ("4,8", 0, (4, 8)),
        ("7,", 0, (7,)),
        (2, 1, (1, 2)),
    ],
)
def test_seeds_have_one_grammar(text: str | int, first: int, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text, first) == seeds


@pytest.mark.parametrize("text", ["0", "", "a", "4-2", "-3", "1.5", "1,b", "0-99999999", "9" * 30, "0-" + "9" * 19])
def test_what_is_no_seeds_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="3 is three seeds from --seed on, 0-99 a range, 4,8 a list"):
        parse_seeds(text)


def test_values_of_an_option() -> None:
    assert parse_over("lr=1e-4,2e-4") == ("lr", ("1e-4", "2e-4"))
    assert parse_over("--hidden-g=64,64;128,128") == ("hidden_g", ("64,64", "128,128"))
    for text in ("lr", "lr=", "=3"):
        with pytest.raises(UsageError, match="takes an option and its values"):
            parse_over(text)


def test_every_choice_is_trained_and_none_twice(tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    ways = {"lr": (1e-3, 2e-3), "hidden_g": ("8,8", "4")}
    whole = ganzoo.sweep("gan", DATA, over=ways, seeds=(0, 1), out=out, **SMALL)
    assert len(whole.runs) == 8
    assert {each.status for each in whole.runs} == {"finished"}
    chosen = {
        (each.hyperparameters["lr"], tuple(each.hyperparameters["hidden_g"]), each.header.seed) for each in whole.runs
    }
    assert len(chosen) == 8
    written = {each.path: (each.path / "run.json").stat().st_mtime_ns for each in whole.runs}
    again = ganzoo.resume_sweep(out)  # nothing is left to do
    assert written == {each.path: (each.path / "run.json").stat().st_mtime_ns for each in again.runs}
    rows = ganzoo.compare([out]).rows
    assert [row.seeds for row in rows] == [(0, 1)] * 4
    assert [set(row.settings) for row in rows] == [{"lr", "hidden_g"}] * 4


def test_a_run_of_a_sweep_is_the_run_alone(tmp_path: Path) -> None:
    whole = ganzoo.sweep("gan", DATA, over={"lr": (1e-3, 2e-3)}, seeds=(4,), out=tmp_path / "sweep", **SMALL)
    alone = ganzoo.train("gan", DATA, lr=2e-3, seed=4, out=tmp_path / "alone", **SMALL)
    assert whole.runs[1].model_file.read_bytes()[-1000:] == alone.model_file.read_bytes()[-1000:]


class StopsInTheSecond(Lines):
    """Ctrl-C as soon as the second run begins."""

    def say(self, text: str) -> None:
        if ", 2 of" in text:
            raise KeyboardInterrupt


def test_a_stopped_sweep_goes_on_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    with pytest.raises(Stopped, match=f"ganzoo resume {out}"):
        ganzoo.sweep("gan", DATA, over={}, seeds=(0, 1, 2), out=out, display=StopsInTheSecond(), **SMALL)
    assert len(Sweep.open(out).runs) == 1
    done = run("resume", out)
    assert done.exit_code == 0, done.output
    assert "0,1,2" in done.output  # the table at the end
    assert len(Sweep.open(out).runs) == 3


def test_the_same_command_goes_on_and_another_is_refused(tmp_path: Path) -> None:
    words = ("sweep", "gan", DATA, "--preset", "points", "--steps", "1", "--batch-size", "8", "--out", tmp_path / "s")
    assert run(*words, "--seeds", "2").exit_code == 0
    assert run(*words, "--seeds", "2").exit_code == 0
    other = run(*words, "--seeds", "3")
    assert other.exit_code == 2
    assert "holds another sweep" in other.output


def test_a_wrong_value_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no loss 'no-such'"):
        ganzoo.sweep("gan", DATA, over={"loss": ("nonsaturating", "no-such")}, out=tmp_path / "s", **SMALL)
    with pytest.raises(UsageError, match="--lr stands beside --over lr"):
        ganzoo.sweep("gan", DATA, over={"lr": (1, 2)}, lr=3, out=tmp_path / "s", **SMALL)
    assert not (tmp_path / "s").exists()


def test_train_takes_seeds(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    words = ("train", "gan", DATA, "--preset", "points", "--steps", "1", "--batch-size", "8", "--out", out)
    assert run(*words, "--seed", "5", "--seeds", "2").exit_code == 0
    assert sorted(each.header.seed for each in Sweep.open(out).runs) == [5, 6]
    refused = run(*words, "--seeds", "2", "--per-class")
    assert refused.exit_code == 2
    assert "--seeds is for whole trainings" in refused.output


def test_a_file_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(
        f'architecture = "gan"\ndata = "{DATA}"\npreset = "points"\nseeds = "3-4"\n'
        "[options]\nsteps = 1\nbatch_size = 8\n[over]\nlr = [1e-3, 2e-3]\n"
    )
    done = run("sweep", file, "--out", tmp_path / "s")
    assert done.exit_code == 0, done.output
    assert list(Sweep.open(tmp_path / "s").choices.values()) == [
        {"lr": "0.001", "seed": "3"}, {"lr": "0.001", "seed": "4"},
        {"lr": "0.002", "seed": "3"}, {"lr": "0.002", "seed": "4"},
    ]  # fmt: skip
    file.write_text("sedes = 3\n")
    assert "did you mean seeds?" in run("sweep", file).output
    file.write_text("over = 3\n")
    assert "over cannot be 3" in run("sweep", file).output
    with file.open("wb") as endless:
        endless.truncate(TEXT_BYTES + 1)
    assert "sweep.toml cannot be read" in run("sweep", file).output


def test_runs_side_by_side_are_processes_of_their_own(tmp_path: Path) -> None:
    out = tmp_path / "s"
    whole = ganzoo.sweep("gan", DATA, seeds=(0, 1), out=out, jobs=2, **SMALL)
    assert {each.status for each in whole.runs} == {"finished"}
    folder, chosen = next(iter(whole.choices.items()))
    assert _command(whole.header, folder, chosen, {}, None)[3] == "resume"  # it has begun
    damaged = next(iter(whole.choices))
    facts = json.loads((damaged / "run.json").read_text())
    (damaged / "run.json").write_text(json.dumps({**facts, "status": "interrupted", "architecture": "no-such"}))
    with pytest.raises(GanzooError, match=r"seed=0: .*no-such.* Its output is in"):
        ganzoo.resume_sweep(out, jobs=2)


def test_a_damaged_description_is_said(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text('{"seeds": "many"}')
    with pytest.raises(GanzooError, match=r"sweep\.json is damaged: `seeds` is 'many', which is not a list"):
        Sweep.open(tmp_path)


def test_run_open_names_a_folder_of_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a run folder"):
        Run.open(tmp_path)


def test_too_many_runs_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    ways = {name: tuple(range(1, 200)) for name in ("lr", "lr_d", "ema", "samples")}
    with pytest.raises(UsageError, match="This makes 1,568,239,201 runs; 10,000 is the most at once"):
        ganzoo.sweep("gan", DATA, over=ways, out=tmp_path / "s", **SMALL)


def test_an_option_that_varies_has_no_other_value(tmp_path: Path) -> None:
    words = ("sweep", "gan", DATA, "--preset", "points", "--out", tmp_path / "s", "--over", "lr=1e-4,2e-4")
    assert "--lr stands beside --over lr, which gives it several values; leave one" in run(*words, "--lr", "1").output
    assert not (tmp_path / "s").exists()


def test_a_sweep_of_nothing_is_refused(tmp_path: Path) -> None:
    refused = run("sweep", "gan", DATA, "--preset", "points", "--out", tmp_path / "s")
    assert refused.exit_code == 2
    assert "Say what is to vary: an option's values, as --over lr=1e-4,2e-4, or --seeds 3." in refused.output
    assert not (tmp_path / "s").exists()
