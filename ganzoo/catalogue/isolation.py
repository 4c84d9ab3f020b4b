"""What surrounds a plugin's own code while it is imported, so that it changes nothing for anybody else.

Standard output stays clean, global settings are put back, Ctrl-C says whom one was waiting for. Whatever had to be
put right becomes a remark: half a sentence about the plugin, for `ganzoo list`.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import IO, Any, TypeVar

from ganzoo.catalogue import entry_points
from ganzoo.errors import GanzooError, Interrupted

T = TypeVar("T")
SLOW = 2.0  # seconds that a plugin may take before somebody is told
LONGEST = 300  # characters of somebody else's error message
SHOWN = 60  # characters of what a plugin printed


@dataclass(frozen=True)
class Setting:
    """What every module of the process shares: `module` has it, once that is imported, and it is `initial` at first."""

    name: str
    module: str
    read: Callable[[Any], Any]
    write: Callable[[Any, Any], object]
    initial: Any = None


def _order_path(system: Any, before: list[str]) -> None:
    """What was added goes to the end, where it hides nothing."""
    system.path[:] = [*before, *(place for place in system.path if place not in before)]


def _blanket_filters(warnings: Any) -> list[Any]:
    """Filters about every warning there is. Those about certain warnings are left to whoever made them."""
    return [each for each in warnings.filters if not each[1] and each[2] is Warning and not each[3]]


def _drop_filters(warnings: Any, before: list[Any]) -> None:
    new = [each for each in _blanket_filters(warnings) if each not in before]
    warnings.filters[:] = [each for each in warnings.filters if each not in new]
    warnings._filters_mutated()


def _root_logger(logging: Any) -> tuple[Any, ...]:
    return logging.root.level, logging.root.manager.disable, [*logging.root.handlers]


def _reset_root_logger(logging: Any, before: tuple[Any, ...]) -> None:
    level, disabled, logging.root.handlers[:] = before
    logging.root.setLevel(level)
    logging.disable(disabled)


def _torch_defaults(torch: Any) -> tuple[Any, ...]:
    # get_default_device of torch 2.8 fails once a default was put back.
    device, deterministic = str(torch.empty(0).device), torch.are_deterministic_algorithms_enabled()
    return str(torch.get_default_dtype()), device, deterministic, torch.is_grad_enabled()


def _reset_torch(torch: Any, before: tuple[Any, ...]) -> None:
    dtype, device, deterministic, grad = before
    torch.set_default_dtype(getattr(torch, dtype.removeprefix("torch.")))
    torch.set_default_device(None if device == "cpu" else device)
    torch.use_deterministic_algorithms(deterministic)
    torch.set_grad_enabled(grad)


SETTINGS = (
    Setting("the working folder", "os", lambda os: os.getcwd(), lambda os, before: os.chdir(before)),
    Setting("the order of Python's path", "sys", lambda sys: [*sys.path], _order_path),
    Setting("the filter of all warnings", "warnings", _blanket_filters, _drop_filters, []),
    Setting("the logging of everybody", "logging", _root_logger, _reset_root_logger, (30, 0, [])),
    Setting(
        "torch's defaults (dtype, device, determinism, grad mode)", "torch",
        _torch_defaults, _reset_torch, ("torch.float32", "cpu", False, True),
    ),
)  # fmt: skip


class Guard:
    """Surrounds plugins while they are imported, one after the other; entered once, since it takes a thread.

    It says whom one waits for, on Ctrl-C and after `patience` seconds; None for as long as it takes. Outside the main
    thread, where Python allows no handlers, or under a handler that is not Python's own, Ctrl-C is left alone.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience = patience
        self._who = ""
        self._since = time.monotonic()
        self._pressed = False
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Guard:
        main = threading.current_thread() is threading.main_thread()
        self._ours = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._ours:
            signal.signal(signal.SIGINT, self._stop)
        if self._patience is not None:
            self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextlib.contextmanager
    def around(self, who: str, remarks: list[str]) -> Iterator[None]:
        """Runs the code of one plugin; `remarks` gets what had to be put right, and how slow it was.

        Raises: whatever the code does; Interrupted after Ctrl-C, also where the code swallowed that.
        """
        self._who, self._since = who, time.monotonic()
        try:
            with clean_stdout(remarks), preserved(remarks):
                yield
        finally:
            seconds, self._who = time.monotonic() - self._since, ""
            if self._pressed:
                raise Interrupted(
                    f"Stopped while {who} was being imported. GANZOO_PLUGINS=NAME,NAME loads only the plugins it names."
                )
            if self._patience is not None and seconds > self._patience:
                remarks.append(f"it takes {seconds:.1f} s to import; what is slow belongs in the model's own module")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._pressed = True
        raise Interrupted

    def _watch(self) -> None:
        told, patience = "", self._patience or 0.0
        while not self._done.wait(patience / 4):
            who = self._who
            if who and who != told and time.monotonic() - self._since > patience:
                print(f"Waiting for {who} to be imported; Ctrl-C stops.", file=sys.stderr, flush=True)
                told = who


@contextlib.contextmanager
def preserved(remarks: list[str]) -> Iterator[None]:
    """Puts back every one of `SETTINGS` that was changed meanwhile."""
    before = [_read(setting) for setting in SETTINGS]
    try:
        yield
    finally:
        for setting, was in zip(SETTINGS, before, strict=True):
            if _read(setting) != was:
                with contextlib.suppress(OSError):
                    setting.write(sys.modules[setting.module], was)
                remarks.append(f"it changes {setting.name}, which ganzoo undoes")


def _read(setting: Setting) -> Any:
    module = sys.modules.get(setting.module)
    try:
        return setting.initial if module is None else setting.read(module)
    except (AttributeError, OSError):  # half imported; a working folder that is gone
        return setting.initial


@contextlib.contextmanager
def clean_stdout(remarks: list[str]) -> Iterator[None]:
    """What is printed meanwhile, also by a library in C or another process, goes to standard error with a remark."""
    ours = None if _is_descriptor_1(sys.stdout) else io.StringIO()  # a notebook's or a test's own stream
    with _scratch() as caught:
        try:
            with _descriptor_1_to(caught), contextlib.redirect_stdout(sys.stdout if ours is None else ours):
                yield
        finally:
            caught.seek(0)
            text = caught.read().decode(errors="replace") + (ours.getvalue() if ours else "")
            if text:
                print(text, end="", file=sys.stderr, flush=True)
                remarks.append(f"it prints {_short(text, SHOWN)!r}")


def _is_descriptor_1(stream: Any) -> bool:
    try:
        return bool(stream.fileno() == 1)
    except (AttributeError, OSError, ValueError):
        return False


def _scratch() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError:  # no folder for temporary files: what is printed is lost, and standard output still clean
        return open(os.devnull, "w+b")


@contextlib.contextmanager
def _descriptor_1_to(file: IO[bytes]) -> Iterator[None]:
    try:
        kept = os.dup(1)
    except OSError:  # closed
        yield
        return
    _flush()
    os.dup2(file.fileno(), 1)
    try:
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stdout.flush()


def traced(what: str, work: Callable[[], T]) -> T:
    """What `work` gives. With GANZOO_TRACE=1 standard error says so before and after: a crash has a last line."""
    if os.environ.get("GANZOO_TRACE", "0") in ("", "0"):
        return work()
    print(f"ganzoo: {what} …", file=sys.stderr, flush=True)
    started, end = time.perf_counter(), "failed after"
    try:
        given = work()
        end = "took"
        return given
    finally:
        print(f"ganzoo: {what} {end} {1000 * (time.perf_counter() - started):.1f} ms", file=sys.stderr, flush=True)


def reason(error: BaseException, distribution: str | None = None) -> str:
    """What went wrong in a distribution's code: half a sentence, with what to do where that is known."""
    if isinstance(error, GanzooError):
        return _short(error).rstrip(".?")
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("ganzoo."):
        package = error.name.partition(".")[0]
        needs = f"it needs the module {error.name}, which is not installed"
        return f"{needs}; type: pip install {entry_points.advice(package, distribution)}"
    text = _short(error).rstrip(".")
    foreign = isinstance(error, ImportError) and "ganzoo." in text
    if foreign or (isinstance(error, TypeError) and "ArchitectureCard.__init__() got an unexpected" in text):
        return f"it is made for another ganzoo ({text}); upgrade the plugin, or ganzoo"
    return f"{type(error).__name__}{f': {text}' if text else ''}{_place(error)}"


def _place(error: BaseException) -> str:
    """The file and line that raised, unless that is ganzoo's own."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename if trace else __file__
    ours = os.path.dirname(file) == os.path.dirname(__file__)
    return "" if ours or trace is None else f" ({os.path.basename(file)}:{trace.tb_lineno})"


def _short(what: object, limit: int = LONGEST) -> str:
    """In one line of at most so many characters."""
    try:
        text = " ".join(str(what).split())
    except Exception:  # an error whose text is an error
        return ""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
