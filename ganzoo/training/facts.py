"""What run.json says at the start, and the plan that it describes."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

import torch

from ganzoo import data
from ganzoo.about import __version__
from ganzoo.catalogue.components import load_architecture
from ganzoo.catalogue.single_file import records
from ganzoo.catalogue.upgrade import stored_config, upgraded
from ganzoo.contract.frozen import frozen_in
from ganzoo.contract.networks import networks, parameter_counts
from ganzoo.contract.options import build, values
from ganzoo.contract.options import options as options_of
from ganzoo.contract.settings import Settings
from ganzoo.errors import GanzooError
from ganzoo.loop.display import Display
from ganzoo.loop.record import take_weights
from ganzoo.loop.session import Session
from ganzoo.plan.plan import Plan, Stage
from ganzoo.runs.header import architecture_of, data_of
from ganzoo.runs.run import Run
from ganzoo.runs.weights import located


def plan_of(run: Run) -> Plan:
    """The plan that a run's run.json describes. Raises: GanzooError when it cannot be followed here."""
    facts = run.facts
    entry = architecture_of(facts, str(run.path))
    model = load_architecture(entry)
    try:
        size, version = facts["size"], facts["version"]
        return Plan(
            entry,
            model,
            stored_config(entry, model.Config, facts, str(run.path)),
            build(Settings, facts["settings"], "ganzoo"),
            data.info(data_of(facts["data"])),
            tuple(size) if size else None,
            tuple(
                Stage(stage["length"], upgraded(model.Config, stage["changes"], version, entry.name))
                for stage in facts["stages"]
            ),
            facts["preset"],
            facts["recipe"],
            label=facts["data"].get("label"),
        )
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise GanzooError(
            f"{run.path / 'run.json'} is damaged: it does not say all of the run ({error}); restore it to go on."
        ) from error


def take_up(run: Run, display: Display) -> Plan:
    """The plan of a run that goes on. Where it goes on with another version of its plugin, or other plugin files, than
    before, its facts say so from now on, and its options as that version calls them. Raises: as `plan_of`.
    """
    plan, facts, before = plan_of(run), run.facts, run.facts.get("plugin_files", [])
    files = records(before)
    replaced = [file for file in before if file["sha256"] not in {now["sha256"] for now in files}]
    for file in replaced:
        display.say(
            f"{file['path']} is not what {run.path} was begun with; training goes on with the code as it is now."
        )
    if files != before:
        facts["earlier_plugin_files"] = [*facts.get("earlier_plugin_files", []), *replaced]
    elif facts["version"] != plan.entry.version:
        facts["earlier_versions"] = [*facts.get("earlier_versions", []), facts["version"]]
    else:
        return plan
    facts.update(
        plugin_files=files,
        distribution=plan.entry.distribution,
        version=plan.entry.version,
        config=values(plan.config),
        stages=[_stage_facts(stage) for stage in plan.stages],
    )
    return plan


def facts_of(session: Session, init: str | os.PathLike[str] | None) -> dict[str, Any]:
    """What run.json says at the start."""
    trainer = session.build(weights=init is not None)
    plan, model = session.plan, trainer.model
    taken = None
    if init is not None:
        # Now, so that what does not fit is said before anything is written.
        taken = take_weights(model, str(init), plan.entry.name)
    for frozen in frozen_in(model):
        located(frozen.weights)  # now too, for the same reason
    spec = model.data
    return {
        "ganzoo": __version__,
        "architecture": plan.entry.name,
        "distribution": plan.entry.distribution,
        "version": plan.entry.version,
        "plugin_files": records(),
        "preset": plan.preset,
        "recipe": plan.recipe,
        "data": {
            "name": plan.data.name,
            "distribution": plan.data.distribution,
            "origin": session.dataset.origin,
            "fingerprint": session.dataset.fingerprint,
            "images": session.dataset.items,
            "label": plan.label,
            **spec.header(),
            "modality": spec.modality,
            "state": session.dataset.modality.state,
        },
        "seed": plan.settings.seed,
        "size": list(plan.size) if plan.size else None,
        "config": values(plan.config),
        "settings": {**values(plan.settings), "precision": session.precision},
        "stages": [_stage_facts(stage) for stage in plan.stages],
        "parameters": parameter_counts(model),
        "networks": list(networks(model)),
        "frozen": [vars(frozen.weights) for frozen in frozen_in(model)],
        "init": str(init) if init is not None else None,
        "taken": taken,
        "environment": environment(session),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def environment(session: Session) -> dict[str, Any]:
    """The machine and the versions a run was trained with."""
    device = torch.cuda.get_device_name(session.device) if session.device.type == "cuda" else platform.processor()
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "device": session.device.type,
        "device_name": device or platform.machine(),
        "threads": torch.get_num_threads(),
        "precision": session.precision,
    }


def check_data(run: Run, fingerprint: str) -> None:
    """Raises: GanzooError when the data is not what the run was trained on."""
    if run.facts["data"]["fingerprint"] != fingerprint:
        name = run.facts["data"]["name"]
        raise GanzooError(
            f"The data set {name} is not the one that {run.path} was trained on "
            f"({run.facts['data']['origin']}); add that one again under this name to go on."
        )


def change_machine(run: Run, device: str | None, log: str | None) -> None:
    """From its next step on a run trains on this device and tells these loggers; None leaves it as it is."""
    for name, value in (("device", device), ("log", log)):
        if value is not None:
            run.facts["settings"][name] = options_of(Settings)[name].parse(value)


def _stage_facts(stage: Stage) -> dict[str, Any]:
    return {"length": dict(stage.length), "changes": dict(stage.changes)}
