"""`ganzoo train --print-recipe`: TOML that trains the same."""

from __future__ import annotations

import tomllib

import pytest
from support.command_line import cli

from ganzoo.cli.print_recipe import recipe
from ganzoo.contract.settings import LENGTHS
from ganzoo.plan.plan import plan_run


def chosen(plan, stage):
    """The options of a stage; how long it is stands in the stage."""
    config, settings = plan.at_stage(stage)
    return config, {name: value for name, value in vars(settings).items() if name not in LENGTHS}


@pytest.mark.parametrize(
    "given",
    [
        {"architecture": "tinygan", "dataset": "tiny", "steps": 7, "lr": "cosine:2e-4:5e-5", "flip": True},
        {"architecture": None, "dataset": None, "recipe": "report-anime", "batch_size": 32},
        {"architecture": "gan", "dataset": "points", "preset": "points", "epochs": 2, "on_divergence": "rollback"},
    ],
    ids=["options", "a recipe of stages, one option over it", "a preset"],
)
def test_it_plans_the_same(tmp_path, given):
    plan = plan_run(**given)
    file = tmp_path / "same.toml"
    file.write_text(recipe(plan), encoding="utf-8")
    again = plan_run(None, None, recipe=str(file))
    assert again.size == plan.size
    assert [chosen(again, k) for k in range(len(again.stages))] == [chosen(plan, k) for k in range(len(plan.stages))]
    assert [stage.length for stage in again.stages] == [stage.length for stage in plan.stages]


def test_the_command_prints_it():
    table = tomllib.loads(cli("train", "tinygan", "tiny", "--steps", "3", "--lr", "0.5", "--print-recipe").stdout)
    assert (table["options"]["lr"], table["stages"], table["data"]) == (0.5, [{"steps": 3}], "tiny")
