"""`ganzoo probe`: the classifier against NumPy's closed form, and the whole way on a tiny run."""

from __future__ import annotations

import numpy
import pytest
import torch
from ganzoo_probe.probing import STRENGTHS, Features, classify, probe
from support.command_line import as_json, cli

from ganzoo.api import UsageError, silent


def test_the_classifier_is_ridge_regression_with_the_best_strength_by_leaving_one_out():
    random = numpy.random.default_rng(0)
    labels = random.integers(3, size=30)
    known = random.normal(size=(30, 5)) + labels[:, None]
    new = random.normal(size=(40, 5)) + random.integers(3, size=(40, 1))
    mean, scale = known.mean(0), known.std(0)
    a, b, aims = (known - mean) / scale, (new - mean) / scale, numpy.eye(3)[labels]
    middle = aims.mean(0)
    trace = numpy.mean((a**2).sum(1))

    def solved(rows: numpy.ndarray, strength: float) -> numpy.ndarray:
        ridge = a[rows].T @ a[rows] + strength * trace * numpy.eye(5)
        return numpy.linalg.solve(ridge, a[rows].T @ (aims[rows] - middle))

    errors = []
    for strength in STRENGTHS:
        left_out = [a[k] @ solved(numpy.arange(30) != k, strength) + middle - aims[k] for k in range(30)]
        errors.append(numpy.square(left_out).mean())
    weights = solved(numpy.ones(30, dtype=bool), STRENGTHS[int(numpy.argmin(errors))])
    named = classify(*map(torch.tensor, (known, labels, new)), classes=3)
    assert named.tolist() == (b @ weights + middle).argmax(1).tolist()


def test_a_tiny_run_is_probed(finished):
    found = probe(finished.path, [4, 8, 10_000], repeats=2, seed=0, report=silent)
    assert found.labels == [4, 8], "more labels than there are is left out"
    assert {*found.accuracy} == {"D's features", "untrained D's", "raw pixels"}
    assert all(0 <= share <= 1 for shares in found.accuracy.values() for share in shares)
    again = probe(finished.path, [4, 8], repeats=2, seed=0, report=silent)
    assert again == found
    assert as_json(cli("probe", finished.path, "--labels", "4", "--repeats", "1", "--json"))["labels"] == [4]


def test_features_are_of_the_layers_but_the_last(finished):
    import ganzoo

    look = Features(ganzoo.trained(finished.path))
    assert look(torch.zeros(3, 3, 8, 8)).shape[0] == 3
    assert len(look.layers) == 1


def test_no_labels_no_probe(finished):
    with pytest.raises(UsageError, match="too few labelled images"):
        probe(finished.path, [10_000], repeats=1, seed=0, report=silent)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("gan", "points:images=200", "--preset", "points"), "looks at images"),
        (("cgan", "digits:images=200", "--preset", "small"), "is told the labels"),
    ],
)
def test_what_cannot_be_probed_says_why(tmp_path, words, cause):
    short = ("--steps", 1, "--batch-size", 8, "--samples", 4)
    assert cli("train", *words, *short, "--out", tmp_path / "run").exit_code == 0
    with pytest.raises(UsageError, match=cause):
        probe(tmp_path / "run", [10], repeats=1, seed=0, report=silent)
