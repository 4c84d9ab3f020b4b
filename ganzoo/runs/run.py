"""The run folder: explains itself, and is enough to resume, sample, report and move to another machine."""

from __future__ import annotations

import html
import json
import os
import re
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

from ganzoo.catalogue.meant import RUN, instead
from ganzoo.contract.options import parse_spec, values
from ganzoo.contract.stored import as_json
from ganzoo.errors import GanzooError, UsageError, need
from ganzoo.files import cause, explained, is_locked, load_json, locked, replaced
from ganzoo.runs import curves
from ganzoo.runs.header import Process, RunHeader, run_header
from ganzoo.runs.rows import Evaluation, Logged, Sheet, Warned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHEETS = "samples.jsonl"  # a line a sheet of samples: step, epoch, images, and what it says in numbers
WARNINGS = "warnings.jsonl"  # a line a warning: step, images, stage, kind, text
SCORES = "scores.jsonl"  # a line an evaluation: step, images, and metrics as `ganzoo evaluate --json` prints them
CLASSES = "classes.json"  # describes a folder of runs, one a label
LOCK = "lock"  # the file that whoever trains a run holds
_ELSEWHERE = "choose another --out"


@dataclass
class Run:
    """A training run in its folder.

    Attributes:
        path: the folder: run.json, metrics.jsonl, scores.jsonl, samples.jsonl, warnings.jsonl, train.log, losses.png,
            samples/, model.safetensors, checkpoints/.
        header: what run.json says: architecture, data and its origin, every option, the stages, the environment.
    """

    MODEL: ClassVar[str] = "model.safetensors"

    path: Path
    header: RunHeader = field(repr=False)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """The run in a folder. Raises: UsageError when it is none, GanzooError when run.json is damaged."""
        folder = Path(path)
        try:
            text = (folder / "run.json").read_bytes()
        except OSError as error:
            if (folder / CLASSES).exists():
                raise UsageError(f"{folder} has a run for each label in it; choose one of them.") from error
            none = f"{folder} is not a run folder; `ganzoo runs` lists those there are."
            raise UsageError(instead(RUN, path) or none) from error
        return cls(folder, run_header(text, folder / "run.json"))

    @classmethod
    def create(cls, path: Path, header: RunHeader) -> Run:
        """A new run folder. Raises: UsageError when the folder exists and is not empty, or cannot be made."""
        cls.check_free(path)
        run = cls(path, header)
        folders = (path / "samples", path / "checkpoints", path, *path.parents)
        made = [folder for folder in folders if not folder.exists()]
        with explained(path, _ELSEWHERE, UsageError):
            try:
                path.mkdir(parents=True, exist_ok=True)
                run.make_folders()
                with locked(path / LOCK, run._taken):
                    cls.check_free(path)  # of two that begin here at once, one does
                    run.write()
            except OSError:
                (path / LOCK).unlink(missing_ok=True)
                for folder in made:
                    with suppress(OSError):
                        folder.rmdir()
                raise
        return run

    def make_folders(self) -> None:
        """Makes the folders in the run's own that are not there."""
        for name in ("samples", "checkpoints"):
            (self.path / name).mkdir(exist_ok=True)

    @staticmethod
    def check_free(path: Path) -> None:
        """Raises: UsageError when a new run cannot be made at `path`; empty folders in it do not matter, nor does what
        a beginning that was cut short left.
        """
        with explained(path, _ELSEWHERE, UsageError):  # such as a name that is too long
            there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
        if (path / "run.json").exists() or (path / CLASSES).exists():
            raise UsageError(
                f"{path} already exists; choose another --out, or add --continue to go on with the run in it."
            )
        if os.fsencode(path) != str(path).encode(errors="replace"):
            raise UsageError(f"{path} is no UTF-8, and no model could be opened in it; choose another --out.")
        files = (each for each in path.rglob("*") if not each.is_dir())
        if (there == path and not path.is_dir()) or any(each.name != LOCK and not half_written(each) for each in files):
            raise UsageError(f"{path} already exists and is not an empty folder; choose another --out.")
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise UsageError(f"{path} cannot be written; choose another --out.")

    @property
    def facts(self) -> dict[str, Any]:
        """What run.json says, as it stands there. To change it, change `header`."""
        return as_json(self.header)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def model_file(self) -> Path:
        """The averaged generator: opens without any other file."""
        return self.path / self.MODEL

    @property
    def best_file(self) -> Path:
        """The best model so far, where training was told to keep it; its header has the score."""
        return self.path / "best.safetensors"

    @property
    def status(self) -> str:
        """ "running", "finished", "interrupted", "failed", or "stopped" when its process is gone without a word."""
        status = self.header.status
        return "stopped" if status == "running" and not self._is_locked() else status

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What was chosen for the run, by name: architecture, data, every option of the architecture and trainer."""
        header = self.header
        chosen = {"architecture": header.architecture, "preset": header.preset, "recipe": header.recipe}
        return {**chosen, "data": header.data.name, **header.config, **values(header.settings)}

    def checkpoints(self) -> list[Path]:
        """Checkpoint files, oldest first."""
        return sorted((self.path / "checkpoints").glob("step-*.safetensors"))

    def stage_starts(self) -> tuple[int, ...]:
        """The steps at which its stages began, by the newest checkpoint that can be read; (0,) before the first."""
        from ganzoo.runs.checkpoint import read_checkpoint_header  # torch, which a list of runs needs not

        for file in reversed(self.checkpoints()):
            with suppress(GanzooError):  # of a damaged one the one before knows nearly as much
                return read_checkpoint_header(file).stage_starts
        return (0,)

    def metrics(self) -> Iterator[Logged]:
        """The rows of metrics.jsonl, in order; a line that cannot be read, or is not of numbers, is left out."""
        for row in self._rows("metrics.jsonl"):
            if all(type(value) in (int, float) for value in row.values()):
                yield row

    def scores(self) -> Iterator[Evaluation]:
        """The evaluations that were made of the run's models, as they were made; damaged ones are left out."""
        yield from (cast(Evaluation, row) for row in self._rows(SCORES) if _has_scores(row))

    def sheets(self) -> Iterator[Sheet]:
        """What each sheet of samples says in numbers: `diversity` (1: as varied as real items), `change` since the one
        before, `copied`, the share that are copies of training images; those that apply.
        """
        yield from (row for row in self._rows(SHEETS) if isinstance(row.get("diversity"), float))

    def warnings(self) -> Iterator[Warned]:
        """What the run was warned of while it trained: `step`, `images`, `kind` and `text` of each, in order."""
        yield from (cast(Warned, row) for row in self._rows(WARNINGS) if {"kind", "text"} <= row.keys())

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        file = self.path / name
        if not file.exists():
            return
        with file.open("rb") as lines:
            for line in lines:
                with suppress(ValueError):  # torn by a crash, or by a disk
                    row = load_json(line)
                    if isinstance(row, dict) and isinstance(row.get("step"), int):
                        yield row

    def plot(self, file: str | os.PathLike[str] | None = None, stage_starts: Sequence[int] | None = None) -> Figure:
        """The curves of losses, D's verdicts and scores over images, as a figure of matplotlib's; a notebook shows it.

        Args:
            file: write them there as well: .png, .pdf or .svg.
            stage_starts: the steps that are marked as beginnings of stages; None: those of `stage_starts`.
        Raises: UsageError for another ending, GanzooError when it cannot be written.
        """
        header, starts = self.header, self.stage_starts() if stage_starts is None else stage_starts
        title = f"{self.name}: {header.architecture} on {header.data.name}"
        figure = curves.draw(list(self.metrics()), title, starts)
        if file is not None:
            place = Path(file)
            if place.suffix.lower() not in (".png", ".pdf", ".svg"):
                raise UsageError(f"Curves are written as a .png, .pdf or .svg, not as {place.name}.")
            with explained(place, "choose another file"), replaced(place) as temporary:
                figure.savefig(temporary, dpi=120, format=place.suffix[1:].lower())
        return figure

    def frame(self) -> Any:
        """The rows of metrics.jsonl as a table of pandas, a column a value. Raises: GanzooError without pandas."""
        pandas = need("pandas", "pandas", "Run.frame")
        return pandas.DataFrame(list(self.metrics()))

    def _repr_html_(self) -> str:
        """What a notebook shows: what the run is, how far it has come, and its newest sheet of samples."""
        from ganzoo.pictures.framed import as_html  # Pillow, which a list of runs needs not

        header, rows = self.header, deque(self.metrics(), maxlen=1)
        last = rows[0] if rows else {}
        numbers = [f"{name}: {value:.3f}" for name, value in last.items() if curves.is_loss(name)]
        facts = [f"{header.architecture} on {header.data.name}", self.status, f"step {last.get('step', 0):,}",
                 f"{last.get('images', 0):,} images", *numbers]  # fmt: skip

        files = [*(self.path / "samples").glob("epoch-*.png"), *(self.path / "samples").glob("step-*.png")]
        newest = max(files, key=lambda file: file.stat().st_mtime, default=None)
        head = f"<b>{html.escape(self.path.as_posix())}</b><br>{html.escape(' · '.join(facts))}"
        return head + (f"<br>{as_html(newest)}" if newest else "")

    def write(self) -> None:
        """Writes run.json, atomically."""
        write_text(self.path / "run.json", json.dumps(as_json(self.header), indent=2, ensure_ascii=False) + "\n")

    def change(self, **changes: Any) -> None:
        """Gives keys of the header other values."""
        self.header = replace(self.header, **changes)

    @contextmanager
    def locked(self, force: bool = False) -> Iterator[int | None]:
        """Keeps other processes from training the run, and takes up what the last one wrote into run.json.

        Args:
            force: go on all the same where another process seems to train it.
        Yields: the lock's descriptor, None without one.
        Raises: UsageError when another process trains the run; GanzooError when the folder cannot be written.
        """
        with ExitStack() as holder:
            try:
                held = holder.enter_context(locked(self.path / LOCK, self._pass_by if force else self._taken))
            except OSError as error:
                raise GanzooError(f"{self.path} cannot be written: {cause(error, self.path)}.") from error
            if (self.path / "run.json").exists():
                self.header = Run.open(self.path).header
                if held is None and not force and self.header.status == "running":
                    self._taken()
            if held is not None:
                self._tidy()
            yield held

    def _tidy(self) -> None:
        """Removes what killed processes left half written."""
        for folder in (self.path, self.path / "samples", self.path / "checkpoints"):
            for file in folder.glob(".*tmp*"):
                if half_written(file):
                    file.unlink(missing_ok=True)

    @staticmethod
    def _pass_by() -> None:
        raise BlockingIOError

    def _taken(self) -> NoReturn:
        process = self.header.process
        who = f"process {process.pid} on {process.host}" if process else "another process"
        raise UsageError(
            f"{self.path} is being trained by {who}; stop that one first. If it is gone for certain, and this is a "
            f"network disk that has not noticed, type: ganzoo resume {self.path} --force"
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Marks the run as being trained by this process, which has it `locked`."""
        self.change(status="running", process=Process(os.getpid(), socket.gethostname()))
        self.write()
        status = "failed"
        try:
            yield
            status = "finished"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            self.change(status=status, process=None, ended=datetime.now(UTC).isoformat(timespec="seconds"))
            with suppress(OSError):  # a full disk has been complained of, and without its process the run is stopped
                self.write()

    def _is_locked(self) -> bool:
        try:
            return is_locked(self.path / LOCK)
        except FileNotFoundError:
            return False
        except OSError:  # the disk knows no locks: what run.json says must do
            return True


_HALF = re.compile(
    r"\.(run|classes|model|best|losses|metrics|scores|samples|warnings|train|sheet|real[^.]*|epoch-\d+|step-\d+)\.\d+\.tmp\.\w+|"
    r"\.tmp\w{6}"  # safetensors' own
)


def half_written(file: Path) -> bool:
    """Whether a file in a run's folder is one that ganzoo was writing when it was killed."""
    return _HALF.fullmatch(file.name) is not None and file.is_file() and not file.is_symlink()


def list_runs(
    folder: str | os.PathLike[str] = "runs", complain: Callable[[str], None] = lambda problem: None
) -> list[Run]:
    """The runs below a folder, by name; `complain` is told of each that cannot be opened."""
    runs = []
    for file in sorted(Path(folder).glob("**/run.json")):
        try:
            runs.append(Run.open(file.parent))
        except GanzooError as error:
            complain(str(error))
    return runs


def new_folder(architecture: str, data: str) -> Path:
    """The next free ``runs/ARCHITECTURE-DATA-N``."""
    stem = _stem(architecture, data)
    taken = {path.name for path in Path("runs").glob(f"{stem}-*")} if Path("runs").is_dir() else set()
    number = 1
    while f"{stem}-{number}" in taken:
        number += 1
    return Path("runs") / f"{stem}-{number}"


@contextmanager
def claimed(architecture: str, data: str) -> Iterator[Path]:
    """The next free folder, made now, so that of several runs that begin at once each has its own.

    It is removed again, while it is empty, when something goes wrong within. Raises: UsageError when it cannot be made.
    """
    while True:
        folder = new_folder(architecture, data)
        with explained(folder, _ELSEWHERE, UsageError), suppress(FileExistsError):
            folder.mkdir(parents=True)
            break
    try:
        yield folder
    except BaseException:
        with suppress(OSError):
            folder.rmdir()
            folder.parent.rmdir()
        raise


def latest(
    architecture: str, data: str, label: str | None = None, recipe: str | None = None, file: str = "run.json"
) -> Path | None:
    """The newest ``runs/ARCHITECTURE-DATA-N`` there is, trained on this label only (None: on everything) and by this
    recipe (None: by none).

    Args:
        file: what describes it: run.json, or `CLASSES` for a folder of runs.
    """
    alike = []
    for path in Path("runs").glob(f"{_stem(architecture, data)}-*/{file}"):
        with suppress(OSError, GanzooError):
            header = run_header(path.read_bytes(), path)
            if header.data.label == label and header.recipe == recipe:
                alike.append(path)
    newest = max(alike, key=lambda path: path.stat().st_mtime, default=None)
    return None if newest is None else newest.parent


def _stem(architecture: str, data: str) -> str:
    """ "dcgan-anime" for dcgan on ``anime:images=100`` or ``some-distribution:anime``."""
    return f"{architecture}-{parse_spec(data)[0].rpartition(':')[2]}"


def write_text(path: Path, text: str) -> None:
    """Replaces a small text file, atomically. Of a path that is no UTF-8 the rest is written as JSON escapes it."""
    with replaced(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _has_scores(row: dict[str, Any]) -> bool:
    """Whether a row of scores.jsonl holds scores, each with name, value and protocol."""
    scores = row.get("metrics")
    return isinstance(scores, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("name"), str)
        and isinstance(each.get("value"), int | float)
        and isinstance(each.get("protocol"), dict)
        for each in scores
    )
