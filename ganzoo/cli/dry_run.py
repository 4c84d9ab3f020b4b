"""`ganzoo plan`, which is `ganzoo train --dry-run`: says what would be trained, and what it would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ganzoo.cli.output import echo, fact, print_json, speed_text
from ganzoo.cli.progress import choose_display
from ganzoo.contract.networks import parameter_counts
from ganzoo.contract.settings import parse_time
from ganzoo.data import store
from ganzoo.data.dataset import Dataset, Decoded
from ganzoo.data.pack import Job
from ganzoo.errors import UsageError
from ganzoo.files import megabytes
from ganzoo.loop.display import Display
from ganzoo.loop.session import Session
from ganzoo.loop.trainer import Trainer
from ganzoo.plan.memory import TooLarge, largest_batch
from ganzoo.plan.plan import labels_of, plan_run
from ganzoo.runs.run import new_folder
from ganzoo.training import fit
from ganzoo.training.estimate import Forecast, forecast, memory_needed
from ganzoo.training.facts import facts_of
from ganzoo.training.per_class import check_labels, of_label, steps_of_all
from ganzoo.training.prepare import prepare

NAMED = 20  # classes that are listed


def _contents(dataset: Dataset) -> list[tuple[str, str]]:
    """Its classes, domains and parts, with counts, and how many items are left out."""
    rows = []
    kept = {name: part for name, part in dataset.held_out.items() if len(part)}
    for word, parts in (("", dataset.parts), *((("held out", kept),) if kept else ())):
        if dataset.domains:
            rows.append((word or "domains", ", ".join(f"{name} {len(part):,}" for name, part in parts.items())))
        elif dataset.classes:
            counts = [sum(int((part.labels == at).sum()) for part in parts.values() if part.labels is not None)
                      for at in range(len(dataset.classes))]  # fmt: skip
            listed = [f"{name} {count:,}" for name, count in zip(dataset.classes, counts, strict=True)][:NAMED]
            more = len(counts) - len(listed)
            rows.append((word or "classes", ", ".join(listed) + (f" and {more:,} more" if more else "")))
        elif word:
            rows.append((word, f"{sum(map(len, parts.values())):,}"))
    left_out = dataset.skipped + store.info(dataset.name).skipped
    rows.append(("left out", f"{left_out:,}; `ganzoo data show {dataset.name}` names them" if left_out else ""))
    return [(word, text) for word, text in rows if text]


def dry_run(
    architecture: str | None,
    dataset: str | None,
    what: Mapping[str, Any],
    *,
    label: str | None = None,
    per_class: bool = False,
    seeds: Sequence[int] = (),
    init: str | None = None,
    out: str | None = None,
    max_time: str | None = None,
    as_json: bool = False,
) -> None:
    """Checks a training as far as it can be checked, times a few steps on weights that are thrown away, and prints it.
    No run is made and no data is packed.

    Args:
        what: the preset, the recipe and the options.
    """
    stop = None if max_time is None else parse_time(max_time)
    display = Display() if as_json else choose_display()
    options = {name: value for name, value in what.items() if name not in ("preset", "recipe")}
    preset = what.get("preset")
    if not per_class:  # which takes no preset that suits one run
        preset = fit.chosen(architecture, dataset, label=label, max_time=max_time, display=display, **what)
    plan = plan_run(architecture, dataset, label=label, per_class=per_class, **{**what, "preset": preset})
    labels = labels_of(plan.data, plan.model, plan.config, plan.entry.name) if per_class else ()
    smaller = ""
    try:
        session = prepare(plan, display, pack=False)
        if per_class:
            check_labels(session)
        header = facts_of(session, init)
        made = forecast(of_label(session, labels[0]) if labels else session, header, say=display.say)
        if plan.recipe is None and (made.seconds or 0) > fit.LONG:
            smaller = fit.advice(plan.entry.full_name, plan.data.name, label, display, **options)
    except TooLarge as error:
        said = "" if plan.recipe else fit.advice(plan.entry.full_name, plan.data.name, label, display, **options)
        raise UsageError(f"{error} {said}".rstrip()) from error
    finally:
        display.close()
    if labels:
        made = made.of(len(labels), steps_of_all(session, labels))
    if seeds:
        made = made.of(len(seeds), made.steps * len(seeds))
    facts = _facts(session, made)
    facts |= {"advice": smaller, "folder": out or str(new_folder(plan.entry.name, plan.data.name))}
    if as_json:
        print_json(facts)
        return
    for word, text in _rows(session, made, facts, "label" if labels else "seed", stop):
        if text is not None:
            fact(word, text, 13)
    if smaller:
        echo(smaller)
    echo("Nothing was trained; `ganzoo train` does it.")


def _facts(session: Session, made: Forecast) -> dict[str, Any]:
    """What a training is and takes, as --json prints it."""
    plan, trainer = session.plan, session.build(weights=False)
    spec = trainer.model.data
    return {
        "architecture": plan.entry.full_name,
        "data": plan.data.name,
        "preset": plan.preset,
        "items": session.dataset.items,
        "shape": list(spec.shape),
        "parameters": parameter_counts(trainer.model),
        "stages": [str(stage) for stage in plan.stages],
        "batch_size": trainer.current_batch_size,
        "largest_batch": largest_batch(trainer.model, plan.settings, session.device),
        "device": session.device.type,
        "precision": session.precision,
        "memory": made.memory or memory_needed(plan, spec),
        "memory_is": "measured" if made.memory else "counted",
        "models": made.models,
        "steps": made.steps,
        "images": made.images,
        "images_per_second": made.images_per_second,
        "seconds": {"training": made.training, "scores": made.scores, "files": made.files, "packing": made.packing,
                    "whole": made.seconds},
        "disk": {"pack": sum(job.bytes for job in _jobs(session) if not job.made),
                 "run": _state_bytes(trainer, plan.settings.checkpoints) * made.models},
    }  # fmt: skip


def _rows(
    session: Session, made: Forecast, facts: Mapping[str, Any], one_for_each: str, stop: float | None
) -> list[tuple[str, str | None]]:
    """The same in words, with what goes without saying left out.

    Args:
        one_for_each: what each of several models is for, a label or a seed.
        stop: seconds after which --max-time stops it.
    """
    plan, memory, jobs = session.plan, facts["memory"], _jobs(session)
    several = f"{made.models}, one for each {one_for_each}; steps and time are of all"
    return [
        ("architecture", f"{plan.entry.card.title} ({plan.entry.distribution} {plan.entry.version})"),
        ("preset", plan.preset),
        ("data", f"{plan.data.name}, {session.dataset.items:,} of {'×'.join(map(str, facts['shape']))}, "
                 f"{session.dataset.origin}"),
        *_contents(session.dataset),
        ("label", plan.label),
        ("models", several if made.models > 1 else None),
        ("parameters", " + ".join(f"{name} {count:,}" for name, count in facts["parameters"].items())),
        *((f"stage {number}", stage) for number, stage in enumerate(facts["stages"], 1)),
        ("batch", f"{facts['batch_size']} images" + _most(facts["largest_batch"])),
        ("steps", f"{made.steps:,}"),
        ("device", f"{session.device.type}, {session.precision}"),
        ("memory", f"about {memory / 2**30:.2f} GB, {facts['memory_is']}" if memory else "cannot be said beforehand"),
        ("disk", f"{megabytes(sum(job.bytes for job in jobs))} of pixels in {jobs[0].folder.parent}"
                 f"{'' if facts['disk']['pack'] else ', there already'}"),
        ("run's disk", f"about {megabytes(facts['disk']['run'])}"),
        ("speed", speed_text(made.images_per_second) if made.images_per_second else None),
        ("time", _time(made, stop)),
        ("folder", facts["folder"]),
    ]  # fmt: skip


def _jobs(session: Session) -> list[Job]:
    """What packing will do, or has done."""
    return [cast(Decoded, rows).job for rows in session.dataset.packs]


def _most(largest: int | None) -> str:
    return "" if largest is None else f"; the largest that fits into memory is about {largest:,}"


def _time(made: Forecast, stop: float | None) -> str | None:
    return None if made.seconds is None else str(made).partition(": ")[2] + made.remarks(stop)


def _state_bytes(trainer: Trainer, checkpoints: int) -> int:
    """Bytes of a run's checkpoints and model, about: weights, Adam's two moments, the average."""
    sizes = {name: tensor.nbytes for name, tensor in trainer.model.state_dict().items()}
    moments = 2 * sum(p.nbytes for p in trainer.model.parameters() if p.requires_grad)
    averaged = sum(tensor.nbytes for tensor in trainer.ema.tensors.values())
    return int(checkpoints * (sum(sizes.values()) + moments + averaged) + averaged)
