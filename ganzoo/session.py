"""A run from its first step to its last: stages, logs, samples, checkpoints, Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ganzoo import checkpoint, data
from ganzoo.architecture import Architecture
from ganzoo.devices import check_memory, out_of_memory, pick_device, pick_precision
from ganzoo.display import Display, Moment
from ganzoo.errors import GanzooError
from ganzoo.journal import Journal, classic_line, plot_losses
from ganzoo.loader import Loader
from ganzoo.model import Model, make_model, model_facts
from ganzoo.pictures import sheet
from ganzoo.plan import Plan, data_spec
from ganzoo.plugins import catalogue
from ganzoo.randomness import seed_everything, stream
from ganzoo.runs import Run
from ganzoo.spec import options
from ganzoo.trainer import Diverged, Extent, Trainer

RECORD_EVERY = 10  # steps between rows of metrics.jsonl; reading values makes a GPU wait
LINE_EVERY = 50  # steps between classic lines, as in the tutorial
CHECKPOINT_SECONDS = 600  # at the latest; a model to sample from is written oftener
MODEL_SECONDS = 60
KEEP = 3  # newest checkpoints that stay


class Session:
    """Trains a run as its plan says, from wherever its newest checkpoint left it."""

    def __init__(self, run: Run | None, plan: Plan, dataset: data.Dataset, display: Display) -> None:
        """run: None to train in memory only (a trial, a benchmark)."""
        self.run, self.plan, self.display = run, plan, display
        self.device = pick_device(plan.settings.device)
        self.dataset = dataset.to(self.device)
        self.precision = pick_precision(plan.settings.precision, self.device, plan.entry.card.bf16)
        self.stage = 0
        self.first_step = 0
        self.stage_starts: list[int] = []
        self.leader = not dist.is_initialized() or dist.get_rank() == 0
        self.stop = False

    # ---- building ----------------------------------------------------------------------------------------------

    def build(self, stage: int) -> Trainer:
        """A trainer at its beginning, with a stage's options; the seed decides the first weights."""
        config, settings = self.plan.at_stage(stage)
        spec = data_spec(self.dataset, self.plan.size)
        seed_everything(settings.seed, "weights")
        model = self.plan.model(config, spec)
        model = model.to(self.device)
        if spec.is_image:
            model = model.to(memory_format=torch.channels_last)
        crop = self.plan.size if settings.load_size else None
        loader = Loader(self.dataset, settings.seed, crop, settings.flip)
        return Trainer(
            model, loader, settings.seed, settings.batch_size, self.precision, settings.average, settings.accumulate
        )

    def extent(self, trainer: Trainer, stage: int) -> Extent:
        """Where a stage that begins now will end. Epochs are counted whole, whatever the last step overshot."""
        (unit, count), *_ = self.plan.stages[stage].length.items()
        items, images = len(trainer.loader), trainer.images
        if unit == "steps":
            return Extent(images, images + count * trainer.current_batch_size, trainer.step_count + count)
        return Extent(images, (images // items + count) * items if unit == "epochs" else images + count)

    def estimate(self) -> float:
        """Seconds that a step takes here, from a trial on weights that are then thrown away."""
        trainer = self.build(0)
        trainer.extent = self.extent(trainer, 0)
        times = []
        for _ in range(4):
            begin = time.perf_counter()
            trainer.step()
            _wait(self.device)
            times.append(time.perf_counter() - begin)
            if sum(times) > 10 and len(times) > 1:
                break
        return statistics.median(times[1:])

    def steps_left(self) -> int:
        """Steps of the whole run, about, were it to start now."""
        trainer = self.build(0)
        size = trainer.current_batch_size
        total = 0
        for stage in self.plan.stages:
            (unit, count), *_ = stage.length.items()
            total += count if unit == "steps" else -(-count * (len(trainer.loader) if unit == "epochs" else 1) // size)
        return total

    def check_memory(self) -> int | None:
        """Bytes that training needs, estimated. Raises: UsageError when the CPU's memory cannot hold it."""
        config, settings = self.plan.at_stage(0)
        with torch.device("meta"):
            model = self.plan.model(config, data_spec(self.dataset, self.plan.size))
        return check_memory(model, settings.batch_size // settings.accumulate, self.device)

    # ---- the run -----------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Trains every stage that is left. Ctrl-C ends it after the step, with a checkpoint (KeyboardInterrupt)."""
        run = self._run
        with self._memory_explained(), self._interruptible(), self._running():
            self._open()
            self._notify("ganzoo_run_started", run=run)
            try:
                while self.stage < len(self.plan.stages):
                    self._train_stage()
            finally:
                self.display.close()

    def _open(self) -> None:
        """Takes up the newest checkpoint, or starts at the beginning and writes the first samples."""
        run = self._run
        files = run.checkpoints()
        if files:
            tensors, facts = checkpoint.load(files[-1])
            self.stage, self.first_step = facts["stage"], facts["first_step"]
            self.stage_starts = list(facts["stage_starts"])
            finished = facts["stage_done"]
            self.trainer = self.build(min(self.stage, len(self.plan.stages) - 1))
            self.trainer.extent = Extent(**facts["extent"])
            self.trainer.load_state(tensors, facts["counters"])
            self.journal = Journal(run, self.trainer.step_count)
            self.display.say(f"Going on from step {self.trainer.step_count}.")
            if finished:
                self.stage += 1
                self._begin_stage()
        else:
            self.trainer = self.build(0)
            self._take_initial_weights()
            self.journal = Journal(run, 0)
            self._begin_stage()
            self._write_real()
            self._write_model()
        self._last_checkpoint = self._last_model = time.monotonic()

    def _begin_stage(self) -> None:
        """Enters stage `self.stage`: its options apply from here on, weights and optimizer state go along."""
        if self.stage >= len(self.plan.stages):
            return
        if self.stage > 0:
            tensors, counters = self.trainer.state()
            tensors = {name: tensor.clone() for name, tensor in tensors.items()}
            self.trainer = self.build(self.stage)
            self.trainer.load_state(tensors, counters)
        self.trainer.extent = self.extent(self.trainer, self.stage)
        self.first_step = self.trainer.step_count
        self.stage_starts.append(self.first_step)
        if len(self.plan.stages) > 1:
            title = f"Stage {self.stage + 1} of {len(self.plan.stages)}: {self.plan.stages[self.stage]}."
            self.display.say(title)
            if self.leader:
                self.journal.log(title)

    def _train_stage(self) -> None:
        trainer = self.trainer
        self._first_epoch = trainer.extent.first_image // len(trainer.loader)
        clock, since = time.perf_counter(), trainer.images
        while not trainer.done:
            iteration, epoch = trainer.step_count - trainer.epoch_step, trainer.epoch
            values = trainer.step()
            last = trainer.done
            read = None
            if iteration % LINE_EVERY == 0 or trainer.step_count % RECORD_EVERY == 0 or last:
                read = self._read(values)
                now = time.perf_counter()
                speed, clock, since = (trainer.images - since) / (now - clock), now, trainer.images
                self._record(read, epoch, speed)
                if iteration % LINE_EVERY == 0:
                    self._write_line(epoch, iteration, read)
            self.display.step(self._moment(read and speed), read)
            if trainer.epoch > epoch:
                self._end_epoch()
            if not last:
                self._keep_safe(epoch_ended=trainer.epoch > epoch)
            if self.stop:
                break
        self._end_stage()

    def _end_stage(self) -> None:
        done = self.trainer.done
        if self.leader:
            if done and self.trainer.epoch_step != self.trainer.step_count:
                self._write_samples(f"step-{self.trainer.step_count:06d}")
            self._plot()
        self._write_model()
        self._write_checkpoint(done)
        if not done:
            raise KeyboardInterrupt
        self.stage += 1
        self._begin_stage()

    def _end_epoch(self) -> None:
        self._check_finite()
        if self.leader:
            self._write_samples(f"epoch-{self.trainer.epoch:04d}")
            self._plot()
        self._write_model()

    def _keep_safe(self, epoch_ended: bool) -> None:
        """Writes a checkpoint when one is due, and now and then a model to sample from."""
        _, settings = self.plan.at_stage(self.stage)
        now = time.monotonic()
        due = epoch_ended or now - self._last_checkpoint > CHECKPOINT_SECONDS
        if settings.checkpoint_every:
            due = self.trainer.step_count % settings.checkpoint_every == 0
        if due:
            self._check_finite()
            self._write_checkpoint(stage_done=False)
        if now - self._last_model > MODEL_SECONDS:
            self._check_finite()
            self._write_model()

    # ---- what is read and shown --------------------------------------------------------------------------------

    def _read(self, values: dict[str, Tensor]) -> dict[str, float]:
        """The values as numbers, averaged over processes. Raises: Diverged when a loss is not finite."""
        self._check_finite()
        flat = torch.stack([value.double() for value in values.values()])
        if dist.is_initialized():
            dist.all_reduce(flat)
            flat /= dist.get_world_size()
        return dict(zip(values, flat.tolist(), strict=True))

    def _check_finite(self) -> None:
        finite = self.trainer.finite.float()
        if dist.is_initialized():
            dist.all_reduce(finite, dist.ReduceOp.MIN)
        if not bool(finite):
            files = self._run.checkpoints() if self.run else []
            kept = f"The checkpoint {files[-1].name} is from before" if files else "No checkpoint was written yet"
            raise Diverged(
                f"A loss became NaN or infinite by step {self.trainer.step_count}; training stopped. {kept}: try a "
                f"smaller --lr, another --loss, or --precision fp32."
            )

    def _record(self, read: dict[str, float], epoch: int, speed: float) -> None:
        if not self.leader:
            return
        step = self.trainer.step_count
        self.journal.record(
            {"step": step, "epoch": epoch, "images": self.trainer.images, **read, "images_per_second": speed}
        )
        self._notify("ganzoo_logged", run=self._run, step=step, values=read)

    def _write_line(self, epoch: int, iteration: int, read: dict[str, float]) -> None:
        moment = self._moment(None)
        begin, items = self.trainer.epoch_step, len(self.trainer.loader)
        if self.trainer.epoch > epoch:  # the step just done ended the epoch
            iterations = iteration + 1
        else:
            per_step = self.trainer.current_batch_size
            left = (epoch + 1) * items - self.trainer.images
            iterations = self.trainer.step_count - begin + -(-left // per_step)
        line = classic_line(epoch - self._first_epoch, moment.epochs, iteration, iterations, read)
        if self.leader:
            self.journal.log(line)
        self.display.line(line)

    def _moment(self, speed: float | None) -> Moment:
        trainer, extent = self.trainer, self.trainer.extent
        items = len(trainer.loader)
        per_step = max(1, trainer.current_batch_size)
        last = extent.last_step or trainer.step_count + max(0, -(-(extent.last_image - trainer.images) // per_step))
        return Moment(
            self.stage + 1, len(self.plan.stages), trainer.step_count, self.first_step, last,
            trainer.epoch - self._first_epoch, max(1, -(-(extent.last_image - self._first_epoch * items) // items)),
            speed,
        )  # fmt: skip

    # ---- what is written ---------------------------------------------------------------------------------------

    def _write_checkpoint(self, stage_done: bool) -> None:
        self._last_checkpoint = time.monotonic()
        if not self.leader:
            return
        tensors, counters = self.trainer.state()
        facts = {
            "format": self._run.facts["format"], "kind": "checkpoint", "counters": counters, "stage": self.stage,
            "stage_done": stage_done, "first_step": self.first_step, "stage_starts": self.stage_starts,
            "extent": vars(self.trainer.extent), "architecture": self.plan.entry.full_name,
        }  # fmt: skip
        folder = self._run.path / "checkpoints"
        checkpoint.save(folder / f"step-{self.trainer.step_count:08d}.safetensors", tensors, facts)
        for old in self._run.checkpoints()[:-KEEP]:
            old.unlink(missing_ok=True)

    def _write_model(self) -> None:
        self._last_model = time.monotonic()
        if not self.leader:
            return
        config = {name: getattr(self.trainer.model.config, name) for name in options(self.plan.model.Config)}
        counters = {"step": self.trainer.step_count, "images": self.trainer.images}
        checkpoint.save(
            self._run.model_file, self.trainer.average.tensors, model_facts(self._run, config, counters)
        )

    def _write_samples(self, name: str) -> None:
        """A grid of the averaged generator's images, of the same noise each time."""
        model = self._preview()
        count = self.plan.settings.samples if self.trainer.model.data.is_image else 1024
        label = torch.arange(count) % len(model.classes) if model.classes else None
        file = self._run.path / "samples" / f"{name}.png"
        sheet(model.generate(model.noise(count, self.plan.settings.seed), label)).save(file)
        self._notify("ganzoo_sampled", run=self._run, step=self.trainer.step_count, image=file)

    def _preview(self) -> Model:
        if not hasattr(self, "_preview_model"):
            config = {name: getattr(self.trainer.model.config, name) for name in options(self.plan.model.Config)}
            self._preview_model = make_model(
                self.plan.entry, model_facts(self._run, config, {"step": 0, "images": 0}), self.device.type
            )
        self._preview_model.load_generators(self.trainer.average.tensors)
        return self._preview_model

    def _write_real(self) -> None:
        """real.png: as many real items, for comparison."""
        if not self.leader:
            return
        count = self.plan.settings.samples if self.trainer.model.data.is_image else 1024
        for name, part in self.dataset.parts.items():
            chosen = torch.randperm(len(part), generator=stream(self.plan.settings.seed, "real", name))[:count]
            sheet(part.gather(chosen).cpu()).save(self._run.path / f"real{'-' + name if name else ''}.png")

    def _plot(self) -> None:
        plot_losses(self._run, self.stage_starts)

    # ---- around it ---------------------------------------------------------------------------------------------

    @property
    def _run(self) -> Run:
        assert self.run is not None
        return self.run

    def _notify(self, event: str, **arguments: Any) -> None:
        if self.leader:
            catalogue().notify(event, self.display.warn, **arguments)

    def _take_initial_weights(self) -> None:
        initial = self._run.facts.get("init")
        if initial:
            take_weights(self.trainer.model, initial)
            self.trainer.average = type(self.trainer.average)(self.trainer.model, self.trainer.half_life)

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        if not self.leader:
            yield
            return
        try:
            with self._run.running():
                yield
        finally:
            self._notify("ganzoo_run_ended", run=self._run, status=self._run.facts["status"])

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Lets Ctrl-C finish the step; a second one is taken at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def ask(number: int, frame: object) -> None:
            self.stop = True
            self.display.say("Stopping after this step; Ctrl-C again to stop at once, without saving.")
            signal.signal(signal.SIGINT, signal.default_int_handler)

        before = signal.signal(signal.SIGINT, ask)
        terminate = signal.signal(signal.SIGTERM, ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGTERM, terminate)

    @contextlib.contextmanager
    def _memory_explained(self) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            size = self.plan.settings.batch_size
            raise GanzooError(
                f"The {self.device.type} ran out of memory; lower --batch-size (now {size}) or --resolution, or "
                f"compute the batch in parts: --accumulate {2 * self.plan.settings.accumulate}. "
                "Checkpoints written so far are kept."
            ) from error


def take_weights(model: Architecture, source: str) -> None:
    """Starts a model from another run (all networks, from its newest checkpoint) or from a model file (generators).

    Raises: GanzooError when they do not fit.
    """
    from pathlib import Path

    path = Path(source)
    if path.is_dir():
        run = Run.open(path)
        files = run.checkpoints()
        if not files:
            raise GanzooError(f"{path} has no checkpoint to start from.")
        tensors, _ = checkpoint.load(files[-1])
        weights = {k.removeprefix("model/"): v for k, v in tensors.items() if k.startswith("model/")}
    else:
        weights, _ = checkpoint.load(path)
    own = model.state_dict()
    wrong = [key for key, value in weights.items() if key not in own or own[key].shape != value.shape]
    if wrong:
        raise GanzooError(f"The weights of {source} do not fit {type(model).__name__} as configured ({wrong[0]}).")
    model.load_state_dict(weights, strict=False)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
