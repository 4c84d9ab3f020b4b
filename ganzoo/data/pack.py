"""Packs: a data set at one size as one memory-mapped array, made by several processes, found again by its key.

A pack is a folder under ganzoo's home: ``job.json`` (what to draw), ``pack.npy`` (the rows), ``done.txt`` (numbers of
the chunks that are written, so that an interrupted pack goes on) and at last ``pack.json``, which says it is whole.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ganzoo.contract.report import Report
from ganzoo.data.images import FILTER
from ganzoo.data.pack_worker import CHUNK, Format, draw_chunks, reopening
from ganzoo.data.source import Source
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import free_memory, home, load_json, locked, make_folder, megabytes, processors, write_json

VERSION = {4: 2}  # of how pixels are made, by their channels, else 1; a new one makes those packs anew
CHECKED = 4_000_000_000  # bytes up to which a pack's checksum is looked at each time it is opened
FEW = 512  # items that are drawn sooner than processes start
KEPT = 0.5  # share of the free memory up to which a pack is thought to stay there, once read


@dataclass(frozen=True)
class Job:
    """A pack to be made: row i is item ``rows[i]`` of the data set called `name`.

    Attributes:
        domains: whose items alone are in it, where the domains differ in size; () for all.
    """

    name: str
    fingerprint: str
    rows: Sequence[int]
    form: Format
    domains: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        filter_name = FILTER.name if self.form.height else ""
        form = {name: value for name, value in asdict(self.form).items() if value != ()}
        version = VERSION.get(self.form.channels if self.form.height else 0, 1)
        key = json.dumps([version, self.fingerprint, form, filter_name, *self.domains])
        return home() / "packs" / hashlib.sha256(key.encode()).hexdigest()[:24]

    @property
    def bytes(self) -> int:
        return len(self.rows) * self.form.row_bytes

    @property
    def made(self) -> bool:
        return (self.folder / "pack.json").exists()

    @property
    def free(self) -> int:
        """Bytes of disk that are free where the pack goes, its own counted as free."""
        folder = make_folder(home() / "packs")
        own = self.folder / "pack.npy"
        return shutil.disk_usage(folder).free + (_allocated(own) if own.exists() else 0)


def load(job: Job) -> npt.NDArray[Any]:
    """The rows of a made pack, mapped from disk: uint8 [N, H, W, C] or float32 [N, D]."""
    try:  # "c" maps privately, so that the array is writable as torch wants it while the file stays as it is
        rows: npt.NDArray[Any] = np.load(job.folder / "pack.npy", mmap_mode="c")
        _check(job.folder)
    except (OSError, EOFError, ValueError) as error:
        raise GanzooError(f"The pack {job.folder} is damaged; remove that folder, and it is made again.") from error
    return rows


def reading_ahead(rows: npt.NDArray[Any]) -> Callable[[Iterable[int]], None] | None:
    """What has rows of a pack read from the disk before they are taken, side by side, and nothing around them.

    For a pack that memory cannot keep: the system reads much around each row, in the hope of needing it soon. None
    where the pack is small enough to gain by that, or the system takes no advice.
    """
    free, mapped = free_memory(), getattr(rows, "_mmap", None)
    if mapped is None or free is None or rows.nbytes <= KEPT * free or not hasattr(mmap, "MADV_WILLNEED"):
        return None
    first, size = cast("np.memmap[Any, Any]", rows).offset, rows[0].nbytes
    mapped.madvise(mmap.MADV_RANDOM)

    def read(wanted: Iterable[int]) -> None:
        for row in wanted:
            start = first + row * size
            page = start - start % mmap.PAGESIZE
            mapped.madvise(mmap.MADV_WILLNEED, page, start + size - page)

    return read


def _check(folder: Path) -> None:
    """Raises: ValueError when the rows are not those that were written."""
    file = folder / "pack.npy"
    facts = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    stat = file.stat()
    # Packs of earlier versions have no checksum; of a very large one, reading it all would delay every start.
    if "crc32" in facts and stat.st_size <= CHECKED and _crc_at(file, stat.st_mtime_ns, stat.st_size) != facts["crc32"]:
        raise ValueError("its bytes are not those that were written")


@functools.lru_cache(maxsize=8)
def _crc_at(file: Path, changed: int, size: int) -> int:
    """The checksum of a file as it was changed last, read once."""
    return _crc(file)


def _crc(file: Path) -> int:
    checksum = 0
    with file.open("rb") as opened:
        while block := opened.read(1 << 24):
            checksum = zlib.crc32(block, checksum)
    return checksum


def make(job: Job, source: Source, report: Report) -> None:
    """Make the pack of `job`, or what is missing of it; waits when another process is making it.

    Raises:
        UsageError: there is too little disk.
        GanzooError: an item cannot be read, or a process fails.
    """
    where = f"Packing {job.name} ({megabytes(job.bytes)} in {home() / 'packs'})"
    if job.bytes > job.free * 0.95:
        raise UsageError(
            f"Packing {job.name} needs {megabytes(job.bytes)} of disk in {home() / 'packs'} and "
            f"{'less than ' * (job.free < 1e6)}{megabytes(job.free)} "
            "are free; make room, ask for a lower --resolution, or set GANZOO_HOME to a folder on a larger disk."
        )
    folder = make_folder(job.folder)
    waiting = f"Waiting for another ganzoo that packs {job.name}"
    with locked(folder / "lock", lambda: report(waiting, 0, 0)):
        if not job.made:
            _make(job, source, lambda done: report(where, min(done * CHUNK, len(job.rows)), len(job.rows)))
            shape = [len(job.rows), *job.form.row]
            facts = {"name": job.name, "fingerprint": job.fingerprint, "shape": shape}
            write_json(folder / "pack.json", {**facts, "crc32": _crc(folder / "pack.npy")})


def discard(fingerprint: str) -> None:
    """Remove the packs of a data set."""
    for path in (home() / "packs").glob("*/job.json"):
        try:
            mine = load_json(path.read_bytes())["fingerprint"] == fingerprint
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if mine:
            shutil.rmtree(path.parent, ignore_errors=True)


def _make(job: Job, source: Source, report: Callable[[int], None]) -> None:
    folder = job.folder
    opening = reopening(source) if len(job.rows) > FEW and job.form.height else None
    chunks = _prepare_folder(job, opening)
    own = draw_chunks(source, job.rows, chunks, job.form, folder / "pack.npy")  # in this process
    drawn = own if opening is None else _by_workers(job, chunks)
    total = -(-len(job.rows) // CHUNK)
    report(total - len(chunks))
    with (folder / "done.txt").open("a", encoding="ascii") as done:
        for count, chunk in enumerate(drawn, 1):
            done.write(f"{chunk}\n")
            done.flush()
            report(total - len(chunks) + count)


def _prepare_folder(job: Job, opening: dict[str, Any] | None) -> list[int]:
    """Lay out the folder, unless an interrupted process did; the numbers of the chunks that are still to be drawn."""
    content = {"source": opening, "format": asdict(job.form), "rows": list(job.rows), "fingerprint": job.fingerprint}
    write_json(job.folder / "job.json", content)
    done = job.folder / "done.txt"  # made last, so that where it is the rest is too
    if not done.exists():
        shape = (len(job.rows), *job.form.row)
        np.lib.format.open_memmap(job.folder / "pack.npy", mode="w+", dtype=job.form.dtype, shape=shape)
        _reserve(job.folder / "pack.npy")
        done.touch()
    finished = {int(line) for line in done.read_text(encoding="ascii", errors="replace").split() if line.isdecimal()}
    return [chunk for chunk in range(-(-len(job.rows) // CHUNK)) if chunk not in finished]


def _reserve(path: Path) -> None:
    """Give the file its disk now: running out of it later would kill a process that writes to mapped memory."""
    if not hasattr(os, "posix_fallocate"):
        return
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise UsageError(f"The disk of {path.parent} is full; make room or set GANZOO_HOME.") from error


def _allocated(path: Path) -> int:
    stat = path.stat()
    return int(getattr(stat, "st_blocks", stat.st_size // 512)) * 512


def _by_workers(job: Job, chunks: Sequence[int]) -> Iterator[int]:
    """Draw `chunks` in other processes; yields the number of each that is written."""
    count = min(processors(), len(chunks))
    answers: SimpleQueue[dict[str, Any]] = SimpleQueue()
    workers: list[_Worker] = []
    try:
        workers.extend(_Worker(job.folder, chunks[which::count], answers) for which in range(count))
        for _ in chunks:
            answer = answers.get()
            if "error" in answer:
                raise GanzooError(f"Packing {job.name} failed: {answer['error']}")
            yield int(answer["done"])
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """A process that draws chunks, and a thread that hands on its answers. It ends by itself when this process does."""

    def __init__(self, folder: Path, chunks: Sequence[int], answers: SimpleQueue[dict[str, Any]]) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ganzoo.data.pack_worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=_environment(),
        )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(json.dumps(list(chunks)).encode())
        self._thread = threading.Thread(target=self._listen, args=(answers,), daemon=True)
        self._thread.start()

    def _listen(self, answers: SimpleQueue[dict[str, Any]]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answers.put(json.loads(line))
        code = self._process.wait()
        if code == 1:  # Python's own, whose last line says what happened
            self._complaints.seek(0)
            lines = self._complaints.read().decode(errors="replace").split("\n")
            answers.put({"error": next((line.strip() for line in reversed(lines) if line.strip()), "")})
        elif code:
            answers.put({"error": f"a process ended with code {code} (out of memory?); start it again to go on."})

    def stop(self) -> None:
        self._process.kill()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._complaints.close()


def _environment() -> dict[str, str]:
    """What makes a new interpreter import what this one does, on one thread each."""
    paths = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
