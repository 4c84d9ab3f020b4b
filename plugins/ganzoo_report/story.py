"""One run as a page tells it: its pictures over the training, each at the moments there are of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from ganzoo.api import Run
from ganzoo_report.album import Album, spread
from ganzoo_report.record import Log, Mark, stages, warnings

POSITIONS = 40  # of the slider
GAP = 2  # pixels between the items of a sheet
WORDS = {"image": "images", "point": "points", "signal": "sounds", "table": "rows", "text": "lines", "clip": "clips"}
SIDE, LARGEST = 128, 2048  # to which a sheet's items, and it, are enlarged at the most, in whole steps


@dataclass(frozen=True)
class Moment:
    """A picture at a moment of the training: its number in the album, and what it shows, in words."""

    images: int
    picture: int
    words: str


@dataclass(frozen=True)
class Grid:
    """How a sheet of images is laid out: items in a row, rows, and pixels of an item."""

    columns: int
    rows: int
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        return self.columns * (self.width + GAP) + GAP, self.rows * (self.height + GAP) + GAP

    def cut(self, picture: Image.Image, number: int) -> Image.Image:
        """An item of a sheet."""
        row, column = divmod(number, self.columns)
        left, top = GAP + column * (self.width + GAP), GAP + row * (self.height + GAP)
        return picture.crop((left, top, left + self.width, top + self.height))


@dataclass
class Story:
    """A run, and all pictures of it.

    Attributes:
        key: what its series begin with.
        series: by name, in the order of the images seen.
        made: what its model was asked for, by what it is: see `made.py`.
        left_out: what the page does not have, a sentence each.
    """

    run: Run
    key: str
    log: Log
    stages: list[Mark]
    warnings: list[Mark]
    series: dict[str, list[Moment]] = field(default_factory=dict)
    grid: Grid | None = None  # of the sheets, where they are grids of images
    command: str = ""  # that trains such a run, as the newest sheet says
    made: dict[str, list[Any]] = field(default_factory=dict)
    real: dict[str, int] = field(default_factory=dict)  # by domain, "" for the only one
    left_out: list[str] = field(default_factory=list)

    @property
    def sheet(self) -> str:
        """The name of the series of its sheets."""
        return f"{self.key}-sheet"

    @property
    def items(self) -> str:
        """What the run's items are, in a word."""
        return items_of(self.run)

    @property
    def name(self) -> str:
        return self.run.name or str(self.run.path.resolve().name)


def items_of(run: Run) -> str:
    """What a run's items are, in a word."""
    return WORDS.get(run.header.data.modality, "items")


def items_of_all(stories: Sequence[Story]) -> str:
    """The word for the items of several runs."""
    words = {story.items for story in stories}
    return words.pop() if len(words) == 1 else "items"


def tell(run: Run, key: str, album: Album, full: bool) -> Story:
    """Everything of a run but what its model makes anew."""
    log = Log(run)
    story = Story(run, key, log, stages(run, log), warnings(run))
    for file in sorted(run.path.glob("real*.png")):
        with suppress(OSError, UnidentifiedImageError):
            story.real[file.stem.partition("-")[2]] = album.add(_opened(file))
    _sheets(story, album, full)
    return story


def _sheets(story: Story, album: Album, full: bool) -> None:
    found = sorted(_moments(story))
    kept = spread(range(len(found)), None if full else POSITIONS)
    moments = []
    for images, epoch, step, file in (found[place] for place in kept):
        with suppress(OSError, UnidentifiedImageError):  # torn by a crash
            picture, grid, story.command = _plain(file, story, _real_size(story, album))
            if grid is None or story.grid in (None, grid):
                story.grid = grid
            when = (
                f"{images:,} {story.items} seen (epoch {epoch}, step {step:,})" if images else "before the first step"
            )
            moments.append(Moment(images, album.add(picture), when))
    if moments:
        story.series[story.sheet] = moments
    if len(moments) < len(found):
        story.left_out.append(
            f"{story.name}: {len(moments)} of {len(found)} sheets of samples are on this page, spread over the "
            "training, the first and the last among them; --full takes all."
        )


def _real_size(story: Story, album: Album) -> tuple[int, int] | None:
    """Of the sheet of real items, which has no caption; None: there is none."""
    return album.pictures[story.real[""]].size if "" in story.real else None


def _plain(file: Path, story: Story, real: tuple[int, int] | None) -> tuple[Image.Image, Grid | None, str]:
    """A sheet without its caption and names and as small as it was made, how it is laid out, and the command in it.

    A sheet of other items than images is cut to the size of the real ones', if it is as wide.
    """
    picture = _opened(file)
    command, data = str(picture.info.get("command", "")), story.run.header.data
    if data.modality != "image":
        if real is not None and picture.width == real[0] and picture.height > real[1]:
            picture = picture.crop((0, 0, *real))
        return picture, None, command
    height, width = data.shape[1:]
    columns = math.ceil(math.sqrt(story.run.header.settings.samples))
    for times in range(max(1, SIDE // max(height, width)), 0, -1) if command else (1,):
        columns = min(columns, (picture.width - GAP * times) // ((width + GAP) * times))
        rows = (picture.height - GAP * times) // ((height + GAP) * times)
        grid = Grid(columns, rows, width, height)
        usual = max(1, min(SIDE // max(height, width), LARGEST // max(grid.size))) if command else 1
        if not (columns and rows) or times != usual or not (command or grid.size == picture.size):
            continue
        left = picture.width - grid.size[0] * times
        whole = picture.crop((left, 0, left + grid.size[0] * times, grid.size[1] * times))
        return whole.resize(grid.size, Image.Resampling.NEAREST), grid, command
    return picture, None, command


def _moments(story: Story) -> Iterator[tuple[int, int, int, Path]]:
    """Images, epoch, step and file of each sheet of samples."""
    for file in (story.run.path / "samples").glob("*.png"):
        if not re.fullmatch(r"(epoch|step)-\d+", file.stem):
            continue
        with suppress(OSError, UnidentifiedImageError, ValueError), Image.open(file) as picture:
            kind, number = file.stem.split("-")
            epoch = int(picture.info.get("epoch", number if kind == "epoch" else 0))
            step = picture.info.get("step", number if kind == "step" else None)
            step = story.log.step_after_epoch(epoch) if step is None else int(step)
            yield story.log.images_at(step), epoch, step, file


def _opened(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        picture.load()
        return picture


def facts(story: Story, full: bool) -> dict[str, Any]:
    """What the page's script is told of a run."""
    columns, gone = story.log.columns(full)
    if gone:
        story.left_out.append(
            f"{story.name}: {gone:,} of the {len(story.log.rows):,} rows of metrics.jsonl are not in the curves, which "
            "have those that are left evenly spread; --full takes all."
        )
    return {
        "name": story.name,
        "columns": columns,
        "epoch": _epoch(story),
        "stages": [[mark.images, mark.text] for mark in story.stages[1:]],
        "warnings": [[mark.images, mark.text] for mark in story.warnings],
    }


def _epoch(story: Story) -> float:
    """Images in a pass over the data."""
    data = story.run.header.data
    seen = [row["images"] / (row["epoch"] + 1) for row in story.log.rows if isinstance(row.get("epoch"), int)]
    whole = max(seen, default=0.0)
    return max(1.0, whole if data.domains else data.images or whole)
