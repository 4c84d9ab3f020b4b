"""Several processes that train one model, by torch's own launcher: `torchrun`, or its engine for `--processes N`.

One process trains alone and none of this does anything. Several open the same run folder, and each takes its rows of
every global batch. The engine starts them, hands signals on, tells them of each other, and brings them back
(`--max-restarts`); what is here is what it lacks: one sentence of what went wrong, and an end when nobody waits for
them any more.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import threading
import time
from _thread import interrupt_main
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.interrupts import Interruptible

POLL = 0.1  # seconds between looks at the processes
SAVING = 3600  # seconds that they have to save when they are asked to stop, before they are killed
WAIT = timedelta(hours=2)  # for each other: the first one alone packs the data
FAILURE = "failure"  # the file in which a process says what would go wrong again
FOLDER = "run"  # what the first process says under this name to those that torchrun started beside it

_meeting: Any = None  # the store through which the processes of `group` find each other


def launch(
    module: str,
    words: Sequence[str],
    processes: int,
    doing: str,
    then: str,
    restarts: int = 0,
    say: Callable[[str], None] = lambda text: None,
    deadline: float = math.inf,
) -> str | None:
    """Runs a module as so many programs on this machine, and returns when they have ended, or have been stopped.

    Args:
        module: which ends in `take_part`; `words` are what it is given.
        doing, then: for what is said when one is killed: "Process 1 of those that *doing* ended with code -9; *then*".
        restarts: how many times they begin again when one of them dies.
        say: told that they are asked to stop.
        deadline: when they stop, by `time.monotonic`, which counts alike for all processes of a machine.
    Returns: the signal that asked them to stop, as `Interruptible` has it.
    Raises: KeyboardInterrupt for a second Ctrl-C; GanzooError when a process failed.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    if torch.cuda.is_available() and processes > torch.cuda.device_count():
        raise UsageError(f"--processes {processes} is more than the {torch.cuda.device_count()} GPUs here.")
    stops = [each for each in ("SIGTERM", "SIGINT", "SIGHUP") if _heeded(each)]
    # Not every torch that will do has these.
    newer: dict[str, Any] = {"shutdown_timeout": SAVING, "signals_to_handle": ",".join(stops)}
    known = {name: value for name, value in newer.items() if name in {each.name for each in fields(LaunchConfig)}}
    path = os.pathsep.join(filter(None, sys.path))  # they find the modules that this process does
    environment = _environment(PYTHONPATH=path, TORCH_DISABLE_SHARE_RDZV_TCP_STORE="1")  # a new store at each restart
    with TemporaryDirectory(prefix="ganzoo-") as meeting, _quiet(), environment, Interruptible(say, deadline):
        config = LaunchConfig(
            min_nodes=1, max_nodes=1, nproc_per_node=processes, run_id=Path(meeting).name, rdzv_backend="c10d",
            rdzv_endpoint="localhost:0", max_restarts=restarts, monitor_interval=POLL,
            logs_specs=DefaultLogsSpecs(log_dir=meeting), **known,
        )  # fmt: skip
        try:
            elastic_launch(config, sys.executable)("-m", module, meeting, *words)
        except SignalException as stopped:
            if isinstance(stopped.__context__, SignalException):
                raise KeyboardInterrupt from None
            return "Ctrl-C" if stopped.sigval == signal.SIGINT else stopped.sigval.name
        except ChildFailedError as error:
            raise GanzooError(_reason(Path(meeting), error.failures, doing, then)) from None
        return None


def _heeded(name: str) -> bool:
    """Whether this system knows a signal, and does not ignore it here, as nohup has a hangup ignored."""
    return hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN


def _reason(meeting: Path, failures: dict[int, Any], doing: str, then: str) -> str:
    """What went wrong, in a sentence: said by a process, else of the one that was killed, whom the others then miss."""
    if (meeting / FAILURE).exists():
        return (meeting / FAILURE).read_text(encoding="utf-8")
    rank, failure = min(
        failures.items(), key=lambda each: (each[1].exitcode in (1, -signal.SIGTERM), each[1].timestamp)
    )
    if failure.exitcode == 1:
        return str(failure.message)
    return f"Process {rank} of those that {doing} ended with code {failure.exitcode} (out of memory?); {then}"


@contextmanager
def _quiet() -> Iterator[None]:
    """The engine reports each signal and each end; here one sentence is said."""
    logger = logging.getLogger("torch.distributed.elastic")
    before, logger.disabled = logger.level, False
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """What processes that are started find in their environment."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


# ---- in each of the processes --------------------------------------------------------------------------------------


def take_part(meeting: Path, work: Callable[[], object]) -> NoReturn:
    """Works in a program that `launch` started, and leaves what went wrong where whoever started it finds it.

    Args:
        meeting: the folder that the program was given first.
    """
    threading.Thread(target=_watch, args=(meeting, os.getppid()), daemon=True).start()
    code = _outcome(meeting / FAILURE, work)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # all is saved; taking Python down under torch's own threads can abort (pytorch issue 38228)


def _outcome(failure: Path, work: Callable[[], object]) -> int:
    try:
        if failure.exists():  # brought back, to what would go wrong again
            return 1
        work()
    except KeyboardInterrupt:
        return 0  # stopped as asked; whoever asked says so
    except Exception as error:
        if os.environ.get("GANZOO_DEBUG", "0") not in ("", "0"):
            raise
        if isinstance(error, GanzooError) and not isinstance(error, Alone):  # which only missed one that has ended
            failure.write_text(str(error), encoding="utf-8")
        _record(error)
        return 1
    return 0


def _record(error: Exception) -> None:
    """Leaves an error where the engine reads it, whole or not at all: this process may be ended meanwhile."""
    from torch.distributed.elastic.multiprocessing.errors import get_error_handler

    file = os.environ.get("TORCHELASTIC_ERROR_FILE", "")
    with _environment(TORCHELASTIC_ERROR_FILE=f"{file}.part") if file else nullcontext():
        get_error_handler().record_exception(error)
        if file:
            os.replace(f"{file}.part", file)


def _watch(meeting: Path, parent: int) -> None:
    """When nobody waits for this process any more, that is a Ctrl-C."""
    while meeting.exists() and os.getppid() == parent:
        time.sleep(POLL)
    interrupt_main()


def env_rank() -> int:
    """The number that the engine gave this process, over all machines; 0 where it did not start it."""
    return int(os.environ.get("RANK", 0))


def grouped() -> bool:
    """Whether this process has joined others, in `group`."""
    return dist.is_initialized()


def by_torchrun() -> bool:
    """Whether torchrun started this process, and it has not joined the others yet."""
    return "TORCHELASTIC_RUN_ID" in os.environ and not grouped()


def one_run_only() -> None:
    """Raises: UsageError under torchrun, each of whose processes would train runs of its own."""
    if by_torchrun():
        raise UsageError("torchrun trains one run: use it with `train`, `resume` or `extend` of a single one.")


def restarted() -> bool:
    """Whether the engine brought this process back."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0)) > 0


class Alone(GanzooError):
    """Another process has ended, and this one cannot go on without it."""


@contextmanager
def group() -> Iterator[None]:
    """Joins the processes that the engine started, on the CPU by gloo and on GPUs by NCCL, each on a GPU of its own."""
    global _meeting
    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        backend = "cpu:gloo,cuda:nccl"
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // int(os.environ["LOCAL_WORLD_SIZE"])))
    store, rank, world = next(rendezvous("env://"))
    # The engine's own store still has what was there before a restart.
    shared = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    _meeting = PrefixStore(os.environ["TORCHELASTIC_RESTART_COUNT"] if shared else "0", store)
    dist.init_process_group(backend, store=PrefixStore("group", _meeting), rank=rank, world_size=world, timeout=WAIT)
    try:
        yield
    except RuntimeError as error:
        if not (isinstance(error, dist.DistError) or "/gloo/" in str(error)):
            raise
        raise Alone(
            "The connection to another process broke, probably because it has ended; its own message says why. The "
            "newest checkpoint stays."
        ) from error
    finally:
        dist.destroy_process_group()
        _meeting = None


def announce(folder: Path | None) -> None:
    """The first process tells the others which run it will train; None: none, unless it has told them one."""
    if _meeting is not None:
        _meeting.compare_set(FOLDER, "", str(folder or ""))


def announced() -> Path | None:
    """The run that the first process will train, once it has said so; None: none."""
    _meeting.wait([FOLDER], WAIT)
    folder = _meeting.get(FOLDER).decode()
    return Path(folder) if folder else None
