"""What a run's D thinks of real and of generated items: whether it has learned the data, or overfits."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo.api import (
    Architecture,
    Run,
    UsageError,
    check_judges,
    judged_data,
    load_model,
    other_data,
    stream,
    trained,
)


def verdicts(
    run: str | os.PathLike[str] | Run,
    on: str | None = None,
    *,
    samples: int = 1000,
    seed: int = 0,
    device: str = "auto",
) -> dict[str, float]:
    """The mean of D(x) for the newest checkpoint of a run.

    D sees batches of one kind as large as each part of the training's, and batch norm goes by each of them, as in
    training: its running statistics, of real and generated batches in turn, fit neither. All else is as in evaluation.

    Args:
        on: another data set of the same kind, such as ``"digits:seed=1"``. A D that thinks less of it than of the
            training data has memorised them: it overfits.
        samples: items of each kind, fewer where there are fewer.
    Returns: the mean verdict on ``"training"`` items, on ``"samples"`` of the averaged generator, and on those of `on`
        by its name: what the log shows as D(x), a probability where the loss has one.
    Raises: UsageError when the run's architecture gives no verdict on single items; GanzooError when the run has no
        checkpoint, or its data has changed.
    """
    if samples < 1:
        raise UsageError(f"At least one item is needed to judge, not {samples}.")
    run = run if isinstance(run, Run) else Run.open(run)
    model, settings = load_model(run.path, device), run.header.settings
    check_judges(model.architecture, run.header.architecture, model.architecture.conditional)
    discriminator = _by_the_batch(trained(run).to(model.architecture.device))
    batch = max(1, settings.batch_size // (settings.processes * settings.accumulate))
    judged = {"training": judged_data(run.header.data, str(run.path))}
    judged |= {} if on is None else {on: other_data(run.header.data, on)}
    means = {name: _mean(discriminator, _some(run, dataset, samples, seed), batch) for name, dataset in judged.items()}
    means["samples"] = _mean(discriminator, model.sample(samples, seed), batch)
    return {name: means[name] for name in ("training", "samples", *judged)}


def _by_the_batch(model: Architecture) -> Architecture:
    """Has batch norm go by each batch, and leaves its statistics alone."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.train()
            module.momentum = 0.0
    return model


def _some(run: Run, dataset: Any, count: int, seed: int) -> Tensor:
    """Items of a data set's first part, of the only label that the run was trained on where there is one."""
    part, label = next(iter(dataset.parts.values())), run.header.data.label
    part = part if label is None else part.labelled(dataset.classes.index(label))
    items: Tensor = part.gather(torch.randperm(len(part), generator=stream(seed, "evaluate"))[:count])
    return items


@torch.no_grad()
def _mean(model: Architecture, items: Tensor, batch: int) -> float:
    batches = items.tensor_split(-(-len(items) // batch))
    return float(torch.cat([model.realness(some.to(model.device)).double().cpu() for some in batches]).mean())
