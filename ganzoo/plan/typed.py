"""A plan as one would type it, and the options that decide what a run becomes."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from typing import Any

from ganzoo.contract.options import command_words, values
from ganzoo.errors import GanzooError, without_login
from ganzoo.plan.plan import Plan, make_plan

# Options of the trainer that decide what a run becomes; the others say how it is watched and where it is computed.
DECIDING = ("batch_size", "resolution", "channels", "domains", "load_size", "flip", "ema", "seed", "freeze")


def deciding(plan: Plan, stage: int) -> dict[str, Any]:
    """The options in force in a stage that decide what it becomes, with its length, as JSON has them."""
    config, settings = plan.at_stage(stage)
    chosen = {name: value for name, value in values(settings).items() if name in DECIDING}
    plain: dict[str, Any] = json.loads(json.dumps({**values(config), **chosen, **plan.stages[stage].length}))
    return plain


def typed_plan(plan: Plan, stage: int = 0) -> str:
    """What one would type to train the plan up to a stage: what decides the run, without folders of this machine."""
    usual, given = plan, dict[str, Any](plan.stages[0].length)
    with contextlib.suppress(GanzooError):  # a preset, or a data set, that is here no more
        usual = make_plan(plan.entry.full_name, plan.data.name, {"steps": 1}, plan.preset)
    for mine, theirs, names in (
        (plan.config, usual.config, values(plan.config).keys()),
        (plan.settings, usual.settings, DECIDING),
    ):
        before, now = values(theirs), values(mine)
        given.update({name: now[name] for name in names if now[name] != before[name]})
    given["seed"] = plan.settings.seed
    again = [later for later in plan.stages[1 : stage + 1] if later.rollback is not None]
    given.update({"on_divergence": "rollback"} if again else {})
    chosen = {"preset": plan.preset, "class": plan.label}
    words = [plan.entry.name, plan.data.name, *command_words({k: v for k, v in chosen.items() if v} | given)]
    commands = [["ganzoo", "train", *words]]
    for later in (each for each in plan.stages[1 : stage + 1] if each not in again):
        commands.append(["ganzoo", "extend", "RUN", *command_words({**later.length, **later.changes})])
    return " && ".join(shlex.join(map(without_folders, command)) for command in commands)


def without_folders(word: str) -> str:
    """A word of a command as one may show it to others: of a file here, only its name; of an address, no password."""
    return without_login(word) if "://" in word else re.sub(r"[^=:,]*[/\\]+(?=[^/\\])", "", word).rstrip("/\\")
