"""A run from its first step to its last: stage after stage, with everything due on the way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from ganzoo import data
from ganzoo.catalogue.catalogue import catalogue
from ganzoo.contract import distributed
from ganzoo.contract.networks import generator_state
from ganzoo.contract.settings import Rollback, Stage
from ganzoo.contract.warning import TrainingWarning
from ganzoo.devices import deterministic, pick_device, pick_precision
from ganzoo.errors import GanzooError
from ganzoo.loop.allocator import memory_held
from ganzoo.loop.build import build, stage_extent
from ganzoo.loop.display import Display, Moment
from ganzoo.loop.divergence import is_unbounded
from ganzoo.loop.interrupts import Interruptible, disk_explained, memory_explained
from ganzoo.loop.journal import Journal
from ganzoo.loop.record import Recorder, untrained
from ganzoo.loop.resumed import changed_by_hand, check_extent, other_machine
from ganzoo.loop.spacing import (
    CHECKPOINT_SECONDS,
    CURVES_SECONDS,
    LINE_EVERY,
    MODEL_SECONDS,
    RECORD_EVERY,
    sheets_until,
)
from ganzoo.loop.trainer import Trainer
from ganzoo.loop.validation import Validator
from ganzoo.plan.plan import Plan
from ganzoo.runs.checkpoint import read_checkpoint_header
from ganzoo.runs.curves import SCORE
from ganzoo.runs.header import CheckpointHeader
from ganzoo.runs.run import SHEETS, Run
from ganzoo.runs.start import load_checkpoint, take_weights

ROLLBACKS = 3  # of a run, at the most

Timed = Callable[[Trainer, float], bool]  # hears how long each step took; whether it took time itself


class Saved(KeyboardInterrupt):
    """Training was asked to stop, and a checkpoint is written; `why` is what asked, as `Interruptible` has it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Diverged(GanzooError):
    """A loss is no longer finite, or grows without bound; `figure` is what was seen, in a sentence."""

    def __init__(self, text: str, figure: str) -> None:
        super().__init__(text)
        self.figure = figure


class Session:
    """Trains as a plan says: in memory (`build`), or a run from wherever its newest checkpoint left it (`train`)."""

    def __init__(self, plan: Plan, dataset: data.Dataset, loggers: Mapping[str, object] | None = None) -> None:
        self.plan, self.loggers = plan, loggers or {}
        self.device = pick_device(plan.settings.device)
        self.precision = pick_precision(plan.settings.precision, self.device, plan.entry.card.bf16)
        self.dataset = dataset.to(self.device)

    def build(self, stage: int = 0, weights: bool = True) -> Trainer:
        """A trainer at step 0 of a stage, as `ganzoo.loop.build` makes it."""
        return build(self.plan, self.dataset, self.device, self.precision, stage, weights)

    def train(self, run: Run, display: Display, deadline: float = math.inf, timed: Timed | None = None) -> None:
        """Trains every stage of the run that is left, until the deadline, which `time.monotonic` reaches.

        Raises: Saved when it was asked to stop, once a checkpoint is written; Diverged when a loss is not finite;
        GanzooError when memory or disk runs out, or a checkpoint is damaged.
        """
        self.run, self.display, self.leader, self.started = run, display, distributed.is_leader(), False
        self.journal = Journal(run, display)
        self._timed = timed or (lambda trainer, seconds: False)
        display.begin(run.path)
        try:
            with (
                disk_explained(run),
                memory_explained(self.plan.settings, self.device),
                self._events(),
                memory_held(),
                deterministic(self.plan.settings.deterministic),
                Interruptible(display.say, deadline) as self.interrupted,
            ):
                if self.leader:
                    with run.running():
                        try:
                            self._train()
                        finally:
                            if self.started:
                                run.change(seconds=self.journal.seconds())
                else:
                    self._train()
        finally:
            display.close()

    @contextmanager
    def _events(self) -> Iterator[None]:
        """The run's loggers hear its events, and whoever heard of its start hears of its end, however it ends."""
        with catalogue().listening(self.loggers):
            try:
                yield
            finally:
                if self.started:
                    self.journal.notify("ganzoo_run_ended", run=self.run, status=self.run.header.status)

    def _train(self) -> None:
        # Where the newest checkpoint left it, or from the beginning.
        self._open()
        self.started = True
        self.journal.notify("ganzoo_run_started", run=self.run, step=self.trainer.step_count)
        for name, logger in self.loggers.items() if self.leader else ():
            if address := getattr(logger, "address", ""):
                self.display.say(f"{name}: {address}")

        # Stage after stage; one that diverges is trained again from a checkpoint, where that is asked for.
        while self.stage < len(self.plan.stages):
            try:
                self._train_stage()
            except Diverged as error:
                self._roll_back(error)
                continue
            self.stage += 1
            if self.stage < len(self.plan.stages):
                self._begin_stage()

    # ---- stages ------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Begins, or goes on from the newest checkpoint."""
        checkpoint = load_checkpoint(self.run)
        if checkpoint is None:
            self._begin()
        else:
            self._go_on(*checkpoint)

        # From here on time counts: of the whole run, and since its files were written.
        if self.leader:
            self.recorder.prune(self.settings.checkpoints)
            self.journal.begin()
        self._checkpointed = time.monotonic()
        self._modelled = -math.inf if checkpoint is None else self._checkpointed  # a first one comes soon
        self._drawn = -math.inf

    def _begin(self) -> None:
        """Begins, and writes what there is before the first step."""
        # A new trainer, its weights by the seed or from another model.
        if any(self.run.metrics()):
            self.display.say("There is no checkpoint yet, so training begins at step 0 again.")
        self._enter_stage(0, [0])
        self.trainer = self.build()
        self._newest: dict[str, Tensor] = {}
        if self.run.header.init:
            take_weights(self.trainer.model, self.run.header.init, self.plan.entry.name)
            self.trainer.restart_ema()

        # Real items, and samples where they are asked for.
        if self.leader:
            self.recorder = Recorder(self.run, self.plan, self.trainer)
            self.journal.open(self.recorder)
            self.recorder.real(self.dataset)
            if self.plan.settings.sample_every:
                self._sheet()
        self._announce_stage()
        if self.run.header.init:
            self._checkpoint()  # so that going on does not need what the weights came from

    def _go_on(self, tensors: Mapping[str, Tensor], header: CheckpointHeader) -> None:
        """Goes on where a checkpoint left the run. Raises: GanzooError when it does not fit what run.json says."""
        # Its stage, the whole state of training, and the values that were logged last.
        self._enter_stage(header.stage, list(header.stage_starts))
        self.trainer = self.build(self.stage)
        self.trainer.extent = header.extent
        self.trainer.load_state(tensors, header.counters)
        first_step, items = self.stage_starts[self._base], len(self.trainer.loader)
        check_extent(self.run, self.plan.stages[self.stage], header.extent, first_step, items)
        self._newest = {name: torch.tensor(value, device=self.device) for name, value in header.newest.items()}

        # The log goes on where the checkpoint left it; what is different now is said.
        if self.leader:
            self.recorder = Recorder(self.run, self.plan, self.trainer, header.log_bytes, self.stage)
            self.journal.open(self.recorder)
            by_hand = changed_by_hand(self.run, self.plan, self.stage, header)
            for change in (*by_hand, *other_machine(self.run, self.device)):
                self.display.say(change)
        self.display.say(f"Going on from step {self.trainer.step_count:,}.")

    def _begin_stage(self) -> None:
        """Goes over into stage `self.stage`: weights and optimizer state stay, its options apply."""
        # A fresh trainer with the stage's options takes up where the one before stands.
        before, self._newest = self.trainer, {}
        self.trainer = self.build(self.stage)
        self.trainer.step_count, self.trainer.images = before.step_count, before.images
        stage = self.plan.stages[self.stage]
        self.trainer.extent = before.extent if stage.rollback else stage_extent(stage, self.trainer)
        self.trainer.load_state(*before.state())

        # The stage is told, and scored by its own options.
        self._enter_stage(self.stage, [*self.stage_starts, self.trainer.step_count])
        self._announce_stage()
        if stage.rollback is not None:
            text = f"{stage.rollback.why} The run was rolled back: it is trained {stage}."
            self.journal.warn(self.trainer, self.stage, TrainingWarning("rollback", text))

    @property
    def _base(self) -> int:
        """The stage whose length the present one has: itself, or the one that is trained again."""
        return max(k for k in range(self.stage + 1) if self.plan.stages[k].rollback is None)

    @property
    def _stage_done(self) -> bool:
        """Whether the present stage is over, be it that it is trained again from here on."""
        after = self.plan.stages[self.stage + 1 : self.stage + 2]
        return self.trainer.done or any(
            each.rollback and each.rollback.step <= self.trainer.step_count for each in after
        )

    def _roll_back(self, error: Diverged) -> None:
        """Goes back to the newest checkpoint of this stage whose losses are in bounds, and takes up the run from there
        with half the rates and another seed, as a stage of its own. Raises: `error` where that is not asked for, was
        done often enough, or there is no such checkpoint.
        """
        rollbacks = sum(stage.rollback is not None for stage in self.plan.stages)
        if self.settings.on_divergence != "rollback":
            raise error

        # The newest checkpoint of this stage with losses in bounds.
        good = None
        for file in self.run.checkpoints():
            header = read_checkpoint_header(file)
            if header.counters.step >= self.stage_starts[self.stage] and not is_unbounded(header.newest):
                good = header
        if good is None or rollbacks == ROLLBACKS:
            why = f"it was rolled back {ROLLBACKS} times"
            if good is None:
                why = "there is no checkpoint from before; a smaller --checkpoint-every keeps one"
            raise Diverged(f"{error} --on-divergence rollback could not help: {why}.", error.figure) from error
        distributed.any_of(False, self.device)  # everyone has looked

        # The rest of the stage becomes one of its own, with half the rates.
        again = Stage(
            self.plan.stages[self._base].length, {}, Rollback(good.counters.step, rollbacks + 1, 0.5, error.figure)
        )
        stages = [*self.plan.stages]
        stages.insert(self.stage + 1, again)
        self.plan = replace(self.plan, stages=tuple(stages))

        # What was written after that checkpoint goes; the run is taken up from it.
        if self.leader:
            for file in self.run.checkpoints():
                if file.stem > f"step-{good.counters.step:08d}":
                    file.unlink()
            self.run.change(stages=self.plan.stages)
            self.run.write()
        distributed.any_of(False, self.device)  # the files are as they are to be
        self._open()

    def _enter_stage(self, stage: int, starts: list[int]) -> None:
        """From here on this stage's settings hold; `starts` are the steps at which the stages so far began."""
        self.stage, self.stage_starts = stage, starts
        self.settings = self.plan.at_stage(stage)[1]
        self.validator = Validator(self.settings, self.display.report)

    def _announce_stage(self) -> None:
        if len(self.plan.stages) > 1:
            self.journal.say(f"Stage {self.stage + 1} of {len(self.plan.stages)}: {self.plan.stages[self.stage]}.")

    def _train_stage(self) -> None:
        trainer = self.trainer
        clock, images = time.perf_counter(), trainer.images
        while not self._stage_done:
            # One step; a value that comes at some steps only stays until it comes again.
            epoch, iteration, before = trainer.epoch, trainer.step_count - trainer.epoch_step, trainer.images
            begin = time.perf_counter()
            values = trainer.step()
            older = sorted(self._newest.items(), key=lambda each: each[0])  # an order that a resumed run has too
            self._newest = {**values, **{name: value for name, value in older if name not in values}}

            # Now and then its numbers are read, recorded and shown.
            read, speed = None, None
            if iteration % LINE_EVERY == 0 or trainer.step_count % RECORD_EVERY == 0 or trainer.done:
                read = self._read()
                now = time.perf_counter()
                speed = (trainer.images - images) / (now - clock)
                clock, images = now, trainer.images
                self._record(read, epoch, speed)
                if iteration % LINE_EVERY == 0:
                    self.journal.line(trainer, self._moment(None), epoch, iteration, read)
            self.display.step(self._moment(speed), read)
            took = time.perf_counter() - begin

            # Files that are due are written; whoever asked to stop is heard after the checkpoint.
            stop = distributed.any_of(self.interrupted.asked, trainer.device)
            written = self._write_what_is_due(epoch, before, stop)
            if stop:
                raise Saved(self.interrupted.why or "SIGTERM")
            if self._timed(trainer, took) or written:
                clock, images = time.perf_counter(), trainer.images  # writing is not training

    # ---- what is due -------------------------------------------------------------------------------------------

    def _write_what_is_due(self, epoch: int, images: int, stop: bool) -> bool:
        """After a step: scores, a sheet, a checkpoint, a model, each when it is due.

        Args:
            epoch, images: the trainer's before the step.
            stop: whether this step is the last for now.
        Returns: whether anything was due.
        """
        # What is due after this step.
        trainer, every = self.trainer, self.settings.sample_every
        ended = trainer.epoch > epoch or trainer.done
        scores = bool(self.validator.every) and (trainer.done or self.validator.due(images, trainer.images))
        items = len(trainer.loader)
        spaced = trainer.done or sheets_until(trainer.epoch, items) > sheets_until(epoch, items)
        sheet = trainer.done or (spaced if every is None else trainer.step_count % every == 0)
        curves = ended and (trainer.done or time.monotonic() - self._drawn > CURVES_SECONDS)
        checkpoint = stop or self._checkpoint_due(spaced)
        model = self.leader and time.monotonic() - self._modelled > MODEL_SECONDS

        # Scores and sheets come before the checkpoint of this step, so that no row is missing after it.
        if scores:
            self._score(epoch)
        if sheet:
            self._samples()
        if curves and self.leader:
            self.recorder.curves(self.stage_starts)
            self._drawn = time.monotonic()

        # A checkpoint writes the model too.
        if checkpoint:
            self._checkpoint()
        elif model:
            self._write_model()
        return scores or sheet or curves or checkpoint or model

    def _score(self, epoch: int) -> None:
        """Scores the averaged generator; a row of metrics.jsonl and of scores.jsonl, and the best model."""
        self._check_finite(self.trainer.is_finite())

        # The first process's model is scored by all of them.
        trainer = self.trainer
        model = self.recorder.averaged(trainer) if self.leader else untrained(self.run, self.plan, trainer)
        distributed.hand_out(generator_state(model.architecture).values())
        judged = self.validator(self.run, model)
        if not self.leader:
            return
        scores = {SCORE + name: value for name, value in judged.items()}
        self.journal.row(trainer, self.stage, {"epoch": epoch, "images": trainer.images, **scores})
        told = ", ".join(f"{name} {value:.4g}" for name, value in judged.items())
        self.journal.say(f"Scores at step {trainer.step_count:,}: {told}.")

    def _samples(self) -> None:
        self._check_finite(self.trainer.is_finite())
        if self.leader:
            self._sheet(recorded=True)

    def _sheet(self, recorded: bool = False) -> None:
        """Draws a sheet and tells of it; with `recorded` its statistics become a row of samples.jsonl."""
        trainer = self.trainer
        file, statistics = self.recorder.samples(trainer, self.stage)
        if statistics and recorded:
            row = {"step": trainer.step_count, "epoch": trainer.epoch, "images": trainer.images, **statistics}
            self.recorder.record(row, SHEETS)
        for warning in self.journal.notify("ganzoo_sampled", run=self.run, step=trainer.step_count, image=file):
            self.journal.warn(trainer, self.stage, warning)

    def _checkpoint_due(self, spaced: bool) -> bool:
        """At a stage's end; else every so many steps, or with the sheets of epochs and every ten minutes."""
        if self.trainer.done:
            return True
        if self.settings.checkpoint_every:
            return self.trainer.step_count % self.settings.checkpoint_every == 0
        late = time.monotonic() - self._checkpointed > CHECKPOINT_SECONDS
        return spaced or distributed.any_of(late, self.device)

    def _write_model(self) -> None:
        """A newer model to sample from, between checkpoints."""
        if self.trainer.is_finite():
            self.recorder.model(self.trainer)
        self._modelled = time.monotonic()

    def _checkpoint(self) -> None:
        self._check_finite(self.trainer.is_finite())
        newest = self._read() if self._newest else {}
        if self.leader:
            self.recorder.model(self.trainer)
            self.recorder.checkpoint(self.trainer, self.stage, self.stage_starts, newest, self.settings.checkpoints)
        self._checkpointed = self._modelled = time.monotonic()

    def _check_finite(self, finite: bool) -> None:
        if distributed.any_of(not finite, self.device):
            files = self.run.checkpoints()
            kept = f"The last good checkpoint, {files[-1].name}, is kept" if files else "No checkpoint was due yet"
            figure = f"A loss or a weight became NaN or infinite by step {self.trainer.step_count:,}"
            raise Diverged(
                f"{figure}, so training stopped. "
                f"{kept}; try a smaller --lr, another --loss or --precision fp32 in a new run"
                + (f", with --init {self.run.path} to start from it" if files else "")
                + ("." if self.settings.on_divergence == "rollback" else ", or --on-divergence rollback."),
                f"{figure}.",
            )

    # ---- what is shown -----------------------------------------------------------------------------------------

    def _read(self) -> dict[str, float]:
        """The newest losses and watch values as numbers, averaged over processes."""
        self._check_finite(bool(self.trainer.finite))
        flat = distributed.mean_over_processes(torch.stack([value.float() for value in self._newest.values()]))
        return dict(zip(self._newest, flat.tolist(), strict=True))

    def _record(self, read: dict[str, float], epoch: int, speed: float) -> None:
        row = {"epoch": epoch, "images": self.trainer.images, **read, "images_per_second": round(speed, 2)}
        diverged = self.journal.row(self.trainer, self.stage, row)
        policy = self.settings.on_divergence
        if distributed.any_of(bool(diverged), self.device) and policy != "continue":
            figure = diverged.partition(" People")[0] or "The losses diverge."  # what people do was in the warning
            advice = (
                "; --on-divergence rollback goes back to a good checkpoint with half the rates, and --on-divergence "
                "continue trains on"
            )
            raise Diverged(f"{figure} Training stopped{'' if policy == 'rollback' else advice}.", figure)

    def _moment(self, speed: float | None) -> Moment:
        trainer, extent, items = self.trainer, self.trainer.extent, len(self.trainer.loader)
        left = math.ceil(max(0, extent.last_image - trainer.images) / trainer.images_per_step)
        first_epoch = extent.first_image // items
        return Moment(
            stage=self.stage + 1,
            stages=len(self.plan.stages),
            step=trainer.step_count,
            first_step=self.stage_starts[self.stage],
            last_step=extent.last_step or trainer.step_count + left,
            epoch=trainer.epoch - first_epoch,
            epochs=max(1, -(-(extent.last_image - first_epoch * items) // items)),
            images_per_second=speed,
        )
