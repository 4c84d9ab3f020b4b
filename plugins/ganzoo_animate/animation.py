"""A run's sheets of samples as a movie."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from ganzoo.api import Run, UsageError
from ganzoo_animate.movie import save_frames

RATE = 10  # sheets a second
REST = 1.5  # seconds that the last sheet stays
LINE = 18  # pixels below a sheet, for its label
SMALL = 256  # smaller sheets are enlarged to about this, in whole steps


@dataclass(frozen=True, order=True)
class Sheet:
    """A sheet of samples: the passes over the data, and the steps, after which it was made (0: not known).

    Attributes:
        captioned: it says so itself; sheets of earlier versions do not.
    """

    epoch: int
    step: int
    file: Path
    captioned: bool = False

    @classmethod
    def open(cls, file: Path) -> Sheet:
        with Image.open(file) as picture:
            notes = picture.info
        kind, number = file.stem.split("-")
        epoch = int(notes.get("epoch", number if kind == "epoch" else 0))
        return cls(epoch, int(notes.get("step", number if kind == "step" else 0)), file, "command" in notes)

    @property
    def label(self) -> str:
        return f"epoch {self.epoch}" + (f", step {self.step:,}" if self.step or not self.epoch else "")


def sheets(run: Run) -> list[Sheet]:
    """A run's sheets of samples, in the order they were made in."""
    files = (run.path / "samples").glob("*.png")
    return sorted(Sheet.open(file) for file in files if re.fullmatch(r"(epoch|step)-\d+", file.stem))


def animate(
    run: str | os.PathLike[str] | Run,
    file: str | os.PathLike[str] | None = None,
    *,
    rate: int = RATE,
    frames: int | None = None,
) -> Path:
    """A movie of a run's sheets of samples over time, each labelled with its epoch and step.

    Args:
        file: a .gif or .mp4; ``samples/animation.gif`` in the run's folder unless given.
        rate: sheets a second, from 1 to 50.
        frames: of more sheets than this, so many are taken, evenly spread, the first and the last among them.
    Returns: where the movie is.
    Raises:
        UsageError: it is no run, there are no sheets yet, or the name's ending is neither .gif nor .mp4.
        GanzooError: there is no encoder for MP4 here (says what to install), or it failed.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    target = Path(file) if file is not None else run.path / "samples" / "animation.gif"
    if not 1 <= rate <= 50:
        raise UsageError(f"A movie shows 1 to 50 sheets a second, not {rate}.")
    if frames is not None and frames < 2:
        raise UsageError(f"A movie has at least 2 sheets, not {frames}.")
    pictures = sheets(run)
    if not pictures:
        raise UsageError(f"{run.path} has no sheets of samples yet; one is written after every epoch.")
    save_frames(_frames(_spread(pictures, frames), rest=round(REST * rate)), target, rate)
    return target


def _frames(some: Sequence[Sheet], rest: int) -> Iterator[Image.Image]:
    """Each sheet with its label below, all of one size; the last so many times more."""
    size: tuple[int, int] | None = None
    for number, each in enumerate(some, 1):
        with Image.open(each.file) as picture:
            shown = picture.convert("RGB")
        times = max(1, SMALL // max(shown.size))
        shown = shown.resize((shown.width * times, shown.height * times), Image.Resampling.NEAREST)
        size = size or (shown.width, shown.height + (0 if each.captioned else LINE))
        frame = Image.new("RGB", size, "white")
        frame.paste(shown)
        if not each.captioned:
            ImageDraw.Draw(frame).text((4, size[1] - LINE + 3), each.label, fill="black")
        yield from [frame] * (1 if number < len(some) else 1 + rest)


def _spread(found: list[Sheet], frames: int | None) -> list[Sheet]:
    if frames is None or len(found) <= frames:
        return found
    return [found[round(i * (len(found) - 1) / (frames - 1))] for i in range(frames)]
