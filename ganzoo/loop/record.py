"""Everything that a run writes into its folder while it trains."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import torch
from PIL import Image
from torch import Tensor

from ganzoo import data
from ganzoo.contract.networks import generator_state
from ganzoo.contract.options import values
from ganzoo.contract.randomness import stream
from ganzoo.contract.stored import as_json
from ganzoo.files import replaced
from ganzoo.loop.samples import SEARCHED, changed, copied, diversity, sketch, small
from ganzoo.loop.trainer import Trainer
from ganzoo.model.model import Model, make_model
from ganzoo.model.translation import there_and_back, to_each_label, to_labels
from ganzoo.pictures.framed import framed, save_sheet
from ganzoo.plan.plan import Plan
from ganzoo.plan.typed import deciding, typed_plan
from ganzoo.runs import checkpoint
from ganzoo.runs.curves import is_loss, is_watch
from ganzoo.runs.header import CheckpointHeader, ModelHeader, model_of
from ganzoo.runs.run import SCORES, SHEETS, WARNINGS, Run, write_text


class Recorder:
    """Writes a run's logs, samples, curves, models and checkpoints."""

    def __init__(self, run: Run, plan: Plan, trainer: Trainer, log_bytes: int = 0, stage: int = 0) -> None:
        """Opened at the trainer's step, it forgets what a killed run recorded after it.

        Args:
            log_bytes: length of train.log at that step.
            stage: that the step was done in.
        """
        self.run, self.plan = run, plan
        self._preview = untrained(run, plan, trainer)
        self._preview_step = -1
        self._sketch: Tensor | None = None  # of the newest sheet's samples
        self._shown: tuple[Tensor, Tensor] | None = None  # samples, real items
        self._training: list[Tensor] = []
        run.make_folders()
        now = trainer.step_count
        logs: dict[str, Sequence[object]] = {
            "metrics.jsonl": [row for row in run.metrics() if row["step"] <= now],
            SHEETS: [row for row in run.sheets() if row["step"] <= now],
            SCORES: [row for row in run.scores() if not row.get("training") or row["step"] <= now],
            WARNINGS: [row for row in run.warnings() if (row["step"], row.get("stage", 0)) <= (now, stage)],
        }
        for name, rows in logs.items():
            if (run.path / name).exists() or name == "metrics.jsonl":
                self._rewrite(name, "".join(json.dumps(row) + "\n" for row in rows))
        log = run.path / "train.log"
        self._rewrite("train.log", log.read_bytes()[:log_bytes].decode(errors="replace") if log.exists() else "")

    def _rewrite(self, name: str, text: str) -> None:
        """Makes a log say `text`, which it mostly does already."""
        file = self.run.path / name
        if not file.exists() or file.read_text(encoding="utf-8", errors="replace") != text:
            write_text(file, text)

    def _flush(self, name: str) -> None:
        """Has the disk write all of a log that the system still keeps in memory."""
        file = self.run.path / name
        if file.exists():
            with file.open("rb+") as opened:
                os.fsync(opened.fileno())

    def record(self, row: Mapping[str, Any], name: str = "metrics.jsonl") -> None:
        """One object of metrics.jsonl, or of another such file."""
        with (self.run.path / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def log(self, text: str) -> None:
        """One line of train.log."""
        with (self.run.path / "train.log").open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text + "\n")

    def real(self, dataset: data.Dataset) -> None:
        """real.png: as many real items as a sheet of samples has, for comparison; one a domain."""
        for name in dataset.parts:
            items = self._real(dataset, name)
            side = max(items.shape[2:]) if dataset.modality.name == "image" else 0
            picture = framed(dataset.modality.sheet_of_real(items), side=side)
            with replaced(self.run.path / (f"real-{name}.png" if dataset.domains else "real.png")) as part:
                save_sheet(picture, part)

    def _real(self, dataset: data.Dataset, name: str) -> Tensor:
        """The same items of a domain each time, as many as a sheet of samples has, on the CPU."""
        part = dataset.parts[name]
        words = ("real", name if dataset.domains else "")
        chosen = torch.randperm(len(part), generator=stream(self.plan.settings.seed, *words))
        return part.gather(chosen[: self._count]).cpu()

    def samples(self, trainer: Trainer, stage: int) -> tuple[Path, dict[str, float]]:
        """A sheet by the averaged generators, epoch-0001.png or step-000050.png; its file, and its statistics.

        Of the same noise each time; of a translation, of the same images of each domain, there and back; points of the
        plane with real ones, and D's verdict behind them. The PNG says step, epoch, seed and command (text chunks).
        """
        ended = trainer.epoch_step == trainer.step_count
        name = f"epoch-{trainer.epoch:04d}" if ended else f"step-{trainer.step_count:06d}"
        file = self.run.path / "samples" / f"{name}.png"
        picture = self.picture(trainer)
        statistics = self._statistics(trainer.loader.dataset, trainer.step_count)
        notes: dict[str, Any] = {"step": trainer.step_count, "epoch": trainer.epoch, "seed": self.plan.settings.seed}
        notes["command"] = typed_plan(self.plan, stage)
        if self._sketch is not None:
            notes["sketch"] = base64.b64encode(self._sketch.numpy().astype("<f4").tobytes()).decode()
        self.run.make_folders()
        with replaced(file) as temporary:
            save_sheet(picture, temporary, {name: str(value) for name, value in notes.items()})
        return file, statistics

    def _statistics(self, dataset: data.Dataset, step: int) -> dict[str, float]:
        """Of the sheet just drawn, for samples.jsonl; {} of too few samples."""
        if self._shown is None or len(self._shown[0]) < 8:
            return {}
        made, real = self._shown
        statistics = diversity(made, real)
        if not statistics:
            return {}
        before = self._sketch_before(step) if self._sketch is None else self._sketch  # None: of a run that goes on
        self._sketch = sketch(made)
        statistics |= changed(self._sketch, before) if before is not None else {}
        part = next(iter(dataset.parts.values()))
        if 3 <= len(part) <= SEARCHED:
            if not self._training:
                self._training = [small(part.gather(some)) for some in torch.split(torch.arange(len(part)), 1024)]
            statistics |= copied(made, real, self._training)
        return statistics

    def _sketch_before(self, step: int) -> Tensor | None:
        """That of the newest sheet of an earlier step; None without one, or where it cannot be read."""
        newest, earlier = -1, None
        for file in (self.run.path / "samples").glob("*.png"):
            with contextlib.suppress(OSError, ValueError), Image.open(file) as opened:
                if newest < (its := int(opened.info.get("step", step))) < step:
                    kept = numpy.frombuffer(base64.b64decode(opened.info.get("sketch", "")), "<f4")
                    newest, earlier = its, torch.from_numpy(kept.astype("f4")) if len(kept) > 2 else None
        return earlier

    def picture(self, trainer: Trainer) -> Image.Image:
        """What a sheet shows, with its caption."""
        model, seed, dataset = self.averaged(trainer), self.plan.settings.seed, trainer.loader.dataset
        across = math.ceil(self._count**0.5)
        real = self._real(dataset, next(iter(dataset.parts)))
        names: Sequence[str] = ()
        self._shown = None
        side = max(model.architecture.data.shape[1:]) if model.modality.name == "image" else 0
        if model.domains:
            reals = {name: self._real(dataset, name) for name in model.architecture.data.domains}
            picture, names = there_and_back(model, reals, across, seed)
        elif to_labels(model.architecture):
            picture, names = to_each_label(model.architecture, real, across)
        else:
            label = torch.arange(self._count) % len(model.classes) if model.classes else model.labels(self._count, seed)
            made = model.generate(model.noise(self._count, seed), label)
            picture = model.modality.sheet(made, real=real, model=trainer.model)
            self._shown = (made, real)
        return framed(picture, model.header.caption(seed, f"epoch {trainer.epoch}"), names, side=side)

    def model(self, trainer: Trainer) -> None:
        """model.safetensors: the averaged generator, with all it takes to sample from it in the header."""
        tensors = generator_state(self.averaged(trainer).architecture)
        checkpoint.write(self.run.model_file, tensors, as_json(_model_header(self.run, trainer)))

    def checkpoint(
        self, trainer: Trainer, stage: int, stage_starts: list[int], newest: dict[str, float], keep: int
    ) -> None:
        """The whole training state, with the newest value of all that is logged; so many of the newest stay."""
        for name in ("metrics.jsonl", SCORES, SHEETS, WARNINGS, "train.log"):
            self._flush(name)  # a checkpoint that is there must find its logs there
        tensors, counters = trainer.state()
        log_bytes = (self.run.path / "train.log").stat().st_size
        header = CheckpointHeader(
            self.plan.entry.full_name, stage, tuple(stage_starts), trainer.extent, counters, log_bytes, newest,
            options=deciding(self.plan, stage),
        )  # fmt: skip
        file = self.run.path / "checkpoints" / f"step-{trainer.step_count:08d}.safetensors"
        self.run.make_folders()
        checkpoint.write(file, tensors, as_json(header))
        self.prune(keep)

    def prune(self, keep: int) -> None:
        """Removes all checkpoints but the newest."""
        for old in self.run.checkpoints()[:-keep]:
            old.unlink(missing_ok=True)

    def curves(self, stage_starts: list[int]) -> None:
        """Redraws losses.png."""
        figure = self.run.plot(stage_starts=stage_starts)
        with replaced(self.run.path / "losses.png") as part:
            figure.savefig(part, dpi=120)

    def averaged(self, trainer: Trainer) -> Model:
        """The averaged generators as a model, at the trainer's present step."""
        if self._preview_step != trainer.step_count:
            self._preview.load_generators(trainer.ema.tensors)
            self._preview.settle()
            self._preview.header = _model_header(self.run, trainer)
            self._preview_step = trainer.step_count
        return self._preview

    @property
    def _count(self) -> int:
        return self._preview.modality.shown or self.plan.settings.samples


def untrained(run: Run, plan: Plan, trainer: Trainer) -> Model:
    """A model like the run's at the trainer's step, but for its weights."""
    return make_model(plan.entry, _model_header(run, trainer), trainer.device.type)


def _model_header(run: Run, trainer: Trainer) -> ModelHeader:
    return model_of(run.header, values(trainer.config), trainer.step_count, trainer.images)


def classic_line(epoch: int, epochs: int, iteration: int, iterations: int, read: Mapping[str, float]) -> str:
    """``[0/5][50/497] Loss_D: 1.4232 Loss_G: 4.7655 D(x): 0.6376 D(G(z)): 0.3454 / 0.0244``.

    A watch value called "NAME after" stands behind NAME's, after a slash.
    """
    losses = [f"Loss_{name[5:]}: {value:.4f}" for name, value in read.items() if is_loss(name)]
    watches = []
    for name, value in read.items():
        if is_watch(name) and not name.endswith(" after"):
            after = read.get(name + " after")
            watches.append(f"{name}: {value:.4f}" + ("" if after is None else f" / {after:.4f}"))
    return " ".join([f"[{epoch}/{epochs}][{iteration}/{iterations}]", *losses, *watches])
