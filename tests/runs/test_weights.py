"""Frozen networks: pretrained weights that are looked through, and never trained, averaged, saved or counted."""

from __future__ import annotations

import copy
import hashlib

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from support.install import forget_files
from tinyzoo.model import Config, TinyGAN
from torch import nn

import ganzoo
from ganzoo import GanzooError, UsageError
from ganzoo.api import DataSpec, Fetched, Frozen, Pretrained, Scheme
from ganzoo.cli.app import app
from ganzoo.contract.networks import generator_state, networks, parameter_counts, weightless
from ganzoo.loop.ema import EMA
from ganzoo.runs import weights as store

SPEC = DataSpec((3, 8, 8))


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(5)
    save_file(nn.Linear(2, 2).state_dict(), tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


def pretrained(file, address=""):
    return Pretrained("tiny-eye", address, hashlib.sha256(file.read_bytes()).hexdigest(), "MIT")


class Eyed(TinyGAN):
    """Looks through a frozen network that is a child of a child, too."""

    def __init__(self, config, data, weights=None):
        super().__init__(config, data)
        self.eye = Frozen(weights, lambda: nn.Linear(2, 2))


def eyed(weights):
    return Eyed(Config(), SPEC, weights)


def test_nothing_of_it_is_seen_by_what_holds_it(file):
    torch.manual_seed(0)
    plain = TinyGAN(Config(), SPEC)
    after = torch.rand(1)
    torch.manual_seed(0)
    model = eyed(pretrained(file))
    assert torch.equal(torch.rand(1), after)  # its first weights draw nothing from the run's stream
    assert set(model.state_dict()) == set(plain.state_dict())
    assert list(dict(model.named_parameters())) == list(dict(plain.named_parameters()))
    assert networks(model).keys() == {"G", "D"}
    assert parameter_counts(model) == parameter_counts(plain)
    assert generator_state(model).keys() == EMA(model, 1).tensors.keys() == generator_state(plain).keys()
    model.train()
    assert not model.eye.network.training
    weightless(lambda *_: eyed(pretrained(file)), Config(), SPEC)  # counting needs no weights
    assert model.to(torch.float64).eye.network.weight.dtype == torch.float64
    assert copy.deepcopy(model).eye.network.weight.shape == (2, 2)


def test_gradients_pass_through_it_to_its_inputs_only(file):
    model = eyed(pretrained(file))
    store.add("tiny-eye", file)
    store.load_frozen(model)
    inputs = torch.ones(1, 2, requires_grad=True)
    model.eye(inputs).sum().backward()
    assert inputs.grad is not None
    assert model.eye.network.weight.grad is None


def test_weights_added_by_hand_are_checked_by_hash(file, tmp_path):
    model = eyed(pretrained(file))
    with pytest.raises(UsageError, match="are not read yet"):
        model.eye(torch.ones(1, 2))
    with pytest.raises(UsageError, match="not on this machine; give them with `ganzoo weights add tiny-eye FILE`"):
        store.load_frozen(model)
    store.add("tinyeye", file)  # a name that nothing asks for
    with pytest.raises(UsageError, match=r"not on this machine \(added were: tinyeye\); give them"):
        store.load_frozen(model)
    store.remove("tinyeye")
    done = CliRunner().invoke(app, ["weights", "add", "tiny-eye", str(file)])
    assert done.exit_code == 0, done.output
    assert "tiny-eye" in CliRunner().invoke(app, ["weights", "list"]).output
    store.load_frozen(model)
    torch.manual_seed(5)
    assert torch.equal(model.eye.network.weight, nn.Linear(2, 2).weight)
    other = tmp_path / "other.safetensors"
    save_file(nn.Linear(2, 2).state_dict(), other)
    store.add("tiny-eye", other)
    with pytest.raises(GanzooError, match="its SHA-256 is another"):
        store.load_frozen(eyed(pretrained(file)))
    assert CliRunner().invoke(app, ["weights", "remove", "tiny-eye"]).exit_code == 0
    assert store.added() == []
    assert CliRunner().invoke(app, ["weights", "remove", "tiny-eye"]).exit_code == 2


def test_a_checkpoint_of_torch_is_read_without_running_anything(file, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("code of the file was run",))

    good, bad = tmp_path / "good.pth", tmp_path / "bad.pth"
    torch.save({"state_dict": nn.Linear(2, 2).state_dict()}, good)
    torch.save({"weight": Bomb()}, bad)
    assert store.read(good, "good").keys() == {"weight", "bias"}
    with pytest.raises(GanzooError, match="no file of tensors that is safe to read"):
        store.add("bad", bad)
    model = eyed(pretrained(good))
    store.add("tiny-eye", good)
    store.load_frozen(model)
    assert model.eye.ready


def test_an_address_is_fetched_once(file, monkeypatch):
    asked = []

    class Web(Scheme):
        def fetch(self, address, wanted, report):
            asked.append(address)
            return Fetched(path=file, address=address, title="tiny")

    monkeypatch.setattr(store, "scheme_of", lambda address, use: Web())
    weights = pretrained(file, "https://example.org/tiny.safetensors")
    store.load_frozen(eyed(weights))
    assert asked == [f"https://example.org/tiny.safetensors#sha256={weights.sha256}"]


def test_weights_of_another_network(file):
    frozen = Frozen(pretrained(file), lambda: nn.Linear(3, 2))
    store.add("tiny-eye", file)
    with pytest.raises(GanzooError, match="do not fit their network"):
        store.load_frozen(nn.ModuleList([frozen]))


def test_weights_with_other_names_are_said_by_one_of_them():
    frozen = Frozen(Pretrained("eye", "", "", "MIT"), lambda: nn.Sequential(*(nn.Linear(2, 2) for _ in range(50))))
    with pytest.raises(GanzooError, match=r"network: Missing key.*\"0\.weight\" and others; give others") as refused:
        frozen.load({"else": torch.zeros(1)})
    assert len(str(refused.value)) < 200


EYED = """
from ganzoo.api import ArchitectureCard, Frozen, Pretrained, hookimpl
from tinyzoo.model import TinyGAN
from torch import nn

@hookimpl
def ganzoo_architectures():
    yield ArchitectureCard(
        name="eyed", title="Eyed", year=2026, paper="none", summary="For the tests.", resolutions=(8,), licence="MIT",
        api=2, model="eyed_gan:Eyed",
    )

class Eyed(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.eye = Frozen(Pretrained("tiny-eye", "", "", "MIT"), lambda: nn.Linear(3, 2))
"""


def test_weights_that_do_not_fit_are_refused_before_there_is_a_folder(file, tmp_path):
    (tmp_path / "eyed_gan.py").write_text(EYED)
    store.add("tiny-eye", file)
    with pytest.raises(
        GanzooError, match=r"size mismatch for weight: .*; give others with `ganzoo weights add tiny-eye"
    ):
        ganzoo.train(str(tmp_path / "eyed_gan.py"), "tiny", steps=1, out=tmp_path / "run", device="cpu")
    forget_files()
    assert not (tmp_path / "run").exists()
