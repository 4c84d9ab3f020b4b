"""The checks of what is no architecture: each broken loss, penalty, data set, metric and recipe fails the one that says
why. Loggers are in `test_testing_plugins`, for they take an installed plugin.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from tinyzoo import faulty
from tinyzoo.data import Tiny

from ganzoo.api import DiffAugment
from ganzoo.catalogue.catalogue import KINDS, Entry, entries, find
from ganzoo.contract import cards
from ganzoo.contract.augmentation import AdaptiveAugmentation
from ganzoo.contract.metric import Scores
from ganzoo.contract.options import option
from ganzoo.errors import UsageError
from ganzoo.gan.losses import Hinge, NonSaturating, Wasserstein
from ganzoo.gan.penalties import R1, Drift
from ganzoo.testing import checks


def entry(kind: str, made: Any, **given: Any) -> Entry:
    _, card_type, field = KINDS[kind]
    said = {"name": "broken", "summary": "For the tests.", "api": cards.API, **given}
    if kind == "dataset":
        said.setdefault("origin", "of the tests")
    if field:
        said[field] = made
    return Entry(kind, card_type(**said), "broken", "ganzoo-broken", "1.0")


def outcomes(kind: str, made: Any, **given: Any) -> dict[str, tuple[str, str]]:
    """What comes of each check: the word and what it says."""
    found = {check.name: check.outcome() for check in checks(entry(kind, made, **given))}
    return {name: (outcome.word, outcome.message) for name, outcome in found.items()}


def failures(kind: str, made: Any, **given: Any) -> dict[str, str]:
    return {name: said for name, (word, said) in outcomes(kind, made, **given).items() if word == "failed"}


# ---- losses ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PerItem(Wasserstein):
    def generator(self, fake, real=None):
        return -fake.float()


@dataclass(frozen=True)
class Coarse(Wasserstein):
    def discriminator(self, real, fake):
        return fake.mean() - real.mean()


@dataclass(frozen=True)
class Overflowing(NonSaturating):
    def generator(self, fake, real=None):
        return -torch.log(torch.sigmoid(fake.float())).mean()


@dataclass(frozen=True)
class OneSided(Hinge):
    def discriminator(self, real, fake):
        return torch.relu(1 - real.float()).mean()


@dataclass(frozen=True)
class Detached(Hinge):
    def generator(self, fake, real=None):
        return -fake.detach().float().mean()


@dataclass(frozen=True)
class Reversed(Wasserstein):
    def generator(self, fake, real=None):
        return fake.float().mean()


@dataclass(frozen=True)
class Scored(Wasserstein):
    def score(self, logits):
        return logits.float().mean()


# ---- penalties -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NoGraph(R1):
    def __call__(self, judge, real, fake, d_real, d_fake):
        images = real.detach().requires_grad_()
        (slope,) = torch.autograd.grad(judge(images).sum(), images)
        return self.gamma * slope.float().square().sum() / len(real)


@dataclass(frozen=True)
class HalfGraph(R1):
    """What D says enters through the graph, how steeply it says it does not."""

    def __call__(self, judge, real, fake, d_real, d_fake):
        slope = super().__call__(judge, real, fake, d_real, d_fake)
        return slope.detach() + d_real.float().square().mean()


@dataclass(frozen=True)
class EachItem(Drift):
    def __call__(self, judge, real, fake, d_real, d_fake):
        return self.weight * d_real.float().square()


@dataclass(frozen=True)
class CoarseDrift(Drift):
    def __call__(self, judge, real, fake, d_real, d_fake):
        return self.weight * d_real.square().mean()


# ---- metrics ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mean:
    scale: float = option(1.0, "what it is multiplied by")

    def __call__(self, evidence):
        return {"mean": self.scale * float(evidence.fake.mean())}


@dataclass(frozen=True)
class Tensors(Mean):
    def __call__(self, evidence):
        return {"mean": evidence.fake.mean()}


@dataclass(frozen=True)
class NotANumber(Mean):
    def __call__(self, evidence):
        return {"mean": float("nan")}


@dataclass(frozen=True)
class Bare(Mean):
    def __call__(self, evidence):
        return 0.5


@dataclass(frozen=True)
class Empty(Mean):
    def __call__(self, evidence):
        return {}


@dataclass(frozen=True)
class Unwritable(Mean):
    def __call__(self, evidence):
        return Scores(super().__call__(evidence), judged=evidence.fake)


@dataclass(frozen=True)
class Random(Mean):
    def __call__(self, evidence):
        return {"mean": float(torch.rand(()))}


@dataclass(frozen=True)
class Destructive(Mean):
    def __call__(self, evidence):
        found = super().__call__(evidence)
        evidence.fake.zero_()
        return {"mean": 0.0 * found["mean"]}


@dataclass(frozen=True)
class Elsewhere(Mean):
    def __call__(self, evidence):
        raise UsageError("It is for the data set of another world.")


# ---- augmentations ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cropped:
    def __call__(self, images):
        return images[:, :, 1:]


@dataclass(frozen=True)
class Rounded:
    def __call__(self, images):
        return images.detach() / 2


@dataclass(frozen=True)
class OfTheBatch:
    def __call__(self, images):
        return images * torch.rand(len(images), 1, 1, 1).to(images.dtype)


@dataclass(frozen=True)
class Forgetful:
    def state(self):
        return _Forgetful(self)


class _Forgetful(AdaptiveAugmentation):
    seen = 0.0

    def forward(self, images):
        return images * (2 - self.strength).to(images.dtype)

    def observe(self, d_real):
        self.seen += float(d_real.mean())

    def begin_step(self, progress):
        self.strength.fill_(self.seen / 100)


@dataclass(frozen=True)
class Lonely:
    def state(self):
        return _Lonely(self)


class _Lonely(AdaptiveAugmentation):
    def __init__(self, options):
        super().__init__(options)
        self.register_buffer("sure", torch.zeros(()))

    def forward(self, images):
        return images * (2 - self.strength).to(images.dtype)

    def observe(self, d_real):
        self.sure.copy_(d_real.mean())

    def begin_step(self, progress):
        self.strength.copy_(self.sure)


BROKEN: list[tuple[str, Callable[..., Any], str, str]] = [
    ("loss", PerItem, "scalar", r"generator's loss of logits \[6\] in float32 has the shape \[6\]; give the mean"),
    ("loss", Coarse, "scalar", r"in bfloat16 is torch.bfloat16; begin with logits\.float\(\)"),
    ("loss", Scored, "scalar", r"score gives \[\] for logits \[6\]; keep it"),
    ("loss", Overflowing, "stays finite", r"D\(G\(z\)\) = -100.* as -softplus\(-x\)"),
    ("loss", OneSided, "players", r"discriminator's loss gives D\(G\(z\)\) no gradient; it must depend on it"),
    ("loss", Detached, "players", r"generator's loss gives D\(G\(z\)\) no gradient"),
    ("loss", Reversed, "signs", r"Minimising the generator's loss lowers D\(G\(z\)\); turn its sign"),
    ("penalty", EachItem, "scalar", r"images in float32 has the shape \[4\]; give the mean over the batch"),
    ("penalty", CoarseDrift, "scalar", r"in bfloat16 is torch.bfloat16; write \.float\(\)"),
    ("penalty", NoGraph, "second order", r"depends on no parameter of D.*create_graph=True"),
    ("penalty", HalfGraph, "second order", r"a part of the gradient is lost.*create_graph=True"),
    ("augmentation", Cropped, "shape", r"become \[4, 1, 15, 16\].*keep shape and type"),
    ("augmentation", Rounded, "differentiable", "No gradient goes back to images"),
    ("augmentation", OfTheBatch, "drawn by item", r"Half of the images.*draw by `ganzoo\.api\.rows`"),
    ("augmentation", Lonely, "strength", "Two processes remember different things, .*sure, .*mean_over_processes"),
    ("augmentation", Forgetful, "strength", "From a checkpoint it goes on otherwise; keep all that it remembers"),
    ("dataset", faulty.Floats, "items", r"read\(0\) has pixels of float64; give them as bytes"),
    ("dataset", faulty.Palettes, "items", r"read\(0\) is an image of mode P; convert it to L or RGB"),
    ("dataset", faulty.Lists, "items", r"read\(0\) is a list; give a PIL image or a numpy array"),
    ("dataset", faulty.Vectors, "items", r"is a vector of float64; give finite numbers, \.astype\(numpy\.float32\)"),
    ("dataset", faulty.Renamed, "deterministic", "Its fingerprint differs from one to the next"),
    ("dataset", faulty.ChannelsFirst, "items", r"has the shape \(3, 8, 8\).*the channels last"),
    ("dataset", faulty.Sizes, "items", r"several sizes, \[\(8, 8\), \(8, 20\)"),
    ("dataset", faulty.Misshapen, "items", r"shape is \(1, 8, 8\), and its first image is \(3, 8, 8\)"),
    ("dataset", faulty.Outside, "items", "domain B must have two or more numbers of items, below 48"),
    ("dataset", faulty.OffByOne, "labels", r"label\(1\) is 2, and there are 2 classes: give a number from 0 to 1"),
    ("dataset", faulty.Twins, "labels", "must be different names"),
    ("dataset", faulty.Halfway, "labels", r"label\(0\) is \(1, 0.5\), and there are 2 label_names: 0 or 1 for each"),
    ("dataset", faulty.Greyed, "domains", "domain_channels says 1 for A, and its first item has 3"),
    ("dataset", faulty.Grown, "domains", r"domain_sizes says \(16, 16\) for B, and its first item is \(8, 8\)"),
    ("dataset", faulty.Mismatched, "domains", r"partner gives an item of shape \(5, 5, 3\), and those of B have"),
    ("dataset", faulty.AllHeldOut, "domains", "leave some to train on"),
    (
        "dataset",
        faulty.Unseeded,
        "deterministic",
        r"another item when it is read again; draw it from numpy.*self\.seed, index",
    ),
    ("dataset", faulty.Ordered, "deterministic", "depends on what was read before"),
    ("dataset", faulty.Hashed, "deterministic", r"another item in another process.*leave out hash\(\)"),
    ("dataset", faulty.SeedLess, "seed", "Another seed gives the same items"),
    ("dataset", faulty.Anonymous, "seed", "Another seed has the same fingerprint"),
    ("metric", Tensors, "values", r"mean is a Tensor; give a plain number, float\(value\)"),
    ("metric", NotANumber, "values", r"mean is nan for noise \[8, 3, 32, 32\]; look for a division by 0"),
    ("metric", Empty, "values", r"It gives \{\}; give a number by name"),
    ("metric", Unwritable, "values", r"Its protocol is no JSON \(.*\); keep to numbers, texts and lists"),
    ("metric", Bare, "values", "It gives 0.5; give a number by name"),
    ("metric", Random, "deterministic", r"draw from a generator made of evidence\.seed"),
    ("metric", Destructive, "deterministic", "changes the images that it judges"),
]


@pytest.mark.parametrize(("kind", "cls", "check", "words"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_a_fault_is_found_by_one_check(kind, cls, check, words):
    found = failures(kind, cls)
    assert list(found) == [check], found
    assert re.search(words, found[check]), found[check]


@pytest.mark.parametrize(
    ("kind", "cls"),
    [("loss", Hinge), ("penalty", R1), ("augmentation", DiffAugment), ("dataset", Tiny), ("metric", Mean)],
    ids=lambda value: str(value),
)
def test_what_is_sound_passes(kind, cls):
    assert failures(kind, cls) == {}


@pytest.mark.parametrize("kind", ["loss", "penalty", "augmentation", "dataset", "metric"])
def test_every_kind_has_its_card_checked(kind):
    sound = {"loss": Hinge, "penalty": R1, "augmentation": DiffAugment, "dataset": Tiny, "metric": Mean}[kind]
    assert "The card says no summary" in failures(kind, sound, summary="")["card"]


def test_a_data_set_says_its_origin():
    assert "The card says no origin" in failures("dataset", Tiny, origin="")["card"]


def test_what_must_be_fetched_first_is_not_fetched():
    found = outcomes("dataset", faulty.Online)
    assert found["items"][0] == "skipped"
    assert "would need the network (data.invalid)" in found["items"][1]
    assert found["labels"][0] == "passed"


def test_a_metric_that_fits_nothing_here_is_skipped():
    word, said = outcomes("metric", Elsewhere)["values"]
    assert word == "skipped"
    assert said.endswith("It is for the data set of another world.")


def test_a_metric_is_judged_without_touching_the_users_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    assert failures("metric", Mean) == {}
    assert not (tmp_path / "home").exists()


RECIPES = {
    "an unknown architecture": ({"architecture": "tinygam"}, "There is no architecture 'tinygam'"),
    "an unknown data set": ({"data": "tinny"}, "There is no data set 'tinny'"),
    "an unknown preset": ({"preset": "wider"}, "has no preset 'wider'; did you mean wide"),
    "an unknown option": ({"options": {"whidth": 3}}, "has no option --whidth"),
    "a value out of range": ({"options": {"width": 0}}, "--width 0 is too small"),
    "a stage without a length": ({"stages": ({"lr": 1e-3},)}, "Say how far a stage goes, by one of --epochs"),
    "a stage of another width": ({"stages": ({"steps": 1}, {"steps": 1, "width": 8})}, "Stage 2 changes the networks'"),
    "a size that it cannot do": ({"options": {"resolution": 9}}, "sides must be even"),
    "labels for one that learns them all": (
        {"architecture": "cgan", "data": "digits", "preset": "small", "per_class": True},
        "learns all labels in one model",
    ),
}


@pytest.mark.parametrize(("given", "words"), RECIPES.values(), ids=RECIPES)
def test_a_recipe_that_could_not_begin(given, words, monkeypatch):
    said = {
        "name": "wrong",
        "summary": "For the tests.",
        "architecture": "tinygan",
        "data": "tiny",
        "api": cards.API,
        **given,
    }
    made = Entry("recipe", cards.RecipeCard(**said), "tiny", "ganzoo-tiny", "1.0")
    monkeypatch.setattr(
        "ganzoo.plan.recipe.find", lambda kind, *words, real=find: made if kind == "recipe" else real(kind, *words)
    )
    (found,) = [check.outcome() for check in checks(made) if check.name == "plans"]
    assert found.word == "failed"
    assert "The run it describes could not begin: " in found.message
    assert words in found.message


def test_every_recipe_here_could_begin():
    made = [check for entry in entries("recipe") for check in checks(entry.full_name) if check.name == "plans"]
    assert {check.thing for check in made} >= {"ganzoo:report-anime", "ganzoo:report-digits-each"}
