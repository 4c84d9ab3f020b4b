"""`ganzoo train --dry-run`: says what would be trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ganzoo.architecture import parameter_counts
from ganzoo.cli.progress import choose_display
from ganzoo.forecast import memory_needed, steps_left
from ganzoo.runs import new_folder
from ganzoo.training import plan_run, prepare


def dry_run(
    architecture: str | None,
    dataset: str | None,
    preset: str | None,
    recipe: str | None,
    out: str | None,
    options: Mapping[str, Any],
) -> None:
    """Checks a training as far as it can be checked without a step, and prints it. No run is made."""
    plan = plan_run(architecture, dataset, preset=preset, recipe=recipe, **options)
    display = choose_display()
    try:
        session = prepare(plan, display)
    finally:
        display.close()
    trainer = session.build(0)
    counts = parameter_counts(trainer.model)
    memory = memory_needed(session)
    shape = "×".join(map(str, trainer.model.data.shape))
    rows = [
        ("architecture", f"{plan.entry.card.title} ({plan.entry.distribution} {plan.entry.version})"),
        ("data", f"{plan.data.name}, {plan.data.images:,} of {shape}, {session.dataset.origin}"),
        ("parameters", " + ".join(f"{name} {count:,}" for name, count in counts.items())),
        *((f"stage {number}", str(stage)) for number, stage in enumerate(plan.stages, 1)),
        ("batch", f"{trainer.current_batch_size} images"),
        ("steps", f"{steps_left(session):,}"),
        ("device", f"{session.device.type}, {session.precision}"),
        ("memory", "cannot be said beforehand" if memory is None else f"about {memory / 2**30:.2f} GB"),
        ("folder", out or str(new_folder(plan.entry.name, plan.data.name))),
    ]
    for label, text in rows:
        click.echo(f"{label:<13} {text}")
    click.echo("Nothing was trained; leave out --dry-run to do it.")
