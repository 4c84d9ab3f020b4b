"""Scores of a trained run, each with the protocol that it was measured by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch

from ganzoo import data
from ganzoo.answers import translations
from ganzoo.checkpoint import read_facts
from ganzoo.errors import GanzooError, UsageError
from ganzoo.metrics import Evidence
from ganzoo.model import Model, data_of, load
from ganzoo.plugins import entries, find, written_by
from ganzoo.randomness import stream
from ganzoo.runs import Run
from ganzoo.spec import build, parse_spec, values


def evaluate(
    run: str | os.PathLike[str] | Run,
    metrics: Sequence[str] = (),
    *,
    samples: int = 2000,
    seed: int = 0,
    device: str = "auto",
) -> list[dict[str, Any]]:
    """Scores of a run's model against the data it was trained on.

    Args:
        metrics: names of the catalogue, with options (``"swd:directions=64"``); () for all there are.
        samples: images generated, and real ones drawn to compare with (fewer when there are fewer). A model that
            translates is given images of the first domain, held-out ones where there are, and judged in the last.
    Returns: ``{"name", "value", "protocol"}`` for each score.
    Raises: UsageError; GanzooError when the data is no longer what the run was trained on.
    """
    if samples < 2:
        raise UsageError(f"At least two samples are needed to compare, not {samples}.")
    run = run if isinstance(run, Run) else Run.open(run)
    model = load(run.path, device)
    facts = run.facts["data"]
    shape = facts["shape"]
    size = (shape[1], shape[2]) if len(shape) == 3 else None
    dataset = data.prepare(
        data_of(run.facts), resolution=size, channels=shape[0] if size else None, keep=facts.get("label")
    )
    if dataset.fingerprint != facts["fingerprint"]:
        raise GanzooError(f"The data set {facts['name']} is not the one that {run.path} was trained on.")
    if model.domains:
        evidence, split = translations(model, dataset, samples, seed)
    else:
        evidence, split = _samples(model, dataset, samples, seed), "training"
    samples = len(evidence.fake)
    protocol = {
        "samples": samples,
        "real": len(evidence.real),
        "data": facts["name"],
        "origin": facts["origin"],
        "fingerprint": facts["fingerprint"],
        "split": split,
        "seed": seed,
        "weights": "averaged",
        "step": read_facts(run.model_file)["step"],
    }
    scores: list[dict[str, Any]] = []
    refused: list[UsageError] = []
    for spec in metrics or [written_by("metric", entry.name, (entry.distribution,)) for entry in entries("metric")]:
        name, options = parse_spec(spec)
        metric = build(find("metric", name).load(), options, f"the metric {name}")
        try:
            found = metric(evidence)
        except UsageError as error:
            if metrics:
                raise
            refused.append(error)  # of all there are, some apply
            continue
        for key, value in found.items():
            scores.append({"name": key, "value": value, "protocol": {**protocol, "metric": name, **values(metric)}})
    if refused and not scores:
        raise refused[0]
    return scores


def _samples(model: Model, dataset: data.Dataset, samples: int, seed: int) -> Evidence:
    part = next(iter(dataset.parts.values()))
    samples = min(samples, len(part))
    chosen = torch.randperm(len(part), generator=stream(seed, "evaluate"))[:samples]
    return Evidence(part.gather(chosen).contiguous(), model.sample(samples, seed).contiguous(), seed)
