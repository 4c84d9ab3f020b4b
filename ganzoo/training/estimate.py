"""What a training will take, said before its first step: steps, seconds, memory, disk."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from ganzoo.contract.data_spec import Batch, DataSpec
from ganzoo.contract.networks import weightless
from ganzoo.contract.randomness import WHOLE, Share
from ganzoo.data.dataset import Decoded, spread
from ganzoo.data.loader import Loader
from ganzoo.devices import deterministic
from ganzoo.loop.allocator import memory_held
from ganzoo.loop.build import stage_extent
from ganzoo.loop.display import duration
from ganzoo.loop.record import Recorder
from ganzoo.loop.session import Session
from ganzoo.loop.spacing import CHECKPOINT_SECONDS, CURVES_SECONDS, MODEL_SECONDS, sheets_until
from ganzoo.loop.trainer import Trainer
from ganzoo.plan.memory import batches_drawn, check_memory
from ganzoo.plan.plan import Plan
from ganzoo.runs.checkpoint import read_checkpoint_header
from ganzoo.runs.header import RunHeader
from ganzoo.runs.run import Run

TRIAL_STEPS = 16  # timed at the most, after one that is not: as many as most lazy penalties take turns
TRIAL_SECONDS = 10  # the trial ends early past that
WORTH_TIMING = 20  # steps; a shorter run is over before its trial would be
MARKS = 24  # places in a run that are looked at
DECODED = 16  # items whose packing is timed
CROWDED = 0.3  # share of the time spent waiting for a processor from which on other programs are named


@dataclass(frozen=True)
class Forecast:
    """What a training will take from where it stands to its end.

    Attributes:
        models: how many are trained, one after the other.
        steps, images: of all of them; `images` are drawn, by each turn that draws.
        training, scores, files, packing: seconds of steps, of evaluations, of sheets, checkpoints and models, and of
            making the pack; `training` is None where no step was timed, `scores` where evaluations are due that were
            not.
        memory: bytes that a step took on a GPU; None elsewhere, where it is counted.
        crowded: whether other programs took much of the processor while steps were timed.
    """

    steps: int
    images: int
    training: float | None = None
    scores: float | None = 0.0
    files: float = 0.0
    packing: float = 0.0
    memory: int | None = None
    models: int = 1
    crowded: bool = False

    @property
    def seconds(self) -> float | None:
        """Of everything; None where no step was timed."""
        return None if self.training is None else self.training + (self.scores or 0) + self.files + self.packing

    @property
    def images_per_second(self) -> float | None:
        return self.images / self.training if self.training else None

    def of(self, models: int, steps: int) -> Forecast:
        """That of several such models, which take so many steps together."""
        share = steps / self.steps
        training, scores = (None if each is None else each * share for each in (self.training, self.scores))
        images, files = round(self.images * share), self.files * share
        return replace(self, models=models, steps=steps, images=images, training=training, scores=scores, files=files)

    def remarks(self, left: float | None) -> str:
        """What is to be added, each behind a semicolon, "" where nothing is: that other programs slow it down, and what
        a time limit of so many seconds says of it.
        """
        said = "; other programs use the processor now, and it takes less when they do not" if self.crowded else ""
        if left is None or self.seconds is None or self.seconds <= left:
            return said
        where = f"{self.images * max(0.0, left) / self.seconds:,.0f} of {self.images:,} images"
        return f"{said}; --max-time stops it after {duration(left)}, at about {where}, and `ganzoo resume` goes on"

    def __str__(self) -> str:
        """``"640 steps of 0.16 s: about 2 minutes, 20 seconds of it for sheets and checkpoints"``."""
        steps = f"{self.steps:,} step{'' if self.steps == 1 else 's'}"
        if self.training is None or self.seconds is None:
            return steps
        parts = {"scores": self.scores or 0, "sheets and checkpoints": self.files, "packing": self.packing}
        rest = [f"{duration(took)} of it for {what}" for what, took in parts.items() if took > 0.1 * self.seconds]
        whole = f"{steps} of {self.training / self.steps:.2g} s: about {duration(self.seconds)}"
        return ", ".join([whole, *rest]) + ("" if self.scores is not None else ", without its scores")


@dataclass
class _StageLeft:
    """What is left of a stage: a trainer where it goes on, and how many steps each kind of step will be taken."""

    index: int
    trainer: Trainer
    steps: float
    images: float
    kinds: dict[Hashable, list[tuple[int, float]]] = field(default_factory=dict)


class Pace:
    """How long a step takes, by steps one after the other; the first counts only where it is the only one.

    Args:
        limit: seconds that it listens for, about; a second at the least.
        most, least: steps that it listens to.
    """

    def __init__(self, limit: float = TRIAL_SECONDS, most: float = math.inf, least: int = 1) -> None:
        self._limit, self._most, self._least, self._times = limit, most, least, list[float]()

    def hear(self, seconds: float) -> None:
        self._times.append(seconds)

    @property
    def known(self) -> bool:
        heard = len(self._times)
        enough = heard > TRIAL_STEPS and (sum(self._times[1:]) >= 1 or heard >= self._most)
        return heard >= self._least and (enough or sum(self._times) >= self._limit)

    @property
    def mean(self) -> float:
        return sum(self._times[1:]) / len(self._times[1:]) if self._times[1:] else self._times[0]


class _Crowd:
    """Whether other programs have had the processor for much of the time since this was made; no where Linux does not
    say so.
    """

    def __init__(self) -> None:
        self._begin = self._now()

    def __bool__(self) -> bool:
        waited, seconds = (now - then for now, then in zip(self._now(), self._begin, strict=True))
        return waited > CROWDED * seconds

    @staticmethod
    def _now() -> tuple[float, float]:
        """Seconds in which this thread could have computed and had no processor, and of the clock."""
        try:
            waited = int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            waited = 0.0
        return waited, time.monotonic()


class FirstSteps:
    """What a training will take, by its own first steps: they stand for all that are left, and none is thrown away."""

    def __init__(self, session: Session, header: RunHeader, stage: _StageLeft, scoring: Sequence[float]) -> None:
        self._what, self._stage, self._crowd = (session, header, scoring), stage, _Crowd()
        # All of it may be over in a second. The first step, which may be three times the others, is not to speak alone.
        self._pace = Pace(most=stage.steps / 4, least=2)

    def __str__(self) -> str:
        return str(_counted([self._stage]))

    def __call__(self, trainer: Trainer, seconds: float) -> Forecast | None:
        """Hears that the trainer's step took so long. Returns: what all that was left takes, once it is known."""
        if self._pace.known:
            return None
        self._pace.hear(seconds)
        if not self._pace.known:
            return None
        session, header, scoring = self._what
        training = self._stage.steps * self._pace.mean
        return replace(
            _counted([self._stage]), training=training, scores=_scores(session, self._stage, scoring),
            files=_files(session, header, self._stage, training, trainer), crowded=bool(self._crowd),
        )  # fmt: skip


def first_steps(
    session: Session, header: RunHeader, run: Run | None = None, scoring: Sequence[float] = ()
) -> FirstSteps | None:
    """Where a training's first steps can say what `forecast` would: they are of the only kind, in this process, and on
    the CPU, where memory was counted before; None elsewhere, or where there are too few to ask.
    """
    stages, settings = list(_stages(session, run)), session.plan.settings
    here = session.device.type == "cpu" and settings.processes == 1 and not settings.max_restarts
    if not here or session.dataset.on_the_fly or len(stages) != 1 or len(stages[0].kinds) != 1:
        return None
    return FirstSteps(session, header, stages[0], scoring) if _counted(stages).steps > WORTH_TIMING else None


def _counted(stages: Sequence[_StageLeft]) -> Forecast:
    steps = math.ceil(round(sum(each.steps for each in stages), 6))
    return Forecast(steps, round(sum(each.images for each in stages)))


def _scores(session: Session, stage: _StageLeft, scoring: Sequence[float | None]) -> float | None:
    """Seconds of a stage's evaluations; None where nobody knows."""
    _, settings = session.plan.at_stage(stage.index)
    one = scoring[stage.index] if stage.index < len(scoring) else None
    if not settings.evaluate_every:
        return 0.0
    return None if one is None else (stage.images // settings.evaluate_every + 1) * one


def forecast(
    session: Session,
    header: RunHeader | None = None,
    *,
    run: Run | None = None,
    scoring: Sequence[float | None] = (),
    limit: float = TRIAL_SECONDS,
    least: int = WORTH_TIMING,
    timed: bool = True,
    say: Callable[[str], object] | None = None,
) -> Forecast:
    """What is left of a training, from a few steps of each kind on weights that are then thrown away.

    A network that grows has many kinds, as `Architecture.phase` tells them apart; most have one. Several processes are
    timed by the share of one of them.

    Args:
        header: what run.json says, to time sheets and checkpoints as well.
        run: that goes on from its newest checkpoint; None: from the beginning.
        scoring: seconds of one evaluation in each stage; None where there will be some and nobody knows.
        limit: seconds that the trial ends after, about.
        least: steps; no more than so many are not worth timing.
        timed: False only counts steps.
        say: told that steps are timed, when they are.
    """
    stages = list(_stages(session, run))
    counted = _counted(stages)
    if not timed or counted.steps <= least:
        return counted
    if say is not None:
        say(f"Timing a few steps, for about {TRIAL_SECONDS} seconds at the most …")
    training = files = 0.0
    scores: float | None = 0.0
    memory: int | None = None
    crowd = _Crowd()
    with _as_one_of(session.plan.settings.processes, session.device) as slower:
        for number, each in enumerate(stages):
            if session.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(session.device)
            training += slower * _training(session, each, limit / (len(stages) - number))
            if session.device.type == "cuda":
                memory = torch.cuda.max_memory_allocated(session.device)
            more = _scores(session, each, scoring)
            scores = None if scores is None or more is None else scores + more
            if header is not None:
                files += _files(session, header, each, training, session.build(each.index))
    packing = seconds_of_packing(session) if session.dataset.on_the_fly else 0.0
    return replace(
        counted, training=training, scores=scores, files=files, packing=packing, memory=memory, crowded=bool(crowd)
    )


def steps_of(session: Session) -> int:
    """Steps of all of the plan, about."""
    return forecast(session, timed=False).steps


def _stages(session: Session, run: Run | None) -> Iterator[_StageLeft]:
    files = run.checkpoints() if run is not None else []
    reached = read_checkpoint_header(files[-1]) if files else None
    first, images, steps = (reached.stage, reached.counters.images, reached.counters.step) if reached else (0, 0, 0)
    for index in range(first, len(session.plan.stages)):
        trainer = session.build(index, weights=False)
        trainer.batches = batches_drawn(trainer.model, 2)
        trainer.images, trainer.step_count = images, steps
        if reached and index == first:
            extent = reached.extent
        elif session.plan.stages[index].rollback is None:
            extent = stage_extent(session.plan.stages[index], trainer)
        trainer.extent = extent
        if any(stage.rollback for stage in session.plan.stages[index + 1 : index + 2]):
            continue  # it is left where the next one begins, which has its end
        last = trainer.extent.last_step
        marks = _marks(trainer)
        left = sum(each for _, each in marks) if last is None else max(0, last - steps)
        drawn = max(0, trainer.extent.last_image - images) if last is None else left * trainer.images_per_step
        stage = _StageLeft(index, trainer, left, drawn)
        for mark, count in marks:
            trainer.images = mark
            stage.kinds.setdefault(trainer.model.phase(trainer.progress), []).append((mark, count))
        trainer.images = images
        yield stage
        images, steps = max(images, trainer.extent.last_image), steps + math.ceil(round(left, 6))


def _marks(trainer: Trainer) -> list[tuple[int, float]]:
    """Image counts spread over the rest of the trainer's stage, and how many steps, about, each stands for."""
    begin = trainer.images
    images = max(0, trainer.extent.last_image - begin)
    marks = []
    for k in range(MARKS):
        trainer.images = begin + (2 * k + 1) * images // (2 * MARKS)
        marks.append((trainer.images, images / MARKS / trainer.images_per_step))
    trainer.images = begin
    return marks


def _training(session: Session, stage: _StageLeft, limit: float) -> float:
    """Seconds of a stage's steps. A kind of step that the limit leaves no time for is taken for as slow as the slowest
    before it, at the least.
    """
    trainer = session.build(stage.index)
    trainer.step_count, trainer.extent = stage.trainer.step_count, stage.trainer.extent
    trainer.world = session.plan.settings.processes
    if session.dataset.on_the_fly:
        trainer.loader = _SameBatch(trainer.loader)
    seconds = all_steps = longest = 0.0
    begin = time.monotonic()
    for number, marks in enumerate(stage.kinds.values()):
        trainer.images = marks[len(marks) // 2][0]
        steps = sum(count for _, count in marks)
        left = limit - (time.monotonic() - begin)
        if left > 0 or number == 0:
            with memory_held(), deterministic(session.plan.settings.deterministic):
                longest = max(longest, mean := _mean(trainer, session.device, left / (len(stage.kinds) - number)))
            seconds += steps * mean
        else:
            seconds += steps * longest
        all_steps += steps
    return stage.steps * seconds / all_steps if all_steps else 0.0


def _mean(trainer: Trainer, device: torch.device, limit: float) -> float:
    """Seconds of a step, for no longer than about the limit."""
    pace = Pace(limit)
    while not pace.known:
        begin = time.perf_counter()
        trainer.step()
        wait(device)
        pace.hear(time.perf_counter() - begin)
    return pace.mean


class _SameBatch(Loader):
    """Gives the first batch again and again: what is decoded now will be packed when it is trained on."""

    def __init__(self, loader: Loader) -> None:
        super().__init__(loader.dataset, 0, loader.crop, loader.flip, loader.paired)
        self._loader = loader
        self._drawn: dict[tuple[int, ...], Batch] = {}

    def draw(self, position: int, batch_size: int, share: Share = WHOLE) -> Batch:
        key = (batch_size, share.index, share.parts)
        if key not in self._drawn:
            self._drawn[key] = self._loader.draw(0, batch_size, share)
        return self._drawn[key]


@contextlib.contextmanager
def _as_one_of(processes: int, device: torch.device) -> Iterator[float]:
    """Computes on as many threads as each of so many processes has; yields how much longer they take if cores lack."""
    if processes == 1 or device.type != "cpu":
        yield 1.0
        return
    threads, cores = torch.get_num_threads(), os.cpu_count() or 1
    each = threads if "OMP_NUM_THREADS" in os.environ else max(1, cores // processes)
    torch.set_num_threads(each)
    try:
        yield max(1.0, processes * each / cores)
    finally:
        torch.set_num_threads(threads)


def _files(session: Session, header: RunHeader, stage: _StageLeft, training: float, trainer: Trainer) -> float:
    """Seconds of a stage's sheets, curves, checkpoints and models, from one of each in a folder that is thrown away."""
    _, settings = session.plan.at_stage(stage.index)
    import matplotlib.figure  # noqa: F401  (so that the curves are timed without it)

    with TemporaryDirectory(prefix="ganzoo-") as folder:
        run = Run(Path(folder), header)
        recorder = Recorder(run, session.plan, trainer)
        recorder.log("")
        recorder.record({"step": 0, "loss/D": 0.0, "loss/G": 0.0})
        averaging = _timed(lambda: recorder.averaged(trainer))
        drawing = _timed(lambda: recorder.picture(trainer))
        saving = _timed(lambda: recorder.checkpoint(trainer, stage.index, [0], {}, 1))
        writing = _timed(lambda: recorder.model(trainer))
        curve = _timed(lambda: recorder.curves([0]))
    epochs = stage.images / len(trainer.loader)
    items, end = len(trainer.loader), stage.trainer.extent.last_image
    begun, ended = (sheets_until(int(images // items), items) for images in (max(0, end - stage.images), end))
    spaced = max(1, ended - begun)
    sheets = stage.steps / settings.sample_every if settings.sample_every else spaced
    every = settings.checkpoint_every
    checkpoints = stage.steps / every if every else spaced + training / CHECKPOINT_SECONDS
    models = max(0.0, training / MODEL_SECONDS - max(checkpoints, sheets))
    curves = min(epochs, training / CURVES_SECONDS) + 1
    return (
        sheets * drawing + curves * curve + checkpoints * (saving + writing) + models * writing
        + averaging * max(sheets, checkpoints + models)
    )  # fmt: skip


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def seconds_of_packing(session: Session) -> float:
    """Seconds that making the pack will take, about, by a few items; 0 where it is there."""
    seconds = 0.0
    for rows in session.dataset.packs:
        if isinstance(rows, Decoded) and not rows.job.made:
            chosen = spread(len(rows.job.rows), DECODED)
            rows.take(chosen[:1])
            seconds += len(rows.job.rows) * _timed(partial(rows.take, chosen)) / len(chosen)
    return seconds


def memory_needed(plan: Plan, spec: DataSpec) -> int | None:
    """Bytes that training takes, estimated, in the stage with the largest batches; None where that cannot be done.

    Raises: UsageError when the CPU's memory cannot hold it.
    """
    config, settings = max(plan.by_stage, key=lambda stage: stage[1].batch_size / stage[1].accumulate)
    return check_memory(weightless(plan.model, config, spec), settings)


def wait(device: torch.device) -> None:
    """Returns when the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
