"""A model that hands out the data scores as the data, in every metric of the catalogue, however uneven its classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from ganzoo_scores import classifier
from ganzoo_signal import wav
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
from ganzoo.plan.spec import data_spec
from ganzoo.scoring.evaluator import Evaluator, classify
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


class Replay:
    """As much of a `Model` as scores use: for labels it is asked for, an item of the data that has them, or nearly."""

    domains: tuple[str, ...] = ()

    def __init__(self, dataset: Dataset, size: tuple[int, int] | None = (16, 16)) -> None:
        self.part, self.spec, self.modality = dataset.parts["train"], data_spec(dataset, size), dataset.modality
        self.header = SimpleNamespace(data=SimpleNamespace(label=None))

    def noise(self, count: int, seed: int) -> Tensor:
        return torch.rand(count, generator=stream(seed, "noise"))

    def labels(self, count: int, seed: int) -> Tensor | None:
        if self.modality.choices:
            return self.modality.condition(count, None, stream(seed, "labels"))
        return None if self.spec.label == "none" else labels_for(self.spec, count, None, stream(seed, "labels"))

    def generate(self, z: Tensor, asked: Tensor | None) -> Tensor:
        if asked is None:
            return self.part.gather((z * len(self.part)).long())
        if self.spec.choices:  # a table's row that has the category asked for
            having = (asked @ self.part.gather(torch.arange(len(self.part))).T > 0.5).float()
            return self.part.gather(torch.multinomial(having, 1, generator=stream(0, "replay")).flatten())
        assert self.part.labels is not None
        have, asked = (each.float().reshape(len(each), -1) for each in (self.part.labels, asked))
        far = torch.cdist(asked, have)
        nearest = (far <= far.min(1, keepdim=True).values + 1e-4).float()
        return self.part.gather(torch.multinomial(nearest, 1, generator=stream(0, "replay")).flatten())


def discs(bright: np.ndarray, colour: bool = False) -> np.ndarray:
    """A disc for each brightness, of 0 to 1, uint8 [N, 16, 16] or [N, 16, 16, 3]."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[:16, :16] - 7.5
    images = np.stack([(np.hypot(x, y) < random.uniform(2, 7)) * each for each in bright])
    images = random.uniform(0, 30, images.shape) + 220 * images
    return np.stack([images, images[:, ::-1], images], -1).astype(np.uint8) if colour else images.astype(np.uint8)


def drawn_set(kind: str) -> dict[str, np.ndarray]:
    """The arrays of a labelled set whose look depends on the labels."""
    random, count = np.random.default_rng(0), 400
    if kind == "attributes":  # that go together, so that most combinations are in no picture
        rows = np.array([(1, 0, 0), (0, 1, 0), (0, 1, 1)])[random.choice(3, count, p=(0.8, 0.1, 0.1))]
        return {"images": discs(rows @ (0.2, 0.9, 0.1)), "labels": rows}
    if kind == "numbers":  # most are small
        values = random.exponential(1, count)
        return {"images": discs(np.minimum(values / 3, 1), colour=True), "labels": values}
    if kind == "test":  # with other shares than what is trained on
        labels, kept = (random.random(count) < 0.05).astype(int), (random.random(count) < 0.5).astype(int)
        images, held_out = discs(0.2 + 0.7 * labels), discs(0.2 + 0.7 * kept)
        return {"x_train": images, "y_train": labels, "x_test": held_out, "y_test": kept}
    few = {"one": 1, "two": 2, "colour": 40, "hundred": 5, "none": 0}[kind]
    labels = (np.arange(100 if kind == "hundred" else count) < few).astype(int)
    images = discs(0.2 + 0.7 * labels, colour=kind == "colour")
    return {"images": images, **({} if kind == "none" else {"labels": labels})}


@pytest.mark.parametrize("kind", ["attributes", "numbers", "test", "one", "two", "colour", "hundred", "none"])
def test_a_replay_scores_as_the_data_whatever_the_labels(kind: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", **drawn_set(kind))
    data.add("set", tmp_path / "set.npz")
    dataset = data.prepare("set")
    evaluator = Evaluator(["swd", "ms-ssim"], samples=256)
    evidence, split = evaluator.evidence(Replay(dataset), dataset)
    assert split == ("test" if kind == "test" else "training")

    # Labels are asked that there are, as often as there.
    part = dataset.test or dataset.parts["train"]
    if kind != "none":
        assert part.labels is not None
        assert evidence.asked is not None
        have, asked = (each.double().reshape(len(each), -1) for each in (part.labels, evidence.asked))
        assert torch.cdist(asked, have).min(1).values.max() == 0
        assert ((asked.mean(0) - have.mean(0)).abs() <= 4 * have.std(0) / len(asked) ** 0.5 + 1e-9).all()

    # By far not as wrong as what was asked for without regard to that: four to five times.
    again = part.gather(torch.randint(len(part), (len(evidence.fake),), generator=stream(2, "again")))
    for name, metric in evaluator.metrics.items():
        ours, its = (metric(replace(evidence, fake=fake)) for fake in (evidence.fake, again))
        for key, value in its.items():
            assert abs(ours[key] - value) <= (2 * value + 20 if name == "swd" else 0.1), key


def sounds(folder: Path, shares: dict[str, float], labels: str) -> Path:
    """Hums and hisses, the share of hisses in each folder of a set, as WAV files; of labels.csv, how loud each is."""
    random, time = np.random.default_rng(0), np.arange(1024) / 8000
    rows = ["file,loudness,hiss"]
    for part, share in shares.items():
        for number, hiss in enumerate(random.random(300) < share):
            loud = random.exponential(0.2) if labels == "labels.csv" else random.uniform(0.2, 0.9)
            sound = random.uniform(-1, 1, 1024) if hiss else np.sin(2 * np.pi * random.uniform(100, 800) * time)
            file = folder / part / ("hiss" if hiss else "hum") / f"{number}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(wav.write(np.float32(min(loud, 1) * sound)[None], 8000))
            rows.append(f"{file.relative_to(folder)},{loud:.3f},{hiss:d}")
    if labels == "labels.csv":
        (folder / labels).write_text("\n".join(rows), encoding="utf-8")
    return folder


# What items there are -> how they are added, for sounds, else their name; and why no score of the catalogue takes them.
ITEMS_OF = {
    "tones": ("tones:images=400,length=1024", None),
    "sounds": (({"": 0.05}, "folders"), None),
    "test": (({"train": 0.2, "test": 0.6}, "folders"), None),
    "unlabelled": (({"": 0.05}, "none"), "need a data set of images or sounds with labels"),
    "numbers": (({"": 0.05}, "labels.csv"), "need a data set of images or sounds with labels"),
    "people": ("people:images=600", "No installed score judges rows"),
    "points": ("points:images=600", None),
    "clips": ("bouncing:images=400,side=16,frames=4", None),
}


@pytest.mark.parametrize("kind", ITEMS_OF)
def test_a_replay_scores_as_the_data_whatever_the_items(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "EPOCHS", 20)
    given, refused = ITEMS_OF[kind]
    if isinstance(given, tuple):
        folder = sounds(tmp_path / "set", *given)
        data.add("set", folder, labels=folder / given[1] if given[1] == "labels.csv" else given[1])
        given = "set"
    dataset = data.prepare(given)
    part, evaluator = dataset.test or dataset.parts["train"], Evaluator(samples=300)
    evidence, split = evaluator.evidence(Replay(dataset, None), dataset)
    assert split == ("test" if kind == "test" else "training")
    own = torch.randperm(len(part), generator=stream(2, "own"))[: len(evidence.fake)]
    itself = replace(evidence, fake=part.gather(own), asked=None if part.labels is None else part.labels[own])

    # Labels are asked as often as they are there; where there are none, the items themselves are so.
    have, asked = evidence.real, evidence.fake
    if part.labels is not None:
        assert evidence.asked is not None
        have, asked = part.labels, evidence.asked
    have, asked = (each.double().reshape(len(each), -1) for each in (have, asked))
    error = have.std(0) * (1 / len(have) + 1 / len(asked)) ** 0.5
    assert ((asked.mean(0) - have.mean(0)).abs() <= 5 * error + 1e-9).all()

    header: Any = SimpleNamespace(ema=True, step=1, data=SimpleNamespace(
        name=given, origin="", fingerprint="", label=None, modality=dataset.modality.name))  # fmt: skip

    def scores(judged: Evidence) -> dict[str, float]:
        return {row["name"]: row["value"] for row in evaluator.scores(judged, split, header, "model.safetensors")}

    if refused:
        with pytest.raises(UsageError, match=refused):
            scores(evidence)
        return
    assert scores(evidence) == pytest.approx(scores(itself), rel=0.4, abs=0.15)
    if kind == "test":  # with the training's shares, a perfect model would be far off
        asked = labels_for(data_spec(dataset, None), 300, None, stream(3, "labels"))
        assert scores(replace(evidence, fake=Replay(dataset, None).generate(asked, asked)))["fd-classifier"] > 5
