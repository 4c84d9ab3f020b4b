"""The options of `train` and `resume` by name, for editors and notebooks that complete them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from ganzoo.loop.display import Display


class TrainOptions(TypedDict, total=False):
    """The trainer's own options, and those of a GAN with one G and one D, which most architectures have."""

    epochs: int
    images: int
    steps: int
    batch_size: int | Literal["auto"]
    resolution: int | str
    channels: int
    skip_small: bool
    domains: str
    load_size: int
    flip: bool
    ema: int | str
    seed: int
    device: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "fp32", "bf16"]
    deterministic: bool
    processes: int
    sync_batchnorm: bool
    max_restarts: int
    accumulate: int
    recompute: bool
    checkpoint_every: int
    checkpoints: int
    freeze: str
    samples: int
    evaluate_every: int
    evaluate: str
    keep_best: str
    log: str
    sample_every: int
    gradients: bool
    on_divergence: Literal["stop", "rollback", "continue"]
    loss: str
    penalty: str
    augment: str
    lr: float | str
    lr_d: float | str
    beta1: float
    beta2: float | str
    n_critic: int
    latent_dim: int
    san: bool
    conditional: bool


class TrainArguments(TrainOptions, total=False):
    """All that `train` takes by name but an architecture's own options."""

    preset: str | None
    recipe: str | None
    label: str | int | None
    out: str | os.PathLike[str] | None
    init: str | os.PathLike[str] | None
    go_on: bool
    max_time: str | float | None
    display: Display | None


class ResumeOptions(TypedDict, total=False):
    """What whoever goes on with a run may change; None leaves it as it was."""

    device: str | None
    log: str | None
    processes: int | None
    accumulate: int | None
    recompute: bool | None
    deterministic: bool | None
    on_divergence: str | None
    max_restarts: int | None
