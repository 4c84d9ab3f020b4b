"""Which presets of an architecture this machine can train in a given time, found before anything is written."""

from __future__ import annotations

from typing import Any

from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.catalogue.single_file import named
from ganzoo.contract.settings import FIT, parse_time
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.display import Display, duration
from ganzoo.loop.interrupts import current
from ganzoo.plan.plan import Plan, plan_run
from ganzoo.plan.spec import likely_spec
from ganzoo.training.estimate import Forecast, forecast, memory_needed
from ganzoo.training.prepare import prepare

HOURS = 3  # that `--preset fit` chooses for where --max-time says nothing
LONG = 3600  # seconds; what takes longer is announced with the presets that do not
TRIAL = 2  # seconds that each preset is timed for, about
TIMING = f"Timing a few steps of each preset, for about {TRIAL} seconds each …"
HOPELESS = 4  # times the time there is, by the size alone: not tried


def presets_that_fit(
    architecture: str, dataset: str, within: float, label: str | int | None = None, **options: Any
) -> dict[str | None, Forecast]:
    """What can be trained here in so many seconds: preset, None for the defaults -> its forecast, smallest first.

    A few steps of each are timed, the smallest first, until the next is far too large by what a step keeps in memory.
    A preset that would enlarge the images or leave out their colours does not fit them.
    """
    plans, options = {}, {**options, "log": None}  # who hears of the run may be listening already
    for name in (None, *load_architecture(find("architecture", named(architecture))).presets):
        try:
            plan = plan_run(architecture, dataset, preset=name, label=label, **options)
            if name is None or _suits(plan):
                plans[name] = plan, _weight(plan)
        except GanzooError:
            continue  # the architecture, the data or the memory here refuses it
    fitting: dict[str | None, Forecast] = {}
    pace = 0.0  # seconds per unit of weight
    for name, (plan, weight) in sorted(plans.items(), key=lambda each: each[1][1]):
        if pace * weight > HOPELESS * within or ((stop := current()) is not None and stop.asked):
            continue
        try:
            made = forecast(prepare(plan, Display(), pack=False), limit=TRIAL, least=0)
        except GanzooError:
            continue
        pace = (made.seconds or 0.0) / weight
        if made.seconds is not None and made.seconds <= within:
            fitting[name] = made
    return dict(sorted(fitting.items(), key=lambda each: each[1].seconds or 0.0))


def chosen(
    architecture: str | None,
    dataset: str | None,
    *,
    preset: str | None,
    recipe: str | None = None,
    label: str | int | None = None,
    max_time: str | float | None = None,
    display: Display,
    **options: Any,
) -> str | None:
    """The preset to train with: as it is given, or for ``"fit"`` the one that trains longest in `max_time`.

    Raises: UsageError when none fits.
    """
    if preset != FIT:
        return preset
    if recipe is not None or architecture is None or dataset is None:
        raise UsageError(f"--preset {FIT} chooses for an architecture and a data set; a recipe says its own.")
    within = HOURS * 3600 if max_time is None else parse_time(max_time)
    display.say(TIMING)
    fitting = presets_that_fit(architecture, dataset, within, label, **options)
    if not fitting:
        raise UsageError(
            f"No preset of {architecture} trains on {dataset} here within {duration(within)}; say --steps or --images, "
            "or a longer --max-time."
        )
    name, made = list(fitting.items())[-1]
    display.say(f"{_called(name)} fits best: about {duration(made.seconds or 0)}.")
    return name


def advice(architecture: str, dataset: str, label: str | int | None, display: Display, **options: Any) -> str:
    """A sentence with the presets that take less than an hour here, each with its time; "" where there is none."""
    display.say(TIMING)
    fitting = presets_that_fit(architecture, dataset, LONG, label, **options)
    fitting.pop(None, None)
    if not fitting:
        return ""
    each = ", ".join(f"{name} (about {duration(made.seconds or 0)})" for name, made in fitting.items())
    return f"Of its presets, these take less than an hour here: {each}; `--preset {FIT}` takes the largest."


def _called(preset: str | None) -> str:
    return "What it is without a preset" if preset is None else f"The preset {preset}"


def _suits(plan: Plan) -> bool:
    """Whether a preset takes images as the data has them, no larger and with all their colours."""
    info = plan.data
    sides = [side for side in (info.height, info.width) if side]
    enlarged = plan.size is not None and len(sides) == 2 and min(plan.size) > min(sides)
    grey = plan.settings.channels is not None and plan.settings.channels < min(3, info.channels or 0)
    return not enlarged and not grey


def _weight(plan: Plan) -> float:
    """What a plan costs beside others: what a step keeps in memory for each image, times the images.

    Raises: UsageError when it does not fit into memory.
    """
    bytes_needed = memory_needed(plan, likely_spec(plan)) or 1
    stage, batch = plan.stages[0], plan.settings.batch_size
    steps = stage.count * {"steps": 1, "images": 1 / batch, "epochs": plan.data.trained / batch}[stage.unit]
    return bytes_needed * steps
