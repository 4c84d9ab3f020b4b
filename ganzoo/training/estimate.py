"""What a training will take, said before its first step: steps, seconds, memory."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Hashable

import torch

from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.networks import weightless
from ganzoo.loop.allocator import memory_held
from ganzoo.loop.session import Session
from ganzoo.loop.trainer import Trainer
from ganzoo.plan.memory import batches_drawn, check_memory
from ganzoo.plan.plan import Plan

TRIAL_STEPS = 3  # timed, after one that is not
TRIAL_SECONDS = 10  # the trial ends early past that
MARKS = 24  # places in a run that are looked at


def steps_left(session: Session) -> int:
    """Steps of the whole plan, about, from its beginning."""
    trainer, total = session.build(weights=False), 0.0
    trainer.batches = batches_drawn(trainer.model, 2)
    for index, stage in enumerate(session.plan.stages):
        (unit, count), *_ = stage.length.items()
        if unit == "steps":
            total += count
        elif index == 0:
            total += sum(steps for _, steps in _marks(trainer))
        else:
            images = count * len(trainer.loader) if unit == "epochs" else count
            total += images / trainer.images_per_step
    return math.ceil(round(total, 6))


def seconds_per_step(session: Session) -> float:
    """The mean over the first stage, from the median of a few steps of each kind, on weights that are then thrown away.

    A network that grows has many kinds, as `Architecture.stage` tells them apart; most have one.
    """
    trainer = session.build()
    kinds: dict[Hashable, list[tuple[int, float]]] = {}
    for images, steps in _marks(trainer):
        trainer.images = images
        kinds.setdefault(trainer.model.phase(trainer.progress), []).append((images, steps))
    seconds = all_steps = 0.0
    begin, longest = time.monotonic(), 0.0
    for number, marks in enumerate(kinds.values()):
        trainer.images = marks[len(marks) // 2][0]
        steps = sum(steps for _, steps in marks)
        left = TRIAL_SECONDS - (time.monotonic() - begin)
        if left > 0 or number == 0:  # else as the slowest so far, at the least
            with memory_held():
                longest = max(longest, timed := _median(trainer, session.device, left / (len(kinds) - number)))
            seconds += steps * timed
        else:
            seconds += steps * longest
        all_steps += steps
    return seconds / all_steps


def _marks(trainer: Trainer) -> list[tuple[int, float]]:
    """Image counts spread over the trainer's stage, and how many steps, about, each stands for."""
    begin, images = trainer.extent.first_image, trainer.extent.last_image - trainer.extent.first_image
    marks = []
    for k in range(MARKS):
        trainer.images = begin + (2 * k + 1) * images // (2 * MARKS)
        marks.append((trainer.images, images / MARKS / trainer.images_per_step))
    trainer.images = begin
    return marks


def _median(trainer: Trainer, device: torch.device, limit: float) -> float:
    """Seconds of a step, for no longer than about the limit; the first counts only where it is the only one."""
    times: list[float] = []
    while len(times) <= TRIAL_STEPS and (not times or sum(times) < limit):
        begin = time.perf_counter()
        trainer.step()
        wait(device)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:] or times)


def memory_needed(plan: Plan, spec: DataSpec) -> int | None:
    """Bytes that training takes, estimated, in the stage with the largest batches; None where that cannot be done.

    Raises: UsageError when the CPU's memory cannot hold it.
    """
    stages = [plan.at_stage(index) for index in range(len(plan.stages))]
    config, settings = max(stages, key=lambda stage: stage[1].batch_size / stage[1].accumulate)
    return check_memory(weightless(plan.model, config, spec), settings)


def wait(device: torch.device) -> None:
    """Returns when the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def duration(seconds: float) -> str:
    """``"50 seconds"``, ``"17 minutes"``, ``"3.2 hours"``."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
