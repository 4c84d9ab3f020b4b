"""Curves of a log: what is drawn together, smoothing, and the two axes."""

from __future__ import annotations

import sys
from io import BytesIO

import pytest

import ganzoo
from ganzoo import GanzooError, UsageError
from ganzoo.loop.display import Display
from ganzoo.runs.curves import draw, panels_of, smoothed


def rows(count=200):
    return [
        {"step": 10 * i, "images": 640 * i, "loss/D": 1.0, "loss/G": 900.0 if i == 1 else 10 + i % 2, "D(x)": 0.5}
        for i in range(1, count + 1)
    ]


def test_each_player_has_a_panel():
    names = ["loss/D.A", "loss/D.B", "loss/G", "loss/G/cycle", "D(x)", "D(G(z)) after", "k", "score/swd", "gradient/G"]
    assert panels_of(names) == {
        "loss of D": ["loss/D.A", "loss/D.B"],
        "loss of G": ["loss/G"],
        "D's mean verdict": ["D(x)", "D(G(z)) after"],
        "k": ["k"],
        "score/swd": ["score/swd"],
        "gradient's norm": ["gradient/G"],
    }


def test_terms_and_speed_are_for_those_who_ask():
    names = ["loss/G", "loss/G/cycle", "loss/G/adversarial", "loss/D", "loss/D/adversarial", "seconds", "score/swd-32"]
    names += ["gradient/G", "score/swd", "images_per_second"]
    some = panels_of(names)
    assert [*some] == ["loss of G", "loss of D", "score/swd", "gradient's norm"]
    assert some["score/swd"] == ["score/swd-32", "score/swd"]
    more = panels_of(names, terms=True)
    assert [*more] == ["loss of G", "loss of D", "terms of the loss of G", *[*some][2:], "images per second"]
    assert more["terms of the loss of G"] == ["loss/G/cycle", "loss/G/adversarial"]  # D's only term is its loss


def test_smoothing_is_a_mean_over_the_neighbours():
    assert smoothed([0, 3, 0, 3], 1) == [1.5, 1, 2, 1.5]
    assert smoothed([4.0], 3) == [4.0]


def test_axes_and_legend():
    figure = draw(rows(), "a run", [0, 1000])
    d, g, verdict = figure.axes
    assert verdict.get_xlabel() == "images"
    assert max(map(float, g.lines[0].get_xdata())) == 640 * 200
    low, high = g.get_ylim()
    assert low < 10 < 11 < high < 20  # the first steps do not flatten the rest
    strong = g.lines[0].get_ydata()
    assert max(strong[20:]) - min(strong[20:]) < 0.2  # smoothed
    assert set(g.lines[1].get_ydata()) == {10, 11, 900}
    (above,) = d.child_axes
    assert above.get_xlabel() == "steps"
    figure.savefig(BytesIO())
    assert above.get_xlim() == pytest.approx([x / 64 for x in d.get_xlim()], rel=1e-6)
    assert g.get_legend().get_window_extent().x0 > g.get_window_extent().x1  # outside
    assert d.lines[2].get_xdata()[0] == 64_000  # the stage that began at step 1,000


def test_the_name_of_a_stage_lies_on_no_verdict():
    first, *others = draw(rows(), "a run", (0, 500)).axes[:3]
    assert [text.get_text() for text in first.texts] == ["stage 2"]
    for axis in others:
        assert [text.xyann[1] > 0 for text in axis.texts] == [True]


def test_few_rows_or_none():
    assert len(draw(rows(3), "").axes) == 3
    assert len(draw([], "").axes) == 1


def test_a_run_draws_itself_and_is_a_table(finished, tmp_path, monkeypatch):
    finished.plot(tmp_path / "curves.svg")
    assert finished.plot()._repr_png_().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "curves.svg").read_text()
    with pytest.raises(UsageError, match="written as a"):
        finished.plot(tmp_path / "curves.gif")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(GanzooError, match="needs the package pandas"):
        ganzoo.Run.open(finished.path).frame()


def test_stages_begin_where_the_newest_whole_checkpoint_says(finished_copy):
    run = ganzoo.extend(finished_copy, steps=2, display=Display())
    assert run.stage_starts() == (0, 6)
    assert "stage 2" in [text.get_text() for text in run.plot().axes[0].texts]
    newest = run.checkpoints()[-1]
    newest.write_bytes(newest.read_bytes()[:100])
    assert run.stage_starts() == (0,)


def test_a_name_is_no_formula_and_may_have_any_letters():
    figure = draw([{"step": 1, "images": 4, "loss/G": 1.0}], "a$\\b$ \udcff \x1b[31m")
    figure.savefig(BytesIO(), format="png")
    assert figure.get_suptitle() == r"a$\b$ \udcff \x1b[31m"
