"""The loops that `ganzoo bench` times: ganzoo's trainer, the PyTorch tutorial's loop, and the step by hand."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ganzoo import data
from ganzoo.benchmark.bench import PICTURES, Job
from ganzoo.catalogue.single_file import reopen
from ganzoo.contract.randomness import Share
from ganzoo.contract.stored import from_json
from ganzoo.errors import GanzooError, UsageError
from ganzoo.gan.two_player import TwoPlayer
from ganzoo.loop.allocator import memory_held
from ganzoo.loop.display import Display
from ganzoo.loop.session import RECORD_EVERY, Session
from ganzoo.plan.plan import plan_run
from ganzoo.training import estimate as forecast
from ganzoo.training.prepare import prepare

Step = Callable[[], int]  # trains once and returns how many images it took

_device = torch.device("cpu")


def main(kind: str, text: str) -> None:
    """A contender's process: says its facts, then trains as many steps as each line of standard input says."""
    with contextlib.nullcontext() if kind == "plain" else memory_held():
        try:
            step, facts = make(kind, from_json(Job, json.loads(text), "The job", "start it with `ganzoo bench`"))
            step()
        except GanzooError as error:
            print(json.dumps({"error": str(error), "code": error.exit_code}), flush=True)
            return
        print(json.dumps(facts), flush=True)
        for line in sys.stdin:
            begin, images = time.perf_counter(), 0
            for _ in range(int(line)):
                images += step()
            forecast.wait(_device)
            print(json.dumps({"images_per_second": images / (time.perf_counter() - begin)}), flush=True)


def make(kind: str, job: Job) -> tuple[Step, dict[str, Any]]:
    """A contender's step and the facts of its protocol. Raises: UsageError."""
    global _device
    reopen(job.plugin_files, "The benchmark")
    session = prepare(plan_run(job.architecture, job.data, **job.options), Display())
    _device = session.device
    model = session.build().model
    if kind != "ganzoo" and not isinstance(model, TwoPlayer):
        raise UsageError(f"{job.architecture} has no plain loop to compare with; leave out --against.")
    if kind == "plain":
        return plain(session, Path(job.folder)), {}
    if kind == "bare":
        return bare(session), {}
    return trained(session), facts(session)


def trained(session: Session) -> Step:
    """ganzoo's own: the trainer on packed data, values read as often as a run reads them."""
    trainer = session.build()

    def step() -> int:
        before = trainer.images
        values = trainer.step()
        if trainer.step_count % RECORD_EVERY == 0:
            torch.stack(list(values.values())).tolist()
        return trainer.images - before

    return step


def bare(session: Session) -> Step:
    """The same step without a trainer: same networks, precision, memory format and allocator, only the player's
    gradients, on the same images already in memory.
    """
    trainer = session.build()
    images = trainer.loader.draw(0, trainer.batch_size, Share()).images
    return by_hand(trainer.model, lambda: images, session.precision, full_gradients=False)


def plain(session: Session, folder: Path) -> Step:
    """The PyTorch DCGAN tutorial's loop, for any two-player networks: ImageFolder, a DataLoader with two workers,
    float32, and a generator's turn that computes the discriminator's gradients too.
    """
    from torchvision import datasets, transforms

    size = session.plan.size
    if size is None:
        raise UsageError("The plain loop trains on images.")
    write_pictures(session, folder)
    change = transforms.Compose(
        [
            transforms.Resize(min(size)),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.Normalize((0.5,) * 3, (0.5,) * 3),
        ]
    )
    batch = session.plan.settings.batch_size
    pictures = datasets.ImageFolder(str(folder), change)
    loader = torch.utils.data.DataLoader(
        pictures, batch, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True
    )
    model = session.build().model.to(memory_format=torch.contiguous_format)
    channels = model.data.channels
    images = forever(loader)
    return by_hand(model, lambda: next(images)[:, :channels].to(session.device), "fp32", full_gradients=True)


def by_hand(model: Any, real_images: Callable[[], Tensor], precision: str, full_gradients: bool) -> Step:
    """One turn of D and one of G as a script would write them."""
    generator: nn.Module = model.G
    discriminator: nn.Module = model.D
    optimizers = {name: model.optimizer(name, getattr(model, name).parameters()) for name in "DG"}
    g_only = None if full_gradients else list(generator.parameters())
    model.train()

    def autocast() -> contextlib.AbstractContextManager[Any]:
        if precision == "bf16":
            return torch.autocast(model.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def step() -> int:
        real = real_images()
        z = torch.randn(len(real), model.latent_dim, device=model.device)
        with autocast():
            fake = generator(z)
            loss = model.loss.discriminator(discriminator(real), discriminator(fake.detach()))
        discriminator.zero_grad()
        loss.backward()
        optimizers["D"].step()
        with autocast():
            loss = model.loss.generator(discriminator(fake))
        generator.zero_grad()
        loss.backward(inputs=g_only)
        optimizers["G"].step()
        return len(real)

    return step


def facts(session: Session) -> dict[str, Any]:
    """Batch, precision and device; floating-point operations of a step's images; what the device can do at best."""
    trainer = session.build()
    with FlopCounterMode(display=False) as counter:
        trainer.step()
    return {
        "architecture": session.plan.entry.full_name,
        "data": session.plan.data.name,
        "batch_size": trainer.current_batch_size,
        "shape": list(trainer.model.data.shape),
        "precision": session.precision,
        "device": session.device.type,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "flops_per_image": counter.get_total_flops() // trainer.images,
        "ceiling_flops": ceiling(session.device, session.precision),
    }


def ceiling(device: torch.device, precision: str, side: int = 2048) -> float:
    """Floating-point operations a second of a large matrix product, the best of several."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for _ in range(8):
        begin = time.perf_counter()
        a @ b
        forecast.wait(device)
        best = max(best, 2 * side**3 / (time.perf_counter() - begin))
    return best


def write_pictures(session: Session, folder: Path) -> None:
    """The data set's first images, as they are stored, as JPEG files for ImageFolder."""
    source = data.open_source(session.plan.data.name)
    (folder / "all").mkdir(parents=True, exist_ok=True)
    for index in range(min(PICTURES, len(source))):
        picture = source.read(index, session.plan.size)
        if not isinstance(picture, Image.Image):
            raise UsageError("The plain loop trains on images.")
        picture.convert("RGB").save(folder / "all" / f"{index:06d}.jpg", quality=95)


def forever(batches: Any) -> Iterator[Tensor]:
    """The images of a loader's batches, pass after pass."""
    while True:
        for images, _ in batches:
            yield images


if __name__ == "__main__":
    main(*sys.argv[1:])
