"""Mutated models, checkpoints and a run's records: an error of ganzoo's own or something usable; no write elsewhere.

Half of the models and checkpoints have a checksum that is right for what was changed, or nothing behind it would be
tried. The short form is part of the suite. The long form, by hand: ``GANZOO_FUZZ=10000 pytest -s
tests/runs/test_mutated_runs.py``
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from support.command_line import cli, refusal
from support.mutated import Tally, mutated, mutated_json, numbers

import ganzoo
from ganzoo.errors import GanzooError
from ganzoo.loop.display import Display
from ganzoo.runs import checkpoint
from ganzoo.scoring.evaluator import record_scores

NUMBERS = numbers(64)
KINDS = ("model", "checkpoint", "facts", "progress", "tensors", "run.json", "metrics.jsonl", "scores.jsonl")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A finished run of TinyGAN with a checkpoint and a score."""
    out = tmp_path_factory.mktemp("mutated") / "run"
    options = {"samples": 4, "device": "cpu", "display": Display()}
    run = ganzoo.train("tinygan", "tiny", out=out, steps=4, checkpoint_every=2, resolution=16, **options)
    ganzoo.evaluate(run, ["swd"], samples=64)
    return run.path


def facts_of(file: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    tensors, facts = checkpoint.load(file)
    return dict(tensors), json.loads(json.dumps(facts))


def changed_tensors(tensors: Mapping[str, torch.Tensor], draw: random.Random) -> dict[str, torch.Tensor]:
    """One is gone, has another shape, type or name, holds what is no number, or there is one more."""
    found = dict(tensors)
    name = draw.choice(sorted(found))
    tensor = found.pop(name)
    how = draw.randrange(6)
    if how == 1:
        found[name] = torch.zeros(draw.choice(((0,), (1,), (2, 3), (*tensor.shape, 1))))
    elif how == 2:
        found[name] = tensor.to(draw.choice((torch.int64, torch.float64, torch.bfloat16, torch.bool, torch.complex64)))
    elif how == 3:
        found[draw.choice(("", "G", "G." + name, name + "\n", "../" + name, "x" * 300))] = tensor
    elif how == 4:
        found[name] = torch.full_like(tensor, float("nan") if tensor.is_floating_point() else 0)
    elif how == 5:
        found[name] = tensor
        found["another"] = torch.zeros(3)
    return found


def spoil(kind: str, run: Path, draw: random.Random) -> None:
    """Changes one file of a run."""
    newest = sorted((run / "checkpoints").iterdir())[-1]
    model = run / "model.safetensors"
    if kind in ("model", "checkpoint"):
        file = model if kind == "model" else newest
        file.write_bytes(mutated(file.read_bytes(), draw))
    elif kind in ("facts", "progress"):
        file = model if kind == "facts" else newest
        tensors, facts = facts_of(file)
        checkpoint.save(file, tensors, mutated_json(facts, draw))
    elif kind == "tensors":
        file = draw.choice((model, newest))
        tensors, facts = facts_of(file)
        checkpoint.save(file, changed_tensors(tensors, draw), facts)
    else:
        file = run / kind
        if draw.random() < 0.5:
            file.write_bytes(mutated(file.read_bytes(), draw))
        else:
            rows = [json.loads(file.read_text())] if kind == "run.json" else list(map(json.loads, file.open()))
            place = draw.randrange(len(rows))
            rows[place] = mutated_json(rows[place], draw)
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def use(run: Path, resume: bool) -> None:
    """What a user would do with such a run. What one file spoils must not take the other runs down."""
    assert cli("runs", run.parent).exit_code == 0
    assert cli("runs", run, "--csv").exit_code in (0, 1)
    opened = ganzoo.Run.open(run)
    list(opened.metrics())
    list(opened.scores())
    ganzoo.load(opened.model_file, device="cpu").sample(2)
    ganzoo.trained(opened)
    if resume:
        ganzoo.extend(opened, steps=1, display=Display())


@pytest.mark.filterwarnings("ignore")
def test_no_mutated_run_ends_in_an_unexpected_error(original, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tally = Tally()
    for number in NUMBERS:
        draw, kind = random.Random(number), KINDS[number % len(KINDS)]
        run = tmp_path / "runs" / "run"
        shutil.copytree(original, run)
        spoil(kind, run, draw)
        tally.attempt(f"{number} {kind}", partial(use, run, number // len(KINDS) % 4 == 0))
        assert [path.name for path in tmp_path.iterdir()] == ["runs"]
        assert [path.name for path in run.parent.iterdir()] == ["run"]
        shutil.rmtree(run.parent)
    print(tally, *tally.unexpected, sep="\n")
    assert tally.unexpected == []


def edited(original: Path, folder: Path, change: Any) -> ganzoo.Run:
    """A copy of the run whose run.json was edited by hand."""
    shutil.copytree(original, folder)
    facts = json.loads((folder / "run.json").read_text())
    change(facts)
    (folder / "run.json").write_text(json.dumps(facts))
    return ganzoo.Run.open(folder)


def test_what_the_long_form_found(original, tmp_path):
    """Shapes that no image has, stages without a length, networks too large, half an optimizer."""
    with pytest.raises(GanzooError, match=r"No image has the shape \[3, 16\]"):
        edited(original, tmp_path / "a", lambda facts: facts["data"].update(shape=[3, 16]))
    for length in ({}, {"epochs": 1, "steps": 1}, {"weeks": 2}, {"steps": 0}):
        with pytest.raises(GanzooError, match="a stage's length is"):
            edited(original, tmp_path / f"b{length}", lambda facts, say=length: facts["stages"][0].update(length=say))
    huge = edited(original, tmp_path / "c", lambda facts: facts["data"].update(shape=[3, 16, 16_000_000]))
    with pytest.raises(GanzooError, match="describes larger networks than"):
        ganzoo.trained(huge)
    run = edited(original, tmp_path / "d", lambda facts: None)
    with (run.path / "metrics.jsonl").open("a") as log:
        log.write('{"step": 5, "seconds": [0]}\n')
    assert [row["step"] for row in run.metrics()] == [1, 4]
    tensors, facts = facts_of(run.checkpoints()[-1])
    del tensors[next(name for name in tensors if name.startswith("optimizer/") and name.endswith("/step"))]
    checkpoint.save(run.checkpoints()[-1], tensors, facts)
    with pytest.raises(GanzooError, match="its optimizers' state is not that of these networks"):
        ganzoo.extend(run, steps=1, display=Display())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ema/", lambda value: torch.zeros(2, 3)),
        ("ema/", lambda value: value.to(torch.complex64)),
        ("/exp_avg", lambda value: value.to(torch.complex64)),
        ("/exp_avg", lambda value: value.sum()),
        ("/step", lambda value: value.bool()),
    ],
)
def test_state_of_another_kind_is_damage(original, tmp_path, name, change):
    run = edited(original, tmp_path / "run", lambda facts: None)
    tensors, facts = facts_of(run.checkpoints()[-1])
    chosen = next(each for each, value in tensors.items() if name in each and (value.dim() or name == "/step"))
    checkpoint.save(run.checkpoints()[-1], {**tensors, chosen: change(tensors[chosen])}, facts)
    with pytest.raises(GanzooError, match=r"^The checkpoint is damaged: its (averages|optimizers)"):
        ganzoo.extend(run, steps=1, display=Display())


def test_a_row_of_scores_without_all_its_keys_is_kept(original, tmp_path):
    run = edited(original, tmp_path / "run", lambda facts: None)
    rows = [json.loads(line) for line in (run.path / "scores.jsonl").read_text().splitlines()]
    del rows[0]["training"]
    (run.path / "scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ganzoo.extend(run, steps=1, display=Display())
    assert len(list(run.scores())) == len(rows)


def test_a_name_of_several_lines_is_said_in_one(original, tmp_path):
    run = edited(original, tmp_path / "run", lambda facts: None)
    tensors, facts = facts_of(run.checkpoints()[-1])
    tensors["model/G.\x1b[2J\nbias"] = tensors.pop("model/G.dense.bias")
    checkpoint.save(run.checkpoints()[-1], tensors, facts)
    with pytest.raises(GanzooError, match=r"see G\.\\x1b\[2J bias\.$"):
        ganzoo.trained(run)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_scores_that_find_no_room_are_one_sentence(original, tmp_path):
    run = Path(shutil.copytree(original, tmp_path / "run"))
    (run / "scores.jsonl").unlink()
    (run / "scores.jsonl").symlink_to("/dev/full")
    said = refusal(cli("evaluate", run, "--metric", "swd", "--samples", 64), code=1)
    assert said.endswith("scores.jsonl cannot be written (No space left on device); make room, and evaluate again.")


def test_a_row_of_scores_is_whole_or_not_there(original, tmp_path):
    """Half a line would take the next one with it."""
    limits = pytest.importorskip("resource")
    run = ganzoo.Run.open(shutil.copytree(original, tmp_path / "run"))
    file, before = run.path / "scores.jsonl", (run.path / "scores.jsonl").read_bytes()
    header = ganzoo.load(run.path, device="cpu").header
    usual = limits.getrlimit(limits.RLIMIT_FSIZE)
    limits.setrlimit(limits.RLIMIT_FSIZE, (len(before) + 20, usual[1]))
    try:
        with pytest.raises(OSError, match="No space left"):
            record_scores(run.path, header, [])
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, usual)
    assert file.read_bytes() == before
    record_scores(run.path, header, [])
    assert file.read_bytes().startswith(before)
    assert [row["metrics"] for row in run.scores()][-1] == []
