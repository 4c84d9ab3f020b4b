"""What looks wrong in a run, the figure that says so, and what people do about it.

Warnings are a function of the rows of metrics.jsonl and samples.jsonl, so a resumed run gives those that an
uninterrupted one gives. The bounds are wide: logs of healthy runs are silent (tests/plugins/test_warnings.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from ganzoo.api import TrainingWarning

SCORE = "score/"  # begins the names of scores
WINDOW = 50  # rows of losses that are looked at, of ten steps each
WON = 0.95  # D(x) above it and D(G(z)) below the rest of it through a window, or a loss of D's below LOST
LOST = 0.02
FLAT = 0.05  # a loss log(1 - D(G(z))) of G's nearer to 0 than this gives G a twentieth of its slope at most
DIVERSE, ALIKE = 0.3, 0.1  # of the real images' diversity: where it can be said to fall; where it is gone
SHEETS = 3  # of such samples, one after the other
STEPS = 500  # before these: too early to say
EPOCHS = 5  # in which something should change
MOVED = 0.05  # of the samples' contrast: changes that add up to less are none
COPIED = 0.25  # share of samples that are copies


class Watch:
    """Hears the rows of a run, in order, and warns once of each kind."""

    def __init__(self, better: Mapping[str, str], blind: str = "", loss: str = "") -> None:
        """Args:
        better: "smaller" or "larger" for each score that can tell the better model.
        blind: augmentations that follow the sign of D's logits, where it says nothing under this `loss`.
        """
        self.better, self.blind, self.loss, self.given = better, blind, loss, set[str]()
        self.rows: deque[Mapping[str, Any]] = deque(maxlen=WINDOW)
        self.sheets: list[Mapping[str, Any]] = []
        self.scored: list[Mapping[str, Any]] = []

    def hear(self, row: Mapping[str, Any]) -> list[TrainingWarning]:
        """What a row of metrics.jsonl or samples.jsonl gives reason to warn of."""
        rules = []
        if any(name.startswith("loss/") for name in row):
            self.rows.append(row)
            rules = [self._d_wins, self._sign]
        elif not isinstance(row.get("epoch"), int):  # changed by hand
            pass
        elif "diversity" in row:
            self.sheets.append(row)
            rules = [self._collapse, self._copies, self._still]
        elif any(name.startswith(SCORE) for name in row):
            self.scored.append(row)
            rules = [self._scores]
        new: dict[str, TrainingWarning] = {}
        for warning in (warning for rule in rules for warning in rule()):
            if warning.kind not in self.given:
                new.setdefault(warning.kind, warning)
        self.given |= new.keys()
        return [*new.values()]

    def _d_wins(self) -> Iterator[TrainingWarning]:
        last = self.rows[-1]
        if len(self.rows) < WINDOW or last["step"] < STEPS:
            return
        real, fake = (self._mean(name) for name in ("D(x)", "D(G(z))"))
        advice = (
            "so G learns little from it. People lower D's rate (--lr-d) or bound it (--penalty r1), augment what it "
            "sees (--augment diffaug), or take a loss that stays steep (--loss nonsaturating or lsgan)."
        )
        since = f"over the last {last['step'] - self.rows[0]['step']:,} steps"
        if WON < real < 1.1 and -0.1 < fake < 1 - WON:
            yield TrainingWarning("d-wins", f"D wins: D(x) is {real:.3f} and D(G(z)) {fake:.2g} {since}, {advice}")
        losses = [row.get("loss/D", -1.0) for row in self.rows]
        if min(losses) >= 0 and max(losses) < LOST:
            yield TrainingWarning("d-wins", f"D wins: its loss is at most {max(losses):.2g} {since}, {advice}")
        # Only a G that minimises log(1 - D(G(z))) has a loss between that and 0 where D's is above 0. Other losses are
        # steep there: with them a healthy D comes to 0.94.
        flat = [row.get("loss/G", 1.0) for row in self.rows]
        if min(losses) >= 0 and -FLAT < min(flat) <= max(flat) <= 0 and 0.5 < real < 1.1:
            found = f"G's loss is flat where D is so sure, {min(flat):.2g} or nearer to 0"
            yield TrainingWarning("d-wins", f"D wins: {found} {since}, {advice}")

    def _sign(self) -> Iterator[TrainingWarning]:
        if self.blind:
            yield TrainingWarning(
                "sign",
                f"The strength of --augment {self.blind} follows the sign of D's logits on real images, which says "
                f"nothing with the loss {self.loss}. People say the strength themselves (its option `strength`), or "
                "take --loss nonsaturating or hinge.",
            )

    def _mean(self, name: str) -> float:
        return float(sum(row.get(name, 0.5) for row in self.rows)) / len(self.rows)

    def _collapse(self) -> Iterator[TrainingWarning]:
        seen = [row["diversity"] for row in self.sheets]
        now, best = max(seen[-SHEETS:]), max(seen)
        fell = best > DIVERSE and now < best / 2
        if len(seen) > SHEETS and self.sheets[-1]["step"] >= STEPS and (fell or now < ALIKE):
            before = f", and were {best:.0%} at their best" if best > now else ""
            yield TrainingWarning(
                "collapse",
                f"G collapses: its samples are {seen[-1]:.0%} as varied as real ones{before}. People give D more turns "
                "(--n-critic) or a higher rate (--lr-d), bound it (--penalty r1 or wgan-gp), or let it see how varied "
                "a batch is; samples/ has the sheets from before.",
            )

    def _copies(self) -> Iterator[TrainingWarning]:
        copied = self.sheets[-1].get("copied", 0.0)
        if copied >= COPIED:
            yield TrainingWarning(
                "copies",
                f"Samples are copies: {copied:.0%} of them are three times nearer to one training item than to any "
                "other. People add data, augment what D sees (--augment diffaug), keep an earlier model "
                "(--keep-best), or take smaller networks.",
            )

    def _still(self) -> Iterator[TrainingWarning]:
        moved, last = 0.0, self.sheets[-1]
        for row in reversed(self.sheets):
            if last["epoch"] - row["epoch"] >= EPOCHS and last["step"] - row["step"] >= STEPS:
                if moved < MOVED:
                    yield self._no_change(
                        f"The samples changed by {moved:.1%} of their contrast in {last['epoch'] - row['epoch']} epochs"
                    )
                return
            moved += row.get("change", 1.0)

    def _scores(self) -> Iterator[TrainingWarning]:
        last, stale = self.scored[-1], []
        for name in last:
            which = self.better.get(name.removeprefix(SCORE)) if name.startswith(SCORE) else None
            seen = [row for row in self.scored if name in row]
            if which is None or len(seen) <= EPOCHS:
                continue
            best = (min if which == "smaller" else max)(seen, key=lambda row: row[name])
            if last["epoch"] - best["epoch"] < EPOCHS or last["step"] - best["step"] < STEPS:
                return  # one that still gets better will do
            stale.append(f"{name.removeprefix(SCORE)} {best[name]:.4g} at {best['images']:,} images")
        if stale:
            yield self._no_change(f"No score was better in the last {EPOCHS} epochs (best: {', '.join(stale)})")

    @staticmethod
    def _no_change(what: str) -> TrainingWarning:
        return TrainingWarning(
            "no-change",
            f"{what}, so more training is unlikely to help at this rate. People stop here, go on with a smaller --lr, "
            "or take more data or a larger network.",
        )
