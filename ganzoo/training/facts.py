"""What run.json says at the start, and the plan that it describes."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from datetime import UTC, datetime
from typing import Unpack

import torch

from ganzoo import data
from ganzoo.about import __version__
from ganzoo.catalogue.components import load_architecture
from ganzoo.catalogue.single_file import records
from ganzoo.catalogue.upgrade import stored_config, upgraded
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.frozen import frozen_in
from ganzoo.contract.networks import networks, parameter_counts
from ganzoo.contract.options import build, values
from ganzoo.contract.settings import Settings
from ganzoo.data.source import trained_on
from ganzoo.errors import GanzooError, UsageError, without_login
from ganzoo.loop.display import Display
from ganzoo.loop.session import Session
from ganzoo.plan.plan import Plan
from ganzoo.runs.address import is_remote
from ganzoo.runs.header import DataHeader, Environment, Levels, RunHeader, architecture_of
from ganzoo.runs.run import Run
from ganzoo.runs.start import licence_of, take_weights
from ganzoo.runs.weights import load_frozen
from ganzoo.training.options import ResumeOptions


def plan_of(run: Run) -> Plan:
    """The plan that a run's run.json describes. Raises: GanzooError when it cannot be followed here."""
    header = run.header
    entry = architecture_of(header, str(run.path))
    model = load_architecture(entry)
    changes = (upgraded(model.Config, stage.changes, header.version, entry.name) for stage in header.stages)
    stages = tuple(replace(stage, changes=each) for stage, each in zip(header.stages, changes, strict=True))
    return Plan(
        entry, model, stored_config(entry, model.Config, header, str(run.path)), header.settings,
        data.info(header.data.full_name), header.size, stages, header.preset, header.recipe, label=header.data.label,
    )  # fmt: skip


def take_up(run: Run, display: Display) -> Plan:
    """The plan of a run that goes on. Where it goes on with another version of its plugin, or other plugin files, than
    before, its header says so from now on, and its options as that version calls them. Raises: as `plan_of`.
    """
    plan, header, before = plan_of(run), run.header, run.header.plugin_files
    files = records(before)
    replaced = [file for file in before if file.sha256 not in {now.sha256 for now in files}]
    for file in replaced:
        display.say(f"{file.path} is not what {run.path} was begun with; training goes on with the code as it is now.")
    if files != before:
        run.change(earlier_plugin_files=(*header.earlier_plugin_files, *replaced))
    elif header.version != plan.entry.version:
        run.change(earlier_versions=(*header.earlier_versions, header.version))
    else:
        return plan
    run.change(
        plugin_files=files, distribution=plan.entry.distribution, version=plan.entry.version,
        config=values(plan.config), stages=plan.stages,
    )  # fmt: skip
    return plan


def first_weights(model: Architecture, init: str, architecture: str) -> tuple[str, str]:
    """Takes a model's first weights from a run or model. Returns: what was taken, in a sentence, and its licence.

    Raises: UsageError when there is none or it does not fit; GanzooError when it is out of reach.
    """
    try:
        return take_weights(model, init, architecture), licence_of(init)
    except GanzooError as error:
        if is_remote(init):
            raise
        raise UsageError(str(error)) from error


def facts_of(session: Session, init: str | os.PathLike[str] | None) -> RunHeader:
    """What run.json says at the start."""
    trainer = session.build(weights=init is not None)
    plan, model, dataset = session.plan, trainer.model, session.dataset
    # Now, so that what does not fit is said before anything is written.
    taken, licence = (None, "") if init is None else first_weights(model, str(init), plan.entry.name)
    load_frozen(model)  # now too, for the same reason
    described = DataHeader.of(
        model.data, plan.data.name, dataset.origin, distribution=plan.data.distribution,
        fingerprint=dataset.fingerprint, images=dataset.items, label=plan.label, levels=levels_of(plan.data),
        state=dataset.modality.state,
    )  # fmt: skip
    return RunHeader(
        ganzoo=__version__,
        architecture=plan.entry.name,
        distribution=plan.entry.distribution,
        version=plan.entry.version,
        plugin_files=records(),
        preset=plan.preset,
        recipe=plan.recipe,
        data=described,
        seed=plan.settings.seed,
        size=plan.size,
        config=values(plan.config),
        settings=build(Settings, {"precision": session.precision}, "ganzoo", plan.settings),
        stages=plan.stages,
        parameters=parameter_counts(model),
        networks=tuple(networks(model)),
        frozen=tuple(frozen.weights for frozen in frozen_in(model)),
        init=without_login(init) if init is not None else None,
        taken=taken,
        licence=licence,
        environment=environment(session),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def levels_of(info: data.Info) -> dict[str, Levels]:
    """How the pictures of a data set are read, by domain where its sources are domains."""
    domains = trained_on(info.domains) if len(info.readings) > 1 else ("",)
    each = zip(domains, info.readings, strict=False)  # a plugin's set has no readings
    return {domain: Levels(*reading.levels, reading.of_bytes) for domain, reading in each if reading.levels}


def environment(session: Session) -> Environment:
    """The machine and the versions a run was trained with."""
    device = torch.cuda.get_device_name(session.device) if session.device.type == "cuda" else platform.processor()
    return Environment(
        python=platform.python_version(), torch=torch.__version__, system=f"{platform.system()} {platform.machine()}",
        device=session.device.type, device_name=device or platform.machine(), threads=torch.get_num_threads(),
        precision=session.precision,
    )  # fmt: skip


def check_same_data(run: Run, fingerprint: str) -> None:
    """Raises: GanzooError when the data is not what the run was trained on."""
    expected = run.header.data
    if expected.fingerprint != fingerprint:
        raise GanzooError(
            f"The data set {expected.name} is not the one that {run.path} was trained on "
            f"({expected.origin}); add that one again under this name to go on."
        )


def change_machine(settings: Settings, **given: Unpack[ResumeOptions]) -> Settings:
    """Settings that train on another device, in so many processes and parts, by deterministic algorithms or not, and
    tell these loggers; None leaves them as they are.

    Raises: UsageError for any other option, or a value that one does not take.
    """
    if others := sorted(given.keys() - ResumeOptions.__annotations__.keys()):
        raise UsageError(f"A run does not go on with another {others[0]}; a new stage (`ganzoo extend`) may have it.")
    return build(Settings, {name: value for name, value in given.items() if value is not None}, "ganzoo", settings)
