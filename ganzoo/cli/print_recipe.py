"""`ganzoo train --print-recipe`: the TOML that trains the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ganzoo.cli.output import echo
from ganzoo.contract.options import values
from ganzoo.contract.settings import LENGTHS, OF_THE_MACHINE
from ganzoo.errors import UsageError
from ganzoo.plan.plan import Plan, plan_run


def print_recipe(
    architecture: str | None, dataset: str | None, label: str | None, per_class: bool, what: Mapping[str, Any]
) -> None:
    """Prints the whole of what would be trained, every option with its value. Args: as `dry_run`."""
    if label is not None:
        raise UsageError("A recipe cannot say --class; give it beside --recipe.")
    echo(recipe(plan_run(architecture, dataset, per_class=per_class, **what), per_class).rstrip())


def recipe(plan: Plan, per_class: bool = False) -> str:
    """A plan as TOML that `--recipe FILE` takes: nothing is left to defaults, which may change."""
    chosen = {**values(plan.settings), **values(plan.config)}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    lines = [f"architecture = {_toml(plan.entry.full_name)}", f"data = {_toml(plan.data.name)}"]
    lines += ["per_class = true"] if per_class else []
    lines += ["", "[options]"]
    lines += [f"{name} = {_toml(value)}" for name, value in chosen.items() if name not in (*LENGTHS, *OF_THE_MACHINE)]
    for stage in plan.stages:
        lines += ["", "[[stages]]"]
        lines += [f"{name} = {_toml(value)}" for name, value in {**stage.length, **stage.changes}.items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A value as TOML: its texts are JSON's, and so are numbers, truths and lists of such."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
