"""Data larger than memory: `PYTHONPATH=tests python -m support.outgrow --gb 20 --folder DISK`.

Images of noise at 128×128, as no disk and no file system can make them smaller, are written, read in random order and
trained on; the folder is deleted at the end. Run it where memory is limited, as docs/benchmarks.md does.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ganzoo
from ganzoo import data
from ganzoo.api import DatasetCard, hookimpl, option
from ganzoo.data.loader import Loader
from support.soak import resident

SIDE = 128
BYTES = SIDE * SIDE * 3  # of an image in a pack


@dataclass(frozen=True)
class Noise:
    """Colour images whose bytes are random, each by its number."""

    images: int = option(1000, "how many")

    classes = ()
    domains = {}  # noqa: RUF012 (as the protocol has it)
    shape = (3, SIDE, SIDE)

    @property
    def fingerprint(self) -> str:
        return f"noise {self.images}"

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        return -1

    def read(self, index: int, size: tuple[int, int] | None = None) -> Any:
        return np.random.default_rng(index).integers(1, 256, (SIDE, SIDE, 3), dtype=np.uint8)


@hookimpl
def ganzoo_datasets() -> Any:
    yield DatasetCard(name="noise", summary="Noise.", origin="drawn by support.outgrow", api=2, dataset=Noise)


def measured(what: str, work: Callable[[], int]) -> None:
    """Does the work and says how many images a second it was, what was read, and how much memory was not the disk's."""
    most, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            most[0] = max(most[0], resident())

    thread, read, begin = threading.Thread(target=watch), read_bytes(), time.monotonic()
    thread.start()
    images = work()
    seconds = time.monotonic() - begin
    over.set()
    thread.join()
    read = read_bytes() - read
    speed = f"{images:,} images in {seconds:.0f} s, {images / seconds:,.0f} a second"
    print(
        f"{what}: {speed}; {read / 1e9:.1f} GB read from the disk; at most {most[0] / 1e6:,.0f} MB anonymous",
        flush=True,
    )


def read_bytes() -> int:
    """What the process has had read from disks so far."""
    return int(Path("/proc/self/io").read_bytes().partition(b"read_bytes:")[2].split(maxsplit=1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=20)
    parser.add_argument("--folder", default=None, help="on a disk with more room than that")
    parser.add_argument("--reads", type=int, default=50_000, help="images read in random order")
    parser.add_argument("--steps", type=int, default=200, help="steps of training, of 64 images")
    asked = parser.parse_args()
    images = int(asked.gb * 1e9 / BYTES)
    with tempfile.TemporaryDirectory(dir=asked.folder, prefix="outgrow-") as folder:
        os.environ["GANZOO_HOME"] = folder
        ganzoo.use_plugin(__file__)
        name = f"noise:images={images}"
        kept: list[data.Dataset] = []

        def write() -> int:
            kept.append(data.prepare(name))
            return images

        def read() -> int:
            loader = Loader(kept[0], seed=0)
            (order,) = loader.orders.values()
            for position in range(0, asked.reads, 64):
                image = loader.draw(position, 64).images[0].add(1).mul(127.5).round().byte().permute(1, 2, 0)
                written = Noise(images).read(int(order.at(position, 1)))
                assert (image.numpy() == written).all(), "an image is not the one that was written"
            return asked.reads

        def train() -> int:
            options = {"resolution": SIDE, "width_g": 8, "width_d": 8, "batch_size": 64, "steps": asked.steps}
            ganzoo.train("dcgan", name, out=f"{folder}/run", **options)
            return asked.steps * 64

        measured("Writing", write)
        on_disk = sum(file.stat().st_blocks * 512 for file in Path(folder).rglob("*.npy"))
        print(f"The pack: {on_disk / 1e9:.1f} GB on disk", flush=True)
        measured("Reading in random order", read)
        measured("Training on it", train)


if __name__ == "__main__":
    main()
