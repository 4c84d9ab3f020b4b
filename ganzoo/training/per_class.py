"""A model for each label of a data set: a folder of runs, trained one after the other, and a sheet with a row each."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.display import Display, Lines
from ganzoo.loop.session import Session
from ganzoo.model.model import load
from ganzoo.pictures.grid import sheet
from ganzoo.plan.plan import Plan, labels_of
from ganzoo.runs.run import CLASSES, FORMAT, Run, latest, new_folder, write_text
from ganzoo.training.train import (
    Stopped,
    change_machine,
    check_data,
    facts_of,
    plan_of,
    plan_run,
    prepare,
    resume,
    start,
)

COLUMNS = 10  # images of a label on the sheet


@dataclass
class PerClass:
    """Runs alike but for the label they are trained on.

    Attributes:
        path: the folder: classes.json, sheet.png, and the folder of each run, ``class-LABEL``.
        facts: what classes.json says: what a run.json would of all of them, and their `labels`.
    """

    path: Path
    facts: dict[str, Any] = field(repr=False)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> PerClass:
        """What a folder holds. Raises: UsageError when it is none such, GanzooError when classes.json is damaged."""
        file = Path(path) / CLASSES
        try:
            facts = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"{path} is not a folder of runs, one a label.") from error
        except ValueError as error:
            raise GanzooError(f"{file} is damaged ({error}); restore it to go on.") from error
        if not isinstance(facts, dict) or "labels" not in facts:
            raise GanzooError(f"{file} does not describe runs.")
        if facts.get("format", 0) > FORMAT:
            raise GanzooError(f"{path} was made by a newer ganzoo; upgrade this one to open it.")
        return cls(Path(path), facts)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.facts["labels"])

    @property
    def runs(self) -> dict[str, Run]:
        """The runs that have begun, by label."""
        folders = {label: self.folder(label) for label in self.labels}
        return {label: Run.open(folder) for label, folder in folders.items() if (folder / "run.json").exists()}

    @property
    def sheet(self) -> Path:
        """A picture with a row of samples for each finished run, in the order of the labels."""
        return self.path / "sheet.png"

    def folder(self, label: str) -> Path:
        """Where a label's run is: called so as far as a file can be, with its number where that is not clear."""
        names = [re.sub(r"[^\w.-]+", "-", each) for each in self.labels]
        number = self.labels.index(label)
        alike = sum(name.lower() == names[number].lower() for name in names)
        return self.path / f"class-{names[number]}{f'-{number}' if alike > 1 else ''}"

    def write(self) -> None:
        """Writes classes.json, atomically."""
        write_text(self.path / CLASSES, json.dumps(self.facts, indent=2, ensure_ascii=False) + "\n")

    def draw_sheet(self) -> None:
        """Draws the sheet anew."""
        device, seed = self.facts["settings"]["device"], self.facts["seed"]
        done = [run for run in self.runs.values() if run.status == "finished"]
        rows = [load(run.path, device).sample(COLUMNS, seed) for run in done]
        temporary = self.path / ".sheet.tmp.png"
        sheet(torch.cat(rows), COLUMNS).save(temporary)
        temporary.replace(self.sheet)


def train_per_class(
    architecture: str | None = None,
    dataset: str | None = None,
    *,
    preset: str | None = None,
    recipe: str | None = None,
    out: str | os.PathLike[str] | None = None,
    init: str | os.PathLike[str] | None = None,
    go_on: bool = False,
    display: Display | None = None,
    **options: Any,
) -> PerClass:
    """Trains a model for each label of a data set, one after the other, each in a run folder within a new folder.

    Args: as `ganzoo.train`; the length (`epochs`, `images` or `steps`) is each model's.
    Raises: as `ganzoo.train`; UsageError when the data has no labels, or too few items of one. `Stopped` names the
    whole folder, and `resume_per_class` goes on at the label where it stopped.
    """
    display = display or Lines()
    plan = plan_run(architecture, dataset, preset=preset, recipe=recipe, **options)
    labels = labels_of(plan.data, plan.model, plan.entry.name)
    folder = Path(out) if out is not None else None
    if go_on:
        there = (
            folder if folder is not None else latest(plan.entry.name, plan.data.name, recipe=plan.recipe, file=CLASSES)
        )
        if there is not None and (there / CLASSES).exists():
            return resume_per_class(there, device=options.get("device"), log=options.get("log"), display=display)
    folder = folder or new_folder(plan.entry.name, plan.data.name)
    Run.check_free(folder)
    session = prepare(plan, display)
    check_labels(session)
    whole = PerClass(folder, {"format": FORMAT, **facts_of(session, init), "labels": list(labels)})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole.write()
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}); choose another --out.") from error
    display.say(f"{len(labels)} models, one for each label, into {folder}.")
    _train(whole, plan, display)
    return whole


def resume_per_class(
    path: str | os.PathLike[str] | PerClass,
    *,
    device: str | None = None,
    log: str | None = None,
    display: Display | None = None,
) -> PerClass:
    """Goes on with a folder of runs at the label, and the step, where it stopped.

    Args and Raises: as `ganzoo.resume`.
    """
    display = display or Lines()
    whole = path if isinstance(path, PerClass) else PerClass.open(path)
    parent = Run(whole.path, whole.facts)
    change_machine(parent, device, log)
    plan = plan_of(parent)
    check_data(parent, plan.data.fingerprint)
    whole.write()
    _train(whole, plan, display)
    return whole


def check_labels(session: Session) -> None:
    """Raises: UsageError when a label has fewer items than a batch, before the first model is trained."""
    plan, parts = session.plan, session.dataset.parts.values()
    batch = max(plan.at_stage(index)[1].batch_size for index in range(len(plan.stages)))
    for number, label in enumerate(plan.data.classes):
        items = max(int((part.labels == number).sum()) for part in parts if part.labels is not None)
        if items < 2:
            raise UsageError(f"{plan.data.name} has {items} items with the label {label}; training needs two or more.")
        if items < batch:
            raise UsageError(
                f"{plan.data.name} has only {items} items with the label {label}; use --batch-size {items} or less."
            )


def _train(whole: PerClass, plan: Plan, display: Display) -> None:
    trained = False
    try:
        for number, label in enumerate(whole.labels, 1):
            run = whole.runs.get(label)
            if run is not None and run.status == "finished":
                continue
            display.say(f"Label {label}, {number} of {len(whole.labels)}.")
            if run is not None:
                settings = whole.facts["settings"]
                resume(run, device=settings["device"], log=settings.get("log") or "none", display=display)
            else:
                start(
                    dataclasses.replace(plan, label=label, notes=()), whole.folder(label), whole.facts["init"], display
                )
            whole.draw_sheet()
            trained = True
        if not trained:
            display.say(f"All models of {whole.path} are finished.")
            whole.draw_sheet()
    except KeyboardInterrupt:
        raise Stopped(whole) from None
