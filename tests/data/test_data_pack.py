"""Packs and what is gathered from them: the same pixels however they are made, and what is said when that fails."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo import data
from ganzoo.data import pack, store
from ganzoo.data.images import render
from ganzoo.data.loader import Loader
from ganzoo.errors import GanzooError, UsageError

TOYS = """
import os, time
from dataclasses import dataclass
import numpy as np
from PIL import Image

@dataclass(frozen=True)
class Toy:
    images: int = 700
    seed: int = 0
    pause: float = 0.0
    fail_at: int = -1
    exit_at: int = -1
    classes = ("even", "odd")
    domains = {}
    fingerprint = property(lambda self: repr(self))

    def __len__(self):
        return self.images

    def label(self, index):
        return index % 2

    def read(self, index, size=None):
        if index % 100 == 0:
            print("plugins may print")
        time.sleep(self.pause)
        if index == self.fail_at:
            raise ValueError("the ink is out")
        if index == self.exit_at:
            os._exit(3)
        height, width = size or (8, 8)
        pixels = np.random.default_rng((self.seed, index)).integers(0, 256, (height, width, 3), np.uint8)
        return Image.fromarray(pixels)

@dataclass(frozen=True)
class Ring:
    images: int = 50
    classes = ()
    domains = {}
    fingerprint = "ring"

    def __len__(self):
        return self.images

    def label(self, index):
        return -1

    def read(self, index, size=None):
        return np.array([np.cos(index), np.sin(index)], np.float32)
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own, and the toys as data sets of an importable plugin."""
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "toys_for_packs.py").write_text(TOYS)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    sys.modules.pop("toys_for_packs", None)
    import toys_for_packs

    known = {"toy": toys_for_packs.Toy, "ring": toys_for_packs.Ring, "local": Local}

    def find(kind: str, name: str) -> SimpleNamespace:
        return SimpleNamespace(card=SimpleNamespace(origin="a toy"), load=lambda: known[name])

    monkeypatch.setattr(store, "find", find)
    return tmp_path / "home"


@dataclass(frozen=True)
class Local:
    """A data set with domains that hands out pixels, not images."""

    images: int = 6
    classes = ()
    domains = {"A": (0, 2, 4), "B": (1, 3), "testA": (5,)}  # noqa: RUF012
    fingerprint = "local"

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        return -1

    def read(self, index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        return np.full((*(size or (4, 4)), 3), 10 * index, np.uint8)


def faces(path: Path, sizes: list[tuple[int, int]], mode: str = "RGB") -> Path:
    path.mkdir()
    random = np.random.default_rng(0)
    for number, (height, width) in enumerate(sizes):
        pixels = random.integers(0, 256, (height, width) if mode == "L" else (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(path / f"{number:03}.png")
    return path


def everything(dataset: data.Dataset) -> torch.Tensor:
    part = dataset.parts["train"]
    return part.gather(torch.arange(len(part)))


def expected(name: str, size: tuple[int, int], channels: int = 3) -> torch.Tensor:
    source = data.open_source(name)
    rows = [render(source.read(index, size), size, channels, "crop") for index in range(len(source))]
    return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).float() / 127.5 - 1


# What is gathered


def test_images_are_floats_in_range_channels_last(tmp_path):
    data.add("faces", faces(tmp_path / "f", [(12, 8)] * 5))
    dataset = data.prepare("faces")
    assert dataset.shape == (3, 12, 8)
    assert dataset.origin == "added by the user: f"
    images = dataset.parts["train"].gather(torch.tensor([3, 0, 3]))
    assert images.dtype == torch.float32
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(images, expected("faces", (12, 8))[[3, 0, 3]])
    assert -1 <= images.min() < -0.9
    assert 0.9 < images.max() <= 1


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_and_sizes_as_asked(tmp_path, channels):
    data.add("faces", faces(tmp_path / "f", [(12, 8), (20, 20), (9, 30)]))
    dataset = data.prepare("faces", resolution=(10, 6), channels=channels)
    assert dataset.shape == (channels, 10, 6)
    assert torch.equal(everything(dataset), expected("faces", (10, 6), channels))
    assert data.prepare("faces", resolution=(10, 6), load_size=(12, 8)).shape == (3, 12, 8)


def test_grey_stays_grey_unless_colour_is_asked(tmp_path):
    data.add("grey", faces(tmp_path / "g", [(8, 8)] * 3, mode="L"))
    assert data.prepare("grey").shape == (1, 8, 8)
    assert data.prepare("grey", channels=3).shape == (3, 8, 8)
    with pytest.raises(UsageError, match="--channels 2"):
        data.prepare("grey", channels=2)


def test_vectors_are_gathered_as_they_are():
    dataset = data.prepare("ring:images=20", resolution=(64, 64), channels=3)
    assert dataset.shape == (2,)
    angles = torch.arange(20).double()
    assert torch.allclose(everything(dataset).double(), torch.stack([angles.cos(), angles.sin()], 1), atol=1e-6)
    assert dataset.parts["train"].labels is None


def test_labels_and_one_label_alone(tmp_path):
    dataset = data.prepare("toy:images=9")
    assert dataset.classes == ("even", "odd")
    assert dataset.parts["train"].labels.tolist() == [0, 1] * 4 + [0]
    odd = data.prepare("toy:images=9", keep="odd")
    assert torch.equal(everything(odd), everything(dataset)[1::2])
    assert odd.parts["train"].labels.tolist() == [1] * 4
    assert len(data.prepare("toy:images=9", keep=["odd", "even"]).parts["train"]) == 9
    with pytest.raises(UsageError, match="has no label 'od'; did you mean odd"):
        data.prepare("toy:images=9", keep="od")
    with pytest.raises(UsageError, match="has no labels"):
        data.prepare("local", keep="odd")
    with pytest.raises(UsageError, match="has one item; training needs two or more"):
        data.prepare("toy:images=3", keep="odd")


def test_domains_are_parts_and_test_domains_are_held_out():
    dataset = data.prepare("local")
    assert {name: len(part) for name, part in dataset.parts.items()} == {"A": 3, "B": 2}
    assert {name: len(part) for name, part in dataset.held_out.items()} == {"testA": 1}
    reds = (dataset.parts["B"].gather(torch.tensor([1, 0]))[:, 0, 0, 0] + 1) * 127.5
    assert reds.round().tolist() == [30, 10]


def test_moving_to_a_device_keeps_the_images():
    dataset = data.prepare("toy:images=9")
    moved = dataset.to("cpu")
    assert torch.equal(everything(moved), everything(dataset))
    assert moved.parts["train"].labels.tolist() == dataset.parts["train"].labels.tolist()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("share", [0.3, 0.0])
def test_on_cuda_the_pack_moves_or_is_sent(monkeypatch, share):
    monkeypatch.setattr("ganzoo.data.dataset.ON_DEVICE", share)
    dataset = data.prepare("toy:images=9")
    images = everything(dataset.to("cuda"))
    assert images.is_cuda
    assert torch.allclose(images.cpu(), everything(dataset), atol=1e-6)


# Sizes that do not fit


def test_mixed_sizes_need_a_resolution(tmp_path):
    data.add("faces", faces(tmp_path / "f", [(8, 8), (9, 8)]))
    with pytest.raises(UsageError, match="different sizes; choose one, such as --resolution"):
        data.prepare("faces")


def test_images_less_than_half_as_large_are_too_small(tmp_path):
    data.add("faces", faces(tmp_path / "f", [(8, 10)] * 3))
    assert data.prepare("faces", resolution=(16, 16)).shape == (3, 16, 16)
    with pytest.raises(UsageError, match=r"too small: 8x10 where 17x17 is asked; choose --resolution 16 or less"):
        data.prepare("faces", resolution=(17, 17))


def test_a_few_too_small_images_are_left_out(tmp_path):
    data.add("faces", faces(tmp_path / "f", [(3, 9), *[(8, 8)] * 24]))
    dataset = data.prepare("faces", resolution=(8, 8))
    assert (dataset.skipped, len(dataset.parts["train"])) == (1, 24)
    assert torch.equal(everything(dataset), expected("faces", (8, 8))[1:])
    data.add("worse", faces(tmp_path / "g", [(3, 9)] * 2 + [(8, 8)] * 24))
    with pytest.raises(UsageError, match="2 of 26 images of worse are too small"):
        data.prepare("worse", resolution=(8, 8))


# How packs are made


def test_packs_of_workers_and_of_this_process_are_alike():
    progress: list[tuple[str, int, int]] = []
    by_workers = data.prepare("toy", report=lambda *what: progress.append(what))
    assert progress[-1][1:] == (700, 700)
    assert "Packing toy (1 MB in" in progress[0][0]
    assert [done for _, done, _ in progress] == sorted(done for _, done, _ in progress)
    assert torch.equal(everything(by_workers), expected("toy", (8, 8)))


def test_workers_pack_files_and_skip_the_bad_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "FEW", 0)
    source = faces(tmp_path / "f", [(8, 8)] * 140)
    (source / "100.png").write_bytes(b"garbage")
    assert data.add("faces", source).skipped == 1
    assert torch.equal(everything(data.prepare("faces")), expected("faces", (8, 8)))


def test_a_pack_is_made_once_per_size_and_outlives_its_source(tmp_path, home):
    data.add("faces", faces(tmp_path / "f", [(8, 8)] * 5))
    first = everything(data.prepare("faces"))
    assert len(list((home / "packs").iterdir())) == 1
    data.prepare("faces", resolution=(8, 8), channels=3)
    assert len(list((home / "packs").iterdir())) == 1
    data.prepare("faces", resolution=(6, 8))
    data.prepare("faces", channels=1)
    assert len(list((home / "packs").iterdir())) == 3
    shutil.rmtree(tmp_path / "f")
    assert torch.equal(everything(data.prepare("faces")), first)
    with pytest.raises(GanzooError, match="no longer there"):
        data.prepare("faces", resolution=(5, 5))
    data.remove("faces")
    assert not list((home / "packs").iterdir())


def test_a_killed_pack_goes_on_where_it_stopped(home):
    process = _packing(0.004)
    deadline = time.monotonic() + 20
    while len(done := _done(home)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 3 <= len(done) < 11
    time.sleep(0.4)  # its workers end with it
    before = _done(home)
    progress: list[int] = []
    dataset = data.prepare("toy:pause=0.004", report=lambda what, done, total: progress.append(done))
    assert progress[0] == 64 * len(before)
    assert torch.equal(everything(dataset), expected("toy", (8, 8)))


def test_two_processes_make_one_pack(home):
    processes = [_packing(0.001) for _ in range(2)]
    for process in processes:
        out, _ = process.communicate(timeout=600)
        assert process.returncode == 0, out
    assert len(list((home / "packs").iterdir())) == 1
    assert sorted(_done(home)) == sorted(str(chunk) for chunk in range(11))
    assert torch.equal(everything(data.prepare("toy:pause=0.001")), expected("toy", (8, 8)))


MAIN = """
from toys_for_packs import Toy
from ganzoo.contract.report import silent
from ganzoo.data import pack, pack_worker
toy = Toy(pause={pause})
pack.make(pack.Job("toy", toy.fingerprint, range(len(toy)), pack_worker.Format(8, 8, 3)), toy, silent)
"""


def _packing(pause: float) -> subprocess.Popen[bytes]:
    """Another process that packs what ``toy:pause=…`` is; it has no main guard and no main file."""
    code = MAIN.format(pause=pause)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    return subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _done(home: Path) -> list[str]:
    return [line for path in (home / "packs").glob("*/done.txt") for line in path.read_text().split()]


def test_an_item_that_fails_is_told_in_one_sentence():
    with pytest.raises(GanzooError, match=r"^Packing toy.* failed: .*the ink is out") as caught:
        data.prepare("toy:fail_at=500")
    assert "\n" not in str(caught.value)
    with pytest.raises(GanzooError, match="Item 5 of Toy cannot be drawn: the ink is out"):
        data.prepare("toy:fail_at=5,images=10")


def test_a_worker_that_dies_is_told_and_the_pack_goes_on_later(home):
    with pytest.raises(GanzooError, match="a process ended with code 3"):
        data.prepare("toy:exit_at=690")
    assert not list((home / "packs").glob("*/pack.json"))


def test_workers_import_no_torch(home):
    code = "import sys, ganzoo.data.pack_worker, ganzoo.data.store; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_another_process_needs_to_find_the_class(monkeypatch):
    assert pack.reopening(data.open_source("toy")) == {
        "class": "toys_for_packs:Toy",
        "options": {"images": 700, "seed": 0, "pause": 0.0, "fail_at": -1, "exit_at": -1},
    }
    monkeypatch.setattr(Local, "__module__", "__main__")
    assert pack.reopening(Local()) is None


# Disk


def _with_free(monkeypatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))


def test_too_little_disk_is_told_beforehand(monkeypatch, home):
    _with_free(monkeypatch, 100)
    with pytest.raises(UsageError, match=r"needs 1 MB of disk in .*packs and .*GANZOO_HOME"):
        data.prepare("toy")
    assert not (home / "packs").exists() or not list((home / "packs").iterdir())


def test_sets_too_large_to_unpack_are_decoded_on_the_fly_alike(tmp_path, monkeypatch, home):
    data.add("faces", faces(tmp_path / "f", [(12, 8)] * 30))
    packed = data.prepare("faces", resolution=(8, 8))
    decoded = data.prepare("faces", resolution=(8, 8), unpack=False)
    assert (packed.on_the_fly, decoded.on_the_fly) == (False, True)
    part = decoded.parts["train"]
    for indices in (torch.tensor([4, 4, 29]), torch.arange(30)):
        part.prefetch(indices)
        assert torch.equal(part.gather(indices), packed.parts["train"].gather(indices))
        assert torch.equal(part.gather(indices.flip(0)), packed.parts["train"].gather(indices.flip(0)))
    assert part.gather(torch.arange(4)).is_contiguous(memory_format=torch.channels_last)
    data.remove("faces")
    data.add("faces", tmp_path / "f")
    _with_free(monkeypatch, 30 * 8 * 8 * 3 * 2 - 1)
    assert data.prepare("faces", resolution=(8, 8)).on_the_fly
    assert not list((home / "packs").iterdir())


def test_a_damaged_pack_is_told(tmp_path, home):
    data.prepare("ring")
    (next((home / "packs").iterdir()) / "pack.npy").write_bytes(b"")
    with pytest.raises(GanzooError, match="remove that folder"):
        data.prepare("ring")


def test_the_job_on_disk_is_plain_json(home):
    data.prepare("toy")
    job = json.loads(next((home / "packs").glob("*/job.json")).read_text())
    assert job["fingerprint"] == data.open_source("toy").fingerprint


@pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="this system takes no advice about mapped files")
def test_of_a_pack_that_memory_cannot_keep_the_rows_that_come_next_are_read_and_no_others(monkeypatch, home):
    """The system reads up to megabytes around each row otherwise: 90 times too much, measured, of 20 GB."""
    whole = data.prepare("toy")
    monkeypatch.setattr(pack, "free_memory", lambda: 2 * whole.rows._rows.nbytes - 1)
    asked: list[int] = []
    original = pack.reading_ahead

    def spied(rows):
        read = original(rows)
        return read and (lambda wanted: (asked.extend(wanted), read(wanted)))

    monkeypatch.setattr(pack, "reading_ahead", spied)
    loader = Loader(data.prepare("toy"), seed=0)
    asked.clear()
    first, then = loader.orders["train"].at(0, 2), loader.orders["train"].at(2, 2)
    assert torch.equal(loader.draw(0, 2).images, whole.training.gather(first))
    assert asked == [*first.tolist(), *then.tolist()]  # and, meanwhile, those of the next batch
    asked.clear()
    copy = loader.dataset.rows.copied(torch.device("cpu"))
    assert torch.equal(copy, whole.rows._rows)
    assert asked == [*range(len(copy))]  # those that go onto a device come from the disk in order
    monkeypatch.setattr(pack, "free_memory", lambda: 2 * whole.rows._rows.nbytes)
    asked.clear()
    data.prepare("toy").training.gather(first)
    assert not asked
