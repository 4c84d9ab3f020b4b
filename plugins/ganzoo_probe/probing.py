"""A linear classifier with few labels, on the features of a run's D, of an untrained one, and on pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool2d, leaky_relu, one_hot
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo.api import Architecture, Items, Report, Run, UsageError, derive, judged_data, trained

TRIED, BATCH = 2000, 100  # images that it is tried on, at the most; at a time
SIDE = 4  # pixels a side that feature maps are brought down to
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)  # of the ridge, over the kernel's mean diagonal


@dataclass(frozen=True)
class Probed:
    """What came of it.

    Attributes:
        labels: numbers of labels learned from.
        accuracy, spread: mean and deviation of the share named rightly, for each of these, by kind of features.
        tried, split: on how many images, and where they are from, in words.
    """

    labels: list[int]
    accuracy: dict[str, list[float]]
    spread: dict[str, list[float]]
    tried: int
    split: str


def probe(folder: Path, labels: Sequence[int], repeats: int, seed: int, report: Report) -> Probed:
    """Raises: UsageError where the data has no classes, too few items, or D judges no single images."""
    run = Run.open(folder)
    model, data = trained(run), judged_data(run.header.data, str(folder))
    if not model.data.is_image:
        raise UsageError(f"A probe looks at images; {data.name} has none.")
    if not model.abilities.realness:
        raise UsageError(f"The D of {run.header.architecture} judges no single images; a probe needs one that does.")
    if model.conditional:
        raise UsageError(
            f"The D of this {run.header.architecture} is told the labels that a probe would learn from its features; "
            "probe a model that was trained without them."
        )
    if len(data.classes) < 2 or run.header.data.label is not None:
        raise UsageError(f"A probe learns the labels of a data set; {data.name} has none to tell apart here.")
    learn, others = (part.labelled() for part in data.split())
    labels = [count for count in labels if count <= len(learn)]
    if not labels or not len(others):
        raise UsageError(f"{data.name} has too few labelled images for a probe; give --labels smaller numbers.")
    trials = [_drawn(learn, count, len(data.classes), derive(seed, "probe", count, k)) for count in labels
              for k in range(repeats)]  # fmt: skip
    tried = torch.arange(min(TRIED, len(others)))
    used, places = torch.unique(torch.cat(trials), return_inverse=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive("untrained"))
        untrained = type(model)(model.config, model.data).eval()
    kinds: dict[str, Callable[[Tensor], Tensor]] = {
        "D's features": Features(model), "untrained D's": Features(untrained), "raw pixels": lambda x: x.flatten(1),
    }  # fmt: skip
    accuracy: dict[str, list[float]] = {}
    spread: dict[str, list[float]] = {}
    assert learn.labels is not None
    assert others.labels is not None
    for name, look in kinds.items():
        known, new = (_all(look, part, some, report, name) for part, some in ((learn, used), (others, tried)))
        rows = iter(torch.split(places, [len(trial) for trial in trials]))
        shares = []
        for _ in trials:
            row = next(rows)
            named = classify(known[row], learn.labels[used[row]], new, len(data.classes))
            shares.append(float((named == others.labels[tried]).double().mean()))
        by_count = torch.tensor(shares, dtype=torch.float64).reshape(len(labels), repeats)
        accuracy[name] = by_count.mean(1).tolist()
        spread[name] = by_count.std(1, correction=0).tolist()
    split = "the data's own test part" if data.test is not None else "which D has seen, without their labels"
    return Probed(list(labels), accuracy, spread, len(tried), split)


class Features:
    """The features of D [B, F] for images [B, C, H, W]: of each layer with weights but the last."""

    def __init__(self, model: Architecture) -> None:
        network = model.get_submodule("D")
        layers = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
        if len(layers) < 2:
            raise UsageError("This D has no layer before its last one, whose features could be looked at.")
        self.model, self.layers = model, layers[:-1]
        for module in network.modules():
            if isinstance(module, _BatchNorm):  # by each batch, as in training: its running statistics fit no batch
                module.train()
                module.momentum = 0.0

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        with self._heard() as outputs:
            self.model.realness(images)
        return torch.cat([_brought_down(leaky_relu(each.float(), 0.2)) for each in outputs], 1)

    @contextmanager
    def _heard(self) -> Iterator[list[Tensor]]:
        outputs: list[Tensor] = []
        handles = [layer.register_forward_hook(lambda _m, _i, output: outputs.append(output)) for layer in self.layers]
        try:
            yield outputs
        finally:
            for handle in handles:
                handle.remove()


def _brought_down(features: Tensor) -> Tensor:
    if features.dim() == 4 and max(features.shape[2:]) > SIDE:
        height, width = (min(SIDE, side) for side in features.shape[2:])
        features = adaptive_max_pool2d(features, (height, width))
    return features.flatten(1)


def _all(look: Callable[[Tensor], Tensor], part: Items, some: Tensor, report: Report, name: str) -> Tensor:
    found = []
    for batch in torch.split(some, BATCH):
        found.append(look(part.gather(batch)))
        report(f"Looking at images by {name}", sum(map(len, found)), len(some))
    return torch.cat(found)


def _drawn(part: Items, count: int, classes: int, seed: int) -> Tensor:
    """Places of `count` items, of each class as many as of the others where there are as many."""
    order = torch.randperm(len(part), generator=torch.Generator().manual_seed(seed))
    assert part.labels is not None
    labels = part.labels[order]
    turn = torch.zeros(len(order), dtype=torch.int64)  # the how manieth of its class each is
    for name in range(classes):
        mine = labels == name
        turn[mine] = torch.arange(int(mine.sum()))
    return order[turn.argsort(stable=True)[:count]]


def classify(known: Tensor, labels: Tensor, new: Tensor, classes: int) -> Tensor:
    """Classes of new items, by ridge regression onto the labels, in float64.

    Features are standardised by the known items. The ridge is that of `STRENGTHS` with the least squared error when
    each item is left out in turn, which has a closed form.

    Args:
        known, new: features [N, F] and [M, F]; labels: int64 [N].
    """
    mean, deviation = known.double().mean(0), known.double().std(0, correction=0)
    scale = torch.where(deviation > 1e-8, deviation, torch.inf)
    a, b = (known.double() - mean) / scale, (new.double() - mean) / scale
    kernel, aims = a @ a.T, one_hot(labels, classes).double()
    middle = aims.mean(0)
    values, vectors = torch.linalg.eigh(kernel)
    best = None
    for strength in STRENGTHS:
        inverse = vectors / (values.clamp_min(0) + strength * kernel.diagonal().mean() + 1e-12) @ vectors.T
        weights = inverse @ (aims - middle)
        error = float((weights / inverse.diagonal()[:, None]).square().mean())
        if best is None or error < best[0]:
            best = (error, weights)
    assert best is not None
    named: Tensor = (b @ a.T @ best[1] + middle).argmax(1)
    return named
