"""`evaluate`: scores of a run's, a file's or several runs' models."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ganzoo.catalogue.single_file import reopen
from ganzoo.contract import distributed
from ganzoo.contract.metric import Evidence
from ganzoo.contract.report import Report, silent
from ganzoo.errors import UsageError, without_login
from ganzoo.files import explained
from ganzoo.model.model import Model, load
from ganzoo.runs.address import is_remote
from ganzoo.runs.checkpoint import read_model_header
from ganzoo.runs.header import ModelHeader, model_of
from ganzoo.runs.per_class import PerClass
from ganzoo.runs.rows import Measured
from ganzoo.runs.run import CLASSES, SCORES, Run
from ganzoo.scoring.evaluator import (
    SAMPLES,
    Evaluator,
    classify,
    judged_data,
    of_other,
    other_data,
    record_scores,
)

FULL = "make room, and evaluate again"


def evaluate(
    source: str | os.PathLike[str] | Run | PerClass,
    metrics: Sequence[str] = (),
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    device: str = "auto",
    against: str | None = None,
    quick: bool = False,
    report: Report = silent,
) -> list[Measured]:
    """Scores of a model against the data it was trained on; they are kept in the run's scores.jsonl as well.

    Args:
        source: a run, a model file, an address as `ganzoo.load` takes, or a folder of runs, one a label. Of the last,
            the scores of all models as one come first, from equally many samples of each, then those of each, whose
            protocol has its `label`.
        metrics: names of the catalogue, with options (``"swd:directions=64"``); () for all that apply.
        samples: images generated, and real ones drawn to compare with (fewer when there are fewer). A model that
            translates is given images of the first domain, held-out ones where there are, and judged in the last.
        quick: without `metrics`, only those that train nothing.
        against: compare with this data set instead, such as ``"digits:seed=1"`` for a model of few digits.
        report: told of work that takes long, such as training the classifier of a data set for the first time.
    Returns: ``{"name", "value", "protocol"}`` for each score.
    Raises: UsageError; GanzooError when the data is no longer what the model was trained on.
    """
    if quick and metrics:
        raise UsageError("--quick chooses the scores itself; leave out --metric.")
    place: Path | str = source if isinstance(source, str) and is_remote(source) else _path(source)
    if isinstance(place, Path) and (place / CLASSES).exists():
        whole = PerClass.open(place)
        reopen(whole.header.plugin_files, str(place))  # a file that a run was made with may have the metric
        scores = _each(whole, Evaluator(metrics, samples, seed, report, quick), device, against)
    else:
        model = load(place, device)  # takes up such files too
        place = without_login(place) if isinstance(place, str) else place
        scores, _ = _one(model, place, Evaluator(metrics, samples, seed, report, quick), against)
    return scores


def _path(source: str | os.PathLike[str] | Run | PerClass) -> Path:
    return Path(source) if isinstance(source, (str, os.PathLike)) else source.path


def _one(
    model: Model, source: Path | str, evaluator: Evaluator, against: str | None
) -> tuple[list[Measured], Evidence]:
    """Scores of a run's or a file's model, or of one that is at an address elsewhere."""
    if against is None:
        dataset = judged_data(model.header.data, str(source))
    else:
        dataset = other_data(model.header.data, against)
        model.header = of_other(model.header, dataset)
    evidence, split = evaluator.evidence(model, dataset)
    evidence = replace(evidence, foreign=against is not None)
    run, file = None, str(source)
    if isinstance(source, Path):
        folder = source if source.is_dir() else source.parent
        run = folder if (folder / "run.json").exists() else None
        file = "model.safetensors" if source.is_dir() else source.name
    return _scores(evaluator, evidence, split, model.header, file, run), evidence


def _each(whole: PerClass, evaluator: Evaluator, device: str, against: str | None) -> list[Measured]:
    """Scores of all models of a folder as one, then of each, on the same samples."""
    runs = whole.runs
    missing = [label for label in whole.labels if label not in runs]
    if missing:
        raise UsageError(f"{whole.path} has no model of {missing[0]} yet; `ganzoo resume {whole.path}` trains it.")
    each = copy.copy(evaluator)
    each.samples = max(2, evaluator.samples // len(runs))
    scored = [_one(load(run.path, device), run.path, each, against) for run in runs.values()]
    every = [evidence for _, evidence in scored]
    together = Evidence(
        torch.cat([one.real for one in every]),
        torch.cat([one.fake for one in every]),
        evaluator.seed,
        asked=torch.cat([one.asked for one in every if one.asked is not None]),
        dataset=every[0].dataset,
        classify=classify,
        foreign=against is not None,
    )
    header = model_of(whole.header, whole.header.config, *_progress(runs.values()))
    if against is not None:
        header = of_other(header, other_data(header.data, against))
    split = "training" if every[0].dataset is None or every[0].dataset.test is None else "test"
    scores = _scores(evaluator, together, split, header, f"{len(runs)} models", whole.path)
    return [*scores, *(score for theirs, _ in scored for score in theirs)]


def _scores(
    evaluator: Evaluator, evidence: Evidence, split: str, header: ModelHeader, called: str, folder: Path | None
) -> list[Measured]:
    """Scores, kept in the folder of a run, where there is one; the first of several processes writes."""
    folder = folder if distributed.is_leader() else None
    scores = evaluator.scores(evidence, split, header, called, folder)
    if folder is not None:
        with explained(folder / SCORES, FULL):
            record_scores(folder, header, scores)
    return scores


def _progress(runs: Iterable[Run]) -> tuple[int, int]:
    """Steps and images of the models of runs: of the one that has had the most."""
    headers = [read_model_header(run.model_file) for run in runs]
    return max(header.step for header in headers), max(header.images for header in headers)
