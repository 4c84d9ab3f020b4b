"""Metrics: finite numbers by name, the same for the same evidence, with a protocol that says how they were made."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from ganzoo import data
from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.metric import Evidence, Metric, TranslationEvidence
from ganzoo.contract.options import build, values
from ganzoo.contract.randomness import seed_everything
from ganzoo.errors import MissingPackage, UsageError
from ganzoo.pictures.grid import to_picture
from ganzoo.scoring.evaluator import classify
from ganzoo.testing.check import Check, CheckFailed, NotChecked, require
from ganzoo.testing.kinds.cards import check_card
from ganzoo.testing.probes.offline import offline

SIDE, COUNT = 32, 8  # pixels of what is judged, and how many images
LABELLED = 20  # images of either label, in the data set they are compared with


def metric_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of a metric. What would have to be fetched is not; its checks are skipped."""
    judged = Judged(entry)
    for promise, check in PROMISES.items():
        yield Check(promise, name, "metric", partial(_offline, partial(check, judged)), "metric")
    yield Check("card", name, "metric", partial(check_card, entry), "metric")


def _offline(check: Callable[[], None]) -> None:
    with offline("what is fetched cannot be checked before it is there"), _own_home():
        try:
            check()
        except MissingPackage as error:
            raise NotChecked(str(error)) from error


class Judged:
    """A metric with its default options, and what it makes of each evidence that it takes."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    @cached_property
    def metric(self) -> Metric:
        metric: Metric = build(self.entry.load(), {}, f"the metric {self.entry.name}")
        return metric

    @cached_property
    def found(self) -> list[tuple[Evidence, Mapping[str, float]]]:
        """Raises: NotChecked when it takes none."""
        taken, refusals = [], []
        for evidence in _evidence():
            seed_everything(76)  # not where another check left off
            given = replace(evidence, real=evidence.real.clone(), fake=evidence.fake.clone())
            try:
                taken.append((evidence, self.metric(given)))
            except UsageError as error:
                refusals.append(str(error))
        first = "".join(refusals[:1])
        if not taken:
            raise NotChecked(f"It judges neither images of {SIDE} pixels, nor translations, nor points: {first}")
        return taken


def _evidence() -> Iterator[Evidence]:
    """What there may be to judge: colour images with all that is known of them, grey ones, translations, points."""
    dataset = data.prepare("check")
    (part,) = dataset.parts.values()
    stream = torch.Generator().manual_seed(5)
    fake, grey, more, points = (
        torch.rand(shape, generator=stream) * 2 - 1
        for shape in ((COUNT, 3, SIDE, SIDE), (2 * COUNT, 1, SIDE, SIDE), (COUNT, 3, SIDE, SIDE), (2 * COUNT, 2))
    )
    real = part.gather(torch.arange(COUNT)).contiguous()
    yield Evidence(real, fake, seed=3, asked=torch.arange(COUNT) % 2, dataset=dataset, classify=classify)
    yield Evidence(grey[:COUNT], grey[COUNT:], seed=3)
    yield TranslationEvidence(real=real, fake=fake, seed=3, given=more, truth=real)
    yield Evidence(points[:COUNT], points[COUNT:], seed=3)


@cache
def _home() -> TemporaryDirectory[str]:
    """A ganzoo's home with one data set in it, of two labels, until the process ends."""
    folder = TemporaryDirectory(prefix="ganzoo-check-", ignore_cleanup_errors=True)
    stream = torch.Generator().manual_seed(6)
    for label in ("bright", "dark"):
        pictures = Path(folder.name) / "pictures" / label
        pictures.mkdir(parents=True)
        for number in range(LABELLED):
            noise = torch.rand(3, SIDE, SIDE, generator=stream)
            to_picture(noise if label == "bright" else -noise).save(pictures / f"{number}.png")
    return folder


@contextmanager
def _own_home() -> Iterator[None]:
    """Within it ganzoo's home is that one, and the user's is left alone."""
    before, folder = os.environ.get("GANZOO_HOME"), _home().name
    os.environ["GANZOO_HOME"] = str(Path(folder) / "home")
    try:
        data.add("check", Path(folder) / "pictures")
        yield
    finally:
        del os.environ["GANZOO_HOME"]
        if before is not None:
            os.environ["GANZOO_HOME"] = before


def check_values(judged: Judged) -> None:
    """Finite numbers by name, and a protocol of plain values."""
    for evidence, found in judged.found:
        shape = list(evidence.fake.shape)
        require(isinstance(found, Mapping) and bool(found), f"It gives {found!r}; give a number by name, {{'x': 1.0}}.")
        for name, value in found.items():
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            require(number, f"Its {name} is a {type(value).__name__}; give a plain number, float(value).")
            require(math.isfinite(value), f"Its {name} is {value} for noise {shape}; look for a division by 0.")
        protocol: dict[str, Any] = {**values(judged.metric), **getattr(found, "protocol", {})}
        try:
            json.dumps(protocol)
        except (TypeError, ValueError) as error:
            raise CheckFailed(f"Its protocol is no JSON ({error}); keep to numbers, texts and lists.") from error


def check_deterministic(judged: Judged) -> None:
    """The same evidence, with its seed, gives the same values, and is left as it was."""
    try:
        check_values(judged)
    except CheckFailed as error:
        raise NotChecked(f"Its values are not as they should be; see the check 'values' ({error})") from error
    evidence, found = judged.found[0]
    given = replace(evidence, real=evidence.real.clone(), fake=evidence.fake.clone())
    seed_everything(77)
    again = judged.metric(given)
    require(
        dict(again) == dict(found),
        f"The same evidence gives {dict(found)}, then {dict(again)}; draw from a generator made of evidence.seed.",
    )
    held = torch.equal(given.real, evidence.real) and torch.equal(given.fake, evidence.fake)
    require(held, "It changes the images that it judges, which the next metric gets too; work on a copy.")


PROMISES: dict[str, Callable[[Judged], None]] = {"values": check_values, "deterministic": check_deterministic}
