"""What a run logged as curves: which names are whose, and the picture of them."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ganzoo.errors import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCORE = "score/"  # begins the names of scores in metrics.jsonl
GRADIENT = "gradient/"  # begins the names of gradients' norms
_VERDICT = re.compile(r"D(\.\w+)?\(")  # begins D(x), D(G(z)) after, D.A(real)
_COUNTERS = {"step", "epoch", "images", "images_per_second", "seconds"}
VERDICTS, NORMS, SPEED, TERMS = "D's mean verdict", "gradient's norm", "images per second", "terms of the loss of "
SMOOTHED = 30  # a smoothed curve is a mean over this part of its points
PANEL = 2.4  # inches that a panel is high
OUTLIERS = 0.005  # share of the values, at either end, that the axis need not reach

# A name in letters that the font has not is drawn as boxes, and every save would say so.
warnings.filterwarnings("ignore", "Glyph .* missing from font")

Row = Mapping[str, Any]


def is_loss(name: str) -> bool:
    """Whether a value's name is a player's whole loss: ``"loss/D"``, not one of its terms, ``"loss/D/r1"``."""
    return name.startswith("loss/") and name.count("/") == 1


def is_watch(name: str) -> bool:
    """Whether a name is a watch value's: ``"D(x)"``, no loss, no gradient, no score and no counter."""
    return not name.startswith(("loss/", GRADIENT, SCORE)) and name not in _COUNTERS


def panels_of(names: Sequence[str], terms: bool = False) -> dict[str, list[str]]:
    """What is drawn together, under its title: each player's loss by itself, for one may be ten times the other; D's
    mean verdicts; every other watched value; the scores of one kind, ``"swd-32"`` with ``"swd"``; the gradients' norms.
    With `terms` also those of each player's loss that has several, and the speed.
    """
    panels: dict[str, list[str]] = {VERDICTS: []}
    for name in names:
        panels.setdefault(_title(name, names), []).append(name)
    panels |= {last: panels.pop(last, []) for last in (NORMS, SPEED)}
    losses = {title: shown for title, shown in panels.items() if any(map(is_loss, shown))}
    left_out = {""} if terms else {"", SPEED}
    left_out |= {title for title, shown in panels.items() if title.startswith(TERMS) and not (terms and len(shown) > 1)}
    shown = {title: each for title, each in {**losses, **panels}.items() if each and title not in left_out}
    return shown or {"loss": []}


def _title(name: str, names: Sequence[str]) -> str:
    """Of the panel that a value belongs to; "" for what only says when."""
    if name.startswith("loss/"):  # D.A and D.B are alike, G and D are not
        player = name.split("/")[1]
        return f"loss of {player.partition('.')[0]}" if is_loss(name) else f"{TERMS}{player}"
    if name.startswith(SCORE):
        return min((each for each in names if f"{name}-".startswith(f"{each}-")), key=len)
    if name.startswith(GRADIENT):
        return NORMS
    if not is_watch(name):
        return SPEED if name == "images_per_second" else ""
    return VERDICTS if _VERDICT.match(name) else name


def draw(rows: Sequence[Row], title: str, stage_starts: Sequence[int] = ()) -> Figure:
    """The curves over images, with the steps above, smoothed, and as they are behind that in pale; stages are marked by
    upright lines.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, MaxNLocator

    class Curves(Figure):
        def _repr_png_(self) -> bytes:
            """What a notebook shows, also where pyplot was never imported."""
            held = io.BytesIO()
            self.savefig(held, format="png", dpi=80)
            return held.getvalue()

    panels = panels_of(list(dict.fromkeys(name for row in rows for name in row)))
    figure = Curves(figsize=(10, 1 + PANEL * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (label, shown) in zip(axes, panels.items(), strict=True):
        for name in shown:
            _curve(axis, rows, name)
        if label == NORMS and any(row.get(name, 0) > 0 for name in shown for row in rows):
            axis.set_yscale("log")
        else:
            _fit(axis, [row[name] for name in shown for row in rows if _is_number(row.get(name))])
        for number, place in enumerate((_images_at(rows, start) for start in stage_starts[1:]), 2):
            axis.axvline(place, color="grey", linestyle="--", linewidth=0.8)
            above = 2 if axis is not axes[0] else -10  # the first panel has its steps there
            axis.annotate(f"stage {number}", (place, 1), (3, above), xycoords=("data", "axes fraction"),
                          textcoords="offset points", fontsize="small", color="grey")  # fmt: skip
        axis.set_ylabel(label)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        if shown:
            axis.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), frameon=False)
    axes[-1].set_xlabel("images")
    axes[-1].xaxis.set_major_formatter(EngFormatter(sep=""))
    axes[-1].xaxis.set_major_locator(MaxNLocator(8))
    _steps_above(axes[0], rows)
    figure.suptitle(printable(title), fontsize="large", parse_math=False)
    return figure


def _curve(axis: Axes, rows: Sequence[Row], name: str) -> None:
    points = [(row.get("images", row["step"]), row[name]) for row in rows if _is_number(row.get(name))]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    label = name.removeprefix("loss/").removeprefix(GRADIENT).removeprefix(SCORE)
    width = len(points) // SMOOTHED
    colour: dict[str, Any] = {"color": "tab:red"} if name.startswith("loss/G") and not axis.lines else {}
    if width < 2:
        axis.plot(xs, ys, linewidth=1.4, label=label, marker="." if len(points) < SMOOTHED else "", **colour)
        return
    (line,) = axis.plot(xs, smoothed(ys, width), linewidth=1.6, label=label, **colour)
    axis.plot(xs, ys, linewidth=0.7, color=line.get_color(), alpha=0.25)


def smoothed(values: Sequence[float], width: int) -> list[float]:
    """The mean over `width` values on either side of each, fewer near the ends."""
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    spans = [(max(0, i - width), min(len(values), i + width + 1)) for i in range(len(values))]
    return [(sums[high] - sums[low]) / (high - low) for low, high in spans]


def _fit(axis: Axes, values: list[float]) -> None:
    """Lets the axis reach over nearly all values; a few far out, as at the first steps, would flatten the rest."""
    if not values:
        return
    values.sort()
    cut = int(OUTLIERS * len(values))
    low, high = values[cut], values[-1 - cut]
    room = 0.06 * (high - low) or 0.05 * abs(high) or 0.05
    axis.set_ylim(low - room, high + room)


def _steps_above(axis: Axes, rows: Sequence[Row]) -> None:
    """An axis of steps above the panels, which go with the images as the log says."""
    import numpy

    known = {row["step"]: row["images"] for row in rows if "images" in row}
    steps, images = numpy.array([*known], float), numpy.array([*known.values()], float)
    if len(known) < 2 or not (numpy.diff(steps) > 0).all() or not (numpy.diff(images) > 0).all():
        return

    def along(x: Any, xs: Any, ys: Any) -> Any:
        """Linear between the points, and beyond them as before the last of them."""
        slope = (ys[-1] - ys[0]) / (xs[-1] - xs[0])
        return numpy.where(x > xs[-1], ys[-1] + (x - xs[-1]) * slope,
                           numpy.where(x < xs[0], ys[0] + (x - xs[0]) * slope, numpy.interp(x, xs, ys)))  # fmt: skip

    above = axis.secondary_xaxis(
        "top", functions=(lambda x: along(x, images, steps), lambda x: along(x, steps, images))
    )
    above.set_xlabel("steps")


def _images_at(rows: Sequence[Row], step: int) -> float:
    """How many images were drawn by a step, as the row before it says; the step itself where no row does."""
    return max((row.get("images", row["step"]) for row in rows if row["step"] <= step), default=step)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
