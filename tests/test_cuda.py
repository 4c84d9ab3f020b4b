"""What only a CUDA device can show; skipped where there is none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import torch
from click.testing import CliRunner

import ganzoo
from ganzoo import data
from ganzoo.catalogue.catalogue import entries
from ganzoo.catalogue.components import load_architecture
from ganzoo.cli.app import app
from ganzoo.cli.examine import examine
from ganzoo.data.loader import Loader
from ganzoo.errors import GanzooError
from ganzoo.loop.trainer import Extent, Trainer
from ganzoo.runs import checkpoint
from ganzoo.testing.architecture.cases import Noise, cases

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")

DIGITS = "digits:images=256"
SMALL = {"preset": "small", "batch_size": 32, "device": "cuda"}


def every_case():
    for entry in entries("architecture"):
        with contextlib.suppress(GanzooError):  # one that cannot be loaded fails in test_catalogue.py
            for case in cases(entry, load_architecture(entry)):
                yield pytest.param(case, id=f"{entry.full_name}-{case}")


class OnDevice(Noise):
    """Noise kept on the CUDA device, as a pack that fits there is."""

    def __init__(self, spec):
        super().__init__(spec)
        for part in self.parts.values():
            part.items = part.items.cuda()
            part.labels = None if part.labels is None else part.labels.cuda()
            part.gather = lambda indices, items=part.items: items[indices.to(items.device, non_blocking=True)]


def trainer_of(case, precision: str = "fp32") -> Trainer:
    model = case.build().cuda()
    return Trainer(
        model, Loader(OnDevice(case.data), 0), batch_size=4, precision=precision, half_life=64, extent=Extent(0, 4000)
    )


@contextlib.contextmanager
def no_waiting() -> Iterator[None]:
    """Within it, whatever makes the host wait for the device is an error."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("case", list(every_case()))
def test_a_step_does_not_wait_for_the_device(case, precision):
    if case.entry.name == "faultygan":
        pytest.skip("a loss that becomes NaN is the fault it is made for")
    trainer = trainer_of(case, precision)
    for _ in range(2):
        trainer.step()  # the first ones choose kernels
    with no_waiting():
        for _ in range(6):
            values = trainer.step()
    assert all(value.is_cuda and value.isfinite() for value in values.values())
    assert trainer.is_finite()


@pytest.mark.parametrize("case", list(every_case()))
def test_a_resumed_training_is_the_undisturbed_one(case):
    """As near as the device's own sums, whose order it does not promise."""
    undisturbed = trainer_of(case)
    for _ in range(3):
        undisturbed.step()
    tensors, counters = undisturbed.state()
    resumed = trainer_of(case)
    resumed.load_state({name: tensor.cpu().clone() for name, tensor in tensors.items()}, counters)
    for trainer in (undisturbed, resumed):
        trainer.step()
    for name, tensor in resumed.model.state_dict().items():
        torch.testing.assert_close(tensor, undisturbed.model.state_dict()[name], rtol=1e-2, atol=5e-3, equal_nan=True)


def test_the_pack_lies_on_the_device():
    packed = data.prepare(DIGITS, resolution=(32, 32))
    there = packed.to("cuda")
    indices = torch.arange(0, 256, 3)
    images = there.parts["train"].gather(indices)
    assert images.is_cuda
    assert there.rows._rows.is_cuda
    assert torch.equal(images.cpu(), packed.parts["train"].gather(indices))
    decoded = data.prepare(DIGITS, resolution=(32, 32), unpack=False).to("cuda").parts["train"].gather(indices)
    assert torch.equal(decoded, images)


def test_trained_here_and_used_anywhere(train, tmp_path):
    """A run on the device goes on there and on the CPU; its model draws the same images on both."""
    run = train(architecture="dcgan", data=DIGITS, steps=12, flip=True, **SMALL)
    assert torch.cuda.get_device_name() in str(run.facts)
    assert ganzoo.extend(run.path, steps=2).status == "finished"
    assert ganzoo.extend(run.path, steps=2, device="cpu").status == "finished"
    there, here = (ganzoo.load(run.path, device=device).sample(8, seed=3) for device in ("cuda", "cpu"))
    assert not there.is_cuda
    torch.testing.assert_close(there, here, rtol=0, atol=0.02)


def test_the_same_first_weights_as_on_the_cpu(train):
    here, there = (
        train(architecture="dcgan", data=DIGITS, out=device, steps=1, lr=0.0, **{**SMALL, "device": device})
        for device in ("cpu", "cuda")
    )
    tensors = [checkpoint.load(run.checkpoints()[-1])[0] for run in (here, there)]
    weights = [name for name in tensors[0] if name.startswith("model/") and name.endswith("weight")]
    assert weights
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in weights)


def test_parts_of_a_batch_are_the_batch(train):
    whole, parts = (
        train(out=f"in-{parts}", accumulate=parts, batch_size=8, device="cuda", precision="fp32") for parts in (1, 2)
    )
    one, other = (checkpoint.load(run.checkpoints()[-1])[0] for run in (whole, parts))
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor, rtol=1e-2, atol=5e-3)


def test_scores_as_on_the_cpu(train):
    run = train(architecture="dcgan", data=DIGITS, steps=4, **SMALL)
    there, here = (
        ganzoo.evaluate(run.path, ["swd:directions=32"], samples=64, device=device) for device in ("cuda", "cpu")
    )
    for one, other in zip(there, here, strict=True):
        assert one["value"] == pytest.approx(other["value"], rel=0.02)


def test_out_of_memory_says_what_to_lower(train):
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.002)
    try:
        with pytest.raises(GanzooError, match=r"ran out of memory; lower --batch-size \(now 256\)"):
            train(architecture="dcgan", data=DIGITS, resolution="64", batch_size=256, device="cuda", width_d=256)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_more_processes_than_devices(tmp_path):
    count = torch.cuda.device_count() + 1
    options = {"steps": 2, "batch-size": 4 * count, "processes": count, "out": tmp_path / "run"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    result = CliRunner().invoke(app, ["train", "tinygan", "tiny", *words])
    assert result.exit_code == 2
    assert f"--processes {count} is more than the {count - 1} GPUs here" in result.output


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there is one CUDA device")
def test_two_devices_with_synchronized_batch_norm_equal_one(train):
    """Not measured on a GPU yet."""
    options = {"architecture": "dcgan", "data": DIGITS, "steps": 3, **SMALL, "precision": "fp32"}
    one = train(out="one", **options)
    two = train(out="two", processes=2, sync_batchnorm=True, **options)
    tensors = [checkpoint.load(run.checkpoints()[-1])[0] for run in (one, two)]
    for name, tensor in tensors[0].items():
        torch.testing.assert_close(tensors[1][name], tensor, rtol=1e-2, atol=5e-3)


def test_doctor_names_the_device():
    found = {finding.name: finding.found for finding in examine()}
    assert torch.cuda.get_device_name(0) in found["cuda 0"]
