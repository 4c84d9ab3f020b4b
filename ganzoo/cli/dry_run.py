"""`ganzoo train --dry-run`: says what would be trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ganzoo.cli.output import echo
from ganzoo.cli.progress import choose_display
from ganzoo.contract.networks import parameter_counts
from ganzoo.data import store
from ganzoo.data.dataset import Dataset, Decoded
from ganzoo.files import megabytes
from ganzoo.plan.plan import labels_of, plan_run
from ganzoo.runs.run import new_folder
from ganzoo.training.estimate import memory_needed, steps_left
from ganzoo.training.per_class import check_labels
from ganzoo.training.prepare import prepare

NAMED = 20  # classes that are listed


def _contents(dataset: Dataset) -> list[tuple[str, str]]:
    """Its classes, domains and parts, with counts, and how many items are left out."""
    rows = []
    for word, parts in (("", dataset.parts), ("held out", dataset.held_out)):
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
    return [(word, text) for word, text in rows if text.strip("0")]


def dry_run(
    architecture: str | None,
    dataset: str | None,
    out: str | None,
    label: str | None,
    per_class: bool,
    what: Mapping[str, Any],
) -> None:
    """Checks a training as far as it can be checked without a step, and prints it. No run is made.

    Args:
        what: the preset, the recipe and the options.
    """
    plan = plan_run(architecture, dataset, label=label, **what)
    labels = labels_of(plan.data, plan.model, plan.config, plan.entry.name) if per_class else ()
    display = choose_display()
    try:
        session = prepare(plan, display, pack=False)
        if per_class:
            check_labels(session)
    finally:
        display.close()
    trainer = session.build(0)
    counts = parameter_counts(trainer.model)
    memory = memory_needed(plan, trainer.model.data)
    job = cast(Decoded, session.dataset.rows).job
    shape = "×".join(map(str, trainer.model.data.shape))
    rows = [
        ("architecture", f"{plan.entry.card.title} ({plan.entry.distribution} {plan.entry.version})"),
        ("data", f"{plan.data.name}, {session.dataset.items:,} of {shape}, {session.dataset.origin}"),
        *_contents(session.dataset),
        *([("label", str(plan.label))] if label is not None else []),
        *([("models", f"{len(labels)}, one for each label; what follows is of each")] if per_class else []),
        ("parameters", " + ".join(f"{name} {count:,}" for name, count in counts.items())),
        *((f"stage {number}", str(stage)) for number, stage in enumerate(plan.stages, 1)),
        ("batch", f"{trainer.current_batch_size} images"),
        ("steps", f"{steps_left(session):,}"),
        ("device", f"{session.device.type}, {session.precision}"),
        ("memory", "cannot be said beforehand" if memory is None else f"about {memory / 2**30:.2f} GB"),
        ("disk", f"{megabytes(job.bytes)} of pixels in {job.folder.parent}{', there already' if job.made else ''}"),
        ("folder", out or str(new_folder(plan.entry.name, plan.data.name))),
    ]
    for label, text in rows:
        echo(f"{label:<13} {text}")
    echo("Nothing was trained; leave out --dry-run to do it.")
