"""`train`, `resume` and `extend`: what a notebook calls, and the command line with it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast, overload

import torch

from ganzoo.contract import distributed
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.networks import weightless
from ganzoo.contract.settings import OF_THE_MACHINE, Stage, parse_time
from ganzoo.errors import RESUME_ME, GanzooError, UsageError
from ganzoo.loop import processes
from ganzoo.loop.display import Display, Lines
from ganzoo.loop.interrupts import CTRL_C, TIME, memory_explained
from ganzoo.loop.session import Saved, Session, Timed
from ganzoo.loop.trainer import Trainer
from ganzoo.plan.memory import TooLarge
from ganzoo.plan.plan import Plan, plan_run, stage_of
from ganzoo.plan.recipe import recipe_of
from ganzoo.plan.spec import likely_spec
from ganzoo.runs.checkpoint import shapes
from ganzoo.runs.header import RunHeader
from ganzoo.runs.run import Run, claimed, latest, new_folder
from ganzoo.runs.start import take_weights
from ganzoo.runs.weights import load_frozen
from ganzoo.training import fit
from ganzoo.training.estimate import Forecast, first_steps, forecast
from ganzoo.training.facts import change_machine, check_same_data, facts_of, plan_of, take_up
from ganzoo.training.options import ResumeOptions, TrainArguments, TrainOptions
from ganzoo.training.prepare import prepare, rehearse_scores

if TYPE_CHECKING:
    from ganzoo.runs.per_class import PerClass

WORKER = "ganzoo.training.worker"  # trains in one of several processes


class Stopped(KeyboardInterrupt):
    """Training was stopped after a checkpoint; `run` can be resumed.

    Attributes:
        run: the run, or what else has a `path` that `ganzoo resume` takes: a folder of runs.
        why: "Ctrl-C", "SIGTERM", "SIGHUP" or "--max-time".
        exit_code: of the command line: 130 after Ctrl-C, else 75, which asks for the same again.
    """

    def __init__(self, run: Run | PerClass | Any, why: str = CTRL_C) -> None:
        by = "" if why == CTRL_C else f" by {why}"
        super().__init__(f"Stopped{by}. Go on with: ganzoo resume {run.path}")
        self.run, self.why = run, why

    @property
    def exit_code(self) -> int:
        return 130 if self.why == CTRL_C else RESUME_ME


Work = TypeVar("Work", bound=Callable[..., Run])


def _together(work: Work) -> Work:
    """Of the processes that torchrun started, the first does the work, and the others train with it what it trains."""

    @functools.wraps(work)
    def by_each(*args: Any, **given: Any) -> Run:
        if not processes.by_torchrun():
            return work(*args, **given)
        deadline, asked = deadline_of(given.get("max_time")), given.get("processes")
        with processes.group():
            if asked not in (None, distributed.world(), str(distributed.world())):
                raise UsageError(f"torchrun has started {distributed.world()} processes; leave --processes away.")
            if distributed.is_leader():
                alone = {**given, "processes": distributed.world()}
                try:
                    with distributed.standing_in(distributed.Alone()):  # the others wait for the run
                        return work(*args, **alone)
                finally:
                    processes.announce(None)
            folder = processes.announced()
            if folder is None:
                sys.exit()  # the first one says why
            run = Run.open(folder)
            _run_training(prepare(plan_of(run), Display()), run, Display(), contextlib.ExitStack(), deadline)
            return run

    return cast("Work", by_each)


def _completes(options: type) -> Callable[[Work], Work]:
    """Gives a function a signature with each of these options by name, which IPython completes."""

    def completed(work: Work) -> Work:
        *named, others = inspect.signature(work).parameters.values()
        known = [inspect.Parameter(name, others.KEYWORD_ONLY, default=None) for name in options.__annotations__]
        work.__signature__ = inspect.Signature([*named, *known, others])  # type: ignore[attr-defined]
        return work

    return completed


@overload
def train(architecture: str | None = None, dataset: str | None = None, **given: Unpack[TrainArguments]) -> Run: ...
@overload  # with options that only this architecture has
def train(architecture: str | None = None, dataset: str | None = None, **given: Any) -> Run: ...
@_completes(TrainOptions)
@_together
def train(
    architecture: str | None = None,
    dataset: str | None = None,
    *,
    preset: str | None = None,
    recipe: str | None = None,
    label: str | int | None = None,
    out: str | os.PathLike[str] | None = None,
    init: str | os.PathLike[str] | None = None,
    go_on: bool = False,
    max_time: str | float | None = None,
    display: Display | None = None,
    **options: Any,
) -> Run:
    """Trains an architecture on a data set, from the beginning to the end, in a new run folder.

    Args:
        architecture, dataset: names of the catalogue, such as ``"dcgan"`` and ``"anime"``; a recipe may say them. An
            architecture may also be a file, ``"my_gan.py"``; see `ganzoo.use_plugin`.
        preset: a named set of options of the architecture; ``"fit"``: the one that trains longest in `max_time` here,
            or in three hours without it.
        recipe: a named experiment of the catalogue, or a TOML file; options given here override its own.
        label: train on the items with this label only, a name or position (``"#2"``); see `train_per_class`.
        out: the run's folder; ``runs/ARCHITECTURE-DATASET-N`` unless given.
        init: a run or model to take the first weights from.
        go_on: when the folder (or, without `out`, the newest run of this kind) exists, resume it instead.
        max_time: save and stop after this long, in seconds or as in ``"8h"``; `resume` goes on.
        display: what shows progress; plain lines unless given.
        options: every option of the architecture and of the trainer (`ganzoo show ARCHITECTURE` lists them), such as
            ``epochs=5`` or ``lr=1e-4``.

    Returns: the finished run.
    Raises:
        UsageError: what is asked cannot be done; nothing was written.
        GanzooError: it failed; checkpoints written so far are kept.
        Stopped: Ctrl-C, a signal or the end of the time, after a checkpoint; `resume` goes on. A KeyboardInterrupt.
    """
    display, deadline = display or Lines(), deadline_of(max_time)
    if recipe is not None and label is None and recipe_of(recipe).per_class:
        raise UsageError(
            f"The recipe {recipe} trains a model for each label; say which label, or use ganzoo.train_per_class."
        )
    preset = fit.chosen(
        architecture, dataset, preset=preset, recipe=recipe, label=label, max_time=max_time, display=display, **options
    )
    plan = plan_run(architecture, dataset, preset=preset, recipe=recipe, label=label, **options)
    folder = Path(out) if out is not None else None
    if go_on or processes.restarted():
        there = folder or latest(plan.entry.name, plan.data.name, plan.label, recipe)
        if there is not None and (there / "run.json").exists():
            machine: Any = {name: options.get(name) for name in ("device", "log", "processes")}
            return resume(there, max_time=time_left(deadline), display=display, **machine)
    smaller = functools.partial(fit.advice, plan.entry.full_name, plan.data.name, label, display, **options)
    try:
        return start(plan, folder, init, display, deadline, smaller if recipe is None else None)
    except TooLarge as error:
        said = "" if recipe is not None else smaller()
        raise UsageError(f"{error} {said}".rstrip()) from error


def check_training(
    architecture: str | None = None,
    dataset: str | None = None,
    *,
    preset: str | None = None,
    recipe: str | None = None,
    networks: bool = True,
    **options: Any,
) -> Path:
    """Looks whether `train` would take this, before any data is prepared; gives the folder that it would train in.

    Args:
        networks: build them too, without memory for their weights, which shows such as an unknown loss.
    Raises: UsageError for what `train` would refuse.
    """
    if recipe is not None and recipe_of(recipe).per_class:
        raise UsageError(f"The recipe {recipe} trains a model for each label, which one run cannot; choose another.")
    plan = plan_run(architecture, dataset, preset=preset, recipe=recipe, **options)
    if networks:
        weightless(plan.model, plan.at_stage(0)[0], likely_spec(plan))
    return new_folder(plan.entry.name, plan.data.name)


def trained(run: str | os.PathLike[str] | Run) -> Architecture:
    """A run's whole architecture as its newest checkpoint holds it: each network as it was trained, not averaged, and
    every `TrainingState`; on the CPU, in evaluation mode. `ganzoo.load` has what people sample from.

    Raises: GanzooError when there is no checkpoint yet, or it is damaged.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    plan = plan_of(run)
    config, _ = plan.at_stage(len(plan.stages) - 1)
    for file in run.checkpoints()[-1:]:  # compared before memory is taken for what run.json claims
        held = sum(math.prod(shape) for name, shape in shapes(file).items() if name.startswith("model/"))
        claimed_by_json = weightless(plan.model, config, run.header.data.spec).state_dict().values()
        if sum(tensor.numel() for tensor in claimed_by_json) > held:
            raise GanzooError(f"{run.path / 'run.json'} describes larger networks than {file} holds; restore it.")
    with torch.random.fork_rng(devices=[]):
        model = plan.model(config, run.header.data.spec)
    take_weights(model, str(run.path))
    load_frozen(model)
    return model.eval()


def deadline_of(max_time: str | float | None) -> float:
    """When that long from now is over, by `time.monotonic`. Raises: UsageError when it is no time."""
    return math.inf if max_time is None else time.monotonic() + parse_time(max_time)


def time_left(deadline: float) -> float | None:
    """Seconds until a deadline, a moment at least; None: there is none."""
    return None if math.isinf(deadline) else max(1e-3, deadline - time.monotonic())


def start(
    plan: Plan,
    out: Path | None,
    init: str | os.PathLike[str] | None,
    display: Display,
    deadline: float = math.inf,
    smaller: Callable[[], str] | None = None,
) -> Run:
    """Trains a plan in a new folder, the next free one for None.

    Args:
        smaller: asked for a sentence on what takes less, where this takes long.
    Raises: as `train`.
    """
    if out is not None:
        Run.check_free(out)
    session = prepare(plan, display, init=init, deadline=deadline)
    claim = claimed(plan.entry.name, plan.data.name) if out is None else contextlib.nullcontext(out)
    with claim as folder, memory_explained(plan.settings, session.device):
        header = facts_of(session, init)
        scoring = rehearse_scores(session, header, display, deadline)
        _announce(session, header, display)
        timed = _forecast(session, header, display, f"into {folder}", deadline, scoring=scoring, smaller=smaller)
        run = Run.create(folder, header)
    with contextlib.ExitStack() as lock:
        lock.enter_context(run.locked())
        _run_training(session, run, display, lock, deadline, timed)
    return run


@_completes(ResumeOptions)
@_together
def resume(
    run: str | os.PathLike[str] | Run,
    *,
    max_time: str | float | None = None,
    force: bool = False,
    display: Display | None = None,
    **machine: Unpack[ResumeOptions],
) -> Run:
    """Goes on with a run exactly where its newest checkpoint left it; a finished run is returned as it is.

    Args:
        max_time: save and stop after this long, in seconds or as in ``"8h"``.
        force: go on although another process seems to train it, as a network disk may say of one that is gone.
        machine: what is different from now on; as it was unless given: `device`, where to train, such as on another
            machine; `log`, the loggers to tell, ``"none"`` for none; `processes`, `accumulate`, `max_restarts`, to
            train in so many processes and parts, and begin again so many times when a process dies; `recompute`,
            whether to keep less for the backward pass; `deterministic`, whether to take only algorithms that give the
            same each time; `on_divergence`, "stop", "rollback" or "continue".
    Raises: UsageError when it is no run, or another process trains it; GanzooError when its checkpoint is damaged, its
    plugin is not installed, or its data has changed.
    """
    display, deadline = display or Lines(), deadline_of(max_time)
    run = run if isinstance(run, Run) else Run.open(run)
    if run.status == "finished":
        display.say(f"{run.path} is finished; `ganzoo extend {run.path} --epochs N` trains it further.")
        return run
    return _continue_training(run, machine, display, deadline, force)


@_completes(TrainOptions)
@_together
def extend(
    run: str | os.PathLike[str] | Run,
    *,
    max_time: str | float | None = None,
    force: bool = False,
    display: Display | None = None,
    **options: Any,
) -> Run:
    """Adds a stage to a run and trains it: weights and optimizer state go along, the new options apply.

    Args:
        max_time, force: as `resume`.
        options: one of `epochs`, `images` and `steps`, and whatever changes, such as ``lr=1e-4, beta1=0.3``; `device`,
            `log`, `processes`, `max_restarts` and `deterministic` as `resume`, for all that is left of the run.
    Raises: as `resume`; UsageError when an option cannot change within a run.
    """
    display, deadline = display or Lines(), deadline_of(max_time)
    run = run if isinstance(run, Run) else Run.open(run)
    machine = {name: options.pop(name, None) for name in OF_THE_MACHINE}
    stage = stage_of(options)
    if processes.restarted() and run.header.stages[-1] == stage:
        return resume(run, max_time=time_left(deadline), display=display)  # the stage was added before a process died
    return _continue_training(run, machine, display, deadline, force, stage)


def _continue_training(
    run: Run, machine: Mapping[str, Any], display: Display, deadline: float, force: bool, stage: Stage | None = None
) -> Run:
    """Trains what is left of a run, on the `machine` as `change_machine` takes it, and one more stage, if any."""
    more = () if stage is None else (stage,)
    with contextlib.ExitStack() as lock:
        lock.enter_context(run.locked(force))
        if more and run.status == "finished" and not run.checkpoints():
            raise GanzooError(
                f"{run.path} has lost its checkpoints, which going on takes; start a new run with --init "
                f"{run.model_file}."
            )
        run.change(settings=change_machine(run.header.settings, **machine))
        plan = take_up(run, display)
        session = prepare(dataclasses.replace(plan, stages=(*plan.stages, *more)), display, deadline=deadline)
        check_same_data(run, session.dataset.fingerprint)
        scoring = rehearse_scores(session, run.header, display, deadline)
        if more and run.status != "finished":
            display.say(
                f"{run.path} is not finished: what is left of it is trained first, with its options, and the new stage "
                f"({stage}) after that."
            )
        with memory_explained(session.plan.settings, session.device):
            timed = _forecast(session, run.header, display, f"in {run.path}", deadline, run, scoring)
        if more:
            run.change(stages=(*run.header.stages, *more), status="interrupted")
        run.write()
        _run_training(session, run, display, lock, deadline, timed, force)
    return run


def _announce(session: Session, header: RunHeader, display: Display) -> None:
    """Says what will be trained on what."""
    plan, items = session.plan, header.data.images
    counts = " + ".join(f"{name} {count:,}" for name, count in header.parameters.items())
    of = f"{plan.data.name} with the label {plan.label}" if plan.label is not None else plan.data.name
    display.say(
        f"{plan.entry.card.title} ({counts} parameters) on {of} "
        f"({items:,} items, {session.dataset.origin}), {session.device.type} {session.precision}."
    )
    if header.taken:
        display.say(header.taken)


def _forecast(
    session: Session,
    header: RunHeader,
    display: Display,
    where: str,
    deadline: float,
    run: Run | None = None,
    scoring: Sequence[float] = (),
    smaller: Callable[[], str] | None = None,
) -> Timed | None:
    """Says how long it will take, before anything is written; or returns what says it after the first steps."""

    def tell(made: Forecast, where: str = "") -> None:
        display.say(f"{made}{where}{made.remarks(time_left(deadline))}.")
        if smaller is not None and (made.seconds or 0) > fit.LONG and (said := smaller()):
            display.say(said)

    first = first_steps(session, header, run, scoring)
    if first is None:
        tell(forecast(session, header, run=run, scoring=scoring, say=display.say), f", {where}")
        return None
    display.say(f"{first}, {where}; how long they take is said after the first of them.")

    def heard(trainer: Trainer, seconds: float) -> bool:
        made = first(trainer, seconds)
        if made is not None:
            tell(made)
        return made is not None

    return heard


def _run_training(
    session: Session,
    run: Run,
    display: Display,
    lock: contextlib.ExitStack,
    deadline: float,
    timed: Timed | None = None,
    force: bool = False,
) -> None:
    """Trains here, or in processes of its own, of which the first takes over the run's lock."""
    settings = session.plan.settings
    try:
        if processes.grouped() or (settings.processes == 1 and not settings.max_restarts):
            processes.announce(run.path)
            with distributed.standing_in(distributed.Processes()):
                session.train(run, display, deadline, timed)
            if settings.processes == 1 and session.interrupted.why not in (None, TIME):
                raise Saved(session.interrupted.why)  # heard while the last files were written: nothing else begins
        else:
            lock.close()
            why = processes.launch(
                WORKER, (str(run.path), repr(deadline), str(int(force))), settings.processes, f"train {run.path}",
                f"checkpoints so far are kept, and `ganzoo resume {run.path}` goes on.",
                settings.max_restarts, display.say, deadline,
            )  # fmt: skip
            run.header = Run.open(run.path).header
            if run.status != "finished":
                raise Saved(why or (TIME if time.monotonic() >= deadline else "SIGTERM"))
    except Saved as saved:
        raise Stopped(run, saved.why) from None
    except KeyboardInterrupt:
        raise Stopped(run) from None
