"""A model for each label of a data set: a folder of runs, trained one after the other, and a sheet with a row each."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack, cast

import torch

from ganzoo.errors import UsageError
from ganzoo.files import explained, replaced
from ganzoo.loop.display import Display, Lines
from ganzoo.loop.session import Session
from ganzoo.model.model import load
from ganzoo.pictures.framed import save_sheet
from ganzoo.pictures.grid import sheet
from ganzoo.plan.plan import Plan, labels_of, plan_run
from ganzoo.runs.per_class import PerClass
from ganzoo.runs.run import CLASSES, Run, latest, new_folder
from ganzoo.training.estimate import forecast, steps_of
from ganzoo.training.facts import change_machine, check_same_data, facts_of, plan_of
from ganzoo.training.options import ResumeOptions
from ganzoo.training.prepare import prepare
from ganzoo.training.train import Stopped, deadline_of, resume, start, time_left

COLUMNS = 10  # images of a label on the sheet


def train_per_class(
    architecture: str | None = None,
    dataset: str | None = None,
    *,
    preset: str | None = None,
    recipe: str | None = None,
    out: str | os.PathLike[str] | None = None,
    init: str | os.PathLike[str] | None = None,
    go_on: bool = False,
    max_time: str | float | None = None,
    display: Display | None = None,
    **options: Any,
) -> PerClass:
    """Trains a model for each label of a data set, one after the other, each in a run folder within a new folder.

    Args: as `ganzoo.train`; the length (`epochs`, `images` or `steps`) is each model's.
    Raises: as `ganzoo.train`; UsageError when the data has no labels, or too few items of one. `Stopped` names the
    whole folder, and `resume_per_class` goes on at the label where it stopped.
    """
    display, deadline = display or Lines(), deadline_of(max_time)
    plan = plan_run(architecture, dataset, preset=preset, recipe=recipe, per_class=True, **options)
    labels = labels_of(plan.data, plan.model, plan.config, plan.entry.name)
    folder = Path(out) if out is not None else None
    if go_on:
        there = folder or latest(plan.entry.name, plan.data.name, recipe=plan.recipe, file=CLASSES)
        if there is not None and (there / CLASSES).exists():
            machine: Any = {name: options.get(name) for name in ("device", "log")}
            return resume_per_class(there, max_time=time_left(deadline), display=display, **machine)
    folder = folder or new_folder(plan.entry.name, plan.data.name)
    Run.check_free(folder)
    session = prepare(plan, display, init=init)
    check_labels(session)
    whole = PerClass(folder, dataclasses.replace(facts_of(session, init), labels=labels))
    with explained(folder, "choose another --out", UsageError):
        folder.mkdir(parents=True, exist_ok=True)
    with Run(folder, whole.header).locked():
        Run.check_free(folder)  # of two that begin here at once, one does
        whole.write()
        made = forecast(of_label(session, labels[0]), whole.header, say=display.say)
        display.say(f"{len(labels)} models, one for each label, into {folder}.")
        display.say(f"Together {made.of(len(labels), steps_of_all(session, labels))}.")
        _train(whole, plan, display, deadline)
    return whole


def resume_per_class(
    path: str | os.PathLike[str] | PerClass,
    *,
    max_time: str | float | None = None,
    force: bool = False,
    display: Display | None = None,
    **machine: Unpack[ResumeOptions],
) -> PerClass:
    """Goes on with a folder of runs at the label, and the step, where it stopped.

    Args and Raises: as `ganzoo.resume`.
    """
    display, deadline = display or Lines(), deadline_of(max_time)
    whole = path if isinstance(path, PerClass) else PerClass.open(path)
    parent = Run(whole.path, whole.header)
    with parent.locked(force):
        settings = change_machine(whole.header.settings, **machine)
        whole.header = parent.header = dataclasses.replace(whole.header, settings=settings)
        plan = plan_of(parent)
        check_same_data(parent, plan.data.fingerprint)
        whole.write()
        _train(whole, plan, display, deadline, force)
    return whole


def check_labels(session: Session) -> None:
    """Raises: UsageError when a label has fewer items than a batch, before the first model is trained."""
    plan, parts = session.plan, session.dataset.parts.values()
    batch = max(settings.batch_size for _, settings in plan.by_stage)
    for number, label in enumerate(plan.data.classes):
        items = max(int((part.labels == number).sum()) for part in parts if part.labels is not None)
        if items < 2:
            raise UsageError(f"{plan.data.name} has {items} items with the label {label}; training needs two or more.")
        if items < batch:
            raise UsageError(
                f"{plan.data.name} has only {items} items with the label {label}; use --batch-size {items} or less."
            )


def steps_of_all(session: Session, labels: Sequence[str]) -> int:
    """Steps of a model for each label together, each with the items that have it."""
    return sum(steps_of(of_label(session, label)) for label in labels)


def of_label(session: Session, label: str) -> Session:
    """The session of one label's model, of data that is there already."""
    number = session.plan.data.classes.index(label)
    parts = {name: part.labelled(number) for name, part in session.dataset.parts.items()}
    return Session(dataclasses.replace(session.plan, label=label), dataclasses.replace(session.dataset, parts=parts))


def _train(whole: PerClass, plan: Plan, display: Display, deadline: float, force: bool = False) -> None:
    trained = False
    try:
        for number, label in enumerate(whole.labels, 1):
            run = whole.runs.get(label)
            if run is not None and run.status == "finished":
                continue
            display.say(f"Label {label}, {number} of {len(whole.labels)}.")
            if run is not None:
                resume(run, max_time=time_left(deadline), force=force, display=display, **_machine_of(whole))
            else:
                mine = dataclasses.replace(plan, label=label, notes=())
                start(mine, whole.folder(label), whole.header.init, display, deadline)
            draw_sheet(whole)
            trained = True
        if not trained:
            display.say(f"All models of {whole.path} are finished.")
            draw_sheet(whole)
    except Stopped as stopped:
        raise Stopped(whole, stopped.why) from None
    except KeyboardInterrupt:
        raise Stopped(whole) from None


def _machine_of(whole: PerClass) -> ResumeOptions:
    """How all of them are trained from now on."""
    settings = whole.header.settings
    machine = {name: getattr(settings, name) for name in ResumeOptions.__annotations__}
    return cast("ResumeOptions", {**machine, "log": settings.log or "none"})


def draw_sheet(whole: PerClass) -> None:
    """Draws anew the picture with a row of samples for each finished run."""
    device, seed = whole.header.settings.device, whole.header.seed
    done = [run for run in whole.runs.values() if run.status == "finished"]
    models = [load(run.path, device) for run in done]
    made = torch.cat([model.sample(COLUMNS, seed) for model in models])
    what = f"{whole.header.architecture} on {whole.header.data.name}, a model for each label · seed {seed}"
    names = [run.header.data.label or "" for run in done]
    with replaced(whole.sheet) as temporary:
        save_sheet(sheet(made, COLUMNS, caption=what, rows=names), temporary, {"seed": str(seed)})
