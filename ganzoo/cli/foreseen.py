"""What writing many samples will take, said from the first of them, and refused where memory or disk cannot hold it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ganzoo.errors import UsageError
from ganzoo.files import megabytes

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo.contract.modality import Modality

TRIED = 16  # items that are written for a trial
LONG = 10  # seconds; what takes longer is announced
LARGE = 10**9  # bytes, likewise
ROOM = 0.95  # share of the free disk that may be filled


def foreseen(batches: Iterable[Tensor], count: int, modality: Modality, target: Path, apart: bool) -> Iterator[Tensor]:
    """The batches as they come, after what all of them take is said, from the first.

    Args:
        target: the folder of a file for each item, or the file of all.
        apart: whether each has a file of its own; else all are held in memory at once.
    Raises: UsageError when the memory or the disk here cannot hold them.
    """
    from ganzoo.contract.distributed import world

    begin, rest = time.perf_counter(), iter(batches)
    first = next(rest, None)
    if first is None or len(first) >= count:
        yield from () if first is None else (first,)
        return
    seconds = (time.perf_counter() - begin) / len(first)
    if apart:
        size, writing = _one_file(first[:TRIED], modality)
        seconds += writing
    else:
        check_memory(2 * first[0].numel() * first.element_size() * count, count, modality)
        size = modality.decode(first).nbytes / len(first) if target.suffix == ".npy" else 0
    there = next(path for path in (target.absolute(), *target.absolute().parents) if path.exists())
    free, needed = shutil.disk_usage(there).free, round(size * count)
    if needed > ROOM * free:
        raise UsageError(
            f"{count:,} {modality.items} need about {megabytes(needed)} of disk in {target} and "
            f"{'less than ' * (free < 1e6)}{megabytes(free)} are free; make room, choose another -o, or make fewer "
            "with -n."
        )
    seconds *= count / world()
    if seconds > LONG or needed > LARGE:
        yield from _announced(first, rest, count, modality, seconds, needed, world() if apart else 1)
    else:
        yield first
        yield from rest


def _announced(
    first: Tensor,
    batches: Iterator[Tensor],
    count: int,
    modality: Modality,
    seconds: float,
    needed: int,
    processes: int,
) -> Iterator[Tensor]:
    """The batches, with a line of what they take before, and one now and then of how many there are, if as many are
    made by each of the processes.
    """
    from ganzoo.cli.output import echo
    from ganzoo.loop.display import Lines, duration

    disk = f" and {megabytes(needed)} of disk" if needed else ""
    echo(f"{count:,} {modality.items} take about {duration(seconds)}{disk}.", err=True)
    report, done = Lines(sys.stderr).report, len(first) * processes
    yield first
    for batch in batches:
        report(f"Making {count:,} {modality.items}", min(done, count), count)
        yield batch
        done += len(batch) * processes


def _one_file(items: Tensor, modality: Modality) -> tuple[float, float]:
    """Bytes and seconds that the file of an item takes, on average."""
    with TemporaryDirectory(prefix="ganzoo-") as folder:
        begin = time.perf_counter()
        for number, item in enumerate(items):
            modality.save(item[None], Path(folder) / f"{number}{modality.each}")
        seconds = time.perf_counter() - begin
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    return size / len(items), seconds / len(items)


def check_memory(needed: int, count: int, modality: Modality) -> None:
    """Raises: UsageError when there is less memory."""
    from ganzoo.files import free_memory

    free = free_memory()
    if free is not None and needed > free:
        folder = "give -o a folder for a file of each, or " if modality.each else ""
        raise UsageError(
            f"{count:,} {modality.items} at once need about {megabytes(needed)} of memory and {megabytes(free)} are "
            f"free; {folder}make fewer with -n."
        )
