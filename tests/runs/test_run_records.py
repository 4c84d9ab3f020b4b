"""A run's folder without a training: what it takes for free, takes up, lists, reads and leaves behind."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ganzoo.errors import GanzooError, UsageError
from ganzoo.runs.header import Process, RunHeader, run_header
from ganzoo.runs.run import Run, claimed, half_written, latest, list_runs, new_folder

RUN = Path(__file__).parents[1] / "fixtures" / "contract1" / "dcgan-stopped" / "run.json"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def header(**changes: Any) -> RunHeader:
    return replace(run_header(RUN.read_bytes(), RUN), **{"status": "finished", "process": None, **changes})


def test_a_new_folder_is_made_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create(Path("runs/a"), header())
    assert sorted(each.name for each in run.path.iterdir()) == ["checkpoints", "lock", "run.json", "samples"]
    assert Run.open("runs/a").header == run.header
    monkeypatch.setattr(Run, "write", lambda run: (_ for _ in ()).throw(OSError(28, os.strerror(28))))
    with pytest.raises(UsageError, match="No space left on device"):
        Run.create(Path("new/b/c"), header())
    assert not Path("new").exists()
    assert Path("runs/a/run.json").exists()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: (path / "run.json").write_text("{}"), "already exists; .* add --continue"),
        (lambda path: (path / "classes.json").write_text("{}"), "already exists; .* add --continue"),
        (lambda path: (path / "mine.txt").write_text("x"), "is not an empty folder"),
        (lambda path: (path / "samples" / ".hidden").write_text("x"), "is not an empty folder"),
        (lambda path: (path / "lock").touch(), ""),
        (lambda path: (path / ".run.7.tmp.json").touch(), ""),
        (lambda path: (path / "samples" / ".step-12.7.tmp.png").touch(), ""),
        (lambda path: (path / ".tmpAb12cd").touch(), ""),
        (lambda path: (path / ".mine.7.tmp.json").touch(), "is not an empty folder"),
    ],
)
def test_which_folders_are_free(make: Any, said: str) -> None:
    Path("there/samples").mkdir(parents=True)
    make(Path("there"))
    if not said:
        Run.check_free(Path("there"))
        return
    with pytest.raises(UsageError, match=said):
        Run.check_free(Path("there"))


def test_a_file_is_no_folder_to_be_made_and_a_name_may_be_too_long() -> None:
    Path("file").touch()
    for path in (Path("file"), Path("file/below")):
        with pytest.raises(UsageError, match=r"file.* choose another --out"):
            Run.check_free(path)
    with pytest.raises(UsageError, match="File name too long"):
        Run.check_free(Path("x" * 300))


def test_status_is_of_whoever_holds_the_lock() -> None:
    run = Run.create(Path("runs/a"), header())
    assert run.status == "finished"
    run.change(status="running", process=Process(1, "elsewhere"))
    run.write()
    assert Run.open(run.path).status == "stopped"
    with run.locked(force=True):
        assert Run.open(run.path).status == "running"
        other = Run.open(run.path)
        with pytest.raises(UsageError, match="by process 1 on elsewhere; stop that one first"), other.locked():
            pass
        with other.locked(force=True) as held:
            assert held is None
    assert Run.open(run.path).status == "stopped"
    (run.path / "lock").unlink()
    assert Run.open(run.path).status == "stopped"


def test_what_run_json_says_meanwhile_is_taken_up() -> None:
    run, other = Run.create(Path("runs/a"), header()), Run.open("runs/a")
    other.change(recipe="of-another-process")
    other.write()
    with run.locked() as held:
        assert held is not None
        assert run.header.recipe == "of-another-process"


def test_what_killed_processes_left_goes_and_nothing_else() -> None:
    run = Run.create(Path("runs/a"), header())
    left = [".run.12.tmp.json", ".model.3.tmp.safetensors", "samples/.epoch-3.9.tmp.png", "checkpoints/.tmpabcdef"]
    kept = [".mine.tmp", ".run.tmp.json", ".run.12.tmp.json.old", ".tmpabcdefg", "samples/.epoch-x.9.tmp.png"]
    for name in left + kept:
        (run.path / name).write_text("x")
    (run.path / ".best.1.tmp.safetensors").symlink_to("run.json")
    with run.locked():
        pass
    assert [name for name in left + kept if (run.path / name).exists()] == kept
    assert (run.path / ".best.1.tmp.safetensors").is_symlink()
    assert not half_written(run.path / ".run.12.tmp.json")


@pytest.mark.parametrize(
    ("error", "status"), [(None, "finished"), (KeyboardInterrupt(), "interrupted"), (ValueError(), "failed")]
)
def test_running_ends_as_it_ended(error: BaseException | None, status: str) -> None:
    run = Run.create(Path("runs/a"), header(status="interrupted"))
    with suppress(KeyboardInterrupt, ValueError), run.running():
        said = run_header((run.path / "run.json").read_bytes(), run.path).process
        assert (Run.open(run.path).header.status, said and said.pid) == ("running", os.getpid())
        if error:
            raise error
    after = Run.open(run.path).header
    assert (after.status, after.process) == (status, None)
    assert (after.ended or "").startswith("20")


def test_rows_that_cannot_be_read_take_no_others_down() -> None:
    run = Run.create(Path("runs/a"), header())
    assert not any(map(list, (run.metrics(), run.scores(), run.sheets(), run.warnings())))
    row = {"step": 1, "loss": 0.5}
    bad = ['{"step": 2, "los', "[1]", "7", '{"loss": 1}', '{"step": "3"}', "[" * 100_000, '{"step": 4, "loss": "x"}']
    (run.path / "metrics.jsonl").write_text("\n".join([json.dumps(row), *bad, '{"step": 5, "loss": 2}']))
    assert list(run.metrics()) == [row, {"step": 5, "loss": 2}]
    score = {"name": "fid", "value": 3, "protocol": {}}
    wrong = [[{**score, key: value}] for key, value in (("name", 3), ("value", "x"), ("protocol", None))]
    lines = [{"step": n, "metrics": each} for n, each in enumerate([[score], *wrong, score, [score, 7], []])]
    (run.path / "scores.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert [each["step"] for each in run.scores()] == [0, 6]
    (run.path / "samples.jsonl").write_text('{"step": 1, "diversity": 0.5}\n{"step": 2, "diversity": "x"}\n{"step": 3}')
    assert [each["step"] for each in run.sheets()] == [1]
    (run.path / "warnings.jsonl").write_text('{"step": 1, "kind": "a", "text": "b"}\n{"step": 2, "kind": "a"}')
    assert [each["step"] for each in run.warnings()] == [1]


def test_runs_are_listed_numbered_and_found_again() -> None:
    assert new_folder("gan", "points:images=5") == Path("runs/gan-points-1")
    for number, name in enumerate(("gan-points-1", "gan-points-3", "gan-points-2", "gan-other-1")):
        run = Run.create(Path("runs", name), header(recipe="mine" if name == "gan-points-2" else None))
        os.utime(run.path / "run.json", (1000 * number, 1000 * number))
    Path("runs/gan-points-4").mkdir()
    Path("runs/gan-points-5").mkdir()
    Path("runs/gan-points-5/run.json").write_text("{")
    complaints: list[str] = []
    names = [run.name for run in list_runs("runs", complaints.append)]
    assert names == ["gan-other-1", "gan-points-1", "gan-points-2", "gan-points-3"]
    assert len(complaints) == 1
    assert "gan-points-5" in complaints[0]
    assert new_folder("gan", "some-distribution:points") == Path("runs/gan-points-6")
    assert latest("gan", "points") == Path("runs/gan-points-3")
    assert latest("gan", "points", recipe="mine") == Path("runs/gan-points-2")
    assert latest("gan", "points", label="7") is None
    assert latest("gan", "nothing") is None
    assert [file.name for file in run.checkpoints()] == []
    assert run.stage_starts() == (0,)


def test_a_folder_that_was_claimed_goes_again_when_something_goes_wrong() -> None:
    with suppress(ValueError), claimed("gan", "points") as folder:
        assert folder == Path("runs/gan-points-1")
        assert folder.is_dir()
        raise ValueError
    assert not Path("runs").exists()
    with claimed("gan", "points") as first, claimed("gan", "points") as second:
        assert (first.name, second.name) == ("gan-points-1", "gan-points-2")
    assert first.is_dir()


def test_what_is_no_run_says_what_it_is() -> None:
    Path("classes").mkdir()
    Path("classes/classes.json").write_text("{}")
    with pytest.raises(UsageError, match="has a run for each label in it; choose one"):
        Run.open("classes")
    with pytest.raises(UsageError, match="is not a run folder"):
        Run.open("nothing")
    run = Run.create(Path("runs/a"), header())
    with pytest.raises(UsageError, match=r"as a \.png, \.pdf or \.svg, not as curves.txt"):
        run.plot("curves.txt")
    with pytest.raises(GanzooError, match=r"curves.png cannot be written"):
        run.plot("no/such/folder/curves.png")
