"""The trainer's own options, said once: the command line, run.json and the documentation read them here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from ganzoo.contract.options import option
from ganzoo.contract.stored import Count, rare
from ganzoo.errors import UsageError

# Options of the trainer that an architecture's Config or preset may set a default for, by a field of the same name.
BY_ARCHITECTURE = ("epochs", "batch_size", "resolution", "channels", "ema", "load_size", "flip")
LENGTHS = ("epochs", "images", "steps")
MOST = 10**11  # of each; a run's images must be counted in 63 bits
# What stays as it is from a run's first step to its last.
FIXED_IN_A_RUN = (
    "seed", "resolution", "channels", "skip_small", "domains", "load_size", "flip", "ema", "precision", "freeze",
)  # fmt: skip
# No stage changes these, whoever goes on with a run may.
OF_THE_MACHINE = ("device", "deterministic", "log", "processes", "max_restarts")
DEFAULT_EPOCHS = 10
MOST_SEEDS = 10_000  # that one command names
DEFAULT_IMAGES = 50_000  # at the least, where neither the architecture nor the user says a length
AUTO = "auto"  # the batch size that is as large as memory allows; a plan has its number
FIT = "fit"  # the preset that is whichever suits the machine; no architecture has one of this name


# Headings that the options stand under, `TRAINING` for those that are not named.
TRAINING = "Training"
GROUPS = {
    "Length": ("epochs", "images", "steps"),
    "Data as it is trained on": ("resolution", "channels", "load_size", "flip", "domains", "skip_small"),
    "Pictures, checkpoints and logs": ("samples", "sample_every", "checkpoint_every", "log", "gradients"),
    "Scores": ("evaluate_every", "evaluate", "keep_best"),
    "This machine": ("device", "precision", "accumulate", "recompute", "deterministic"),
    "Several processes": ("processes", "sync_batchnorm", "max_restarts"),
}
GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


@dataclass(frozen=True)
class Settings:
    """How a run is trained, whatever the architecture."""

    epochs: int | None = option(
        None,
        f"train for this many passes over the data; default: {DEFAULT_EPOCHS}, or more where it is small",
        low=1,
        high=MOST,
    )
    images: int | None = option(None, "train for this many images instead", low=1, high=MOST)
    steps: int | None = option(None, "train for this many steps instead", low=1, high=MOST)
    batch_size: int = option(64, "images in a step, over all processes; auto: as many as fit into memory", low=1)
    resolution: str | None = option(None, "height and width: 64, or 64x96; default: the architecture's")
    channels: int | None = option(None, "1 grey, 3 RGB, 4 RGBA; default: the data's", low=1, high=4)
    skip_small: bool = option(False, "leave out images of less than half the resolution, however many")
    domains: str | None = option(None, "those of the data's domains, or classes, to translate between, in order: A,B")
    load_size: int | None = option(None, "scale images to this first, then crop them at random", low=1)
    flip: bool = option(False, "mirror images at random")
    ema: int = option(10_000, "half-life of the averaged generator, in images; 0: no averaging", low=0, scheduled=True)
    seed: int = option(0, "the random seed, which decides everything that is drawn", low=0, high=2**63 - 1)
    device: Literal["auto", "cpu", "cuda", "mps"] = option("auto", "where to train")
    precision: Literal["auto", "fp32", "bf16"] = option(
        "auto", "arithmetic; auto: bf16 where the device has it and the architecture is proven with it"
    )
    processes: int = option(1, "train in this many processes, one a GPU", low=1)
    sync_batchnorm: bool = option(False, "batch norm looks at the whole batch of all processes; needs CUDA")
    max_restarts: int = option(
        0, "when a process dies, begin again at the newest checkpoint, this many times at the most", low=0
    )
    accumulate: int = option(1, "compute each process's share of the batch in this many parts, to save memory", low=1)
    recompute: bool = option(
        False, "keep less for the backward pass and compute it again there: the same weights in less memory, slower"
    )
    deterministic: bool = option(
        False, "only algorithms that give the same each time (on CUDA slower; what has none is named)"
    )
    checkpoint_every: int | None = option(
        None, "steps between checkpoints; default: as often as sheets by default, and every ten minutes", low=1
    )
    checkpoints: int = option(3, "newest checkpoints that stay", low=1)
    freeze: str = option("", "parts that are not trained, by name: D.main.0,D.main.2 (FreezeD)")
    samples: int = option(
        64, "images on a sheet of samples; scores while training are of 2000 others", low=1, high=1024
    )
    evaluate_every: int | None = option(None, "score the averaged generator each time after this many images", low=1)
    evaluate: str = option("", "metrics for it, such as swd,classifier; default: that of --keep-best, else all")
    keep_best: str | None = option(None, "keep the best model by this score, such as swd or confident")
    log: str | None = option(None, "also tell these loggers, such as tensorboard+wandb:project=faces")
    sample_every: int | None = option(
        None,
        "steps between sheets of samples, from before the first step on; default: after every epoch, and of less than "
        "5,000 images, fewer after the tenth",
        low=1,
    )
    gradients: bool = option(False, "log the norm of each network's gradient too, before clipping")
    on_divergence: Literal["stop", "rollback", "continue"] = option(
        "stop", "when losses diverge: rollback goes back to a checkpoint with half the rates; continue only warns"
    )


@dataclass(frozen=True)
class Rollback:
    """Why and from where a stage is trained again.

    Attributes:
        step: of the checkpoint that it goes on from; seed: what is added to the run's; rate: factor on all rates.
        why: the figure that was seen, in a sentence.
    """

    step: Count
    seed: Count
    rate: float
    why: str


@dataclass(frozen=True)
class Stage:
    """A stretch of a run: how long, and the options that change from its start on.

    Attributes:
        rollback: the stage before, from there on once more; its length is still that one's.
    """

    length: Mapping[str, int]
    changes: Mapping[str, Any] = field(default_factory=dict)
    rollback: Rollback | None = rare(None)

    @property
    def unit(self) -> str:
        """What its length is counted in: "epochs", "images" or "steps"."""
        return next(iter(self.length))

    @property
    def count(self) -> int:
        return self.length[self.unit]

    def __str__(self) -> str:
        if self.rollback is not None:
            again = self.rollback
            return f"again from step {again.step:,}, seed + {again.seed}, rates × {again.rate:g}"
        changes = "".join(f", {name.replace('_', '-')} {value}" for name, value in self.changes.items())
        return f"{self.count:,} {self.unit if self.count > 1 else self.unit[:-1]}{changes}"


# Names that a Config may not take: they mean something else on the command line.
RESERVED = {each.name for each in fields(Settings)} - set(BY_ARCHITECTURE) | {
    "preset", "recipe", "out", "continue", "init", "class", "per_class", "dry_run", "json", "help", "compile", "plugin",
    "label", "data", "architecture", "force", "max_time",
}  # fmt: skip


def parse_time(text: str | float) -> float:
    """Seconds: of a number, or of ``"8h"``, ``"1h30m"``, ``"45m"``, ``"90s"``, ``"2d"``.

    Raises: UsageError when it is neither, or no time at all.
    """
    if isinstance(text, str):
        match = re.fullmatch(r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text.strip().lower())
        if not match:
            raise UsageError(f"--max-time takes a time such as 8h, 1h30m or 45m, not {text!r}.")
        text = sum(int(number or 0) * unit for number, unit in zip(match.groups(), (86400, 3600, 60, 1), strict=True))
    if not text > 0:
        raise UsageError("--max-time must be longer than nothing.")
    return float(text)


def parse_resolution(text: str | int) -> tuple[int, int]:
    """``"64"`` is (64, 64), ``"64x96"`` is height 64, width 96.

    Raises: UsageError when it is neither, or not between 1 and 8192.
    """
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", str(text).strip().lower())
    if not match:
        raise UsageError(f"--resolution takes a number or HEIGHTxWIDTH, such as 64 or 64x96, not {text!r}.")
    height, width = int(match[1]), int(match[2] or match[1])
    if not (1 <= height <= 8192 and 1 <= width <= 8192):
        raise UsageError(f"--resolution {text} is out of range; sides go from 1 to 8192.")
    return height, width


def parse_seeds(text: str | int, first: int = 0) -> tuple[int, ...]:
    """``"3"``: three seeds from `first` on; ``"0-99"``: from the first to the last; ``"4,8"``: these.

    Raises: UsageError when it is none of them, or more than 10,000.
    """
    written = str(text).strip()
    one, between = re.fullmatch(r"\d{1,19}", written), re.fullmatch(r"(\d{1,19})-(\d{1,19})", written)
    seeds: Sequence[int] = ()
    if one:
        seeds = range(first, first + min(int(written), MOST_SEEDS + 1))
    elif between:
        low, high = map(int, between.groups())
        seeds = range(low, min(high, low + MOST_SEEDS) + 1)
    elif re.fullmatch(r"\d{1,19}(,\d{1,19})+,?|\d{1,19},", written):
        seeds = list(dict.fromkeys(int(each) for each in written.split(",") if each))
    if not 0 < len(seeds) <= MOST_SEEDS or seeds[-1] >= 2**63:
        raise UsageError(
            f"--seeds {text} is not understood; 3 is three seeds from --seed on, 0-99 a range, 4,8 a list of them."
        )
    return tuple(seeds)
