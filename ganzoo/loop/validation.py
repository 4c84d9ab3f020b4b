"""Scores while a model trains: every so many images, and the best model so far kept in a file of its own."""

from __future__ import annotations

import copy
import re
import time
from dataclasses import replace
from typing import Literal

from ganzoo import data
from ganzoo.catalogue.catalogue import entries
from ganzoo.contract import distributed
from ganzoo.contract.networks import generator_state
from ganzoo.contract.options import parse_spec
from ganzoo.contract.report import Report, silent
from ganzoo.contract.settings import Settings
from ganzoo.contract.stored import as_json
from ganzoo.errors import UsageError, suggest
from ganzoo.model.model import Model
from ganzoo.runs import checkpoint
from ganzoo.runs.header import ModelHeader, Score
from ganzoo.runs.run import Run
from ganzoo.scoring.evaluator import Evaluator, judged_data, record_scores

REHEARSED = 16  # samples of the trial before training
TIMED = 128  # of the one that says how long scores will take


class Validator:
    """Scores the averaged generator as `ganzoo evaluate` would, with its default seed, and keeps the best.

    Attributes:
        every: images between two evaluations; None: there are none.
    """

    def __init__(self, settings: Settings, report: Report = silent, kind: str = "") -> None:
        """Raises: UsageError when there is no such metric or score, none judges items of this kind, or the options do
        not go together."""
        self.every, self.kept = settings.evaluate_every, settings.keep_best
        specs = split_specs(settings.evaluate)
        if self.every is None and (specs or self.kept):
            raise UsageError("--evaluate and --keep-best need --evaluate-every: say after how many images.")
        if self.kept is not None:
            metric, self.better = _metric_of(self.kept)
            if metric not in [parse_spec(spec)[0] for spec in specs]:
                specs.append(metric)
        self.evaluator = Evaluator(specs, report=report) if self.every is not None else None
        if self.evaluator is not None and kind:
            self.evaluator.check(kind)

    def due(self, before: int, after: int) -> bool:
        """Whether an evaluation is due after a step that took the images drawn from `before` to `after`."""
        return self.every is not None and before // self.every < after // self.every

    def rehearse(self, model: Model, dataset: data.Dataset) -> float:
        """Scores a few samples before training: what does not apply is said now, what takes long once is done now.

        Returns: seconds that an evaluation will take, about, from two trials of different size; 0 where there is none.
        Raises: UsageError.
        """
        if self.evaluator is None:
            return 0.0
        trial = copy.copy(self.evaluator)
        trial.samples = REHEARSED
        names = [score["name"] for score in trial.scores(*trial.evidence(model, dataset), model.header, "trial")]
        if self.kept is not None and self.kept not in names:
            raise UsageError(f"--keep-best {self.kept} is no score of such a model; {suggest(self.kept, names)}")
        took = []
        for trial.samples in (REHEARSED, TIMED):
            begin = time.perf_counter()
            trial.scores(*trial.evidence(model, dataset), model.header, "trial")
            took.append(time.perf_counter() - begin)
        each = max(0.0, took[1] - took[0]) / (TIMED - REHEARSED)
        return took[0] + each * (self.evaluator.samples - REHEARSED)

    def __call__(self, run: Run, model: Model) -> dict[str, float]:
        """Scores a run's model, keeps the row, and keeps the model if it is the best so far. Returns scores by name.

        All processes score together, the same model; the first one writes.
        """
        assert self.evaluator is not None
        leads = distributed.is_leader()
        with distributed.together():
            evidence, split = self.evaluator.evidence(model, self._dataset(model.header, str(run.path)))
            folder = run.path if leads else None
            scores = self.evaluator.scores(evidence, split, model.header, run.model_file.name, folder)
        if leads:
            record_scores(run.path, model.header, scores, training=True)
        for score in scores if leads else ():
            if score["name"] == self.kept and self._is_best(run, score["value"]):
                best = Score(score["name"], score["value"], self.better, score["protocol"])
                header = as_json(replace(model.header, score=best))
                checkpoint.write(run.best_file, generator_state(model.architecture), header)
        return {score["name"]: score["value"] for score in scores}

    def _is_best(self, run: Run, value: float) -> bool:
        if not run.best_file.exists():
            return True
        best = checkpoint.read_model_header(run.best_file).score
        if best is None or best.name != self.kept:
            return True
        return value > best.value if self.better == "larger" else value < best.value

    def _dataset(self, header: ModelHeader, what: str) -> data.Dataset:
        if not hasattr(self, "_judged"):
            self._judged = judged_data(header.data, what)
        return self._judged


def split_specs(text: str) -> list[str]:
    """``"swd:patches=4,directions=8,classifier"`` is swd with two options, and classifier."""
    return [spec for spec in re.split(r",(?![^,:]*=)", text) if spec]


def _metric_of(score: str) -> tuple[str, Literal["smaller", "larger"]]:
    """The metric that gives a score, and whether "smaller" or "larger" is better. Raises: UsageError."""
    known = {name: (entry.name, better) for entry in entries("metric") for name, better in entry.card.better.items()}
    if score not in known:
        raise UsageError(f"--keep-best {score} is not a score that tells the better model; {suggest(score, known)}")
    return known[score]
