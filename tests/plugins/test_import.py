"""`ganzoo import`: files in the structure of others, the numbers of their code, and files that want more."""

from __future__ import annotations

import codecs
import io
import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict

import numpy
import pytest
import torch
from click.testing import CliRunner
from ganzoo_import.reader import read, unpickled
from ganzoo_stylegan import official as official_stylegan
from support.golden_numbers import near, stored, weights
from torch import nn

import ganzoo
from ganzoo.api import DataSpec, Foreign, GanzooError, load_tensors, save_imported, upsample
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
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
    assert (said.exit_code, said.stdout) == (0, "official.pkl is now the model ours.safetensors\n")
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


def test_few_bytes_do_not_take_much_memory(tmp_path):
    far = raw("numpy", "dtype", b"r\xff\xff\xff\x00.")  # noted at place 16,777,215, for 268 MB of places
    shared = torch.ones(500)._typed_storage()
    views = {"G": [Asks(torch._utils._rebuild_tensor_v2, shared, 0, (500,), (1,), False, {}) for _ in range(20)]}
    text = "x" * 5000
    texts = {"G": [Asks(codecs.encode, text, "latin1") for _ in range(20)]}
    for data in (far, pickle.dumps(views, 2), pickle.dumps(texts, 2)):
        (tmp_path / "a.pkl").write_bytes(data)
        with pytest.raises(GanzooError, match=r"written as no pickle is|its tensors are larger than the file"):
            read(tmp_path / "a.pkl")


STRANGE = {
    "meta": torch.ones(2, device="meta"), "sparse": torch.ones(2).to_sparse(), "complex": torch.ones(2) * 1j,
    "repeated": torch.ones(1, dtype=torch.float64).expand(10**6, 10**6, 100),
    "small": torch.ones(2).to(torch.float8_e4m3fn),
}  # fmt: skip


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.filterwarnings("ignore")  # torch's own about those kinds
def test_tensors_of_kinds_that_no_weights_are(kind, tmp_path):
    for found in ({"w": STRANGE[kind]}, {"G": {"w": STRANGE[kind]}}, {"G": [STRANGE[kind]]}):
        torch.save(found, tmp_path / "a.pth")
        with pytest.raises(GanzooError, match=r"tensor of another kind than plain|larger than its numbers|damaged"):
            read(tmp_path / "a.pth")


def test_weights_that_are_not_finite_are_no_model(tmp_path):
    found = {name: value.float() for name, value in weights(stored("pix2pix_g")).items()}
    next(iter(found.values())).fill_(torch.nan)
    torch.save(found, tmp_path / "latest_net_G.pth")
    said = cli("import", tmp_path / "latest_net_G.pth", "--as", "pix2pix", "-o", tmp_path / "a.safetensors")
    assert "has numbers that are not finite; the file is damaged" in said.stderr
    assert not (tmp_path / "a.safetensors").exists()


def test_a_packed_archive_is_refused(tmp_path):
    torch.save({"G": {"w": torch.zeros(100_000)}}, plain := io.BytesIO())
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in given.namelist():
            packed.writestr(name, given.read(name))
    with pytest.raises(GanzooError, match="it is packed, as no file of torch's is"):
        read(tmp_path / "a.pt")


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


# ---- weights of other code, by names of its own ----------------------------------------------------------------------


def test_cuts_files_give_the_authors_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numbers = stored("cut")
    for net in ("G", "F"):
        found = {key.removeprefix(f"{net}/"): value.float() for key, value in weights(numbers).items() if key[0] == net}
        torch.save(found | ({"model.7.filt": torch.ones(8, 1, 3, 3)} if net == "G" else {}), f"latest_net_{net}.pth")
    torch.save({key: value.float() for key, value in weights(stored("cut_d")).items()}, "latest_net_D.pth")
    files = [f"latest_net_{net}.pth" for net in "GFD"]
    said = cli("import", *files, "--as", "cut", "-o", "a.safetensors")
    assert said.exit_code == 0, said.stderr
    model = ganzoo.load("a.safetensors", device="cpu")
    images = model.architecture.translate(numbers["input/real_a"].float(), "B")
    assert near(images.double(), numbers["output/out"], FLOAT32)
    tensors = load_tensors(tmp_path / "a.safetensors")[0]
    assert torch.equal(tensors["F.mlp_0.0.weight"].double(), numbers["weights/F/mlp_0.0.weight"])
    assert any(name.startswith("D.B.model.") for name in tensors)
    refused = cli("import", files[2], "--as", "cut", "-o", "b.safetensors")
    assert "no generator of CUT's in these files, which begins with latest_net_G.pth" in refused.stderr


def test_transgans_checkpoint_gives_the_authors_images(tmp_path):
    numbers = stored("transgan_g")
    state = {f"module.{key}": value.float() for key, value in weights(numbers).items()}
    index = {"module.blocks.block.0.attn.relative_position_index": torch.zeros(64, 64, dtype=torch.int64)}
    torch.save({"epoch": 3, "gen_state_dict": {}, "avg_gen_state_dict": state | index}, tmp_path / "checkpoint.pth")
    said = cli("import", tmp_path / "checkpoint.pth", "--as", "transgan", "-o", tmp_path / "a.safetensors")
    assert said.exit_code == 0, said.stderr
    model = ganzoo.load(tmp_path / "a.safetensors", device="cpu")
    assert near(model.architecture.generate(numbers["input/z"].float()).double(), numbers["output/out"], FLOAT32)
    assert model.sample(2).shape == (2, 3, 32, 32)
    torch.save({"avg_gen_state_dict": {"l1.weight": torch.ones(2, 2)}}, tmp_path / "less.pth")
    refused = cli("import", tmp_path / "less.pth", "--as", "transgan", "-o", tmp_path / "b.safetensors")
    assert "There is no generator of TransGAN's in this file" in refused.stderr


@pytest.mark.parametrize(("side", "averaged"), [(64, True), (64, False), (256, True)])
def test_fastgans_checkpoint(side, averaged, tmp_path):
    """Names are those of the golden networks; the average is a list in the order of G's parameters."""
    torch.manual_seed(0)
    FastGAN = load_architecture(find("architecture", "fastgan"))
    model = FastGAN(FastGAN.Config(width_g=4, width_d=4, latent_dim=8), DataSpec((3, side, side))).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.5, 0.2)

    def theirs(network):
        found = {}
        for name, value in network.state_dict().items():
            name = name.replace("to_small.", "to_128.") if network is model.G else name
            name = f"init.{name}" if name.startswith("init.") else name
            for ours, old in (("original", "weight_orig"), ("0.u", "weight_u"), ("0.v", "weight_v")):
                name = name.replace(f"parametrizations.weight.{ours}", old)
            found[f"module.{name}"] = value
        return found

    g, learned = theirs(model.G), {id(each) for each in model.G.parameters()}
    average = [each for name, each in model.G.state_dict(keep_vars=True).items() if id(each) in learned]
    if averaged:
        g = {name: value + 1 if value.dtype.is_floating_point else value for name, value in g.items()}
        g |= {name: value for name, value in theirs(model.G).items() if name.endswith(("weight_u", "mean", "var"))}
    file = {"g": g, "d": theirs(model.D), "g_ema": [each.detach() for each in average] if averaged else None}
    torch.save(file, tmp_path / "all_50000.pth")
    said = cli("import", tmp_path / "all_50000.pth", "--as", "fastgan", "-o", tmp_path / "a.safetensors")
    assert said.exit_code == 0, said.stderr
    found, z = ganzoo.load(tmp_path / "a.safetensors", device="cpu"), torch.randn(2, 8)
    assert near(found.architecture.generate(z), model.generate(z), FLOAT32)
    assert torch.equal(load_tensors(tmp_path / "a.safetensors")[0]["D.rf_small.parametrizations.weight.original"],
                       model.D.state_dict()["rf_small.parametrizations.weight.original"])  # fmt: skip


# ---- pickles of TensorFlow's time ------------------------------------------------------------------------------------


@pytest.fixture
def tensorflow(monkeypatch):
    """Writes (G, D, Gs) as NVIDIA's TensorFlow code pickles them: variables by name, parts within."""
    tflib, util = types.ModuleType("dnnlib.tflib.network"), types.ModuleType("dnnlib.util")

    class Network:
        def __init__(self, variables, **components):
            self.given = {"version": 4, "name": "G", "static_kwargs": EasyDict(func_name="x", resolution=16)}
            self.given |= {"build_module_src": "raise AssertionError", "build_func_name": "f", "components": components}
            self.given["variables"] = [(name, value.numpy()) for name, value in variables.items()]

        def __getstate__(self):
            return self.given

    Network.__module__, Network.__qualname__ = "dnnlib.tflib.network", "Network"
    EasyDict = type("EasyDict", (dict,), {"__module__": "dnnlib.util", "__qualname__": "EasyDict"})
    tflib.Network, util.EasyDict = Network, EasyDict
    for name, module in (("dnnlib.tflib.network", tflib), ("dnnlib.util", util)):
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("dnnlib", "dnnlib.tflib"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))

    def write(file, mapping, synthesis, D, **own):
        def G():
            return Network(own, mapping=Network(mapping), synthesis=Network(synthesis))

        file.write_bytes(pickle.dumps((G(), Network(D), G()), protocol=4))
        return file

    return write


def outputs_last(value):
    """In TensorFlow's order of axes."""
    value = value.float()
    return (value.permute(2, 3, 1, 0) if value.dim() == 4 else value.T if value.dim() == 2 else value).contiguous()


def test_a_pickle_of_the_first_stylegan_gives_the_released_codes_images(tensorflow, tmp_path):
    numbers = stored("stylegan_g")
    parts = {"mapping": {}, "synthesis": {"lod": torch.tensor(0.0)}}
    for key, value in weights(numbers).items():
        part, _, name = key.partition("/")
        parts[part][name] = value.float() if name.endswith("const") else outputs_last(value)
    d = {key: outputs_last(value) for key, value in weights(stored("stylegan_d")).items()}
    file = tensorflow(tmp_path / "karras2019.pkl", **parts, D=d, dlatent_avg=numbers["input/w_avg"].float())
    said = cli("import", file, "--as", "stylegan", "--licence", "CC-BY-NC-4.0", "-o", tmp_path / "a.safetensors")
    assert said.exit_code == 0, said.stderr
    model = ganzoo.load(tmp_path / "a.safetensors", device="cpu")
    w = model.architecture.mapping(numbers["input/z1"].float())
    assert near(w.double(), numbers["output/w1"], FLOAT32)
    noise = [numbers[f"input/noise{i}"].float() for i in range(6)]
    assert near(model.architecture.G.synthesis(w, noise).double(), numbers["output/level16"], FLOAT32)
    assert near(model.architecture.G.w_mean.double(), numbers["input/w_avg"], 1e-7)
    assert model.sample(2, truncation=0.7).shape == (2, 3, 16, 16)
    tensors, facts = load_tensors(tmp_path / "a.safetensors")
    assert facts["also"] == ["D"]
    z = model.noise(2)
    assert model.mix(z, z).shape == (2, 2, 3, 16, 16)
    assert model.architecture.config.fmap_base == 32
    StyleGAN = load_architecture(find("architecture", "stylegan"))
    D = StyleGAN(model.architecture.config, DataSpec((3, 16, 16))).D
    D.load_state_dict({name[2:]: value for name, value in tensors.items() if name.startswith("D.")})
    images = stored("stylegan_d")
    assert near(D(images["input/images16"].float()).double(), images["output/level16"].flatten(), FLOAT32)


def test_kernels_that_enlarge_are_turned_from_128_on():
    """Their fused convolution, a transposed one with the kernel spread over 4×4, is ours with it turned."""
    torch.manual_seed(0)
    kernel, x = torch.randn(3, 3, 2, 5), torch.randn(1, 2, 8, 8)  # [k, k, I, O]
    spread = nn.functional.pad(kernel.permute(2, 3, 0, 1), (1, 1, 1, 1))
    spread = spread[..., 1:, 1:] + spread[..., :-1, 1:] + spread[..., 1:, :-1] + spread[..., :-1, :-1]
    fused = nn.functional.conv_transpose2d(x, spread, stride=2, padding=1)
    ours = nn.functional.conv2d(upsample(x), official_stylegan.outputs_first(kernel).flip(2, 3), padding=1)
    assert torch.allclose(fused, ours, atol=1e-4)
    sides = [4, 8, 16, 32, 64, 128]
    given = {f"{side}x{side}/Conv0_up/weight": kernel for side in sides[1:]} | {
        "4x4/Const/const": torch.ones(1, 2, 4, 4)
    }
    found = official_stylegan._generator(given, sides)
    for i, side in enumerate(sides[1:], 1):
        expected = official_stylegan.outputs_first(kernel)
        assert torch.equal(
            found[f"layers.{2 * i}.convolution.0.weight"], expected.flip(2, 3) if side > 64 else expected
        )


def test_a_pickle_of_the_first_stylegan2_gives_the_later_codes_images(tensorflow, tmp_path):
    """Their up-convolutions hold the kernel turned, and the styles' biases are stored less 1."""
    numbers, names = stored("stylegan2_g"), {"conv0": "Conv0_up", "conv1": "Conv1", "torgb": "ToRGB"}
    mapping, synthesis, own = {}, {}, {}
    for key, value in weights(numbers).items():
        value, (kind, *path) = value.float(), key.split(".")
        if key == "mapping.w_avg":
            own["dlatent_avg"] = value
        elif kind == "mapping":
            mapping[f"Dense{path[0][2:]}/{path[1]}"] = outputs_last(value)
        elif path[1] == "const":
            synthesis["4x4/Const/const"] = value[None]
        else:
            side, layer, part = path[0][1:], path[1], "_".join(path[2:])
            name = "Conv" if (side, layer) == ("4", "conv1") else names[layer]
            if part == "noise_const":
                level = int(side).bit_length() - 3
                synthesis[f"noise{2 * level - (layer == 'conv0')}"] = value[None, None]
                continue
            value = value.flip(2, 3) if (layer, part) == ("conv0", "weight") else value
            value = value - 1 if part == "affine_bias" else value
            part = part.replace("affine", "mod")
            synthesis[f"{side}x{side}/{name}/{part}"] = outputs_last(value)
    d, theirs = {}, {"fromrgb": "FromRGB", "conv0": "Conv0", "conv1": "Conv1_down", "skip": "Skip", "conv": "Conv"}
    for key, value in weights(stored("stylegan2_d_resnet")).items():
        side, layer, part = key.split(".")
        name = f"{side[1:]}x{side[1:]}/{theirs.get(layer, 'Dense0')}" if layer != "out" else "Output"
        d[f"{name}/{part}"] = outputs_last(value)
    file = tensorflow(tmp_path / "stylegan2-ffhq.pkl", mapping, synthesis, d, **own)
    said = cli("import", file, "--as", "stylegan2", "-o", tmp_path / "a.safetensors")
    assert said.exit_code == 0, said.stderr
    model = ganzoo.load(tmp_path / "a.safetensors", device="cpu")
    images = model.architecture.generate(numbers["input/z1"].float())
    assert near(images.double(), numbers["output/const"], FLOAT32)
    tensors, facts = load_tensors(tmp_path / "a.safetensors")
    assert facts["also"] == ["D"]
    assert near(tensors["D.fc.weight"].double(), stored("stylegan2_d_resnet")["weights/b4.fc.weight"], 1e-7)


def test_what_is_no_stylegan(tensorflow, tmp_path):
    file = tensorflow(tmp_path / "other.pkl", {"Dense0/weight": torch.ones(2, 2)}, {"x": torch.ones(2)}, {})
    for name, word in (("stylegan", "StyleGAN"), ("stylegan2", "StyleGAN2"), ("fastgan", "FastGAN's")):
        refused = cli("import", file, "--as", name, "-o", tmp_path / "a.safetensors")
        assert f"There is no generator of {word} in this file" in refused.stderr
    assert not (tmp_path / "a.safetensors").exists()


@pytest.mark.parametrize(
    ("mapping", "synthesis", "D"),
    [
        ({"Dense0/weight": torch.ones(2)}, {"4x4/Const/StyleMod/weight": torch.ones(2)}, {}),
        (
            {"Dense0/weight": torch.ones(4, 4)},
            {"4x4/Const/const": torch.ones(()), "4x4/Conv/mod_weight": torch.ones(2)},
            {},
        ),
        ({}, {"9999999999x9/Conv1/weight": torch.ones(1, 1, 1, 1)}, {"4x4/Dense1/weight": torch.ones(1)}),
    ],
)
@pytest.mark.parametrize("name", ["stylegan", "stylegan2"])
def test_tensors_of_strange_shapes(name, mapping, synthesis, D, tensorflow, tmp_path):
    synthesis = {"4x4/Conv/weight": torch.ones(2), "lod": torch.ones(()), **synthesis}
    file = tensorflow(tmp_path / "odd.pkl", mapping, synthesis, D)
    refused = cli("import", file, "--as", name, "-o", tmp_path / "a.safetensors")
    assert refused.exit_code in (1, 2)
    assert refused.stderr.count("\n") == 1
    assert "choose another --as" in refused.stderr
    assert not (tmp_path / "a.safetensors").exists()


@pytest.mark.parametrize("what", ["cycle", "number", "pairs"])
def test_a_network_of_tensorflow_that_is_none(what, tensorflow, tmp_path):
    Network = sys.modules["dnnlib.tflib.network"].Network
    odd = Network({})
    if what == "cycle":
        odd.given["components"] = {"mapping": odd}
    elif what == "number":
        odd.given["components"] = 7
    else:
        odd.given["variables"] = [1, ("a",), "bc"]
    (tmp_path / "odd.pkl").write_bytes(pickle.dumps((odd, odd, odd), protocol=4))
    refused = cli("import", tmp_path / "odd.pkl", "--as", "stylegan", "-o", tmp_path / "a.safetensors")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)


def test_an_architecture_that_there_is_not_is_refused_before_the_file_is_read(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"no pickle")
    for name, words in (("nope", "There is no architecture 'nope'"), ("dcgan", "takes no weights from elsewhere")):
        assert words in cli("import", tmp_path / "a.pkl", "--as", name).stderr


def test_what_is_ganzoos_already(tmp_path, train):
    run = train("run", steps=1)
    for source, kind in ((run.path, "run"), (run.model_file, "model")):
        refused = cli("import", source, "--as", "stylegan2", "-o", tmp_path / "a.safetensors")
        assert refused.exit_code == 2
        assert f"{source} is a {kind} of ganzoo's, and needs no import; `ganzoo sample {source}`" in refused.stderr
