"""Checkpoints: whole or not at all, and nothing that was changed is believed."""

from __future__ import annotations

import json
import os
import re
import struct
from importlib.metadata import distribution
from pathlib import Path

import ganzoo_dcgan
import pytest
import torch
from safetensors.torch import save_file

import ganzoo
from ganzoo.errors import GanzooError
from ganzoo.runs import checkpoint

TENSORS = {
    "scalar": torch.tensor(1.5),
    "step": torch.tensor(7),
    "long": torch.tensor([[-(2**62), 3]]),
    "half": torch.tensor([1.0, -2.5, 3e38], dtype=torch.bfloat16),
    "double": torch.tensor([1 / 3, torch.nan], dtype=torch.float64),
    "flag": torch.tensor([True, False]),
    "byte": torch.arange(256, dtype=torch.uint8),
    "empty": torch.empty(0, 3),
    "image": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last),
    "slice": torch.arange(12.0).view(3, 4)[:, 1:3],
    "weight": torch.nn.Parameter(torch.rand(2, 2)),
}
FACTS = {"name": "ein Wört", "rate": 2e-4, "list": [1, None, {"a": True}]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.safetensors"
    checkpoint.save(path, TENSORS, FACTS)
    return path


def assert_one_sentence(error: pytest.ExceptionInfo[GanzooError], path: Path) -> None:
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_round_trip(file):
    tensors, facts = checkpoint.load(file)
    assert facts == FACTS == checkpoint.read_facts(file)
    assert tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert (tensors[name].dtype, tensors[name].shape) == (value.dtype, value.shape), name
        assert torch.equal(tensors[name].nan_to_num(), value.nan_to_num()), name
        assert not tensors[name].requires_grad


def test_the_checksum_is_that_of_the_content(file, tmp_path):
    first = checkpoint.checksum(file)
    assert re.fullmatch("[0-9a-f]{64}", first)
    checkpoint.save(tmp_path / "same.safetensors", TENSORS, FACTS)
    checkpoint.save(tmp_path / "other.safetensors", TENSORS, {})
    assert (
        checkpoint.checksum(tmp_path / "same.safetensors")
        == first
        != checkpoint.checksum(tmp_path / "other.safetensors")
    )


def test_tensors_that_share_memory(tmp_path):
    """Tied weights stand in a state dict twice."""
    weight = torch.rand(4, 2)
    checkpoint.save(tmp_path / "tied", {"a": weight, "b": weight, "half": weight[:2]}, {})
    tensors, _ = checkpoint.load(tmp_path / "tied")
    assert torch.equal(tensors["a"], weight)
    assert torch.equal(tensors["b"], weight)
    assert torch.equal(tensors["half"], weight[:2])


def test_saving_again_replaces_and_leaves_nothing_else(file):
    checkpoint.save(file, {"new": torch.zeros(1)}, {})
    assert list(checkpoint.load(file)[0]) == ["new"]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("length", range(8))
def test_the_header_is_in_order_however_long_it_is(tmp_path, length):
    """safetensors pads it to a multiple of eight, which is no spaces for one length in eight."""
    for number in range(3):
        checkpoint.save(tmp_path / f"{number}", {"x": torch.zeros(1)}, {"text": "x" * length})
        content = (tmp_path / f"{number}").read_bytes()
        header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
        assert list(header["__metadata__"]) == ["ganzoo", "sha256"]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_truncated(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(GanzooError, match="damaged") as error:
        checkpoint.load(file)
    assert_one_sentence(error, file)


def test_a_flipped_bit_anywhere_in_the_data(file):
    content = file.read_bytes()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    for position in (start, (start + len(content)) // 2, len(content) - 1):
        changed = bytearray(content)
        changed[position] ^= 1
        file.write_bytes(changed)
        with pytest.raises(GanzooError, match="damaged") as error:
            checkpoint.load(file)
        assert_one_sentence(error, file)


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["__metadata__"].update(ganzoo=json.dumps({**FACTS, "rate": 1.0})),
        lambda header: header["__metadata__"].update(ganzoo="{"),
        lambda header: header["__metadata__"].pop("sha256"),
        lambda header: header.update(stolen=header.pop("scalar")),
        lambda header: header["step"].update(dtype="U64"),
        lambda header: header["byte"].update(shape=[16, 16]),
        lambda header: header["image"].update(shape=[10**6, 10**6]),
    ],
    ids=["facts", "no json", "no checksum", "name", "dtype", "shape", "absurd shape"],
)
def test_an_altered_header(file, change):
    content = file.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    with pytest.raises(GanzooError, match="damaged") as error:
        checkpoint.load(file)
    assert_one_sentence(error, file)


def test_files_of_others(tmp_path):
    save_file({"x": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(GanzooError, match="not written by ganzoo") as error:
        checkpoint.load(tmp_path / "foreign.safetensors")
    assert_one_sentence(error, tmp_path / "foreign.safetensors")
    (tmp_path / "text.safetensors").write_text("once upon a time", encoding="utf-8")
    for read in (checkpoint.load, checkpoint.read_facts):
        with pytest.raises(GanzooError, match="damaged"):
            read(tmp_path / "text.safetensors")
    with pytest.raises(GanzooError, match="no file"):
        checkpoint.load(tmp_path / "none.safetensors")
    with pytest.raises(GanzooError):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("failing", ["os.replace", "os.fsync", "ganzoo.runs.checkpoint.save_file"])
@pytest.mark.parametrize("how", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["error", "stop"])
def test_a_failed_save_leaves_the_old_file(file, monkeypatch, failing, how):
    before = file.read_bytes()

    def fail(*_, **__):
        raise how

    with monkeypatch.context() as patched:
        patched.setattr(failing, fail)
        with pytest.raises(GanzooError if isinstance(how, OSError) else KeyboardInterrupt) as error:
            checkpoint.save(file, {"x": torch.zeros(1)}, {})
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    if isinstance(how, OSError):
        assert_one_sentence(error, file)


def test_flushed_before_it_is_renamed(file, monkeypatch):
    happened = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (happened.append("flush"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (happened.append("rename"), replace(a, b)))
    checkpoint.save(file, TENSORS, FACTS)
    assert happened[:2] == ["flush", "rename"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(GanzooError, match="could not be written") as error:
        checkpoint.save(tmp_path / "none" / "x.safetensors", TENSORS, FACTS)
    assert_one_sentence(error, tmp_path / "none" / "x.safetensors")


def test_nothing_in_the_package_can_run_what_a_file_holds():
    """No pickle in any of its shapes, in the core or in a plugin that comes with it."""
    forbidden = re.compile(
        r"\b(c?[pP]ickle|dill|joblib|shelve|marshal)\b|\ballow_pickle\s*=\s*True|\bweights_only\b|\b(eval|exec)\s*\("
        r"|\btorch\s*\.\s*(load|save)\s*\(|\bfrom torch import .*\b(load|save)\b"
    )
    folders = [Path(ganzoo.__file__).parent, *Path(ganzoo_dcgan.__file__).parent.parent.glob("ganzoo_*/")]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    points = distribution("ganzoo").entry_points.select(group="ganzoo")
    assert len(files) > 30
    assert len(folders) > len([point for point in points if point.value.startswith("ganzoo_")])
    found = [
        f"{'ganzoo_import/' if file.parent.name == 'ganzoo_import' else ''}{file.name}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if forbidden.search(re.sub(r"\.eval\(", "", line))
    ]
    # What is run is a plugin file that the user names on the command line; and state dicts that the user adds are read
    # by torch's loader of tensors alone.
    # `ganzoo import` goes through the pickles of others with a table of what may be made, and nothing else is.
    assert "def find_class" in (Path(ganzoo_dcgan.__file__).parents[1] / "ganzoo_import" / "reader.py").read_text()
    # torch-fidelity wants its network's tensors in a file of torch's own kind: it gets one that ganzoo wrote.
    allowed = ("single_file.py:", "weights.py:", "inception.py:", "ganzoo_import/")
    assert [line for line in found if not line.startswith(allowed)] == []
    assert [line.partition(": ")[2] for line in found if line.startswith("weights.py:")] == [
        'state = torch.load(file, map_location="cpu", weights_only=True)'
    ]
    written = [line.partition(": ")[2] for line in found if line.startswith("inception.py:")]
    assert written == ["torch.save(tensors, safe)"]
