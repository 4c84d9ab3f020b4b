"""`ganzoo import`: files in the structure of others, the numbers of their code, and files that want more."""

from __future__ import annotations

import io
import os
import pickle
import sys
import types
from collections import OrderedDict

import numpy
import pytest
import torch
from click.testing import CliRunner
from ganzoo_import.reader import read, unpickled
from support.golden_numbers import near, stored, weights
from torch import nn

import ganzoo
from ganzoo.api import Foreign, GanzooError, load_tensors, save_imported
from ganzoo.cli.app import app

FLOAT32 = 1e-4  # of two computations in float32


def cli(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def nvidia(monkeypatch):
    """Writes networks as NVIDIA's code pickles them: nested modules that a function of its own makes again."""
    persistence, util = types.ModuleType("torch_utils.persistence"), types.ModuleType("dnnlib.util")

    def _reconstruct_persistent_obj(meta):
        raise AssertionError("the file's code was run")

    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    EasyDict = type("EasyDict", (dict,), {"__module__": "dnnlib.util", "__qualname__": "EasyDict"})
    persistence._reconstruct_persistent_obj, util.EasyDict = _reconstruct_persistent_obj, EasyDict
    monkeypatch.setitem(sys.modules, "torch_utils", types.ModuleType("torch_utils"))
    monkeypatch.setitem(sys.modules, "torch_utils.persistence", persistence)
    monkeypatch.setitem(sys.modules, "dnnlib", types.ModuleType("dnnlib"))
    monkeypatch.setitem(sys.modules, "dnnlib.util", util)

    class Persistent:
        def __init__(self, name):
            self.name, self.state = name, {
                "training": False, "_parameters": OrderedDict(), "_buffers": OrderedDict(), "_modules": OrderedDict(),
                "_init_kwargs": EasyDict(z_dim=16), "_init_args": (), "use_fp16": False, "scale": numpy.float64(0.5),
            }  # fmt: skip

        def __reduce__(self):
            source = "raise AssertionError('the file is run')"
            meta = {"type": "class", "version": 6, "module_src": source, "class_name": self.name, "state": self.state}
            return _reconstruct_persistent_obj, (meta,)

        def put(self, path, value):
            *inner, last = path.split(".")
            module = self
            for name in inner:
                module = module.state["_modules"].setdefault(name, Persistent("Layer"))
            fixed = last in ("w_avg", "noise_const", "resample_filter")
            module.state["_buffers" if fixed else "_parameters"][last] = value if fixed else nn.Parameter(value)

    def write(file, **networks):
        made = {"training_set_kwargs": EasyDict(path="somewhere"), "augment_pipe": None}
        for name, tensors in networks.items():
            made[name] = Persistent(name)
            for key, value in tensors.items():
                made[name].put(key, value)
        with open(file, "wb") as opened:
            pickle.dump(made, opened)
        return file

    return write


def golden(name, prefix=""):
    found = {key.removeprefix(prefix): value.float() for key, value in weights(stored(name)).items()}
    return {**found, f"{'synthesis.b8.conv0' if 'w_avg' in str(list(found)) else 'b32.conv1'}.resample_filter": KERNEL}


KERNEL = torch.tensor([1.0, 3, 3, 1])


@pytest.mark.parametrize("name", ["stylegan2_g", "stylegan2_g_map2_cond"])
def test_a_pickle_of_stylegan2_gives_the_released_codes_images(name, nvidia, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numbers, d = stored(name), "stylegan2_d_cond" if "cond" in name else "stylegan2_d_resnet"
    nvidia("official.pkl", G={}, D=golden(d), G_ema=golden(name))
    said = cli("import", "official.pkl", "--as", "stylegan2", "--licence", "NVIDIA-NC", "-o", "ours.safetensors")
    assert (said.exit_code, said.stdout) == (0, "official.pkl is now the model ours.safetensors.\n")
    model = ganzoo.load("ours.safetensors", device="cpu")
    assert model.header.licence == "NVIDIA-NC"
    assert model.header.data.origin == "of weights imported from official.pkl"
    label = numbers["input/labels_onehot"].argmax(1) if "cond" in name else None
    images = model.architecture.generate(numbers["input/z1"].float(), label)
    assert near(images.double(), numbers["output/const"], FLOAT32)
    assert model.sample(2, truncation=0.7).shape == (2, 3, 32, 32)
    z = model.noise(2)
    assert model.mix(z, z, label=0 if "cond" in name else None).shape == (2, 2, 3, 32, 32)
    again = cli("import", "official.pkl", "--as", "stylegan2", "-o", "ours.safetensors")
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)


def test_training_goes_on_from_both_networks(nvidia, tmp_path, train):
    """D comes along, so that transfer begins with a judge that knows what it is doing."""
    nvidia(tmp_path / "official.pkl", D=golden("stylegan2_d_resnet"), G_ema=golden("stylegan2_g"))
    found = read(tmp_path / "official.pkl")
    save_imported("stylegan2", found, tmp_path / "a.pkl", tmp_path / "a.safetensors", "CC-BY-NC-4.0")
    tensors, facts = load_tensors(tmp_path / "a.safetensors")
    assert facts["also"] == ["D"]
    assert near(tensors["D.fc.weight"].double(), stored("stylegan2_d_resnet")["weights/b4.fc.weight"], 1e-7)
    run = train(
        "run", "stylegan2", resolution=32, channel_base=256, channel_max=8, latent_dim=16, batch_size=4, steps=1,
        lr=0.0, path_weight=0.0, init=str(tmp_path / "a.safetensors"),
    )  # fmt: skip
    assert (run.header.licence, ganzoo.load(run.path).header.licence) == ("CC-BY-NC-4.0",) * 2
    last, _ = load_tensors(run.checkpoints()[-1])
    assert torch.equal(last["model/D.fc.weight"], tensors["D.fc.weight"])


def test_what_is_no_stylegan2(nvidia, tmp_path):
    file = nvidia(tmp_path / "other.pkl", G_ema={"fc.weight": torch.ones(2, 2)})
    refused = cli("import", file, "--as", "stylegan2", "-o", tmp_path / "a.safetensors")
    assert "There is no generator of StyleGAN2 in this file" in refused.stderr
    tensors = golden("stylegan2_g")
    del tensors["synthesis.b8.conv1.bias"]
    file = nvidia(tmp_path / "less.pkl", G_ema=tensors)
    refused = cli("import", file, "--as", "stylegan2", "-o", tmp_path / "a.safetensors")
    assert "lacks G.synthesis.blocks.b8.conv1.bias; the file is of another network" in refused.stderr
    tensors = golden("stylegan2_g") | {"synthesis.b8.torgb.weight": torch.ones(3, 4, 1, 1)}
    file = nvidia(tmp_path / "wrong.pkl", G_ema=tensors)
    refused = cli("import", file, "--as", "stylegan2", "-o", tmp_path / "a.safetensors")
    assert "has the shape [3, 4, 1, 1], and [3, 8, 1, 1] is needed" in refused.stderr
    refused = cli("import", file, "--as", "gan", "-o", tmp_path / "a.safetensors")
    assert "gan takes no weights from elsewhere; these do: " in refused.stderr
    assert "stylegan2" in refused.stderr
    assert not (tmp_path / "a.safetensors").exists()


# ---- files of torch's, the names of which are ours -------------------------------------------------------------------


def test_cyclegans_files_give_the_authors_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numbers = stored("cyclegan_g")
    weights_g = {f"module.{key}": value.float() for key, value in weights(numbers).items()}
    torch.save(weights_g | {"module.model.2.running_mean": torch.zeros(4)}, "latest_net_G_A.pth")
    torch.save({key: value.float() + 0.1 for key, value in weights(numbers).items()}, "latest_net_G_B.pth")
    torch.save({key: value.float() for key, value in weights(stored("cyclegan_d")).items()}, "latest_net_D_A.pth")
    files = ["latest_net_G_A.pth", "latest_net_G_B.pth", "latest_net_D_A.pth"]
    said = cli("import", *files, "--as", "cyclegan", "-o", "a.safetensors")
    assert said.exit_code == 0, said.stderr
    model = ganzoo.load("a.safetensors", device="cpu")
    images = numbers["input/images"].float()
    assert near(model.architecture.translate(images, "B").double(), numbers["output/out"], FLOAT32)
    assert not torch.allclose(model.translate(images, "A"), model.translate(images, "B"), atol=1e-2)
    assert "D.B.model.0.weight" in load_tensors(tmp_path / "a.safetensors")[0]  # D_A judges what G_A makes
    refused = cli("import", files[0], "--as", "cyclegan", "-o", "b.safetensors")
    assert "two generators are needed" in refused.stderr


def test_pix2pixs_files_give_the_authors_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numbers = stored("pix2pix_g")
    torch.save({key: value.float() for key, value in weights(numbers).items()}, "latest_net_G.pth")
    torch.save({key: value.float() for key, value in weights(stored("pix2pix_d")).items()}, "latest_net_D.pth")
    for files in (["latest_net_G.pth"], ["latest_net_G.pth", "latest_net_D.pth"]):
        out = f"{len(files)}.safetensors"
        said = cli("import", *files, "--as", "pix2pix", "-o", out)
        assert said.exit_code == 0, said.stderr
        net = ganzoo.load(out, device="cpu").architecture.G["AB"].train()
        assert near(net(numbers["input/images"].float()).double(), numbers["output/train"], FLOAT32)
    refused = cli("import", "latest_net_D.pth", "--as", "pix2pix", "-o", "b.safetensors")
    assert "There is no U-Net of pix2pix's in this file" in refused.stderr


# ---- hostile files ---------------------------------------------------------------------------------------------------


class Asks:
    """Pickled as a call of a function."""

    def __init__(self, function, *words):
        self.call = function, words

    def __reduce__(self):
        return self.call


RUN = "import os; os.environ['GANZOO_WAS_RUN'] = 'yes'"
HOSTILE = {
    "a shell": Asks(os.system, "export GANZOO_WAS_RUN=yes"),
    "eval": Asks(eval, "1 + 1"),
    "exec": Asks(exec, RUN),
    "an import": Asks(__import__, "antigravity"),
    "a file": Asks(open, "/etc/hostname"),
    "another pickle": Asks(pickle.loads, pickle.dumps(1)),
    "an attribute": Asks(getattr, "x", "__class__"),
    "numpy's loader": Asks(numpy.load, "x.npy"),
    "an array of objects": numpy.array([{"a": 1}], dtype=object),
    "a class": nn.Linear,
    "a module of torch's": nn.Linear(2, 2),
    "a set": {1, 2},
    "inside": {"G_ema": {"weight": torch.ones(2), "more": [Asks(exec, RUN)]}},
    "a device": torch.device("cpu"),
    "partial": Asks(__import__("functools").partial, print),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_is_run(what, protocol, tmp_path):
    file = tmp_path / "hostile.pkl"
    file.write_bytes(pickle.dumps(HOSTILE[what], protocol))
    with pytest.raises(GanzooError) as refused:
        read(file)
    assert str(refused.value).count("\n") == 0
    assert "GANZOO_WAS_RUN" not in os.environ


def raw(module, name, tail=b"."):
    """The opcodes of a pickle that names a thing."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + tail


@pytest.mark.parametrize(
    "data",
    [
        b"", b".", b"\x80\x04", b"no pickle at all", b"\x80\x02]q\x00" * 1000, b"(" * 100_000 + b"t" * 100_000 + b".",
        raw("torch._utils", "_rebuild_tensor_v2.__globals__"), raw("builtins", "getattr"), raw("os", "system"),
        raw("torch.storage", "_load_from_bytes", b"U\x03abc\x85R."), b"\x80\x02X\x01\x00\x00\x00aQ.",
        raw("torch._utils", "_rebuild_tensor_v2", b"(NK\x00(J\xff\xff\xff\x7ft(K\x01tK\x00NtR."),
        raw("ganzoo_import.reader", "read"), b"\x80\x02\x82\x01.",
    ],
)  # fmt: skip
def test_bytes_that_are_no_file_of_tensors(data, tmp_path):
    for name in ("a.pkl", "a.pt", "a.safetensors"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(GanzooError) as refused:
            read(tmp_path / name)
        assert str(refused.value).count("\n") == 0


def test_numbers_inside_a_tensor_are_read_by_torchs_restricted_loader(tmp_path):
    inner = io.BytesIO()
    torch.save(Asks(exec, RUN), inner, _use_new_zipfile_serialization=False)
    hostile = Asks(torch.storage._load_from_bytes, inner.getvalue())
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"G": {"w": hostile}}))
    with pytest.raises(GanzooError, match="damaged, or no file of tensors"):
        read(tmp_path / "a.pkl")
    torch.save({"g": {"w": Asks(exec, RUN)}}, tmp_path / "a.pth")
    with pytest.raises(GanzooError, match="damaged, or no file of tensors"):
        read(tmp_path / "a.pth")
    assert "GANZOO_WAS_RUN" not in os.environ


def test_a_file_cannot_change_how_others_are_read():
    """BUILD sets attributes of whatever stands before it, also of what the reader itself offers."""
    with pytest.raises(TypeError):
        unpickled(raw("dnnlib.tflib.network", "Network", b"N}X\x03\x00\x00\x00newK\x01s\x86b."))
    unpickled(raw("torch.storage", "_load_from_bytes", b"N}X\x03\x00\x00\x00newK\x01s\x86b."))
    assert not hasattr(unpickled(raw("torch.storage", "_load_from_bytes")), "new")
    assert not hasattr(unpickled(raw("dnnlib.tflib.network", "Network")), "new")


def test_arrays_and_tensors_of_all_kinds():
    given = {
        "a": numpy.arange(6, dtype=">f4").reshape(2, 3), "b": numpy.asfortranarray(numpy.eye(3)[:2]),
        "c": torch.arange(4), "d": torch.ones(2, 3).T, "e": torch.ones(2, dtype=torch.float16), "f": numpy.float32(2),
    }  # fmt: skip
    for protocol in (2, 4):
        found = unpickled(pickle.dumps(given, protocol))
        assert numpy.array_equal(found["a"].value, given["a"])
        assert numpy.array_equal(found["b"].value, given["b"])
        assert all(torch.equal(found[name], given[name]) for name in "cde")
        assert found["f"] == 2


def test_a_file_of_torchs_may_hold_several_networks(tmp_path):
    torch.save({"g": {"w": torch.ones(2)}, "d": {"v": torch.zeros(3)}, "step": 5}, tmp_path / "a.pth")
    found = read(tmp_path / "a.pth")
    assert isinstance(found, Foreign)
    assert {name: list(network) for name, network in found.networks.items()} == {"g": ["w"], "d": ["v"]}
    torch.save({"w": torch.ones(2)}, tmp_path / "b.pth", _use_new_zipfile_serialization=False)
    assert list(read(tmp_path / "b.pth").networks[""]) == ["w"]
