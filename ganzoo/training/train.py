"""`train`, `resume` and `extend`: what a notebook calls, and the command line with it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import ganzoo
from ganzoo import data
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import make_loggers
from ganzoo.catalogue.single_file import named, records
from ganzoo.catalogue.upgrade import stored_config, upgraded
from ganzoo.contract.architecture import Architecture, DataSpec, Progress, networks, parameter_counts, weightless
from ganzoo.contract.options import build, values
from ganzoo.contract.options import options as options_of
from ganzoo.contract.settings import LENGTHS, Settings
from ganzoo.devices import pick_device
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop import processes as parallel
from ganzoo.loop.display import Display, Lines
from ganzoo.loop.interrupts import memory_explained
from ganzoo.loop.record import take_weights
from ganzoo.loop.session import Session
from ganzoo.loop.trainer import check_split
from ganzoo.loop.validation import Scorekeeper
from ganzoo.model.model import Model, architecture_of, data_of
from ganzoo.plan.plan import Plan, Stage, data_spec, expected_spec, load_architecture, make_plan, recipe_of, stage_of
from ganzoo.runs.run import Run, claimed, latest
from ganzoo.scoring.evaluator import judged_data
from ganzoo.training.estimate import duration, memory_needed, seconds_per_step, steps_left

if TYPE_CHECKING:
    from ganzoo.training.per_class import PerClass

WORTH_TIMING = 20  # steps; a shorter run is over before its trial would be


class Stopped(KeyboardInterrupt):
    """Training was stopped by Ctrl-C, after a checkpoint; `run` can be resumed."""

    def __init__(self, run: Run | PerClass) -> None:
        super().__init__(f"Stopped. Go on with: ganzoo resume {run.path}")
        self.run = run


def train(
    architecture: str | None = None,
    dataset: str | None = None,
    *,
    preset: str | None = None,
    recipe: str | None = None,
    label: str | int | None = None,
    out: str | os.PathLike[str] | None = None,
    init: str | os.PathLike[str] | None = None,
    go_on: bool = False,
    display: Display | None = None,
    **options: Any,
) -> Run:
    """Trains an architecture on a data set, from the beginning to the end, in a new run folder.

    Args:
        architecture, dataset: names of the catalogue, such as ``"dcgan"`` and ``"anime"``; a recipe may say them. An
            architecture may also be a file, ``"my_gan.py"``; see `ganzoo.use_plugin`.
        preset: a named set of options of the architecture.
        recipe: a named experiment of the catalogue, or a TOML file; options given here override its own.
        label: train on the items with this label only, a name or number; `train_per_class` trains a model for each.
        out: the run's folder; ``runs/ARCHITECTURE-DATASET-N`` unless given.
        init: a run or model to take the first weights from.
        go_on: when the folder (or, without `out`, the newest run of this kind) exists, resume it instead.
        display: what shows progress; plain lines unless given.
        options: every option of the architecture and of the trainer (`ganzoo show ARCHITECTURE` lists them), such as
            ``epochs=5`` or ``lr=1e-4``.

    Returns: the finished run.
    Raises:
        UsageError: what is asked cannot be done; nothing was written.
        GanzooError: it failed; checkpoints written so far are kept.
        Stopped: Ctrl-C, after a checkpoint; `resume` goes on. A KeyboardInterrupt.
    """
    display = display or Lines()
    if recipe is not None and label is None and recipe_of(recipe).per_class:
        raise UsageError(
            f"The recipe {recipe} trains a model for each label; say which label, or use ganzoo.train_per_class."
        )
    plan = plan_run(architecture, dataset, preset=preset, recipe=recipe, label=label, **options)
    folder = Path(out) if out is not None else None
    if go_on:
        there = folder if folder is not None else latest(plan.entry.name, plan.data.name, plan.label, recipe)
        if there is not None and (there / "run.json").exists():
            return resume(there, device=options.get("device"), log=options.get("log"), display=display)
    return start(plan, folder, init, display)


def trained(run: str | os.PathLike[str] | Run) -> Architecture:
    """A run's whole architecture as its newest checkpoint holds it: each network as it was trained, not averaged, and
    every `TrainingState`; on the CPU, in evaluation mode. `ganzoo.load` has what people sample from.

    Raises: GanzooError when there is no checkpoint yet, or it is damaged.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    plan, data = plan_of(run), run.facts["data"]
    config, _ = plan.at_stage(len(plan.stages) - 1)
    with torch.random.fork_rng(devices=[]):
        model = plan.model(config, DataSpec(tuple(data["shape"]), tuple(data["classes"]), tuple(data["domains"])))
    take_weights(model, str(run.path))
    return model.eval()


def start(plan: Plan, out: Path | None, init: str | os.PathLike[str] | None, display: Display) -> Run:
    """Trains a plan in a new folder, the next free one for None. Raises: as `train`."""
    if out is not None:
        Run.check_free(out)
    session = prepare(plan, display)
    claim = claimed(plan.entry.name, plan.data.name) if out is None else contextlib.nullcontext(out)
    with claim as folder, memory_explained(plan.settings, session.device):
        facts = facts_of(session, init)
        _rehearse_scores(session, facts, display)
        _announce(session, facts, folder, display)
        run = Run.create(folder, facts)
    _go(session, run, display)
    return run


def resume(
    run: str | os.PathLike[str] | Run,
    *,
    device: str | None = None,
    log: str | None = None,
    display: Display | None = None,
) -> Run:
    """Goes on with a run exactly where its newest checkpoint left it; a finished run is returned as it is.

    Args:
        device: where to train from now on, such as on another machine; where it did unless given.
        log: the loggers to tell from now on, ``"none"`` for none; those it had unless given.
    Raises: UsageError when it is no run; GanzooError when its checkpoint is damaged, its plugin is not installed, or
    its data has changed.
    """
    display = display or Lines()
    run = run if isinstance(run, Run) else Run.open(run)
    if run.status == "finished":
        display.say(f"{run.path} is finished; `ganzoo extend {run.path} --epochs N` trains it further.")
        return run
    run.check_idle()
    change_machine(run, device, log)
    session = prepare(take_up(run, display), display)
    check_data(run, session.dataset.fingerprint)
    run.write()
    _go(session, run, display)
    return run


def extend(
    run: str | os.PathLike[str] | Run,
    *,
    device: str | None = None,
    log: str | None = None,
    display: Display | None = None,
    **options: Any,
) -> Run:
    """Adds a stage to a run and trains it: weights and optimizer state go along, the new options apply.

    Args:
        device, log: as `resume`.
        options: one of `epochs`, `images` and `steps`, and whatever changes, such as ``lr=1e-4, beta1=0.3``.
    Raises: as `resume`; UsageError when an option cannot change within a run.
    """
    display = display or Lines()
    run = run if isinstance(run, Run) else Run.open(run)
    stage = stage_of(options)
    run.check_idle()
    if run.status == "finished" and not run.checkpoints():
        raise GanzooError(
            f"{run.path} has lost its checkpoints, which going on takes; start a new run with --init {run.model_file}."
        )
    change_machine(run, device, log)
    plan = take_up(run, display)
    session = prepare(dataclasses.replace(plan, stages=(*plan.stages, stage)), display)
    check_data(run, session.dataset.fingerprint)
    _rehearse_scores(session, run.facts, display)
    run.facts["stages"].append(_stage_facts(stage))
    run.facts["status"] = "interrupted"
    run.write()
    _go(session, run, display)
    return run


def plan_run(
    architecture: str | None,
    dataset: str | None,
    *,
    preset: str | None = None,
    recipe: str | None = None,
    label: str | int | None = None,
    **options: Any,
) -> Plan:
    """The plan of a run, with a recipe's words filled in. Raises: UsageError."""
    stages: tuple[Mapping[str, Any], ...] = ()
    typed = {name for name, value in options.items() if value is not None}
    architecture = None if architecture is None else named(architecture)
    if recipe is not None:
        card = recipe_of(recipe)
        if architecture not in (None, card.architecture, card.architecture.rpartition(":")[2]):
            raise UsageError(f"The recipe {recipe} is for {card.architecture}, not for {architecture}.")
        architecture, dataset, preset = card.architecture, dataset or card.data, preset or card.preset
        config = load_architecture(find("architecture", architecture)).Config
        given = {name: value for name, value in options.items() if value is not None}
        if not any(name in LENGTHS for name in given):
            written = [upgraded(config, stage, None, architecture) for stage in card.stages]
            stages = tuple({name: v for name, v in stage.items() if name not in given} for stage in written)
        options = {**upgraded(config, card.options, None, architecture), **given}
    if architecture is None or dataset is None:
        raise UsageError("Say an architecture and a data set, such as `ganzoo train dcgan anime`, or --recipe NAME.")
    return make_plan(architecture, dataset, options, preset, stages, recipe, label, typed)


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


def prepare(plan: Plan, display: Display, *, pack: bool = True) -> Session:
    """Checks a plan against its data and this machine, and packs the data, unless `pack` says no.

    Raises: UsageError.
    """
    for note in plan.notes:
        display.say(note)
    loggers = make_loggers(plan.settings.log)
    pick_device(plan.settings.device)
    expected = expected_spec(plan)
    if expected is not None:  # before the data is packed, which may take long
        _check_batches(plan, plan.data.images)
        check_networks(plan, expected)
    settings = plan.settings
    load = (settings.load_size, settings.load_size) if settings.load_size else None
    dataset = data.prepare(
        plan.data.name,
        resolution=plan.size,
        channels=settings.channels,
        load_size=load,
        keep=plan.label,
        report=display.report,
        unpack=None if pack else False,
    )
    if plan.model.conditional:
        _check_labelled(dataset)
    _check_batches(plan, max(len(part) for part in dataset.parts.values()))
    spec = data_spec(dataset, plan.size)
    if spec != expected:
        check_networks(plan, spec)
    return Session(plan, dataset, loggers)


def _check_batches(plan: Plan, items: int) -> None:
    """Raises: UsageError when a stage's batch is larger than the data."""
    for index in range(len(plan.stages)):
        batch = plan.at_stage(index)[1].batch_size
        if batch > items:
            where = plan.data.name + (f" with the label {plan.label}" if plan.label is not None else "")
            raise UsageError(
                f"A batch of {batch} is larger than {where}, which has {items}; use --batch-size {items} or less."
            )


def _rehearse_scores(session: Session, facts: Mapping[str, Any], display: Display) -> None:
    """Tries what is to be scored while training. Raises: UsageError when it cannot be."""
    keepers = [Scorekeeper(session.plan.at_stage(i)[1], display.report) for i in range(len(session.plan.stages))]
    if any(keeper.every for keeper in keepers):
        model = Model(session.build().model, {**facts, "step": 0, "images": 0})
        dataset = judged_data(facts["data"], "this run")
        for keeper in keepers:
            keeper.rehearse(model, dataset)


def _check_labelled(dataset: data.Dataset) -> None:
    """Raises: UsageError when some items have no label, for an architecture that needs one of each."""
    missing = sum(int((part.labels < 0).sum()) for part in dataset.parts.values() if part.labels is not None)
    if missing:
        raise UsageError(f"{missing:,} items of {dataset.name} have no label; label them, or leave them out.")


def check_networks(plan: Plan, spec: DataSpec) -> None:
    """Builds every stage's model without memory: its architecture refuses what it cannot do, a stage must not make
    other networks than the first, and the batches must split evenly and fit into memory.
    """
    shapes = []
    for index, stage in enumerate(plan.stages):
        config, settings = plan.at_stage(index)
        model = weightless(plan.model, config, spec)
        first = model.batch_size(Progress(0, 0, 0, 0, 1)) or settings.batch_size
        check_split(first, settings.processes, settings.accumulate)
        shapes.append({name: tensor.shape for name, tensor in model.state_dict().items()})
        if shapes[-1] != shapes[0]:
            names = ", ".join("--" + name.replace("_", "-") for name in stage.changes)
            raise UsageError(f"Stage {index + 1} changes the networks' shape ({names}), which cannot change in a run.")
    memory_needed(plan, spec)


def _announce(session: Session, facts: Mapping[str, Any], folder: Path, display: Display) -> None:
    """Says what will be trained on what, and how long it will take, before anything is written."""
    plan, items = session.plan, facts["data"]["images"]
    counts = " + ".join(f"{name} {count:,}" for name, count in facts["parameters"].items())
    of = f"{plan.data.name} with the label {plan.label}" if plan.label is not None else plan.data.name
    display.say(
        f"{plan.entry.card.title} ({counts} parameters) on {of} "
        f"({items:,} items, {session.dataset.origin}), {session.device.type} {session.precision}."
    )
    steps = steps_left(session)
    if steps > WORTH_TIMING and plan.settings.processes == 1:
        display.say("Timing a few steps …")
        seconds = seconds_per_step(session)
        display.say(f"{steps:,} steps of {seconds:.2f} s: about {duration(steps * seconds)}, into {folder}.")
    else:
        display.say(f"{steps:,} step{'' if steps == 1 else 's'}, into {folder}.")


def _go(session: Session, run: Run, display: Display) -> None:
    processes = session.plan.settings.processes
    try:
        if processes == 1:
            session.train(run, display)
        else:
            parallel.launch(run.path, processes, display.say)
    except KeyboardInterrupt:
        raise Stopped(run) from None
    finally:
        run.facts = Run.open(run.path).facts
    if run.status != "finished":
        raise Stopped(run)


def facts_of(session: Session, init: str | os.PathLike[str] | None) -> dict[str, Any]:
    """What run.json says at the start."""
    trainer = session.build()
    plan, model = session.plan, trainer.model
    if init is not None:
        take_weights(model, str(init))  # now, so that what does not fit is said before anything is written
    spec = model.data
    return {
        "ganzoo": ganzoo.__version__,
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
            "shape": list(spec.shape),
            "classes": list(spec.classes),
            "domains": list(spec.domains),
        },
        "seed": plan.settings.seed,
        "size": list(plan.size) if plan.size else None,
        "config": values(plan.config),
        "settings": {**values(plan.settings), "precision": session.precision},
        "stages": [_stage_facts(stage) for stage in plan.stages],
        "parameters": parameter_counts(model),
        "networks": list(networks(model)),
        "init": str(init) if init is not None else None,
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
