"""What a training will take, said before its first step: steps, seconds, memory."""

from __future__ import annotations

import statistics
import time

import torch

from ganzoo.devices import check_memory
from ganzoo.plan import data_spec
from ganzoo.session import Session

TRIAL_STEPS = 3  # timed, after one that is not
TRIAL_SECONDS = 10  # the trial ends early past that


def steps_left(session: Session) -> int:
    """Steps of the whole plan, about, from its beginning."""
    trainer, total = session.build(), 0
    for stage in session.plan.stages:
        (unit, count), *_ = stage.length.items()
        images = count * len(trainer.loader) if unit == "epochs" else count
        total += count if unit == "steps" else -(-images // trainer.current_batch_size)
    return total


def seconds_per_step(session: Session) -> float:
    """The median of a few steps on weights that are then thrown away."""
    trainer = session.build()
    times: list[float] = []
    while len(times) <= TRIAL_STEPS and (len(times) < 2 or sum(times) < TRIAL_SECONDS):
        begin = time.perf_counter()
        trainer.step()
        wait(session.device)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def memory_needed(session: Session) -> int | None:
    """Bytes that training takes, estimated; None where the architecture cannot be estimated.

    Raises: UsageError when the CPU's memory cannot hold it.
    """
    config, settings = session.plan.at_stage(0)
    with torch.device("meta"):
        model = session.plan.model(config, data_spec(session.dataset, session.plan.size))
    return check_memory(model, settings.batch_size // settings.accumulate, session.device)


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
