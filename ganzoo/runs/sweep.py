"""A folder of runs that differ in chosen options and in their seed."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganzoo.contract.stored import Count, as_json, from_json, parse, rare
from ganzoo.errors import UsageError
from ganzoo.files import explained
from ganzoo.runs.run import Run, write_text

SWEEP = "sweep.json"  # describes the folder
MOST_RUNS = 10_000
_RESTORE = "restore it to go on"


def parse_seeds(text: str | int, first: int = 0) -> tuple[int, ...]:
    """``"3"``: three seeds from `first` on; ``"0-99"``: from the first to the last; ``"4,8"``: these.

    Raises: UsageError when it is none of them, or more than 10,000.
    """
    written = str(text).strip()
    one, between = re.fullmatch(r"\d{1,19}", written), re.fullmatch(r"(\d{1,19})-(\d{1,19})", written)
    seeds: Sequence[int] = ()
    if one:
        seeds = range(first, first + min(int(written), MOST_RUNS + 1))
    elif between:
        low, high = map(int, between.groups())
        seeds = range(low, min(high, low + MOST_RUNS) + 1)
    elif re.fullmatch(r"\d{1,19}(,\d{1,19})+,?|\d{1,19},", written):
        seeds = list(dict.fromkeys(int(each) for each in written.split(",") if each))
    if not 0 < len(seeds) <= MOST_RUNS or seeds[-1] >= 2**63:
        raise UsageError(
            f"--seeds {text} is not understood; 3 is three seeds from --seed on, 0-99 a range, 4,8 a list of them."
        )
    return tuple(seeds)


def parse_over(text: str) -> tuple[str, tuple[str, ...]]:
    """``"lr=1e-4,2e-4"`` is ``("lr", ("1e-4", "2e-4"))``; values with commas of their own have `;` between.

    Raises: UsageError when it is not of this form.
    """
    name, _, values = text.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    listed = tuple(each.strip() for each in values.split(";" if ";" in values else ",") if each.strip())
    if not name or not listed:
        raise UsageError(f"--over {text} is not understood; it takes an option and its values: --over lr=1e-4,2e-4")
    return name, tuple(dict.fromkeys(listed))


@dataclass(frozen=True)
class SweepHeader:
    """What sweep.json says.

    Attributes:
        options: given to all runs, by name.
        over: the values of the options that differ.
        seeds: of each choice of them.
    """

    seeds: tuple[Count, ...]
    architecture: str | None = None
    data: str | None = None
    preset: str | None = None
    recipe: str | None = None
    options: Mapping[str, str] = rare({})
    over: Mapping[str, tuple[str, ...]] = rare({})


@dataclass
class Sweep:
    """Runs alike but for the options that `header.over` names, and their seeds.

    Attributes:
        path: the folder: sweep.json, and the folder of each run.
    """

    path: Path
    header: SweepHeader

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Sweep:
        """What a folder holds. Raises: UsageError when it is none such, GanzooError when sweep.json is damaged."""
        file = Path(path) / SWEEP
        try:
            text = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} is not a folder that `ganzoo sweep` made.") from error
        return cls(Path(path), from_json(SweepHeader, parse(text, file, _RESTORE), file, _RESTORE))

    def write(self) -> None:
        """Writes sweep.json, atomically; makes the folder. Raises: GanzooError when it cannot be written."""
        with explained(self.path, "choose another --out"):
            self.path.mkdir(parents=True, exist_ok=True)
            write_text(self.path / SWEEP, json.dumps(as_json(self.header), indent=2, ensure_ascii=False) + "\n")

    @property
    def choices(self) -> dict[Path, dict[str, str]]:
        """The folder of each run, and its options beside those of all; the seed is one of them."""
        names, values = list(self.header.over), list(self.header.over.values())
        found: dict[Path, dict[str, str]] = {}
        for number, chosen in enumerate(itertools.product(*values, self.header.seeds)):
            options = {**dict(zip(names, map(str, chosen), strict=False)), "seed": str(chosen[-1])}
            name = re.sub(r"[^\w.=,+-]+", "-", ",".join(f"{key}={value}" for key, value in options.items()))[:200]
            folder = self.path / name
            found[folder if folder not in found else self.path / f"{name}-{number}"] = options
        return found

    @property
    def runs(self) -> list[Run]:
        """Those that have begun."""
        return [Run.open(folder) for folder in self.choices if (folder / "run.json").exists()]
