"""The loops that `ganzoo bench` times: ganzoo's trainer, the PyTorch tutorial's, the step by hand; and whole runs."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, StackDataset, TensorDataset
from torch.utils.flop_counter import flop_registry

from ganzoo.api import (
    Batch,
    GanzooError,
    Session,
    Trainer,
    UsageError,
    from_json,
    memory_held,
    prepared,
    train,
    use_plugin,
)
from ganzoo_bench.speed import PICTURES, Job

READ_EVERY = 10  # steps between values that are read, as in a run

Step = Callable[[], int]  # trains once and returns how many images it took

_device = torch.device("cpu")


def main(kind: str, text: str) -> None:
    """A contender's process: says its facts, then trains as many steps as each line of standard input says.

    The kind "run" is a whole training as `ganzoo train` does it, into the job's folder; "pictures" writes there what a
    script trains on.
    """
    job = from_json(Job, json.loads(text), "The job", "start it with `ganzoo bench`")
    if kind in ("run", "pictures"):
        whole(kind, job)
        return
    with contextlib.nullcontext() if kind == "plain" else memory_held():
        try:
            step, facts = make(kind, job)
            step()
        except GanzooError as error:
            print(json.dumps({"error": str(error), "code": error.exit_code}), flush=True)
            return
        print(json.dumps(facts), flush=True)
        for line in sys.stdin:
            begin, images = time.perf_counter(), 0
            for _ in range(int(line)):
                images += step()
            wait(_device)
            print(json.dumps({"images_per_second": images / (time.perf_counter() - begin)}), flush=True)


def whole(kind: str, job: Job) -> None:
    """Trains from the start to the end, or writes the pictures. What goes wrong is its exit status."""
    try:
        if kind == "run":
            load_plugins(job)
            train(job.architecture, job.data, preset=job.preset, out=job.folder, **job.options)
        else:
            part = next(iter(session_of(job).dataset.parts.values()))
            write_pictures(part, min(job.options["images"], len(part)), Path(job.folder))
    except GanzooError as error:
        sys.exit(str(error))


def session_of(job: Job) -> Session:
    load_plugins(job)
    return prepared(job.architecture, job.data, preset=job.preset, **job.options)


def load_plugins(job: Job) -> None:
    for file in job.plugin_files:
        use_plugin(file)


def make(kind: str, job: Job) -> tuple[Step, dict[str, Any]]:
    """A contender's step and the facts of its protocol. Raises: UsageError."""
    global _device
    session = session_of(job)
    _device = session.device
    if kind == "plain":
        return plain(session, Path(job.folder)), {}
    if kind == "bare":
        return bare(session), {}
    return trained(session), facts(session, job.steps)


def at_the_end(session: Session) -> Trainer:
    """A trainer where its training ends, at which a network that grows has its full size."""
    trainer = session.build()
    trainer.images = trainer.extent.last_image
    return trainer


def trained(session: Session) -> Step:
    """ganzoo's own: the trainer on packed data, values read as often as a run reads them."""
    trainer = at_the_end(session)

    def step() -> int:
        before = trainer.images
        values = trainer.step()
        if trainer.step_count % READ_EVERY == 0:
            torch.stack(list(values.values())).tolist()
        return trainer.images - before

    return step


def bare(session: Session) -> Step:
    """The same step without a trainer: same networks, precision, memory format and allocator, only the player's
    gradients, on the same images already in memory.
    """
    trainer = at_the_end(session)
    batch = trainer.loader.draw(0, trainer.current_batch_size)
    return by_hand(trainer, lambda: batch, session.precision, full_gradients=False)


def plain(session: Session, folder: Path) -> Step:
    """The loop of the PyTorch DCGAN tutorial around the architecture's step: ImageFolder, a DataLoader with two
    workers, float32, and turns that compute every network's gradients. Items that are no images come from memory.
    """
    trainer = at_the_end(session)
    trainer.model.to(memory_format=torch.contiguous_format)
    parts = session.dataset.parts
    count = min(PICTURES, *(len(part) for part in parts.values()))
    items = {name: stored(session, part, count, folder / name) for name, part in parts.items()}
    loader = DataLoader(
        StackDataset(**items), trainer.current_batch_size, shuffle=True, num_workers=2, drop_last=True,
        persistent_workers=True,
    )  # fmt: skip
    batches, first = forever(loader), next(iter(parts.values()))

    def draw() -> Batch:
        read = next(batches)
        images = {name: rows.to(session.device) for name, (rows, _) in read.items()}
        _, indices = next(iter(read.values()))
        labels = None if first.labels is None else first.labels[indices]
        return Batch(next(iter(images.values())), labels, images if session.dataset.domains else {})

    return by_hand(trainer, draw, "fp32", full_gradients=True)


def stored(session: Session, part: Any, count: int, folder: Path) -> Any:
    """The first items of a part with their positions: JPEG files of images, in a folder; others as they are."""
    from torchvision import datasets, transforms

    size = session.plan.size
    if size is None:
        return TensorDataset(part.gather(torch.arange(count)), torch.arange(count))
    write_pictures(part, count, folder)
    change = [transforms.Resize(min(size)), transforms.CenterCrop(size), transforms.ToTensor()]
    channels = part.gather(torch.arange(1)).shape[1]
    grey = [transforms.Grayscale()] if channels == 1 else []
    pictures = datasets.ImageFolder(
        str(folder), transforms.Compose([*grey, *change, transforms.Normalize((0.5,) * channels, (0.5,) * channels)])
    )
    pictures.samples = [(path, position) for position, (path, _) in enumerate(pictures.samples)]
    return pictures


def by_hand(trainer: Trainer, draw: Callable[[], Batch], precision: str, full_gradients: bool) -> Step:
    """Each turn of the architecture's step as a script would take it: gradients cleared, backward, the optimizer."""
    trainer.step()  # by which the model, its optimizers and what is scheduled are as they are at this place
    model, optimizers, progress = trainer.model, trainer.optimizers, replace(trainer.progress, parts=1)
    parameters = {name: list(network.parameters()) for name, network in trainer.networks.items()}
    drawn = 0

    def batches() -> Iterator[Batch]:
        nonlocal drawn
        while True:
            batch = draw()
            drawn += len(batch.images)
            yield batch

    def autocast() -> contextlib.AbstractContextManager[Any]:
        if precision == "bf16":
            return torch.autocast(model.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def step() -> int:
        before, turns = drawn, model.step(batches(), progress)
        while True:
            with autocast():
                update = next(turns, None)
            if update is None:
                return drawn - before
            names = [name for name in optimizers if any(f"{name}.".startswith(f"{each}.") for each in update.names)]
            moving = [parameter for name in names for parameter in parameters[name] if parameter.requires_grad]
            for parameter in moving:
                parameter.grad = None
            loss = torch.stack([term.float().reshape(()) for term in update.terms.values()]).sum()
            if loss.requires_grad:
                torch.autograd.backward(loss, inputs=None if full_gradients else moving)
            if update.clip is not None:
                nn.utils.clip_grad_norm_(moving, update.clip)
            for name in names:
                optimizers[name].step()

    return step


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts floating-point operations, by the rules of `torch.utils.flop_counter`. Its own counter follows modules
    with hooks on gradients, which `autograd.grad`, and so every gradient penalty, refuses.
    """

    total = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        if function.overloadpacket in flop_registry:
            self.total += flop_registry[function.overloadpacket](*args, **kwargs, out_val=result)
        return result


def facts(session: Session, steps: int) -> dict[str, Any]:
    """Batch, precision and device; floating-point operations of the images of so many steps, among which may be some
    with a lazy penalty; what the device can do at best.
    """
    trainer = at_the_end(session)
    before = trainer.images
    with Operations() as counter:  # type: ignore[no-untyped-call]
        for _ in range(steps):
            trainer.step()
    return {
        "architecture": session.plan.entry.full_name,
        "data": session.plan.data.name,
        "batch_size": trainer.current_batch_size,
        "shape": list(trainer.model.data.shape),
        "parameters": {name: sum(p.numel() for p in net.parameters()) for name, net in trainer.networks.items()},
        "precision": session.precision,
        "device": session.device.type,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "flops_per_image": counter.total // (trainer.images - before),
        "ceiling_flops": ceiling(session.device, session.precision),
    }


def wait(device: torch.device) -> None:
    """Returns when the device has done all that it was given."""
    if device.type != "cpu":
        getattr(torch, device.type).synchronize()


def ceiling(device: torch.device, precision: str, side: int = 2048) -> float:
    """Floating-point operations a second of a large matrix product, the best of several."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for _ in range(8):
        begin = time.perf_counter()
        a @ b
        wait(device)
        best = max(best, 2 * side**3 / (time.perf_counter() - begin))
    return best


def write_pictures(part: Any, count: int, folder: Path) -> None:
    """The first images of a part, at the size of its pack, as JPEG files for ImageFolder."""
    (folder / "all").mkdir(parents=True, exist_ok=True)
    for index in range(count):
        pixels = part.raw(torch.tensor([index]))[0].numpy()
        if pixels.shape[-1] == 4:
            raise UsageError("The other loop reads JPEG files, which have no transparency; add --channels 3.")
        Image.fromarray(pixels.squeeze()).convert("RGB").save(folder / "all" / f"{index:06d}.jpg", quality=95)


def forever(batches: Any) -> Iterator[Any]:
    """A loader's batches, pass after pass."""
    while True:
        yield from batches


if __name__ == "__main__":
    main(*sys.argv[1:])
