"""Ganzoo's own folder on disk: where it is, and how files in it are written so that none is ever half a file."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ganzoo.errors import GanzooError

TEXT_BYTES = 256_000_000  # of a file that is read whole; labels of ten million images are smaller


def home() -> Path:
    """``$GANZOO_HOME``, else ``~/.ganzoo``."""
    given = os.environ.get("GANZOO_HOME")
    return Path(os.path.expanduser(given)).absolute() if given else Path.home() / ".ganzoo"


def make_folder(path: Path) -> Path:
    """Make `path` and its parents.

    Raises:
        GanzooError: it cannot be made.
    """
    with explained(path, "set GANZOO_HOME to a folder that can be written"):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def explained(path: str | Path, advice: str, kind: type[GanzooError] = GanzooError) -> Iterator[None]:
    """Raises: a GanzooError of this `kind`, in one sentence with the advice, where `path` cannot be written within."""
    try:
        yield
    except OSError as error:
        raise kind(f"{path} cannot be written ({error.strerror or error}); {advice}.") from error


@contextmanager
def written(path: Path, advice: str = "choose another -o", ending: str | None = None) -> Iterator[Path]:
    """As `replaced`, for a file that a user asked for: folders are made, and nothing waits for the disk.

    Raises: GanzooError, with the advice, when it cannot be written.
    """
    with explained(path, advice):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path, ending, flush=False) as part:
            yield part


@contextmanager
def replaced(path: Path, ending: str | None = None, flush: bool = True) -> Iterator[Path]:
    """A name beside `path`, of its `ending` unless given, to write to; it takes the place of `path` if all goes well.

    It is renamed, so that whoever looks finds the old file or the new one, whole; and so does whoever crashes, since it
    is flushed to the disk before, unless `flush` is False.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix if ending is None else ending}")
    try:
        yield part
        if flush:
            with open(part, "rb+") as file:
                os.fsync(file.fileno())
        os.replace(part, path)
        if flush:
            _sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # Windows cannot open a folder, and its rename is durable enough
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path`, whole or not at all.

    Raises:
        GanzooError: it cannot be written.
    """
    make_folder(path.parent)
    with explained(path, "make room, or set GANZOO_HOME"), replaced(path) as part:
        part.write_text(json.dumps(value) + "\n", encoding="utf-8")


def cause(error: OSError, folder: Path) -> str:
    """Why something in `folder` could not be written or read, in words that end a sentence."""
    if not folder.is_dir():
        return f"the folder {folder} is gone, moved or deleted"
    why = {errno.EROFS: "the disk is read-only", errno.ENOSPC: "the disk is full", errno.EDQUOT: "your quota is full"}
    words = error.strerror or str(error)
    return f"{why[error.errno]} ({words})" if error.errno in why else words


def read_bytes(path: Path, limit: int = TEXT_BYTES) -> bytes:
    """A file that is read whole, such as text or code, unless it has more than `limit` bytes or no end at all.

    Raises:
        OSError: it cannot be read, or is larger.
    """
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"it has more than {megabytes(limit)}", str(path))
    return data


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 where it begins so, as spreadsheets save "Unicode text".

    Raises:
        OSError: it cannot be read, as by `read_bytes`.
        ValueError: it "is no text in UTF-8".
    """
    data = read_bytes(path)
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("is no text in UTF-8") from error
    if "\0" in text:
        raise ValueError("is no text")
    return text


def load_json(text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """What JSON says. Raises: ValueError when it is none, or is nested so deeply that Python gives up.

    Args:
        pairs: makes an object of its keys and values, where a dictionary of the last of each key will not do.
    """
    try:
        return json.loads(text, object_pairs_hook=pairs)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def megabytes(count: int) -> str:
    """`count` bytes in words, such as "101 MB" or "2.5 GB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[int | None]:
    """Hold the lock file `path`, and give its descriptor, which another process may inherit to hold it as well.

    `waiting` is called once if another process holds it; what that raises ends the waiting, an OSError with None in
    place of the lock, as where the disk knows no locks. The operating system lets go of the lock when the last process
    that holds it ends, however it ends.

    Raises: OSError when the file cannot be opened.
    """
    with path.open("a+b") as handle:
        tries = 0
        try:
            while not _try_lock(handle):
                tries += 1
                if tries == GLANCES:
                    waiting()
                time.sleep(0.1)
        except OSError:
            yield None
            return
        yield handle.fileno()


GLANCES = 4  # tries before a lock counts as taken: `is_locked` holds it for a moment


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock file `path`. Raises: OSError when there is none, or no way to tell."""
    with path.open("r+b" if sys.platform == "win32" else "rb") as handle:
        return not _try_lock(handle, shared=True)


def _try_lock(handle: IO[bytes], shared: bool = False) -> bool:
    """Raises: OSError where the disk knows no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def processors() -> int:
    """Processors that this process may use."""
    if sys.platform != "darwin" and hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory(root: Path = Path("/")) -> int | None:
    """Bytes of memory that a new process can have here, within a container's limit; None where nothing says.

    Where the system tells only how much there is in all, as macOS does, it is that.
    """
    amounts = [_available(root / "proc/meminfo"), _left_in(root / "sys/fs/cgroup", "memory.max", "memory.current")]
    old = root / "sys/fs/cgroup/memory"  # where containers had it before 2022
    amounts.append(_left_in(old, "memory.limit_in_bytes", "memory.usage_in_bytes"))
    known = [amount for amount in amounts if amount is not None]
    return min(known) if known else _installed()


def _available(meminfo: Path) -> int | None:
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return None


def _left_in(group: Path, limit: str, used: str) -> int | None:
    """What a control group's limit leaves; files that are cached and can be dropped do not count as used."""
    try:
        most, now = ((group / name).read_text(encoding="ascii").strip() for name in (limit, used))
        stat = dict(line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return None
    return int(most) - int(now) + int(stat.get("inactive_file", 0)) if most.isdigit() else None


def _installed() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
