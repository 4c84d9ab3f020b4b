"""Scores of a trained model, each with the protocol that it was measured by."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ganzoo import data
from ganzoo.answers import translations
from ganzoo.classifier import labelled
from ganzoo.data.source import Report, silent
from ganzoo.errors import GanzooError, UsageError
from ganzoo.metrics import Evidence, Metric, Scores
from ganzoo.model import Model, load
from ganzoo.perclass import PerClass
from ganzoo.plan import find_label
from ganzoo.plugins import entries, find
from ganzoo.randomness import stream
from ganzoo.runs import CLASSES, SCORES, Run
from ganzoo.spec import build, parse_spec, values

SAMPLES = 2000  # images to judge, unless asked otherwise


def evaluate(
    source: str | os.PathLike[str] | Run | PerClass,
    metrics: Sequence[str] = (),
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    device: str = "auto",
    report: Report = silent,
) -> list[dict[str, Any]]:
    """Scores of a model against the data it was trained on; they are kept in the run's scores.jsonl as well.

    Args:
        source: a run, a model file, or a folder of runs, one a label. Of the last, the scores of all models together
            come first, from equally many samples of each, then those of each, whose protocol has its `label`.
        metrics: names of the catalogue, with options (``"swd:directions=64"``); () for all that apply.
        samples: images generated, and real ones drawn to compare with (fewer when there are fewer). A model that
            translates is given images of the first domain, held-out ones where there are, and judged in the last.
        report: told of work that takes long, such as training the classifier of a data set for the first time.
    Returns: ``{"name", "value", "protocol"}`` for each score.
    Raises: UsageError; GanzooError when the data is no longer what the model was trained on.
    """
    if samples < 2:
        raise UsageError(f"At least two samples are needed to compare, not {samples}.")
    path = Path(source) if isinstance(source, (str, os.PathLike)) else source.path
    judge = Judge(metrics, samples, seed, report)
    if (path / CLASSES).exists():
        return _evaluate_each(PerClass.open(path), judge, device)
    model = load(path, device)
    return judge(model, prepared(model, path), path if path.is_dir() else path.parent, _file(path))


class Judge:
    """Scores models by the same metrics and the same protocol."""

    def __init__(
        self, metrics: Sequence[str] = (), samples: int = SAMPLES, seed: int = 0, report: Report = silent
    ) -> None:
        """Args as `evaluate`'s. Raises: UsageError when there is no such metric, or it has no such option."""
        self.samples, self.seed, self.report = samples, seed, report
        self.strict = bool(metrics)  # of all there are, some apply
        specs = [parse_spec(spec) for spec in metrics or [entry.name for entry in entries("metric")]]
        self.metrics: dict[str, Metric] = {
            name: build(find("metric", name).load(), options, f"the metric {name}") for name, options in specs
        }

    def __call__(self, model: Model, dataset: data.Dataset, folder: Path, file: str) -> list[dict[str, Any]]:
        """Scores of a model, as `evaluate` returns them.

        Args:
            dataset: what `prepared` gives.
            folder: where metrics may leave pictures and scores are kept, if it is a run's.
            file: the name of the model's file.
        """
        if model.domains:
            evidence, split = translations(model, dataset, self.samples, self.seed)
        else:
            evidence, split = self._samples(model, dataset), "training"
        return self.scores(evidence, split, model.facts, folder, file)

    def scores(
        self, evidence: Evidence, split: str, facts: Mapping[str, Any], folder: Path, file: str
    ) -> list[dict[str, Any]]:
        """Scores of what is judged, kept in the folder if it is a run's."""
        known = (folder / "run.json").exists() or (folder / CLASSES).exists()
        evidence = replace(evidence, folder=folder if known else None, report=self.report)
        protocol = {
            "samples": len(evidence.fake),
            "real": len(evidence.real),
            "data": facts["data"]["name"],
            "origin": facts["data"]["origin"],
            "fingerprint": facts["data"]["fingerprint"],
            "label": facts["data"].get("label"),
            "split": split,
            "seed": self.seed,
            "model": file,
            "weights": "averaged" if facts.get("average", 1) else "raw",
            "step": facts["step"],
        }
        found = self._measure(evidence, protocol)
        if known:
            with (folder / SCORES).open("a", encoding="utf-8") as rows:
                rows.write(json.dumps({"step": facts["step"], "images": facts["images"], "metrics": found}) + "\n")
        return found

    def _measure(self, evidence: Evidence, protocol: Mapping[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        refused: list[UsageError] = []
        for name, metric in self.metrics.items():
            try:
                measured = metric(evidence)
            except UsageError as error:
                if self.strict:
                    raise
                refused.append(error)
                continue
            own = measured.protocol if isinstance(measured, Scores) else {}
            whole = {**protocol, "metric": name, **values(metric), **own}
            found += [{"name": key, "value": value, "protocol": whole} for key, value in measured.items()]
        if refused and not found:
            raise refused[0]
        return found

    def _samples(self, model: Model, dataset: data.Dataset) -> Evidence:
        """As many samples as there are real items to compare with, at the most, of the label the model is for."""
        label = label_of(model, dataset)
        part = next(iter(dataset.parts.values()))
        part = part if label is None else labelled(part, label)
        count = min(self.samples, len(part))
        chosen = torch.randperm(len(part), generator=stream(self.seed, "evaluate"))[:count]
        asked = model.labels(count, self.seed)
        fake = model.generate(model.noise(count, self.seed), asked).contiguous()
        if label is not None:
            asked = torch.full((count,), label)
        return Evidence(part.gather(chosen).contiguous(), fake, self.seed, asked=asked, dataset=dataset, label=label)


def prepared(model: Model, what: Path) -> data.Dataset:
    """The whole data set that a model was trained on, at its size, on the CPU.

    Raises: GanzooError when it is not the same any more.
    """
    facts = model.facts["data"]
    shape = facts["shape"]
    image = len(shape) == 3
    dataset = data.prepare(
        facts["name"], resolution=(shape[1], shape[2]) if image else None, channels=shape[0] if image else None
    )
    if dataset.fingerprint != facts["fingerprint"]:
        raise GanzooError(f"The data set {facts['name']} is not the one that {what} was trained on.")
    return dataset


def label_of(model: Model, dataset: data.Dataset) -> int | None:
    """The only label that a model was trained on; None: on everything."""
    label = model.facts["data"].get("label")
    return None if label is None else find_label(dataset.classes, label)


def _file(path: Path) -> str:
    return "model.safetensors" if path.is_dir() else path.name


def _evaluate_each(whole: PerClass, judge: Judge, device: str) -> list[dict[str, Any]]:
    """Scores of all models of a folder as one, then of each, on the same samples."""
    runs = whole.runs
    if len(runs) < len(whole.labels):
        missing = next(label for label in whole.labels if label not in runs)
        raise UsageError(f"{whole.path} has no model of {missing} yet; `ganzoo resume {whole.path}` trains it.")
    each = Judge((), max(2, judge.samples // len(runs)), judge.seed, judge.report)
    each.metrics, each.strict = judge.metrics, judge.strict
    evidence: list[Evidence] = []
    scores: list[dict[str, Any]] = []
    for run in runs.values():
        model = load(run.path, device)
        dataset = prepared(model, run.path)
        evidence.append(each._samples(model, dataset))
        scores += each.scores(evidence[-1], "training", model.facts, run.path, _file(run.path))
    fakes, reals, asked = (torch.cat([getattr(one, name) for one in evidence]) for name in ("fake", "real", "asked"))
    together = Evidence(reals, fakes, judge.seed, asked=asked, dataset=evidence[0].dataset)
    facts = {**model.facts, "data": {**model.facts["data"], "label": None}}
    return [*judge.scores(together, "training", facts, whole.path, f"{len(runs)} models"), *scores]
