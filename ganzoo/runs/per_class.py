"""A folder with a run for each label, sampled as one model."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo.contract.stored import as_json
from ganzoo.errors import UsageError
from ganzoo.runs.header import RunHeader, run_header
from ganzoo.runs.run import CLASSES, Run, write_text


@dataclass
class PerClass:
    """Runs alike but for the label they are trained on.

    Attributes:
        path: the folder: classes.json, sheet.png, and the folder of each run, ``class-LABEL``.
        header: what classes.json says: what a run.json would of all of them, and their `labels`.
    """

    path: Path
    header: RunHeader = field(repr=False)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> PerClass:
        """What a folder holds. Raises: UsageError when it is none such, GanzooError when classes.json is damaged."""
        file = Path(path) / CLASSES
        try:
            text = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} is not a folder of runs, one a label.") from error
        return cls(Path(path), run_header(text, file, "runs"))

    @property
    def facts(self) -> dict[str, Any]:
        """What classes.json says, as it stands there."""
        return as_json(self.header)

    @property
    def labels(self) -> tuple[str, ...]:
        return self.header.labels

    @property
    def runs(self) -> dict[str, Run]:
        """The runs that have begun, by label."""
        folders = {label: self.folder(label) for label in self.labels}
        return {label: Run.open(folder) for label, folder in folders.items() if (folder / "run.json").exists()}

    @property
    def sheet(self) -> Path:
        """A picture with a row of samples for each finished run, in the order of the labels."""
        return self.path / "sheet.png"

    def folder(self, label: str) -> Path:
        """Where a label's run is: called so as far as a file can be, with its number where that is not clear."""
        names = [re.sub(r"[^\w.-]+", "-", each) for each in self.labels]
        number = self.labels.index(label)
        alike = sum(name.lower() == names[number].lower() for name in names)
        return self.path / f"class-{names[number]}{f'-{number}' if alike > 1 else ''}"

    def write(self) -> None:
        """Writes classes.json, atomically."""
        write_text(self.path / CLASSES, json.dumps(as_json(self.header), indent=2, ensure_ascii=False) + "\n")
