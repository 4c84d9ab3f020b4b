"""What a run's D thinks of real and of generated items: whether it has learned the data, or overfits."""

from __future__ import annotations

import os

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo.contract.architecture import Architecture
from ganzoo.contract.randomness import stream
from ganzoo.data.dataset import Part, labelled
from ganzoo.devices import pick_device
from ganzoo.errors import UsageError
from ganzoo.model.model import load
from ganzoo.plan.plan import takes_labels
from ganzoo.runs.run import Run
from ganzoo.scoring.evaluator import dataset_label, judged_data, other_data
from ganzoo.training.facts import plan_of
from ganzoo.training.train import trained


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
    plan, header = plan_of(run), run.header.data
    check_judges(plan.model, plan.entry.name, takes_labels(plan.model, plan.config))
    discriminator = _by_the_batch(trained(run).to(pick_device(device)))
    check_judges(discriminator, plan.entry.name)
    settings = plan.settings
    batch = max(1, settings.batch_size // (settings.processes * settings.accumulate))
    model, dataset = load(run.path, device), judged_data(header, str(run.path))
    label = dataset_label(model, dataset)
    part = next(iter(dataset.parts.values()))
    means = {
        "training": _mean(discriminator, _some(part if label is None else labelled(part, label), samples, seed), batch),
        "samples": _mean(discriminator, model.sample(samples, seed), batch),
    }
    if on is not None:
        part = next(iter(other_data(header, on).parts.values()))
        means[on] = _mean(discriminator, _some(part if label is None else labelled(part, label), samples, seed), batch)
    return means


def check_judges(model: Architecture | type[Architecture], name: str, labelled: bool = False) -> None:
    """Raises: UsageError when an architecture says nothing of items alone; an instance may say so of itself."""
    if not model.abilities.realness or model.abilities.labels or labelled:
        raise UsageError(f"The D of {name} judges no items by themselves, without a label.")


def _by_the_batch(model: Architecture) -> Architecture:
    """Has batch norm go by each batch, and leaves its statistics alone."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.train()
            module.momentum = 0.0
    return model


def _some(part: Part, count: int, seed: int) -> Tensor:
    return part.gather(torch.randperm(len(part), generator=stream(seed, "evaluate"))[:count])


@torch.no_grad()
def _mean(model: Architecture, items: Tensor, batch: int) -> float:
    batches = items.tensor_split(-(-len(items) // batch))
    return float(torch.cat([model.realness(some.to(model.device)).double().cpu() for some in batches]).mean())
