"""Warnings while a run trains: each on the log of a run made to fail in its way, and none on those of healthy runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ganzoo_warnings
import pytest
from ganzoo_warnings.rules import Watch
from ganzoo_warnings.signs import reads_in_vain, sign_says_real

from ganzoo.api import make_loss
from ganzoo.loop.divergence import Divergence

LOGS = Path(__file__).parents[1] / "fixtures" / "logs"
BETTER = {"swd": "smaller", "confident": "larger"}


def warned(rows) -> dict[str, tuple[int, str]]:
    watch, said = Watch(BETTER), {}
    for row in rows:
        for warning in watch.hear(row):
            assert warning.kind not in said, "once of each kind"
            said[warning.kind] = (row["step"], warning.text)
    return said


def diverged(rows) -> list[str]:
    divergence = Divergence()
    return [text for row in rows if (text := divergence.hear(row))]


def log(name: str):
    return map(json.loads, (LOGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("file", sorted(LOGS.glob("healthy-*")), ids=lambda file: file.stem)
def test_healthy_runs_are_silent(file):
    assert warned(log(file.stem)) == {}
    assert diverged(log(file.stem)) == []


@pytest.mark.parametrize(
    ("run", "kind", "says"),
    [
        ("diverges", "collapse", "its samples are 16% as varied as real ones, and were 126% at their best"),
        ("d-wins", "d-wins", "D wins: D(x) is 1.000 and D(G(z)) 0.00027 over the last 400 steps"),
        ("stands-still", "no-change", "The samples changed by 0.0% of their contrast in "),
    ],
)
def test_a_run_made_to_fail_is_warned_of(run, kind, says):
    """`problem-divergence`; `problem-vanishing`; a rate of 0."""
    _, text = warned(log(run))[kind]
    assert says in text
    assert "People" in text


def test_losses_without_bound_are_said_once():
    (text,) = diverged(log("diverges"))
    assert "loss/G is -3,692 at step 117" in text
    assert "People" in text


def test_a_watch_that_is_begun_in_the_middle_says_no_more_than_one_that_heard_all():
    rows = list(log("diverges"))
    for make in (lambda: Watch(BETTER), Divergence):
        heard, replayed = make(), make()
        before = [heard.hear(row) for row in rows[:60]]
        assert [replayed.hear(row) for row in rows[:60]] == before
        assert [heard.hear(row) for row in rows[60:]] == [replayed.hear(row) for row in rows[60:]]


@dataclass
class Logged:
    """As much of a run as the listener asks of it."""

    path: Path
    rows: list[dict[str, Any]]
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    header: Any = field(default_factory=lambda: SimpleNamespace(stages=(), data=SimpleNamespace(modality="image")))

    def metrics(self):
        return (row for row in self.rows if "diversity" not in row)

    def sheets(self):
        return (row for row in self.rows if "diversity" in row)


@pytest.mark.parametrize(("name", "kind"), [("d-wins", "d-wins"), ("diverges", "collapse")])
def test_the_listener_warns_once_of_a_kind_also_in_a_run_that_goes_on(name, kind, tmp_path):
    run, said = Logged(tmp_path, []), []
    ganzoo_warnings.ganzoo_run_started(run)
    for number, row in enumerate(log(name)):
        run.rows.append(row)
        if "diversity" in row:
            said += ganzoo_warnings.ganzoo_sampled(run, row["step"])
        else:
            values = {each: value for each, value in row.items() if each != "step"}
            said += ganzoo_warnings.ganzoo_logged(run, row["step"], values)
        if number % 50 == 0:
            ganzoo_warnings.ganzoo_run_ended(run)
            ganzoo_warnings.ganzoo_run_started(run)
    ganzoo_warnings.ganzoo_run_ended(run)
    assert [warning.kind for warning in said].count(kind) == 1
    assert ganzoo_warnings.ganzoo_logged(run, 1, {"loss/D": 0.0}) == [], "of a run that has ended"


def scored(values: list[float], epochs: int = 1, steps: int = 200, name: str = "score/swd"):
    for number, value in enumerate(values, 1):
        row = {"step": steps * number, "epoch": epochs * number, "images": 1000 * number, name: value}
        yield {**row, "seconds": 1.0}


def test_scores_that_no_longer_get_better():
    still = [60.0, 40.0, 30.0, 31.0, 30.5, 33.0, 30.2, 30.1]
    step, text = warned(scored(still))["no-change"]
    assert step == 1600
    assert "best: swd 30 at 3,000 images" in text
    assert "more training is unlikely to help at this rate" in text
    assert warned(scored(still[:-1])) == {}, "after less than five epochs"
    assert warned(scored([*still[:-1], 29.9])) == {}, "a better one"
    assert "no-change" in warned(scored([-value for value in still], name="score/confident"))
    assert warned(scored(still, steps=20)) == {}, "five epochs of a few images are a few steps"
    assert warned(scored(still, name="score/nearest")) == {}, "which way is better is not known"


def test_a_bounded_loss_that_is_gone():
    """Of hinge and least squares, whose D(x) is no probability: D's loss itself says that it wins."""
    rows = [{"step": 10 * k, "epoch": 0, "images": k, "loss/D": 0.001, "loss/G": 5.0, "D(x)": 7.0} for k in range(80)]
    step, text = warned(rows)["d-wins"]
    assert step == 500
    assert "its loss is at most 0.001" in text
    lost = [{**row, "loss/D": -0.5 if k == 70 else 0.001} for k, row in enumerate(rows)]
    assert "d-wins" not in warned([{**row, "loss/D": -0.001} for row in lost]), "a critic's is below 0"


def test_a_flat_loss_of_g_says_that_d_wins_before_d_is_sure_of_all():
    """At D(x) = 0.937, of `minimax`; with a steep loss, and with a critic's numbers, the same verdicts say nothing."""
    row = {"epoch": 0, "D(x)": 0.937, "D(G(z))": 0.02, "loss/D": 0.12, "loss/G": -0.02}
    step, text = warned([{**row, "step": 10 * k, "images": k} for k in range(80)])["d-wins"]
    assert step == 500
    assert "G's loss is flat where D is so sure, -0.02 or nearer to 0" in text
    for other in ({"loss/G": 4.1}, {"loss/D": -0.9}, {"loss/G": -0.4, "D(G(z))": 0.33}):
        assert warned([{**row, **other, "step": 10 * k, "images": k} for k in range(80)]) == {}


def test_a_row_that_was_changed_by_hand_is_not_counted():
    watch = Watch({})
    assert [
        watch.hear(row) for row in ({"step": 1, "diversity": 0.5}, {"step": 2, "diversity": 0.5, "epoch": "x"})
    ] == [[], []]
    assert watch.hear({"step": 3, "diversity": 0.5, "epoch": 9}) == []


@pytest.mark.parametrize(
    ("loss", "says_real"),
    [
        ("nonsaturating", True),
        ("minimax", True),
        ("hinge", True),
        ("lsgan:a=-1,b=1", True),
        ("lsgan", False),
        ("wasserstein", False),
        ("relativistic", False),
        ("relativistic-average", False),
    ],
)
def test_under_which_losses_the_sign_of_a_logit_says_real(loss, says_real):
    assert sign_says_real(make_loss(loss)) == says_real


def test_a_strength_that_follows_a_sign_without_meaning_is_said_once():
    options = {"loss": "lsgan", "augment": "ada+diffaug"}
    assert reads_in_vain(options, "image") == "ada"
    for fine in (
        {"loss": "hinge"},
        {"augment": "ada:strength=0.5"},
        {"augment": "diffaug"},
        {"loss": 3},
        {"loss": "?"},
    ):
        assert reads_in_vain({**options, **fine}, "image") == ""
    watch = Watch({}, "ada", "lsgan")
    rows = [{"step": step, "epoch": 0, "loss/D": 1.0, "loss/G": 1.0} for step in (1, 10)]
    (warning,) = [warning for row in rows for warning in watch.hear(row)]
    assert (warning.kind, "with the loss lsgan" in warning.text) == ("sign", True)


def test_a_run_says_that_its_strength_follows_nothing(train):
    run = train("run", "dcgan", "digits:images=32", resolution=16, loss="lsgan", augment="ada", batch_size=4, steps=1)
    assert [row["kind"] for row in run.warnings()] == ["sign"]
