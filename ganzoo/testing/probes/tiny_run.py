"""The smallest run there is: an architecture of two layers on noise in memory, trained and taken up again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ganzoo.catalogue.catalogue import Entry
from ganzoo.catalogue.modalities import make_modality
from ganzoo.contract.cards import API, ArchitectureCard
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.options import option
from ganzoo.contract.settings import Settings, Stage
from ganzoo.data import Dataset, Info
from ganzoo.data.dataset import Packed, Part
from ganzoo.gan.two_player import TwoPlayer, TwoPlayerConfig
from ganzoo.loop.display import Display
from ganzoo.loop.session import Session
from ganzoo.plan.plan import Plan
from ganzoo.runs.run import Run
from ganzoo.training.facts import facts_of

SHAPE, ITEMS, BATCH, EPOCHS = (3, 8, 8), 16, 8, 2


@dataclass(frozen=True)
class TinyConfig(TwoPlayerConfig):
    latent_dim: int = option(4, "length of the noise vector z", low=1)


class Tiny(TwoPlayer):
    """A layer each."""

    Config = TinyConfig

    def __init__(self, config: TinyConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        size = data.channels * data.height * data.width
        self.G = nn.Sequential(nn.Linear(config.latent_dim, size), nn.Tanh(), nn.Unflatten(1, data.shape))
        self.D = nn.Sequential(nn.Flatten(), nn.Linear(size, 1), nn.Flatten(0))


def train_twice(folder: Path, loggers: Mapping[str, object], display: Display) -> Run:
    """Trains a run of two epochs in the folder, and as long again from there, as `ganzoo extend` does."""
    plan = _plan()
    session = Session(plan, _dataset(), loggers)
    run = Run.create(folder, facts_of(session, None))
    session.train(run, display)
    session = Session(dataclasses.replace(plan, stages=plan.stages * 2), _dataset(), loggers)
    session.train(run, display)
    return run


def _plan() -> Plan:
    card = ArchitectureCard(
        name="tiny", title="Tiny", year=2014, paper="none", summary="For the checks of loggers.", resolutions=(8,),
        licence="MIT", api=API, model=Tiny,
    )  # fmt: skip
    info = Info(
        name="noise", origin="noise in memory", images=ITEMS, classes=(), domains={}, channels=3, height=8, width=8,
        skipped=0, kind="plugin", source="ganzoo", fingerprint="noise",
    )  # fmt: skip
    settings = Settings(batch_size=BATCH, device="cpu", precision="fp32", samples=4)
    stages = (Stage({"epochs": EPOCHS}),)
    entry = Entry("architecture", card, "tiny", "ganzoo", "0")
    return Plan(entry, Tiny, TinyConfig(), settings, info, SHAPE[1:], stages)


def _dataset() -> Dataset:
    stream = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (ITEMS, *SHAPE[1:], SHAPE[0]), generator=stream, dtype=torch.uint8)
    rows = Packed(pixels, torch.device("cpu"))
    parts = {"train": Part(rows, torch.arange(ITEMS), None)}
    return Dataset("noise", "noise in memory", "noise", SHAPE, (), parts, {}, rows, make_modality("image"))
