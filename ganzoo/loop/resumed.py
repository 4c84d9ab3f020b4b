"""What is checked, and what is said, where a run goes on from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ganzoo.contract import distributed
from ganzoo.contract.settings import Stage
from ganzoo.errors import GanzooError
from ganzoo.plan.plan import Plan
from ganzoo.plan.typed import deciding
from ganzoo.runs.header import CheckpointHeader, Extent
from ganzoo.runs.run import Run


def check_extent(run: Run, stage: Stage, extent: Extent, first_step: int, items: int) -> None:
    """Raises: GanzooError when a checkpoint's stage ends elsewhere than run.json says.

    Args:
        stage: as run.json has it.
        first_step: at which the stage began.
        items: in an epoch.
    """
    end, expected = {
        "steps": (extent.last_step, first_step + stage.count),
        "images": (extent.last_image, extent.first_image + stage.count),
        "epochs": (extent.last_image, (extent.first_image // items + stage.count) * items),
    }[stage.unit]
    if end != expected:
        raise GanzooError(
            f"{run.checkpoints()[-1]} is damaged: its stage ends elsewhere than run.json says; restore the one of them "
            "that was changed."
        )


def changed_by_hand(run: Run, plan: Plan, stage: int, header: CheckpointHeader) -> Iterator[str]:
    """What run.json says otherwise than when the checkpoint was written, in a sentence."""
    now, seed = deciding(plan, stage), run.header.seed
    names = [name for name, value in header.options.items() if name in now and now[name] != value]
    if names:
        changes = ", ".join(f"{name} {now[name]} in place of {header.options[name]}" for name in names)
        yield (
            f"{run.path / 'run.json'} was changed since the checkpoint was written: it says {changes}. "
            "Training goes on with what it says now, so this is no longer the run that was begun."
        )
    elif seed != plan.settings.seed:
        yield (
            f"{run.path / 'run.json'} was changed by hand: it says the seed {seed}, and {plan.settings.seed} among the "
            "settings, which counts."
        )


def other_machine(run: Run, device: torch.device) -> Iterator[str]:
    """What is another here than where the run began, and has sums rounded otherwise, in a sentence."""
    began, threads = run.header.environment, torch.get_num_threads()
    then, now = [], []
    if began.threads and began.threads != threads and device.type == "cpu" and distributed.world() == 1:
        then.append(f"{began.threads} threads")
        now.append(f"{threads}")
    if began.torch and began.torch != torch.__version__:
        then.append(f"torch {began.torch}")
        now.append(f"torch {torch.__version__}")
    if began.device and began.device != device.type:
        then.append(f"on {began.device}")
        now.append(f"on {device.type}")
    if then:
        yield (
            f"The run began with {', '.join(then)} and goes on with {', '.join(now)}: sums are rounded otherwise, "
            "so it will not end as it would have there, to the last bit."
        )
