"""Weights & Biases, offline: the file that it would send says what the run's own files say."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganzoo.runs.run import Run

pytest.importorskip("wandb", reason="the extra wandb is not installed")

BLOCK = 32768  # bytes of a block of the file, which is a log as LevelDB writes it
HEADER = 7  # bytes before the first record, and of each record's own header

TRAIN = """
import sys
import ganzoo
from ganzoo.loop.display import Display

class Failing(Display):
    def step(self, moment, values):
        if moment.step == 28:
            raise RuntimeError("the power failed")

options = {"steps": 34, "checkpoint_every": 15, "samples": 4, "device": "cpu", "log": "wandb:project=faces"}
try:
    ganzoo.train("tinygan", "tiny", out=sys.argv[1], display=Failing(), **options)
except RuntimeError:
    ganzoo.resume(sys.argv[1])
"""


def records(file: Path) -> Iterator[Any]:
    """The records of a .wandb file."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, parts = file.read_bytes(), HEADER, b""
    while place + HEADER <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEADER:  # too few for another header
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        parts += data[place + HEADER : place + HEADER + length]
        place += HEADER + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield Record.FromString(parts)
            parts = b""


@pytest.fixture(scope="module")
def resumed(tmp_path_factory, run_in_process):
    """A run that failed between a row and the next checkpoint, was resumed, and what wandb kept of both."""
    folder = tmp_path_factory.mktemp("wandb")
    said = run_in_process(TRAIN, folder / "run", home=folder, WANDB_MODE="offline")
    (folder / "said.txt").write_text(said, encoding="utf-8")  # while it was resumed
    run = Run.open(folder / "run")
    files = sorted((run.path / "wandb").glob("offline-run-*/*.wandb"))
    return run, [list(records(file)) for file in files]


@pytest.fixture(scope="module")
def run_in_process():
    """Runs code in a new interpreter: wandb keeps a service and its settings for the life of a process."""
    from conftest import HERE, SITE

    def run(code: str, *arguments: object, home: Path, **environment: str) -> str:
        known = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
        path = os.pathsep.join([str(SITE), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        own = {"HOME": str(home), "USERPROFILE": str(home), "WANDB_ERROR_REPORTING": "false", "PYTHONPATH": path}
        result = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**known, **own, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


def history(kept: list[Any]) -> dict[int, dict[str, Any]]:
    """The values of each step."""
    found: dict[int, dict[str, Any]] = {}
    for record in kept:
        if record.WhichOneof("record_type") == "history":
            row = {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
            found.setdefault(row["_step"], {}).update(row)
    return found


def test_every_value_of_every_row(resumed):
    run, files = resumed
    assert len(files) == 2
    rows = list(run.metrics())
    assert {20, 30, 34} <= {row["step"] for row in rows}
    first, second = map(history, files)
    for row in rows:
        kept = {**first.get(row["step"], {}), **second.get(row["step"], {})}
        assert {name: kept.get(name) for name in row if name != "step"} == pytest.approx(
            {name: value for name, value in row.items() if name != "step"}
        )


def test_one_run_there_for_one_here(resumed):
    run, files = resumed
    found = [next(record.run for record in kept if record.WhichOneof("record_type") == "run") for kept in files]
    assert {each.run_id for each in found} == {(run.path / "wandb" / "id").read_text(encoding="utf-8").strip()}
    assert {(each.project, each.display_name) for each in found} == {("faces", "run")}


def test_the_command_that_is_said_finds_what_there_is_to_send(resumed):
    run, _ = resumed
    lines = (run.path.parent / "said.txt").read_text(encoding="utf-8").splitlines()
    [folder] = [Path(line.partition("wandb sync ")[2]) for line in lines if "wandb sync " in line]
    assert [*map(records, folder.glob("*.wandb"))]


def test_options_are_its_config(resumed):
    run, files = resumed
    for kept in files:
        updates = next(record.run.config.update for record in kept if record.WhichOneof("record_type") == "run")
        config = {item.key: json.loads(item.value_json) for item in updates}
        assert config.items() >= json.loads(json.dumps(run.hyperparameters)).items()


def test_sample_sheets_are_images(resumed):
    run, files = resumed
    rows = {step: row for each in files for step, row in history(each).items()}
    kept = {step: row["samples.path"] for step, row in rows.items() if "samples.path" in row}
    assert len(kept) == len(list((run.path / "samples").iterdir())) > 1
    (media,) = (run.path / "wandb").glob(f"offline-run-*/files/{kept[34]}")
    with Image.open(media) as logged, Image.open(run.path / "samples" / "step-000034.png") as sheet:
        assert logged.convert("RGB").tobytes() == sheet.convert("RGB").tobytes()


def test_the_final_status(resumed):
    _, files = resumed
    found = []
    for kept in files:
        summaries = [record.summary.update for record in kept if record.WhichOneof("record_type") == "summary"]
        items = [item for update in summaries for item in update if (item.key or item.nested_key[0]) == "status"]
        status = json.loads(items[-1].value_json)
        codes = [record.exit.exit_code for record in kept if record.WhichOneof("record_type") == "exit"]
        found.append((status, *codes))
    assert found == [("failed", 1), ("finished", 0)]


ALONE = """
import sys
from ganzoo.errors import GanzooError
from ganzoo.catalogue.components import make_loggers
try:
    make_loggers("wandb")
except GanzooError as error:
    print(error)
"""


def test_nobody_logged_in_is_said_before_training(tmp_path, run_in_process):
    said = run_in_process(ALONE, home=tmp_path, WANDB_BASE_URL="http://127.0.0.1:9")
    assert said.startswith("--log wandb has no account to log to")
    assert "wandb login" in said
    assert "--log wandb:mode=offline" in said
    assert said.count("\n") == 1
