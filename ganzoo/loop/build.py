"""The trainer of a plan's stage: its model, its batches, and where it ends."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules import batchnorm

from ganzoo.contract.networks import freeze, weightless
from ganzoo.contract.randomness import seed_everything
from ganzoo.contract.settings import Stage
from ganzoo.data.dataset import Dataset
from ganzoo.data.loader import Loader
from ganzoo.errors import UsageError
from ganzoo.loop.trainer import Trainer
from ganzoo.plan.plan import Plan
from ganzoo.plan.spec import data_spec
from ganzoo.runs.header import Extent
from ganzoo.runs.weights import load_frozen


def build(
    plan: Plan, dataset: Dataset, device: torch.device, precision: str, stage: int = 0, weights: bool = True
) -> Trainer:
    """A trainer at step 0 with the options of a stage; the seed decides the first weights.

    Args:
        weights: False for a trainer without memory (torch's meta device), which counts and takes no step.
    """
    # The model, with first weights by the seed.
    config, settings = plan.at_stage(stage)
    spec = data_spec(dataset, plan.size)
    seed_everything(settings.seed, "weights")
    model = plan.model(config, spec).to(device) if weights else weightless(plan.model, config, spec)
    freeze(model, settings.freeze)
    if weights:
        load_frozen(model)
    if settings.sync_batchnorm:
        synchronized(model)
    if spec.modality == "image":
        model = model.to(memory_format=torch.channels_last)

    # Batches, in an order by the seed, flipped and cropped as asked.
    flip = settings.flip and "flip" in dataset.modality.transforms
    crop = plan.size if settings.load_size else None
    loader = Loader(dataset, settings.seed, crop, flip, paired=model.abilities.pairs and spec.paired)

    # The trainer, and where its stage ends.
    trainer = Trainer(
        model, loader, settings.seed, settings.batch_size, precision, settings.ema, settings.accumulate,
        settings.gradients, plan.rate_at(stage), settings.recompute,
    )  # fmt: skip
    trainer.extent = stage_extent(plan.stages[stage], trainer)
    return trainer


def stage_extent(stage: Stage, trainer: Trainer) -> Extent:
    """Where a stage that begins now will end. Epochs are whole ones, whatever the last step overshot."""
    items, images, count = len(trainer.loader), trainer.images, stage.count
    if stage.unit == "steps":
        return Extent(images, images + count * trainer.current_batch_size, trainer.step_count + count)
    return Extent(images, (images // items + count) * items if stage.unit == "epochs" else images + count)


def synchronized(model: nn.Module) -> None:
    """Gives a model batch norm over all processes, in place. Raises: UsageError when it has one of its own."""
    for layer in model.modules():
        if isinstance(layer, batchnorm._BatchNorm) and type(layer).__module__ != batchnorm.__name__:
            raise UsageError("This architecture has a batch norm of its own; leave out --sync-batchnorm.")
    nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
