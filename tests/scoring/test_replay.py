"""A model that hands out the data scores as the data, in every metric of the catalogue, however uneven its classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganzoo import data
from ganzoo.catalogue.catalogue import entries
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.labels import labels_for
from ganzoo.contract.metric import Evidence, Scores
from ganzoo.contract.randomness import stream
from ganzoo.data.dataset import Dataset
from ganzoo.errors import MissingPackage, UsageError
from ganzoo.plan.plan import data_spec
from ganzoo.scoring.evaluator import classify
from ganzoo.testing.check import NotChecked
from ganzoo.testing.probes.offline import offline

RARE, ITEMS = 0.05, 600  # share of the second class


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """Dark discs of many sizes, and bright frames, 95 to 5, 16×16."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("uneven")
    labels = (np.arange(ITEMS) % 20 == 0).astype(int)
    y, x = np.abs(np.mgrid[:16, :16] - 7.5)
    images = []
    for label in labels:
        shape = (np.maximum(x, y) if label else np.hypot(x, y)) < random.uniform(2, 7)
        images.append((random.uniform(0, 60, (16, 16)) + (180 if label else 90) * shape).astype(np.uint8))
    np.savez(folder / "uneven.npz", images=np.stack(images), labels=labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_HOME", str(folder / "home"))
        data.add("uneven", folder / "uneven.npz")
        yield data.prepare("uneven")


def replayed(dataset: Dataset, asked: Tensor, seed: int) -> Tensor:
    """Items of the data that have the labels asked for, [N, C, H, W]."""
    part, random = dataset.parts["train"], stream(seed, "replay")
    places = [(part.labels == label).nonzero().flatten() for label in (0, 1)]
    chosen = [places[label][torch.randint(len(places[label]), (), generator=random)] for label in asked.tolist()]
    return part.gather(torch.stack(chosen))


def test_labels_are_asked_as_often_as_in_the_data(uneven: Dataset) -> None:
    spec = data_spec(uneven, (16, 16))
    assert spec.class_shares == pytest.approx((0.95, 0.05))
    asked = labels_for(spec, 4000, None, stream(0, "labels"))
    assert 0.03 < asked.float().mean() < 0.07
    even = labels_for(DataSpec((1, 16, 16), ("disc", "frame")), 4000, None, stream(0, "labels"))
    assert 0.45 < even.float().mean() < 0.55


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry.name) for entry in entries("metric")])
def test_a_replay_of_the_data_scores_as_the_data(entry: Any, uneven: Dataset) -> None:
    metric, spec, count = entry.load()(), data_spec(uneven, (16, 16)), 300
    part = uneven.parts["train"]

    def scores(fake: Tensor, asked: Tensor) -> Scores:
        real = part.gather(torch.randperm(ITEMS, generator=stream(0, "real"))[:count])
        return metric(Evidence(real, fake, 0, asked=asked, dataset=uneven, classify=classify))

    own = torch.randperm(ITEMS, generator=stream(1, "own"))[:count]
    asked = labels_for(spec, count, None, stream(0, "labels"))
    wrong = labels_for(DataSpec(spec.shape, spec.classes), count, None, stream(0, "labels"))
    try:
        with offline("its weights are not here"):
            data_itself = scores(part.gather(own), part.labels[own])
            replay, even = scores(replayed(uneven, asked, 0), asked), scores(replayed(uneven, wrong, 0), wrong)
    except (MissingPackage, UsageError, NotChecked) as refused:
        pytest.skip(str(refused))
    assert replay == pytest.approx(data_itself, rel=0.4, abs=0.15)
    if entry.name in ("swd", "classifier"):  # with as many of each class, a perfect model would be far off
        assert even != pytest.approx(data_itself, rel=0.4, abs=0.15)


def test_training_draws_labels_as_often_as_the_data_has_them() -> None:
    class Labelled(Architecture):
        Config = type("Config", (), {})

        def __init__(self, shares: tuple[float, ...]) -> None:
            super().__init__(None, DataSpec((1, 16, 16), ("a", "b", "c"), class_shares=shares))
            self.G = torch.nn.Linear(1, 1)

    torch.manual_seed(0)
    drawn = torch.bincount(Labelled((0.7, 0.1, 0.2)).random_labels(4000), minlength=3) / 4000
    assert drawn.tolist() == pytest.approx([0.7, 0.1, 0.2], abs=0.03)
    even = torch.bincount(Labelled(()).random_labels(3000), minlength=3) / 3000
    assert even.tolist() == pytest.approx([1 / 3] * 3, abs=0.04)
