"""Metrics: finite numbers by name, the same for the same evidence, with a protocol that says how they were made."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch

from ganzoo.errors import UsageError
from ganzoo.metrics import Evidence
from ganzoo.plugins import Entry
from ganzoo.randomness import seed_everything
from ganzoo.spec import build, values
from ganzoo.testing.cards import check_card
from ganzoo.testing.check import Check, CheckFailed, require
from ganzoo.testing.offline import offline

SHAPES = ((8, 3, 32, 32), (8, 1, 32, 32), (8, 2))  # of what is judged


def metric_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of a metric. What would have to be fetched is not; its checks are skipped."""
    for promise, check in PROMISES.items():
        yield Check(promise, name, "metric", partial(_offline, partial(check, entry)), "metric")
    yield Check("card", name, "metric", partial(check_card, entry), "metric")


def _offline(check: Callable[[], None]) -> None:
    with offline("use it once, which fetches what it needs, and check again"):
        check()


def _evidence() -> Iterator[Evidence]:
    """What there may be to judge: colour images, grey ones, translations, points."""
    stream = torch.Generator().manual_seed(5)
    for shape in SHAPES:
        real, fake = (torch.rand(shape, generator=stream) * 2 - 1 for _ in range(2))
        yield Evidence(real, fake, seed=3)
        if len(shape) == 4:
            given, truth = (torch.rand(shape, generator=stream) * 2 - 1 for _ in range(2))
            yield Evidence(real, fake, seed=3, given=given, truth=truth)


def _scores(entry: Entry) -> Iterator[tuple[Any, Evidence, Mapping[str, float]]]:
    """The metric, and what it makes of each evidence that it takes. Raises: CheckFailed when it takes none."""
    metric, refusals = build(entry.load(), {}, f"the metric {entry.name}"), []
    for evidence in _evidence():
        try:
            yield metric, evidence, metric(evidence)
        except UsageError as error:
            refusals.append(str(error))
    require(
        len(refusals) < len(list(_evidence())),
        f"It judges neither images of 32 pixels, nor translations, nor points: {(refusals or [''])[0]}",
    )


def check_values(entry: Entry) -> None:
    """Finite numbers by name; its options, which stand in the protocol, are plain values."""
    for metric, evidence, found in _scores(entry):
        shape = list(evidence.fake.shape)
        require(isinstance(found, Mapping) and bool(found), f"It gives {found!r}; give a number by name, {{'x': 1.0}}.")
        for name, value in found.items():
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            require(number, f"Its {name} is a {type(value).__name__}; give a plain number, float(value).")
            require(math.isfinite(value), f"Its {name} is {value} for noise {shape}; look for a division by 0.")
        try:
            json.dumps({**values(metric), **getattr(found, "protocol", {})})
        except (TypeError, ValueError) as error:
            raise CheckFailed(f"Its protocol is no JSON ({error}); keep to numbers, texts and lists.") from error


def check_deterministic(entry: Entry) -> None:
    """The same evidence, with its seed, gives the same values, and is left as it was."""
    for metric, evidence, found in _scores(entry):
        copies = [evidence.real.clone(), evidence.fake.clone()]
        seed_everything(77)
        again = metric(evidence)
        require(
            dict(again) == dict(found),
            f"The same evidence gives {dict(found)}, then {dict(again)}; draw from a generator made of evidence.seed.",
        )
        held = torch.equal(copies[0], evidence.real) and torch.equal(copies[1], evidence.fake)
        require(held, "It changes the images that it judges, which the next metric gets too; work on a copy.")


PROMISES: dict[str, Callable[[Entry], None]] = {"values": check_values, "deterministic": check_deterministic}
