"""Runs side by side: their scores, what differs in their settings, time and images; curves with the seeds as a band."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import shlex
import statistics
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo.api import Run, UsageError, better_scores, csv_cell, list_runs, printable, suggest, typed, written

# Options that say where and how long a run was trained, or what it writes, not what was trained.
BESIDE = frozenset((
    "seed", "device", "processes", "accumulate", "log", "samples", "sample_every", "checkpoint_every", "epochs",
    "images", "steps", "evaluate_every", "evaluate", "keep_best", "gradients", "recipe", "preset", "max_time",
    "checkpoints",
))  # fmt: skip
# What of a score's protocol is of the run itself or was found in it, and may differ from run to run.
OF_THE_RUN = frozenset(("model", "step", "weights", "shares", "caution"))
OVER = {"images": "images", "steps": "step", "time": "seconds"}  # name of an axis -> key of metrics.jsonl
FEW = 4  # rows whose legend stands among the curves
LEGEND = 60  # letters in a line of a plot's legend
ENDINGS = (".png", ".pdf", ".svg")


@dataclass(frozen=True)
class Figures:
    """One score of several runs, a number a seed: at the end, and the best on the way.

    `best` is empty where no value of the score is better than another.
    """

    final: tuple[float, ...]
    best: tuple[float, ...] = ()


@dataclass(frozen=True)
class Row:
    """Runs that differ in their seed alone.

    Attributes:
        runs: their folders.
        seeds: theirs, in the same order; so are the others.
        settings: those options in which this row differs from others.
        images: drawn in training.
        seconds: that training took; None where the run does not say.
        scores: by name.
        pretrained: weights that its networks look through or began from; "none".
    """

    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    images: tuple[int, ...]
    seconds: tuple[float | None, ...]
    scores: Mapping[str, Figures] = field(default_factory=dict)
    pretrained: str = "none"

    @property
    def name(self) -> str:
        """What it is called in a legend: its settings, else its folder."""
        said = ", ".join(f"{name.replace('_', '-')} {typed(value) or 'none'}" for name, value in self.settings.items())
        return said or self.folder

    @property
    def folder(self) -> str:
        """Its folder's name: of several seeds that of what they share, and never a seed alone, as all runs have one."""
        path = Path(self.runs[0]).resolve()
        shared = re.sub(r"(^|,)seed=\d+$", "", path.name)
        if len(self.runs) > 1:
            return shared or path.parent.name
        return path.name if shared else f"{path.parent.name}/{path.name}"


@dataclass(frozen=True)
class Comparison:
    """Rows, and what must be known to compare them: a sentence each."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores that any row has."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.scores))

    @property
    def columns(self) -> list[str]:
        """The scores that a table has: all but those that only repeat another, as swd-28 does swd at 28×28."""
        parts = {name: whole for whole, some in parts_of(self.scores).items() for name in some}
        found = [
            (name, row.scores.get(parts.get(name, "")), row.scores.get(name))
            for name in self.scores
            for row in self.rows
        ]
        return list(
            dict.fromkeys(name for name, whole, own in found if own and (not whole or own.final != whole.final))
        )

    def facts(self) -> dict[str, Any]:
        """As JSON has it, every seed's number included."""
        return {
            "rows": [
                {
                    "runs": list(row.runs), "seeds": list(row.seeds), "settings": dict(row.settings),
                    "images": list(row.images), "seconds": list(row.seconds), "pretrained": row.pretrained,
                    "scores": {
                        name: {"final": list(each.final), "best": list(each.best),
                               "mean": statistics.fmean(each.final), "spread": _spread(each.final)}
                        for name, each in row.scores.items()
                    },
                }
                for row in self.rows
            ],
            "notes": list(self.notes),
        }  # fmt: skip

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings, and the cells of each row; numbers of several seeds as mean ± standard deviation."""
        settings = list(dict.fromkeys(name for row in self.rows for name in row.settings))
        columns = self.columns
        best = [name for name in columns if any(row.scores[name].best for row in self.rows if name in row.scores)]
        several = any(len(row.runs) > 1 for row in self.rows)
        headings = ["run", *(name.replace("_", "-") for name in settings), *(["seeds"] if several else [])]
        headings += ["images", "minutes", "pretrained"]
        for name in columns:
            headings += [name, *([f"{name}, best"] if name in best else [])]
        rows = []
        for row in self.rows:
            cells = [row.folder, *(typed(row.settings.get(each, "")) for each in settings)]
            cells += [",".join(map(str, row.seeds))] if several else []
            minutes = [each / 60 for each in row.seconds if each is not None]
            cells += [_mean(row.images, "{:,.0f}"), _mean(minutes, "{:.1f}") if minutes else "", row.pretrained]
            for name in columns:
                each = row.scores.get(name, Figures(()))
                cells += [_mean(each.final), *([_mean(each.best)] if name in best else [])]
            rows.append(cells)
        return headings, rows

    def csv(self) -> str:
        """Comma-separated, a line a row."""
        headings, rows = self.table()
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([map(csv_cell, row) for row in (headings, *rows)])
        return text.getvalue()

    def markdown(self) -> str:
        """A table of GitHub's Markdown, its notes below."""
        headings, rows = self.table()
        cells = [[_markdown(cell) for cell in row] for row in (headings, *rows)]
        cells.insert(1, ["---"] * len(headings))
        lines = [f"| {' | '.join(row)} |" for row in cells]
        return "\n".join([*lines, *(f"\n{_markdown(note)}" for note in self.notes)]) + "\n"

    def latex(self) -> str:
        """A tabular of LaTeX, in the lines that the package booktabs has; its notes as comments."""
        headings, rows = self.table()
        lines = [rf"\begin{{tabular}}{{{'l' * len(headings)}}}", r"\toprule"]
        lines += [f"{' & '.join(map(_latex, headings))} \\\\", r"\midrule"]
        lines += [f"{' & '.join(map(_latex, row))} \\\\" for row in rows]
        return (
            "\n".join([*(f"% {printable(note)}" for note in self.notes), *lines, r"\bottomrule", r"\end{tabular}"])
            + "\n"
        )


def compare(runs: Sequence[str | os.PathLike[str] | Run]) -> Comparison:
    """Sets runs side by side; those that differ in their seed alone are one row. Options that not all have, as runs of
    several architectures have, are left out.

    Args:
        runs: run folders, or folders that have runs below them.
    Raises: UsageError where there is no run.
    """
    found = _opened(runs)
    chosen = {id(run): {k: v for k, v in run.hyperparameters.items() if k not in BESIDE} for run in found}
    names = [name for name in next(iter(chosen.values())) if all(name in options for options in chosen.values())]
    differing = [name for name in names if len({repr(options[name]) for options in chosen.values()}) > 1]
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in found:
        stages = repr([vars(stage) for stage in run.header.stages])
        key = (*(repr(chosen[id(run)].get(name)) for name in differing), stages)
        groups.setdefault(key, []).append(run)
    better = better_scores()
    rows = tuple(
        _row(some, {name: chosen[id(some[0])].get(name) for name in differing}, better) for some in groups.values()
    )
    notes = (*_budgets(rows), *_unscored(found), *_parts(rows), *_protocols(found), *_cautions(found))
    return Comparison(rows, notes)


def plot(compared: Comparison, file: str | os.PathLike[str], value: str | None = None, over: str = "images") -> str:
    """Draws the curve of a logged value for each row, seeds as a band from the smallest to the largest.

    Args:
        file: its ending says the format: .png, .pdf or .svg.
        value: a name of metrics.jsonl, such as ``"loss/G"``; the first score that all have, else G's loss.
        over: ``"images"``, ``"steps"`` or ``"time"``.
    Returns: the name of the value drawn.
    Raises: UsageError for a value that no run logged, another ending, and for "time" where a run has no clock.
    """
    import numpy
    from matplotlib.figure import Figure

    place = Path(file)
    if place.suffix.lower() not in ENDINGS:
        raise UsageError(f"--plot {place} has another ending; it takes {', '.join(ENDINGS)}.")
    if over not in OVER:
        raise UsageError(f"--over {over} is not known; it takes {', '.join(OVER)}.")
    logged = {run: list(Run.open(run).metrics()) for row in compared.rows for run in row.runs}
    value = _value(value, list(logged.values()))
    unit, scale = _unit(logged.values()) if over == "time" else ("", 1.0)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    for row in compared.rows:
        curves = [_curve(logged[run], value, OVER[over], scale) for run in row.runs]
        curves = [curve for curve in curves if curve]
        if not curves:
            continue
        grid = numpy.unique([x for curve in curves for x, _ in curve])
        grid = grid[grid <= min(curve[-1][0] for curve in curves)]  # as far as every seed has come
        heights = numpy.stack([numpy.interp(grid, *numpy.transpose(curve)) for curve in curves])
        own = len(row.runs) == 1 or row.folder != Path(row.runs[0]).resolve().name  # two seeds have none together
        name = row.folder if own and len(row.name) > LEGEND else row.name  # it says more than a dozen options
        seeds = f" ({len(curves)} seeds)" if len(curves) > 1 else ""
        label = textwrap.fill(printable(name).lstrip("_") + seeds, LEGEND)
        (line,) = axis.plot(grid, heights.mean(0), linewidth=1.2, label=label, marker="." if len(grid) == 1 else "")
        if len(curves) > 1:
            axis.fill_between(grid, heights.min(0), heights.max(0), color=line.get_color(), alpha=0.2, linewidth=0)
    if not axis.lines:
        raise UsageError("These runs have no clock in their log; use --over images.")
    axis.set_xlabel({"time": f"{unit} of training", "images": "images seen"}.get(over, over))
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:,.10g}")
    kind, _, name = value.partition("/")
    axis.set_ylabel({"loss": f"loss of {name}", "score": name}.get(kind, value))
    bands = "band: all seeds; line: their mean" if axis.collections else None
    said: dict[str, Any] = {"title": bands, "title_fontsize": "small", "fontsize": "small"}
    if len(axis.lines) > FEW:  # they would lie on the curves
        figure.set_figheight(4 + 0.25 * len(axis.lines))
        legend = figure.legend(loc="outside lower center", **said)
    else:
        legend = axis.legend(loc="best", **said)
    for text in legend.get_texts():
        text.set_parse_math(False)
    with written(place, "choose another --plot") as temporary:
        figure.savefig(temporary, dpi=150, format=place.suffix[1:].lower())
    return value


def _opened(runs: Sequence[str | os.PathLike[str] | Run]) -> list[Run]:
    found: list[Run] = []
    for each in runs:
        if isinstance(each, Run):
            found.append(each)
        elif (Path(each) / "sweep.json").exists() and not list_runs(each):
            raise UsageError(f"No run in {each} has begun yet; `ganzoo resume {each}` goes on with the sweep.")
        elif (Path(each) / "run.json").exists() or not (below := list_runs(each)):
            found.append(Run.open(each))
        else:
            found += below
    if not found:
        raise UsageError("Say which runs, by their folders.")
    return list({run.path.resolve(): run for run in found}.values())


def _row(runs: Sequence[Run], settings: Mapping[str, Any], better: Mapping[str, str]) -> Row:
    last = [next(iter(list(run.metrics())[-1:]), {}) for run in runs]
    histories = [_histories(run) for run in runs]
    scores = {}
    for name in dict.fromkeys(name for history in histories for name in history):
        values = [history[name] for history in histories if name in history]
        choose: Callable[..., float] | None = {"smaller": min, "larger": max}.get(better.get(name, ""))
        scores[name] = Figures(
            tuple(each[-1] for each in values), tuple(choose(each) for each in values) if choose else ()
        )
    return Row(
        tuple(str(run.path) for run in runs),
        tuple(int(run.hyperparameters["seed"]) for run in runs),
        settings,
        tuple(int(row.get("images", 0)) for row in last),
        tuple(row.get("seconds") for row in last),
        scores,
        ", ".join(dict.fromkeys(name for run in runs for name in _pretrained(run))) or "none",
    )


def _pretrained(run: Run) -> Iterable[str]:
    """Names of the weights that it did not learn itself."""
    yield from (weights.name for weights in run.header.frozen)
    if run.header.init:
        yield f"begun from {Path(run.header.init).name}"


def _histories(run: Run) -> dict[str, list[float]]:
    """Each score's values, in the order of the steps."""
    found: dict[str, list[float]] = {}
    for row in sorted(run.scores(), key=lambda row: row["step"]):
        for score in row["metrics"]:
            if math.isfinite(score["value"]):
                found.setdefault(score["name"], []).append(score["value"])
    return found


def _budgets(rows: Sequence[Row]) -> Iterable[str]:
    budgets = {images for row in rows for images in row.images}
    if len(budgets) > 1:
        yield (
            f"Not equally long: from {min(budgets):,} to {max(budgets):,} images. Equal --steps are not equal images "
            "where batches differ; train with --images to compare."
        )


def _unscored(runs: Sequence[Run]) -> Iterable[str]:
    """What to type where a run has no score, without which nobody can choose."""
    judged = [run for run in runs if better_scores(run.header.data.modality)]  # others have none to be taken
    without = [str(run.path) for run in judged if not _histories(run)]
    if without:
        some = f"Without a score: {len(without)} of {len(runs)} runs." if len(runs) > 1 else "The run has no score."
        yield (
            f"{some} `ganzoo evaluate {shlex.quote(without[0])}` gives one its scores; "
            "`ganzoo train … --evaluate-every IMAGES` takes scores on the way."
        )


def parts_of(scores: Iterable[str]) -> dict[str, list[str]]:
    """Scores that are another one at so many pixels a side: ``{"swd": ["swd-32", "swd-16"]}``."""
    names = list(scores)
    found = {whole: [name for name in names if re.fullmatch(rf"{re.escape(whole)}-\d+", name)] for whole in names}
    return {whole: parts for whole, parts in found.items() if parts}


def _parts(rows: Sequence[Row]) -> Iterable[str]:
    """What a score's parts are, where a table has several columns of them."""
    for whole, parts in parts_of(Comparison(tuple(rows)).columns).items():
        if len(parts) > 1:
            yield f"{' and '.join(parts)} are {whole} at this many pixels a side; {whole} itself is their mean."


def _protocols(runs: Sequence[Run]) -> Iterable[str]:
    """A sentence for each score that was not taken in the same way everywhere."""
    seen: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        rows = list(run.scores())
        for score in rows[-1]["metrics"] if rows else ():
            protocol = {name: v for name, v in score["protocol"].items() if name not in OF_THE_RUN}
            seen.setdefault(score["name"], []).append(protocol)
    for name, protocols in seen.items():
        keys = dict.fromkeys(key for protocol in protocols for key in protocol)
        differing = [key for key in keys if len({repr(protocol.get(key)) for protocol in protocols}) > 1]
        if differing:
            yield f"{name} was not taken alike: the runs differ in {', '.join(differing)}."


def _cautions(runs: Sequence[Run]) -> Iterable[str]:
    """What scores say that one should bear in mind of them, once each."""
    newest = [score for run in runs for row in list(run.scores())[-1:] for score in row["metrics"]]
    said = {(each["protocol"].get("metric", each["name"]), each["protocol"].get("caution")) for each in newest}
    return [f"Caution about {metric}: {caution}" for metric, caution in sorted(said, key=repr) if caution]


def _value(value: str | None, logs: Sequence[list[dict[str, Any]]]) -> str:
    names = list(dict.fromkeys(name for log in logs for row in log for name in row))
    if not names:
        raise UsageError("These runs have logged nothing yet.")
    if value is None:
        scored = [name for name in names if name.startswith("score/")]
        value = next(iter(scored), next((name for name in names if name.startswith("loss/G")), "loss/G"))
    if value not in names:
        raise UsageError(f"No run logged {value!r}; {suggest(value, names)}")
    return value


def _unit(logs: Iterable[Sequence[Mapping[str, Any]]]) -> tuple[str, float]:
    """The unit of time for the longest of some trainings, and seconds in it."""
    longest = max((row.get("seconds", 0.0) for log in logs for row in log), default=0.0)
    return next((name, size) for name, size in (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))
                if longest >= 3 * size or size == 1)  # fmt: skip


def _curve(log: Sequence[Mapping[str, Any]], value: str, over: str, scale: float) -> list[tuple[float, float]]:
    """A value over what `over` names, counted in units of `scale`."""
    points = [(row[over] / scale, row[value]) for row in log if over in row and math.isfinite(row.get(value, math.nan))]
    return sorted(dict(points).items())


def _spread(numbers: Sequence[float]) -> float | None:
    return statistics.stdev(numbers) if len(numbers) > 1 else None


def _mean(numbers: Sequence[float], form: str = "{:.4g}") -> str:
    if not numbers:
        return ""
    spread = _spread(numbers)
    mean = form.format(statistics.fmean(numbers))
    return mean if not spread else f"{mean} ± {form.format(spread)}"


def _markdown(text: str) -> str:
    """A text that is no markup, whatever names are in it."""
    return re.sub(r"([\\`*<>|\[\]])", r"\\\1", printable(text))


_LATEX = {
    **{letter: "\\" + letter for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}", "±": r"$\pm$", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in printable(text))
