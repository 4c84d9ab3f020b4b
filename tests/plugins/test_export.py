"""Exported generators make the model's images; what cannot be exported is said in one sentence, and nothing is kept."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
from importlib.util import find_spec

import pytest
import torch
from click.testing import CliRunner
from ganzoo_export.export import NEEDED, directions, export
from tinyzoo.conditions import TinyNumbers
from torch import nn

import ganzoo
from ganzoo.catalogue.catalogue import entries, find
from ganzoo.catalogue.components import load_architecture
from ganzoo.cli.app import app
from ganzoo.contract.data_spec import DataSpec
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.trainer import Trainer
from ganzoo.model.model import Model
from ganzoo.runs.header import DataHeader, ModelHeader
from ganzoo.testing.architecture.cases import cases


class Encoding(TinyNumbers):
    """With an encoder that is told the numbers too."""

    abilities = dataclasses.replace(TinyNumbers.abilities, encode=True)
    generators = ("G", "E")

    def __init__(self, config, data):
        super().__init__(config, data)
        self.E = nn.Linear(3 * 8 * 8 + data.columns, config.latent_dim)

    def encode(self, items, label=None):
        return self.E(torch.cat([items.flatten(1), label], 1))


def every_case():
    for entry in entries("architecture"):
        with contextlib.suppress(GanzooError):  # one that cannot be loaded fails in test_catalogue.py
            for case in cases(entry, load_architecture(entry)):
                yield pytest.param(case, id=f"{entry.full_name} {case}")


CASES = list(every_case())
needs_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in NEEDED),
    reason="the extra onnx is not installed: pip install 'ganzoo[onnx]'",
)


@pytest.mark.parametrize("format", ["safetensors", pytest.param("onnx", marks=needs_onnx)])
@pytest.mark.parametrize("case", CASES)
def test_every_generator(case, format, tmp_path):
    """`export` itself compares, at batch sizes that it was not traced with. torch-export is in test_catalogue.py."""
    model = case.averaged(case.trainer(Trainer))
    file = export(model, format, tmp_path / "model", to=directions(model)[-1])
    assert file.stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_torch_export_needs_neither_ganzoo_nor_the_plugin(finished, tmp_path, run_python):
    file = ganzoo.export(finished.path, "torch-export", tmp_path / "tiny.pt2")
    model = ganzoo.load(finished.path)
    z = model.noise(5, seed=3)
    torch.save(z, tmp_path / "z.pt")
    code = """
import sys, torch
extra = {"ganzoo": ""}
program = torch.export.load(sys.argv[1], extra_files=extra).module()
torch.save(program(torch.load(sys.argv[2])), sys.argv[3])
print(extra["ganzoo"])
assert not {"ganzoo", "tinyzoo"} & set(sys.modules)
"""
    done = run_python(code, file, tmp_path / "z.pt", tmp_path / "images.pt")
    assert done.returncode == 0, done.stderr
    assert torch.equal(torch.load(tmp_path / "images.pt"), model.generate(z))
    assert json.loads(done.stdout) == model.facts


@needs_onnx
def test_onnx_says_what_it_is(finished, tmp_path):
    file = ganzoo.export(finished.path, "onnx", tmp_path / "tiny.onnx")
    session = importlib.import_module("onnxruntime").InferenceSession(str(file), providers=["CPUExecutionProvider"])
    assert [(given.name, given.shape) for given in session.get_inputs()] == [("z", ["batch", 6])]
    assert [given.name for given in session.get_outputs()] == ["images"]
    facts = json.loads(session.get_modelmeta().custom_metadata_map["ganzoo"])
    assert facts == ganzoo.load(finished.path).facts


@pytest.mark.parametrize("name", ["cyclegan", "discogan"])
@pytest.mark.parametrize("format", ["torch-export", pytest.param("onnx", marks=needs_onnx)])
def test_translators_take_images_of_any_size(name, format, tmp_path):
    entry = find("architecture", name)
    case, *_ = cases(entry, load_architecture(entry))
    model = case.averaged(case.trainer(Trainer))
    file = export(model, format, tmp_path / "model", to="A")
    multiple = model.architecture.side_multiple
    images = torch.rand(1, 3, 2 * multiple, 5 * multiple) * 2 - 1
    if format == "onnx":
        session = importlib.import_module("onnxruntime").InferenceSession(str(file))
        assert [given.shape for given in session.get_inputs()] == [["batch", 3, "height", "width"]]
        made = torch.from_numpy(session.run(None, {"source": images.numpy()})[0])
    else:
        made = torch.export.load(file).module()(images)
    assert torch.allclose(made, model.translate(images, "A"), atol=1e-4)


@pytest.mark.parametrize(("bottleneck", "side"), [(4, 64), (0, 16)])
def test_networks_of_one_size_are_exported_for_it(bottleneck, side, tmp_path):
    """So is one trained at a single multiple of its sides, 16 pixels, where tracing leaves a guard against that."""
    entry = find("architecture", "discogan")
    case, *_ = cases(entry, load_architecture(entry))
    data = dataclasses.replace(case.data, shape=(3, side, side))
    case = dataclasses.replace(case, config=dataclasses.replace(case.config, bottleneck=bottleneck), data=data)
    file = export(case.averaged(case.trainer(Trainer)), "torch-export", tmp_path / "model", to="A")
    program = torch.export.load(file).module()
    assert program(torch.zeros(3, *case.data.shape)).shape == (3, *case.data.shape)


@pytest.mark.parametrize("format", ["torch-export", pytest.param("onnx", marks=needs_onnx)])
def test_encoders_and_labels_of_columns_are_exported(format, tmp_path):
    data = DataSpec((3, 8, 8), label="numbers", label_names=("turn", "size"))
    torch.manual_seed(0)
    architecture = Encoding(Encoding.Config(), data)
    model = Model(architecture, ModelHeader("encoding", DataHeader.of(data, "it", "here"), {}, run="run"))
    export(model, format, tmp_path / "generate")
    file = export(model, format, tmp_path / "encode", encode=True)
    images, label = torch.rand(5, 3, 8, 8) * 2 - 1, torch.randn(5, 2)
    if format == "onnx":
        session = importlib.import_module("onnxruntime").InferenceSession(str(file))
        assert [given.name for given in session.get_inputs()] == ["source", "label"]
        found = torch.from_numpy(session.run(["z"], {"source": images.numpy(), "label": label.numpy()})[0])
    else:
        found = torch.export.load(file).module()(images, label)
    assert torch.allclose(found, model.encode(images, label), atol=1e-4)


def test_safetensors_opens_as_the_run_does(finished, tmp_path):
    file = ganzoo.export(finished.path, "safetensors", tmp_path / "deep" / "tiny.safetensors")
    assert torch.equal(ganzoo.load(file).sample(3, seed=2), ganzoo.load(finished.path).sample(3, seed=2))


def test_a_file_that_makes_other_images_is_not_kept(finished, tmp_path, monkeypatch):
    model = ganzoo.load(finished.path)
    load = torch.export.load

    def wrong(file):
        program = load(file)
        next(iter(program.state_dict.values())).add_(1)
        return program

    monkeypatch.setattr(torch.export, "load", wrong)
    (tmp_path / "tiny.pt2").write_text("what was there", encoding="utf-8")
    with pytest.raises(GanzooError, match="makes other images than the model"):
        export(model, "torch-export", tmp_path / "tiny.pt2")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["what was there"]


def test_a_generator_that_cannot_be_traced(finished, tmp_path, monkeypatch):
    model = ganzoo.load(finished.path)
    generate = type(model.architecture).generate

    def one_size(self, z, label=None, truncation=1.0):
        return generate(self, z, label, truncation).expand(len(z), -1, -1, -1)

    monkeypatch.setattr(type(model.architecture), "generate", one_size)
    with pytest.raises(GanzooError, match=r"^tinygan cannot be written as a program .* use --format safetensors\.$"):
        export(model, "torch-export", tmp_path / "tiny.pt2")
    assert not list(tmp_path.iterdir())


def test_what_is_asked_wrongly(finished, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="There is no format 'onx'; did you mean onnx"):
        export(finished.path, "onx")
    with pytest.raises(UsageError, match="tinygan does not translate; leave out --to"):
        export(finished.path, "safetensors", tmp_path / "x", to="B")
    with pytest.raises(UsageError, match="tinygan has no encoder"):
        export(finished.path, "onnx", tmp_path / "x", encode=True)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(GanzooError, match="cannot be written"):
        export(finished.path, "safetensors", tmp_path / "file" / "x")
    monkeypatch.setattr("ganzoo_export.export.find_spec", lambda name: None)
    with pytest.raises(GanzooError, match=r"ONNX needs onnx, onnxscript, onnxruntime.*pip install 'ganzoo\[onnx\]'"):
        export(finished.path, "onnx")


def test_on_the_command_line(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    silent = CliRunner().invoke(app, ["export", str(finished.path)])
    assert silent.exit_code == 2
    assert all(f"--format {format}" in silent.output for format in ("safetensors", "onnx", "torch-export"))
    wrong = CliRunner().invoke(app, ["export", str(tmp_path), "--format", "onx"])  # said before the model is looked for
    assert "There is no format 'onx'" in wrong.output
    by_name = CliRunner().invoke(app, ["export", str(finished.path), "-o", str(tmp_path / "generator.pt2")])
    assert by_name.exit_code == 0, by_name.output
    assert torch.export.load(tmp_path / "generator.pt2")
    done = CliRunner().invoke(app, ["export", str(finished.path), "--format", "torch-export"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("run.pt2 makes the images that the model makes (")
    assert done.output.splitlines()[-1] == "The generator is in run.pt2"
    assert (tmp_path / "run.pt2").exists()


def test_a_disk_that_becomes_full_is_said(finished, tmp_path):
    limits = pytest.importorskip("resource")
    usual = limits.getrlimit(limits.RLIMIT_FSIZE)
    limits.setrlimit(limits.RLIMIT_FSIZE, (2_000, usual[1]))
    try:
        with pytest.raises(GanzooError, match=r"tiny\.pt2 cannot be written"):
            ganzoo.export(finished.path, "torch-export", tmp_path / "tiny.pt2")
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, usual)
    assert not (tmp_path / "tiny.pt2").exists()
