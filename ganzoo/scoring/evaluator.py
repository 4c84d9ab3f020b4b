"""Scoring a model by the catalogue's metrics, each figure with the protocol that it was measured by."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ganzoo import data
from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import entries, find, written_by
from ganzoo.catalogue.modalities import modality_card
from ganzoo.contract.labels import find_label
from ganzoo.contract.metric import DataItems, Evidence, Metric, Scores, TranslationEvidence
from ganzoo.contract.options import build, parse_spec, values
from ganzoo.contract.randomness import stream
from ganzoo.contract.report import Report, silent
from ganzoo.data.source import HELD_OUT, as_image, trained_on
from ganzoo.errors import GanzooError, UsageError
from ganzoo.model.model import Model
from ganzoo.pictures.grid import from_picture
from ganzoo.runs.header import DataHeader, ModelHeader
from ganzoo.runs.rows import Evaluation, Measured
from ganzoo.runs.run import SCORES

DRAWN = 256  # samples at a time for a metric that draws its own
SAMPLES = 2000  # images to evaluate, unless asked otherwise


class Evaluator:
    """Scores models by the same metrics and the same protocol.

    Attributes:
        metrics: by name.
        strict: whether a metric that does not apply is an error; of all there are, some do.
    """

    def __init__(
        self,
        specs: Sequence[str] = (),
        samples: int = SAMPLES,
        seed: int = 0,
        report: Report = silent,
        quick: bool = False,
    ) -> None:
        """Args as `ganzoo.evaluate`'s. Raises: UsageError when there is no such metric, or it has no such option."""
        if samples < 2:
            raise UsageError(f"At least two samples are needed to compare, not {samples}.")
        self.samples, self.seed, self.report = samples, seed, report
        self.strict = bool(specs)
        self.metrics: dict[str, Metric] = {}
        self.modalities: dict[str, tuple[str, ...]] = {}
        for spec in specs or _unasked(quick):
            name, options = parse_spec(spec)
            entry = find("metric", name)
            self.modalities[name] = tuple(entry.card.modalities)
            self.metrics[name] = build(entry.load(), options, f"the metric {name}")

    def check(self, kind: str) -> None:
        """Raises: UsageError when a metric that was asked for, or each one there is, judges other items than these."""
        others = {name: known for name, known in self.modalities.items() if kind not in known}
        items = modality_card(kind).items
        if len(others) == len(self.modalities) and not self.strict:
            raise UsageError(f"No installed score judges {items}; `ganzoo list --metrics` names them all.")
        for name, known in others.items() if self.strict else ():
            judged = " and ".join(modality_card(each).items for each in known)
            raise UsageError(f"The score {name} judges {judged}, and this model makes {items}.")

    def evidence(self, model: Model, dataset: data.Dataset) -> tuple[Evidence, str]:
        """What there is to evaluate of a model, and the split of the data that it is compared with.

        Args:
            dataset: the whole of it, as `judged_data` gives.
        """
        if model.domains:
            return translations(model, dataset, self.samples, self.seed)
        label = dataset_label(model, dataset)
        test = dataset.test
        part = next(iter(dataset.parts.values())) if test is None else test
        part = part if label is None else part.labelled(label)
        count = min(self.samples, len(part))
        chosen = torch.randperm(len(part), generator=stream(self.seed, "evaluate"))[:count]
        asked = _asked(model, part, count, self.seed, apart=test is not None)
        z = model.noise(count, self.seed)
        fake = model.generate(z, asked).contiguous()
        if label is not None:
            asked = torch.full((count,), label)
        real = part.gather(chosen).contiguous()

        def draw(samples: int) -> Iterator[Tensor]:
            z, asked = model.noise(samples, self.seed), _asked(model, part, samples, self.seed, apart=test is not None)
            for some in torch.split(torch.arange(samples), DRAWN):
                yield model.generate(z[some], None if asked is None else asked[some])

        return Evidence(
            real, fake, self.seed, z=z, asked=asked, dataset=dataset, label=label, classify=classify, draw=draw
        ), "training" if test is None else "test"

    def scores(
        self, evidence: Evidence, split: str, header: ModelHeader, file: str, folder: Path | None = None
    ) -> list[Measured]:
        """Args:
        header: of the model's file.
        file: what the model is called in the protocol.
        folder: where metrics may leave pictures.
        """
        evidence = replace(evidence, folder=folder, report=self.report)
        protocol = {
            "samples": len(evidence.fake),
            **({"samples_asked": self.samples} if len(evidence.fake) < self.samples else {}),
            "real": len(evidence.real),
            "data": header.data.name,
            "origin": header.data.origin,
            "fingerprint": header.data.fingerprint,
            "label": header.data.label,
            "split": split,
            "seed": self.seed,
            "model": file,
            "weights": "averaged" if header.ema else "raw",
            "step": header.step,
        }
        rows: list[Measured] = []
        refused: list[UsageError] = []
        kind = header.data.modality
        self.check(kind)
        for name, metric in self.metrics.items():
            if kind not in self.modalities[name]:
                continue
            try:
                measured = metric(evidence)
            except UsageError as error:
                if self.strict:
                    raise
                refused.append(error)
                continue
            own = measured.protocol if isinstance(measured, Scores) else {}
            whole = {**protocol, "metric": name, **values(metric), **own}
            rows += [Measured(name=key, value=float(value), protocol=whole) for key, value in measured.items()]
        if refused and not rows:
            raise refused[0]
        return rows


def _asked(model: Model, part: data.Part, count: int, seed: int, apart: bool) -> Tensor | None:
    """Labels as often as those have them that a model is compared with; None where it takes none.

    Attributes and numbers go together as they do there. Classes are asked by the model's own shares, unless the part is
    apart from what it was trained on, where others may be rare.
    """
    asked = model.labels(count, seed)
    if asked is None or part.labels is None or part.labels.shape[1:] != asked.shape[1:]:
        return asked
    if part.labels.dim() == 1 and not apart:
        return asked
    there = part.labels if part.labels.dim() > 1 else part.labels[part.labels >= 0]
    return there[torch.randint(len(there), (count,), generator=stream(seed, "labels"))] if len(there) else asked


def _unasked(quick: bool) -> list[str]:
    """The metrics that are taken where none is named, those that train something last, or not at all."""
    taken = [each for each in entries("metric") if not (each.card.on_request or (quick and each.card.trains))]
    taken = sorted(taken, key=lambda each: each.card.trains)
    return [written_by("metric", entry.name, (entry.distribution,)) for entry in taken]


def classify(dataset: DataItems, images: Tensor, report: Report) -> Tensor:
    """Probabilities [N, classes] by the catalogue's metric `classifier`, for `Evidence.probabilities`."""
    metric = find("metric", "classifier", near=(DISTRIBUTION,)).load()
    probabilities: Tensor = metric.probabilities(dataset, images, report)
    return probabilities


def judged_data(header: DataHeader, what: str) -> data.Dataset:
    """The whole data set that a model was trained on, at its size, on the CPU.

    Args:
        header: what the model's header says of it.
        what: the model's name, for the error.
    Raises: GanzooError when it is not the same any more.
    """
    dataset = _prepared(header.full_name, header)
    if dataset.fingerprint != header.fingerprint:
        raise GanzooError(f"The data set {header.name} is not the one that {what} was trained on.")
    return dataset


def other_data(header: DataHeader, name: str) -> data.Dataset:
    """Another data set, at the size a model was trained at. Raises: UsageError when it is not of the same kind."""
    dataset = _prepared(name, header)
    alike = tuple(dataset.shape) == header.shape and tuple(dataset.classes) == header.classes
    if not alike or not set(header.domains) <= {*dataset.parts}:
        raise UsageError(
            f"{name} is not like {header.name}, which the model was trained on: it has other sizes, labels or "
            "domains; choose one of the same kind."
        )
    return dataset


def of_other(header: ModelHeader, dataset: data.Dataset) -> ModelHeader:
    """A model's header as if it were of this data set, for the protocol of a comparison with it."""
    other = replace(header.data, name=dataset.name, origin=dataset.origin, fingerprint=dataset.fingerprint)
    return replace(header, data=other)


def _prepared(name: str, header: DataHeader) -> data.Dataset:
    spec = header.spec
    if spec.modality != "image":
        return data.prepare(name, domains=spec.domains, state=header.state)
    shapes = [spec.shape_of(domain) for domain in spec.domains] or [spec.shape]
    return data.prepare(
        name,
        resolution=(spec.height, spec.width),
        channels=None if len({shape[0] for shape in shapes}) > 1 else spec.channels,
        domains=spec.domains,
        own_sizes=len({shape[1:] for shape in shapes}) > 1,
        skip_small=True,
    )


def dataset_label(model: Model, dataset: data.Dataset) -> int | None:
    """The only label that a model was trained on; None: on everything."""
    label = model.header.data.label
    return None if label is None else find_label(dataset.classes, label)


def record_scores(folder: Path, header: ModelHeader, scores: Sequence[Measured], training: bool = False) -> None:
    """Adds a line to a run's scores.jsonl.

    Args:
        header: of the model's file.
        training: whether training made it on its way, so that it makes it again when it is resumed from before.
    Raises: OSError when there is no room for it; what was there stays as it was.
    """
    row = Evaluation(step=header.step, images=header.images, training=training, metrics=[*scores])
    line = (json.dumps(row) + "\n").encode()
    with (folder / SCORES).open("ab", buffering=0) as rows:
        before = rows.tell()
        if rows.write(line) < len(line):  # the disk has become full; half a line would take the next one with it
            rows.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / SCORES))


def translations(model: Model, dataset: data.Dataset, samples: int, seed: int) -> tuple[Evidence, str]:
    """Images of one domain translated to another, and back, and the name of the split they are from: from the first to
    the last, or to the only one that the model translates to.

    Held-out images where both domains have some.
    """
    last = model.domains[-1]
    first = next(name for name in model.architecture.data.domains if name != last)
    split, names = "training", (first, last)
    held_out = (f"{HELD_OUT}{first}", f"{HELD_OUT}{last}")
    if {*held_out} <= {*dataset.held_out}:
        split, names = "held out", held_out
    parts = [{**dataset.parts, **dataset.held_out}[name] for name in names]
    samples = min(samples, *map(len, parts))
    if samples < 2:
        raise UsageError(
            f"At least two images of each domain are needed to compare; {dataset.name} has fewer held out."
        )
    places = [torch.randperm(len(part), generator=stream(seed, "evaluate", part_name))[:samples]
              for part, part_name in zip(parts, names, strict=True)]  # fmt: skip
    given, real = (part.gather(some).contiguous() for part, some in zip(parts, places, strict=True))
    truth = (
        parts[1].gather(places[0]).contiguous()
        if dataset.paired
        else _truth(dataset, names[0], places[0], real.shape[1:], last)
    )
    fake = model.translate(given, last, seed).contiguous()
    back = model.translate(fake, first, seed).contiguous() if first in model.domains else None
    return TranslationEvidence(real=real, fake=fake, seed=seed, given=given, truth=truth, back=back), split


def _truth(dataset: data.Dataset, domain: str, places: Tensor, shape: Sequence[int], to: str) -> Tensor | None:
    """The true answers to items of a domain, [N, C, H, W] in [-1, 1]; None where the data does not know them."""
    source = data.open_source(dataset.name)
    partner = getattr(source, "partner", None)
    if partner is None:
        return None
    channels, height, width = shape
    items = source.domains[domain]
    which = (to,) if len(trained_on(source.domains)) > 2 else ()
    pictures = [as_image(partner(items[place], (height, width), *which)) for place in places.tolist()]
    return torch.cat([from_picture(picture, channels) for picture in pictures])
