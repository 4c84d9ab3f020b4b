"""Every two-player architecture, and every pair of them, takes any loss, augmentation, and rates of its own for D."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
import torch

from ganzoo.api import DiffAugment
from ganzoo.catalogue.catalogue import entries
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import is_generator
from ganzoo.errors import GanzooError
from ganzoo.gan.two_player import Adversarial
from ganzoo.loop.trainer import Trainer
from ganzoo.testing.architecture.cases import cases

TURNS = 3  # steps, so that players who do not move in every one have moved


def every_case():
    for entry in entries("architecture"):
        with contextlib.suppress(GanzooError):  # one that cannot be loaded fails in test_catalogue.py
            model = load_architecture(entry)
            if issubclass(model, Adversarial):
                case = next(iter(cases(entry, model)))
                yield pytest.param(case, id=entry.full_name)


def _moved(values):
    """The networks that had a turn; "loss/G+F" is of two."""
    turns = [name.split("/")[1] for name in values if name.startswith("loss/")]
    return {network.split(".")[0] for turn in turns for network in turn.split("+")}


@pytest.mark.parametrize("loss", [entry.name for entry in entries("loss")])
@pytest.mark.parametrize("case", list(every_case()))
def test_any_loss(case, loss):
    """Augmented, with D's rate at 0: every turn's loss is finite, G moves and D stays where it is."""
    images = case.data.modality == "image"
    config = dataclasses.replace(case.config, loss=loss, augment="diffaug" if images else "none", lr_d=0.0)
    if getattr(config, "san", False):  # which gives D's last layer its length after each turn, whatever the rate
        config = dataclasses.replace(config, san=False)
    trainer = dataclasses.replace(case, config=config).trainer(Trainer)
    assert not images or isinstance(trainer.model.augment.changes["diffaug"], DiffAugment)
    before = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
    seen = {}
    for _ in range(TURNS):
        seen |= trainer.step()
        if {"G", "D"} <= _moved(seen):
            break
    assert {"G", "D"} <= _moved(seen) or {"G", "C"} <= _moved(seen)
    assert all(value.isfinite() for value in seen.values())
    moved = {name for name, value in trainer.model.named_parameters() if not torch.equal(value, before[name])}
    assert moved
    assert all(is_generator(trainer.model, name) or name.startswith("F.") for name in moved)  # F learns with G
