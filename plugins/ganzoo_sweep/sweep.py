"""Runs for every choice of some options, and for several seeds, one after the other or side by side."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from ganzoo.api import (
    Display,
    GanzooError,
    Lines,
    Run,
    Stopped,
    UsageError,
    check_training,
    deadline_of,
    one_run_only,
    plugin_files,
    resume,
    time_left,
    train,
    typed,
)
from ganzoo_sweep.folder import SWEEP, Sweep, SweepHeader

MOST_RUNS = 10_000
RESUME_ME = 75  # the exit code of a training that was stopped and can be resumed
ENDS = {0: "is finished", RESUME_ME: "has stopped"}  # by exit code


def sweep(
    architecture: str | None = None,
    dataset: str | None = None,
    *,
    over: Mapping[str, Sequence[Any]] | None = None,
    seeds: Iterable[int] = (0,),
    preset: str | None = None,
    recipe: str | None = None,
    out: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    max_time: str | float | None = None,
    display: Display | None = None,
    **options: Any,
) -> Sweep:
    """Trains a run for each choice of the options `over`, and each seed, in a folder of runs.

    Every choice is checked before the first is trained. Given the folder of a sweep that was stopped, it goes on.

    Args:
        over: option -> its values, as ``{"lr": (1e-4, 2e-4), "loss": ("lsgan", "hinge")}``: each with each.
        jobs: how many are trained side by side, each a process of its own.
        max_time: save and stop after so long, of all runs together.
        architecture … options: as `ganzoo.train`.
    Raises: as `ganzoo.train`; `Stopped` names the whole folder, and `resume_sweep` goes on.
    """
    one_run_only()
    display, deadline = display or Lines(), deadline_of(max_time)
    given: dict[str, Any] = {name: typed(value) for name, value in options.items() if value is not None}
    ways = {name.replace("-", "_"): tuple(map(typed, values)) for name, values in (over or {}).items()}
    if twice := [name for name in ways if name in given or name == "seed"]:
        option = twice[0].replace("_", "-")
        if option == "seed":
            raise UsageError("--over takes no seeds; give --seeds.")
        raise UsageError(f"--{option} stands beside --over {option}, which gives it several values; leave one out.")
    header = SweepHeader(tuple(seeds), architecture, dataset, preset, recipe, given, ways)
    folder = check_training(architecture, dataset, preset=preset, recipe=recipe, networks=False, **given)
    whole = Sweep(Path(out) if out is not None else folder, header)
    if (whole.path / SWEEP).exists():
        if Sweep.open(whole.path).header != header:
            raise UsageError(f"{whole.path} holds another sweep; choose another --out, or: ganzoo resume {whole.path}")
    else:
        Run.check_free(whole.path)
    count = math.prod(map(len, ways.values())) * len(header.seeds)
    if count > MOST_RUNS:  # counted before they are listed
        raise UsageError(f"This makes {count:,} runs; {MOST_RUNS:,} is the most at once.")
    for chosen in itertools.product(*ways.values()):  # the seed changes nothing of what can be refused
        changed = dict(zip(ways, chosen, strict=True))
        check_training(architecture, dataset, preset=preset, recipe=recipe, **{**given, **changed})
    whole.write()
    display.say(f"{count} run{'' if count == 1 else 's'} into {whole.path}.")
    return resume_sweep(whole, jobs=jobs, max_time=time_left(deadline), display=display)


def resume_sweep(
    path: str | os.PathLike[str] | Sweep,
    *,
    jobs: int = 1,
    device: str | None = None,
    log: str | None = None,
    processes: int | None = None,
    accumulate: int | None = None,
    recompute: bool | None = None,
    deterministic: bool | None = None,
    on_divergence: str | None = None,
    max_time: str | float | None = None,
    force: bool = False,
    display: Display | None = None,
) -> Sweep:
    """Goes on with a sweep at the run, and the step, where it stopped. Args and Raises: as `ganzoo.resume`, `sweep`."""
    one_run_only()
    display, deadline = display or Lines(), deadline_of(max_time)
    whole = path if isinstance(path, Sweep) else Sweep.open(path)
    given = {
        "device": device, "log": log, "processes": processes, "accumulate": accumulate, "recompute": recompute,
        "deterministic": deterministic, "on_divergence": on_divergence,
    }  # fmt: skip
    machine = {name: typed(value) for name, value in given.items() if value is not None}
    unfinished = {folder: chosen for folder, chosen in whole.choices.items() if not _finished(folder)}
    try:
        if jobs > 1:
            _side_by_side(whole, unfinished, jobs, machine, deadline, display)
        else:
            for number, (folder, chosen) in enumerate(unfinished.items(), 1):
                display.say(f"{folder.name}, {number} of {len(unfinished)}.")
                how = {**machine, "max_time": time_left(deadline), "display": display}
                _one(whole.header, folder, chosen, how, force)
    except Stopped as stopped:
        raise Stopped(whole, stopped.why) from None
    except KeyboardInterrupt:
        raise Stopped(whole) from None
    return whole


def _one(header: SweepHeader, folder: Path, chosen: Mapping[str, str], how: Mapping[str, Any], force: bool) -> None:
    if (folder / "run.json").exists():
        counts = {name: int(how[name]) for name in ("processes", "accumulate") if name in how}
        resume(folder, force=force, **{**how, **counts})
        return
    options = {**header.options, **chosen, **how}
    train(header.architecture, header.data, preset=header.preset, recipe=header.recipe, out=folder, **options)


def _side_by_side(
    whole: Sweep,
    unfinished: Mapping[Path, Mapping[str, str]],
    jobs: int,
    machine: Mapping[str, str],
    deadline: float,
    display: Display,
) -> None:
    """Raises: GanzooError when one fails, after those that were under way; Stopped when the time is over."""
    failed, stopped, waiting = list[Path](), False, list(unfinished)
    running: dict[Future[int], Path] = {}
    with ThreadPoolExecutor(jobs) as pool:
        while waiting or running:
            while waiting and len(running) < jobs:
                folder = waiting.pop(0)
                display.say(f"{folder.name} begins.")
                command = _command(whole.header, folder, unfinished[folder], machine, time_left(deadline))
                running[pool.submit(_process, command, whole.path / f"{folder.name}.log")] = folder
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                folder, code = running.pop(future), future.result()
                if code:
                    waiting.clear()
                if code == RESUME_ME:
                    stopped = True
                elif code:
                    failed.append(folder)
                display.say(f"{folder.name} {ENDS.get(code, 'failed')}.")
    if failed:
        log = whole.path / f"{failed[0].name}.log"
        last = (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""])[-1]
        raise GanzooError(f"{failed[0].name}: {last.removeprefix('Error: ')} Its output is in {log}.")
    if stopped:
        raise Stopped(whole, "--max-time")


def _process(command: Sequence[str], log: Path) -> int:
    with log.open("ab") as output:
        return subprocess.run(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False).returncode


def _command(
    header: SweepHeader, folder: Path, chosen: Mapping[str, str], machine: Mapping[str, str], seconds: float | None
) -> list[str]:
    """What one would type for one of the runs."""
    ganzoo = [sys.executable, "-m", "ganzoo"]
    more = [word for file in plugin_files() for word in ("--plugin", file)]
    more += [] if seconds is None else [f"--max-time={max(1, round(seconds))}s"]
    if (folder / "run.json").exists():
        return [*ganzoo, "resume", str(folder), *_flags(machine), *more]
    words = [word for word in (header.architecture, header.data) if word is not None]
    named = {"preset": header.preset, "recipe": header.recipe, "out": str(folder)}
    options = {**named, **header.options, **chosen, **machine}
    return [*ganzoo, "train", *words, *_flags(options), *more]


def _flags(options: Mapping[str, str | None]) -> list[str]:
    """Options by name as the command line has them, yes and no by a switch; None is left out."""
    found = []
    for name, value in options.items():
        flag = name.replace("_", "-")
        if value in ("yes", "no"):
            found.append(f"--{'no-' * (value == 'no')}{flag}")
        elif value is not None:
            found.append(f"--{flag}={value}")
    return found


def _finished(folder: Path) -> bool:
    return (folder / "run.json").exists() and Run.open(folder).status == "finished"
