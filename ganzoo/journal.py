"""What a run writes while it trains: metrics.jsonl, train.log and losses.png."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo.runs import Run


class Journal:
    """Appends to a run's metrics and log; opened at a step, it forgets what a killed run logged after it."""

    def __init__(self, run: Run, step: int) -> None:
        self.run = run
        self.metrics_file = run.path / "metrics.jsonl"
        self.log_file = run.path / "train.log"
        rows = list(run.metrics())
        kept = [row for row in rows if row["step"] <= step]
        if len(kept) < len(rows):
            text = "".join(json.dumps(row) + "\n" for row in kept)
            self.metrics_file.write_text(text, encoding="utf-8")

    def record(self, row: Mapping[str, Any]) -> None:
        """One object of metrics.jsonl. Values that are no number (NaN, infinity) become null, as JSON has none."""
        clean = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
        with self.metrics_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(clean) + "\n")

    def log(self, text: str) -> None:
        """One line of train.log."""
        with self.log_file.open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def classic_line(epoch: int, epochs: int, iteration: int, iterations: int, values: Mapping[str, float]) -> str:
    """``[0/5][50/497] Loss_D: 1.4232 Loss_G: 4.7655 D(x): 0.6376 D(G(z)): 0.3454 / 0.0244``.

    A watch value called "NAME after" stands behind NAME's, after a slash.
    """
    losses = [f"Loss_{name[5:]}: {value:.4f}" for name, value in values.items() if is_loss(name)]
    watches = []
    for name, value in values.items():
        if not name.startswith("loss/") and not name.endswith(" after"):
            after = values.get(name + " after")
            watches.append(f"{name}: {value:.4f}" + ("" if after is None else f" / {after:.4f}"))
    return " ".join([f"[{epoch}/{epochs}][{iteration}/{iterations}]", *losses, *watches])


def is_loss(name: str) -> bool:
    """Whether a value's name is a player's whole loss: ``"loss/D"``, not one of its terms, ``"loss/D/r1"``."""
    return name.startswith("loss/") and name.count("/") == 1


def plot_losses(run: Run, stage_starts: list[int]) -> Path | None:
    """Redraws losses.png: the losses above, D(x) and its like below, over steps; stages marked by upright lines."""
    rows = list(run.metrics())
    if not rows:
        return None
    import matplotlib

    matplotlib.use("Agg", force=False)
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for row in rows for name in row))
    losses = [name for name in names if is_loss(name)]
    watches = [name for name in names if name not in _NOT_PLOTTED and not name.startswith("loss/")]
    figure = Figure(figsize=(10, 7 if watches else 4), layout="constrained")
    axes = figure.subplots(2 if watches else 1, 1, sharex=True, squeeze=False)[:, 0]
    for axis, shown, label in zip(axes, (losses, watches), ("loss", "discriminator's mean"), strict=False):
        for name in shown:
            points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
            xs, ys = zip(*points, strict=True) if points else ((), ())
            axis.plot(xs, ys, linewidth=0.8, label=name.removeprefix("loss/"))
        for start in stage_starts[1:]:
            axis.axvline(start, color="grey", linestyle="--", linewidth=0.8)
        axis.set_ylabel(label)
        axis.legend(loc="upper right", fontsize="small")
    axes[-1].set_xlabel("step" + (" (dashed: a new stage)" if len(stage_starts) > 1 else ""))
    axes[0].set_title(f"{run.name}: {run.facts['architecture']} on {run.facts['data']['name']}")
    temporary = run.path / ".losses.tmp.png"
    figure.savefig(temporary, dpi=100)
    return temporary.replace(run.path / "losses.png")


_NOT_PLOTTED = {"step", "epoch", "images", "images_per_second", "stage"}
