"""A folder of runs that differ in chosen options and in their seed."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ganzoo.api import GanzooError, Run, UsageError, as_json, from_json, written

SWEEP = "sweep.json"  # describes the folder
_RESTORE = "restore it to go on"


@dataclass(frozen=True)
class SweepHeader:
    """What sweep.json says.

    Attributes:
        options: given to all runs, by name.
        over: the values of the options that differ.
        seeds: of each choice of them.
    """

    seeds: tuple[int, ...]
    architecture: str | None = None
    data: str | None = None
    preset: str | None = None
    recipe: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    over: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
            facts = json.loads(file.read_bytes())
        except OSError as error:
            raise UsageError(f"{path} is not a folder that `ganzoo sweep` made.") from error
        except (ValueError, RecursionError) as error:
            raise GanzooError(f"{file} is damaged ({error}); {_RESTORE}.") from error
        return cls(Path(path), from_json(SweepHeader, facts, file, _RESTORE))

    def write(self) -> None:
        """Writes sweep.json, atomically; makes the folder. Raises: GanzooError when it cannot be written."""
        text = json.dumps(as_json(self.header), indent=2, ensure_ascii=False) + "\n"
        with written(self.path / SWEEP, "choose another --out") as part, part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # the runs are found by it

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
