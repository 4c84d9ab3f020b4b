"""A model that hands out the data itself scores as the data, in every metric of the catalogue, however uneven its classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo import data
from ganzoo.catalogue.catalogue import entries
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.labels import labels_for
from ganzoo.contract.metric import Evidence, Scores
from ganzoo.contract.randomness import stream
from ganzoo.data.dataset import Dataset, Packed, Part
from ganzoo.errors import UsageError
from ganzoo.plan.plan import data_spec
from ganzoo.scoring.evaluator import classify

RARE, ITEMS = 0.05, 600  # share of the second class


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Dark discs of many sizes, and bright frames, 95 to 5, 16×16."""
    random = stream(0, "uneven")
    y, x = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    pixels, labels = [], (torch.arange(ITEMS) % 20 == 0).long()
    for label in labels.tolist():
        side, ground = 2 + 5 * torch.rand(1, generator=random), 60 * torch.rand(16, 16, generator=random)
        away = torch.stack([(y - 7.5).abs(), (x - 7.5).abs()]).amax(0) if label else ((y - 7.5) ** 2 + (x - 7.5) ** 2).sqrt()
        pixels.append((ground + (180 if label else 90) * (away < side)).clamp(0, 255).to(torch.uint8)[..., None])
    rows = Packed(torch.stack(pixels), torch.device("cpu"))
    from ganzoo.catalogue.modalities import make_modality

    parts = {"train": Part(rows, torch.arange(ITEMS), labels)}
    return Dataset(
        "uneven", "drawn in a test", "uneven-1", (1, 16, 16), ("disc", "frame"), parts, {}, rows, make_modality("image", None)
    )


def replayed(dataset: Dataset, asked: Tensor, seed: int) -> Tensor:
    """Items of the data that have the labels asked for, [N, C, H, W]."""
    part, random = dataset.parts["train"], stream(seed, "replay")
    places = [(part.labels == label).nonzero().flatten() for label in (0, 1)]
    chosen = [places[label][torch.randint(len(places[label]), (), generator=random)] for label in asked.tolist()]
    return part.gather(torch.stack(chosen))


def test_labels_are_asked_as_often_as_in_the_data(uneven: Dataset) -> None:
    spec = data_spec(uneven, None)
    assert spec.class_shares == pytest.approx((0.95, 0.05))
    asked = labels_for(spec, 4000, None, stream(0, "labels"))
    assert 0.03 < asked.float().mean() < 0.07
    even = labels_for(DataSpec((1, 16, 16), ("disc", "frame")), 4000, None, stream(0, "labels"))
    assert 0.45 < even.float().mean() < 0.55


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry.name) for entry in entries("metric")])
def test_a_replay_of_the_data_scores_as_the_data(
    entry: Any, uneven: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    metric, spec, count = entry.load()(), data_spec(uneven, None), 300
    part = uneven.parts["train"]

    def scores(fake: Tensor, asked: Tensor) -> Scores:
        real = part.gather(torch.randperm(ITEMS, generator=stream(0, "real"))[:count])
        return metric(Evidence(real, fake, 0, asked=asked, dataset=uneven, classify=classify))

    own = torch.randperm(ITEMS, generator=stream(1, "own"))[:count]
    asked = labels_for(spec, count, None, stream(0, "labels"))
    wrong = labels_for(DataSpec(spec.shape, spec.classes), count, None, stream(0, "labels"))
    try:
        data_itself = scores(part.gather(own), part.labels[own])
        replay, even = scores(replayed(uneven, asked, 0), asked), scores(replayed(uneven, wrong, 0), wrong)
    except UsageError as refused:
        pytest.skip(str(refused))
    for name, value in data_itself.items():
        print(entry.name, name, value, replay[name], even[name])
