"""The command that a sheet says it was made by: what decides the run, and nothing of this machine."""

from __future__ import annotations

import shlex

from click.testing import CliRunner
from PIL import Image

import ganzoo
from ganzoo.cli.app import app
from ganzoo.contract.options import command_words
from ganzoo.loop.display import Display
from ganzoo.plan.typed import typed_plan, without_folders
from ganzoo.training.facts import plan_of


def notes(run):
    with Image.open(sorted((run.path / "samples").iterdir())[-1]) as sheet:
        return sheet.info


def test_a_sheet_says_its_command_and_nothing_of_this_machine(finished):
    said = notes(finished)
    assert said == {"step": "6", "epoch": "2", "seed": "0", "command": "ganzoo train tinygan tiny --epochs 2 --seed 0"}


def test_what_was_chosen_is_said_and_trains_the_same(train, finished):
    run = train(steps=2, preset="wide", lr=1e-3, seed=3, batch_size=8, label="odd", samples=9, device="cpu")
    command = notes(run)["command"]
    words = "--preset wide --class odd --steps 2 --lr 0.001 --batch-size 8 --seed 3"
    assert command == f"ganzoo train tinygan tiny {words}"
    again = CliRunner().invoke(app, [*shlex.split(command)[1:], "--out", "again", "--device", "cpu"])
    assert again.exit_code == 0, again.output
    assert ganzoo.Run.open("again").model_file.read_bytes() == run.model_file.read_bytes()


def test_a_switch_is_typed_as_one(train):
    command = notes(train(steps=2, flip=True, device="cpu"))["command"]
    assert command == "ganzoo train tinygan tiny --steps 2 --flip --seed 0"
    assert command_words({"lr": 0.001, "san": False, "sides": (8, 4)}) == [
        "--lr",
        "0.001",
        "--no-san",
        "--sides",
        "8,4",
    ]
    again = CliRunner().invoke(app, [*shlex.split(command)[1:], "--dry-run"])
    assert again.exit_code == 0, again.output


def test_a_stage_that_came_later_is_said_from_then_on(train):
    run = train(epochs=1)
    first = notes(run)["command"]
    ganzoo.extend(run, epochs=1, lr=1e-3, display=Display())
    assert notes(run)["command"] == f"{first} && ganzoo extend RUN --epochs 1 --lr 0.001"
    assert typed_plan(plan_of(ganzoo.Run.open(run.path))) == first


def test_folders_are_left_out():
    for word, shown in (
        ("/home/me/runs/a", "a"), ("runs/a/", "a"), ("face.png", "face.png"), ("hf://you/faces", "hf://you/faces"),
        ("own:root=/data/x,seed=1", "own:root=x,seed=1"), ("lsgan:a=-1", "lsgan:a=-1"),
    ):  # fmt: skip
        assert without_folders(word) == shown
