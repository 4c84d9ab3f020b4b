"""The checks of `ganzoo.testing` find what they are for: each broken architecture fails the one check that says why."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from tinyzoo.conditions import TinyAttributes, TinyDoubles, TinyPairs
from tinyzoo.model import Config, Discriminator, FaultyGAN, TinyGAN
from torch import nn

from ganzoo.api import (
    Abilities,
    Architecture,
    ArchitectureCard,
    DataSpec,
    GanzooError,
    TrainingState,
    TwoDomains,
    TwoDomainsConfig,
    Update,
    UsageError,
    make_loss,
    mean_over_processes,
    option,
    rows,
    spectral_norm,
)
from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.architecture import check_judges
from ganzoo.testing import CheckFailed, ExpectedFailure, checks
from ganzoo.testing.architecture.simulated_processes import Lockstep


def entry(cls: Any, **given: Any) -> Entry:
    card = {
        "name": "broken", "title": "Broken", "year": 2000, "paper": "none", "summary": "For the tests.",
        "resolutions": (8,), "channels": (3,), "licence": "MIT", "api": 2, "model": cls,
    }  # fmt: skip
    return Entry("architecture", ArchitectureCard(**{**card, **given}), "broken", "ganzoo-broken", "1.0")


def failures(cls: Any, slow: bool = False, **given: Any) -> dict[str, str]:
    """The checks that fail, by name, with what they say; the slow one, "exports", only if asked."""
    found = {check: check.outcome() for check in checks(entry(cls, **given)) if slow or check.name != "exports"}
    return {check.name: outcome.message for check, outcome in found.items() if outcome.word == "failed"}


# ---- what is wrong with each -----------------------------------------------------------------------------------------


class Idle(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.G.idle = nn.Linear(3, 3)


class Excused(Idle):
    untrained: ClassVar = {"G.idle.": "for the tests"}


class Failing(TinyGAN):
    def step(self, batches, progress):
        yield from super().step(batches, progress)
        if progress.fraction > 0.5:
            raise ValueError("no luck")


class Meddling(TinyGAN):
    def step(self, batches, progress):
        torch.autograd.backward(0 * self.G.up.weight.sum())
        yield from super().step(batches, progress)


class Sharing(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.D.eyes = self.G.up  # and never uses them


class Straying(TinyGAN):
    """torch's own spectral norm moves D's vectors in G's turn too."""

    def __init__(self, config, data):
        super().__init__(config, data)
        nn.utils.parametrizations.spectral_norm(self.D.down)


class StrayingOnPurpose(Straying):
    any_turn: ClassVar = {"D.down.": "for the tests"}


class Keeping(TinyGAN):
    """Ours move in D's turn alone."""

    def __init__(self, config, data):
        super().__init__(config, data)
        spectral_norm(self.D.get_submodule("down"))
        self.D.norm = nn.BatchNorm2d(config.width)
        self.D.down = nn.Sequential(self.D.down, self.D.norm)


class Flat(TinyGAN):
    """Its penalty on the gradient has none of its own."""

    def step(self, batches, progress):
        for update in super().step(batches, progress):
            if update.names == ("D",):
                images = torch.zeros(2, *self.data.shape).requires_grad_()
                (gradient,) = torch.autograd.grad(self.D(images).sum(), images)
                update.terms["slope"] = gradient.square().sum()
            yield update


class OnlyOnce(TinyGAN):
    """Its D has no second derivative, and says so."""

    def discriminate(self, images, label=None):
        tokens = images.flatten(2)[:, None]  # [B, 1, 3, 64]
        seen = nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)
        return self.D(seen.reshape(images.shape))


class Linear(TinyGAN):
    """Its D loses its second derivative without a word, as a compiled one may."""

    def discriminate(self, images, label=None):
        logits = self.D(images.detach())
        return logits + (images - images.detach()).flatten(1).sum(1)


class Lenient(TinyGAN):
    """It takes --penalty, and leaves it out."""

    def step(self, batches, progress):
        for update in super().step(batches, progress):
            update.terms = {name: term for name, term in update.terms.items() if name != "r1"}
            yield update


class Hasty(TinyGAN):
    """It takes --penalty, and leaves out what comes only now and then."""

    def step(self, batches, progress):
        yield from (update for update in super().step(batches, progress) if not update.name)


class Whole(TinyGAN):
    """Its D names a last layer, which a turn of its own does not split."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.D.last_layer = "dense"

    def critic_turn(self, real, fake, label, turn):
        d_real, d_fake = self.discriminate(real), self.discriminate(fake)
        terms = {"adversarial": self.loss.discriminator(d_real, d_fake)}
        critic = self.discriminate
        terms |= self.penalties.terms(critic, real, fake, d_real, d_fake)
        yield Update("D", terms, {"D(x)": self.mean_score(d_real)})
        yield from self.penalties.lazy_turn(turn, "D", {"": (critic, real, fake)})


class Sighted(TinyGAN):
    """Its D sees more than the items."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.D = Discriminator(config, DataSpec((2 * data.shape[0], *data.shape[1:])))

    def discriminate(self, images, label=None):
        return self.D(torch.cat([images, images], 1))

    realness = discriminate


class Listed(TinyGAN):
    abilities: ClassVar = {"generate": True}


class Level(TinyGAN):
    """Is built for anything, and takes images alone."""

    def __init__(self, config, data):
        pictures = data if data.is_image else DataSpec((3, 8, 8))
        super().__init__(config, pictures)
        self.data = data


class OldNamed(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.latents = config.latent_dim

    def verdict(self, items):
        return super().realness(items)


class Uncompared(TinyGAN):
    def generator_turn(self, real, label, *rest):
        for update in super().generator_turn(real, label, *rest):
            fake = self.generate(self.noise(len(real)), label)
            yield Update("G", {"adversarial": self.loss.generator(self.D(fake))}, update.watch)


class Restless(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        generator = torch.Generator()
        generator.seed()
        nn.init.normal_(self.G.dense.weight, generator=generator)


class Stubborn(TinyGAN):
    def __init__(self, config, data):
        torch.manual_seed(0)
        super().__init__(config, data)


class Noisy(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        images = super().generate(z, label, truncation)
        return images if self.training else images + 0.1 * torch.randn(z.shape[0], 1, 1, 1)


class Centred(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        images = super().generate(z, label, truncation)
        return images if self.training else images - images.mean(0, keepdim=True)


class Odd(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        images = super().generate(z, label, truncation)
        return images if self.training else images[:, :, :7]


class Double(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        images = super().generate(z, label, truncation)
        return images if self.training else images.double()


class Infinite(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        images = super().generate(z, label, truncation)
        return images if self.training else images / 0


class Counter(TrainingState):
    def __init__(self, persistent):
        super().__init__()
        self.register_buffer("count", torch.zeros(1), persistent=persistent)


class Losing(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.counter = Counter(persistent=False)


class Growing(TinyGAN):
    """A buffer of it gets longer with every step."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.counter = Counter(persistent=True)

    def step(self, batches, progress):
        yield from super().step(batches, progress)
        self.counter.count = torch.zeros(len(self.counter.count) + 1)


class Poisoned(Losing):
    """A number that nothing learns from is not finite."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.counter = Counter(persistent=True)

    def step(self, batches, progress):
        yield from super().step(batches, progress)
        self.counter.count.fill_(torch.inf)


class Forgetful(TinyGAN):
    """Its rate follows a counter that no checkpoint has."""

    moves = 0

    def step(self, batches, progress):
        self.moves += 1
        for update in super().step(batches, progress):
            update.terms = {name: term * self.moves for name, term in update.terms.items()}
            yield update


class Fading(TinyGAN):
    """What it samples depends on how long this very object was trained."""

    moves = 0

    def step(self, batches, progress):
        self.moves += 1
        yield from super().step(batches, progress)

    def generate(self, z, label=None, truncation=1.0):
        images = super().generate(z, label, truncation)
        return images if self.training else images / (1 + self.moves)


class Coarse(TinyGAN):
    def step(self, batches, progress):
        for update in super().step(batches, progress):
            if update.names == ("D",):
                update.terms["size"] = self.D(next(batches).images).square().mean()
            yield update


class Typed(TinyGAN):
    """It adds float32 and bfloat16 where torch does not."""

    def discriminate(self, images, label=None):
        logits = self.D(images)
        return torch.zeros(len(logits)).index_add(0, torch.arange(len(logits)), logits)


class Flooded(TinyGAN):
    def discriminate(self, images, label=None):
        logits = self.D(images)
        return logits / 0 if logits.dtype == torch.bfloat16 else logits


class Retyped(Growing):
    def step(self, batches, progress):
        yield from TinyGAN.step(self, batches, progress)
        if torch.is_autocast_enabled("cpu"):
            self.counter.count = self.counter.count.bfloat16()


class Alike(TinyGAN):
    """Every process draws the same noise."""

    def noise(self, count):
        return torch.randn(count, self.latent_dim)


class Measuring(TinyGAN):
    """What it measures on the batch, it measures on this process's part."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.counter = Counter(persistent=True)

    def step(self, batches, progress):
        for update in super().step(batches, progress):
            yield update
            self.counter.count.fill_(self.shared(next(batches).images.mean()))

    def shared(self, value):
        return value


class MeasuringTogether(Measuring):
    def shared(self, value):
        return mean_over_processes(value.clone())


class Fixed(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        return super().generate(z, label, truncation).expand(len(z), -1, -1, -1)


class Deaf(TinyGAN):
    abilities = replace(TinyGAN.abilities, labels=frozenset({"class"}))

    def __init__(self, config, data):
        super().__init__(config, data)
        for network in (self.G, self.D):
            forward = network.forward
            network.forward = lambda items, label=None, forward=forward: forward(items)

    def generate(self, z, label=None, truncation=1.0):
        return self.G(z)

    def discriminate(self, images, label=None):
        return self.D(images)


class Misstyled(TinyGAN):
    abilities = replace(TinyGAN.abilities, styles=True)

    def mapping(self, z, label=None):
        return 2 * z

    def synthesis(self, w):
        return self.G(w)


class Picky(TinyGAN):
    def __init__(self, config, data):
        if data.channels != 3:
            raise UsageError("broken makes colour images only.")
        super().__init__(config, data)


class Latentless(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.latent_dim = None

    def noise(self, count):
        return rows((count, self.config.latent_dim), torch.randn, self.device)


class Cutting(TinyGAN):
    abilities = replace(TinyGAN.abilities, truncation=True)

    def generate(self, z, label=None, truncation=1.0):
        images = super().generate(z, label)
        return images if truncation == 1 else images[:1]


class Preset(TinyGAN):
    presets: ClassVar = {"wrong": {"resolution": 7}}


class Summary(TinyGAN):
    presets: ClassVar = {"wide": {"width": 8}}
    preset_summaries: ClassVar = {"wider": "Twice the width."}


class Undecided(TinyGAN):
    generators: ClassVar = ("H",)


@dataclass(frozen=True)
class UpgradedConfig(Config):
    """`width` was called `size` in 0.1 and counted in fours; `momentum` is gone."""

    previous: ClassVar = {"0.1": {"size": 1, "momentum": 0.5}, "0.2": {"width": 4}}

    @staticmethod
    def upgrade(options, version):
        options.pop("momentum", None)
        if "size" in options:
            options["width"] = 4 * options.pop("size")
        return options


class Upgraded(TinyGAN):
    Config = UpgradedConfig


@dataclass(frozen=True)
class HalfUpgradedConfig(UpgradedConfig):
    @staticmethod
    def upgrade(options, version):
        return {name: value for name, value in options.items() if name != "size"}


class HalfUpgraded(TinyGAN):
    Config = HalfUpgradedConfig


@dataclass(frozen=True)
class RestlessConfig(UpgradedConfig):
    @staticmethod
    def upgrade(options, version):
        options = UpgradedConfig.upgrade(options, version)
        return {**options, "width": 2 * options["width"]}


class UpgradedTwice(TinyGAN):
    Config = RestlessConfig


@dataclass(frozen=True)
class UntriedConfig(UpgradedConfig):
    previous: ClassVar = {}


class Untried(TinyGAN):
    Config = UntriedConfig


@dataclass(frozen=True)
class MisnamedConfig(Config):
    seed: int = option(0, "an option of the trainer's")


class Misnamed(TinyGAN):
    Config = MisnamedConfig


CONDITIONAL = {"tasks": {"conditional"}}


@dataclass(frozen=True)
class UnreadConfig(TinyGAN.Config):
    unread: float = option(1.0, "nobody asks for it", low=0)


class Deafened(TinyGAN):
    Config = UnreadConfig


class Wordless(TinyGAN):
    """Its D wants another argument."""

    def __init__(self, config, data):
        super().__init__(config, data)
        forward = self.D.forward
        self.D.forward = lambda images, temperature: forward(images) * temperature

    def _logits(self, images, label):
        return self.D(images, 1.0)


class Lossless(TinyGAN):
    """Its loss has no score."""

    def __init__(self, config, data):
        super().__init__(config, data)
        whole = self.loss
        compares = getattr(whole, "compares", False)
        self.loss = SimpleNamespace(discriminator=whole.discriminator, generator=whole.generator, compares=compares)

    def mean_score(self, logits):
        return logits.detach().mean()

    def realness(self, images, label=None):
        return self.D(images)


class Misexcused(Deafened):
    idle: ClassVar = {"unread": "it is a test", "unredd": "misspelt"}


BROKEN: list[tuple[Any, dict[str, Any], str, str]] = [
    (TinyGAN, CONDITIONAL, "card", "let its abilities say labels"),
    (TinyGAN, {"tasks": {"unconditional", "singing"}}, "card", "names the task singing"),
    (TinyGAN, {"tasks": set()}, "card", "names no task; there are unconditional, conditional, translation"),
    (TinyGAN, {"tasks": {"translation"}}, "card", r"promises translation; define translate\(images, to\)"),
    (Upgraded, {"tasks": set()}, "card", "names no task"),
    (TinyGAN, {"paper": " "}, "card", "says no paper"),
    (TinyGAN, {"summary": "One.\nTwo."}, "card", "summary has several lines; write one"),
    (TinyGAN, {"channels": ()}, "card", r"channels \(\) must be of 1 \(grey\)"),
    (TinyGAN, {"resolutions": ()}, "builds", "is built neither at a resolution of its card nor for points"),
    (TinyGAN, {"api": 0}, "card", "is of API 0 and this ganzoo speaks 2"),
    (TinyGAN, {"channels": (2, 3)}, "card", r"channels \(2, 3\) must be of 1 \(grey\)"),
    (Picky, {"channels": (1, 3)}, "builds", "colour images only.*says that it can"),
    (TinyGAN, {"resolutions": (7,)}, "builds", "sides must be even"),
    (Undecided, {}, "builds", "is among its `generators`"),
    (Misnamed, {}, "builds", "has a field 'seed', an option of ganzoo's own"),
    (Preset, {}, "presets", "sides must be even"),
    (Summary, {}, "presets", "preset_summaries has 'wider', which is no preset"),
    (Deafened, {"api": 2}, "options", r"changes nothing in a step of the small model: unread\. .*idle = \{\"unread\""),
    (Misexcused, {"api": 2}, "options", "`idle` names unredd, and there is no such option"),
    (Idle, {}, "trains", "G.idle.bias, G.idle.weight a gradient"),
    (Failing, {}, "trains", r"ValueError: no luck \(test_testing.py, line \d+\)"),
    (Meddling, {}, "players", r"gets a gradient out of turn.*take backward\(\) and optimizers out of `step`"),
    (Sharing, {}, "players", "is D.eyes.weight too, so two optimizers step it"),
    (Flat, {}, "penalties", r"has a part in loss/D/slope: it is shown, and trains nothing.*create_graph=True"),
    (OnlyOnce, {}, "penalties", "derivative for .*attention.* for which D must be differentiable twice"),
    (Linear, {}, "penalties", "the gradient of loss/D/r1 is gone: D has no second derivative"),
    (Lenient, {}, "penalties", "With --penalty r1 no Update has a term of that name; `step` leaves it out"),
    (FaultyGAN, {}, "stays finite", "loss/G/fault is not, in step 4.*a root of 0"),
    (Whole, {}, "penalties", "With --san no term trains the direction of D's last layer. .*self.sliced"),
    (Hasty, {}, "penalties", "With --penalty r1:every=2 no Update has a term of that name. .*self.penalties.lazy_turn"),
    (OldNamed, {"api": 2}, "names", "uses names of contract 1: latents is latent_dim now, verdict is realness now"),
    (Uncompared, {"api": 2}, "comparing loss", r"gives no D\(x\) to a loss that compares; write generator_loss"),
    (Restless, {}, "seed", "The same seed gives other first weights: G.dense.weight"),
    (Stubborn, {}, "seed", "Every seed gives the same first weights; take torch.manual_seed out"),
    (Losing, {}, "state", "counter.count of a TrainingState is in no checkpoint"),
    (Growing, {}, "state", "does not fit Growing"),
    (Forgetful, {}, "resumes", "must be a buffer of a TrainingState"),
    (Coarse, {}, "bf16", r"loss/D/size is not float32; write \.float\(\)"),
    (Typed, {}, "bf16", "RuntimeError.*So it is with --precision bf16"),
    (Flooded, {}, "bf16", "Under --precision bf16 numbers are to stay finite, and .* is not"),
    (Retyped, {}, "bf16", "changes the type of counter.count; weights and state stay float32"),
    (Alike, {}, "two processes", r"the gradient of D differs, in step 0. What belongs to an item.*rows\(\)"),
    (Alike, {"batch_statistics": True}, "two processes", "give their generators the same inputs"),
    (Measuring, {}, "two processes", r"counter.count differs, in step 0.*mean_over_processes\(\)"),
    (Wordless, {"api": 2}, "protocols", r"D cannot be called as D\(images\)"),
    (Sighted, {"api": 2}, "protocols", r"D is called as D\(images\), with \(2, 3, 8, 8\).*other_calls = .*`pairs`"),
    (Lossless, {"api": 2}, "protocols", "Its loss has no score"),
    (Latentless, {}, "samples", "It has no latents; set `latent_dim`"),
    (Noisy, {}, "samples", "other images from the same inputs"),
    (Centred, {}, "samples", "other images in a smaller batch"),
    (Odd, {}, "samples", r"gives \(6, 3, 7, 8\) where \(6, 3, 8, 8\) belongs"),
    (Double, {}, "samples", r"gives torch.float64 where torch.float32 belongs; end it with \.float\(\)"),
    (Infinite, {}, "samples", "values that are not finite"),
    (Fading, {}, "saves", "other images after saving and loading; what they depend on must be a parameter"),
    (Deaf, CONDITIONAL, "labels matter", "The label changes nothing"),
    (Misstyled, {}, "latents", r"synthesis\(mapping\(z, label\)\) is not generate"),
    (Cutting, {}, "abilities", "Truncation changes the shape of the images"),
    (Fixed, {}, "exports", r"write z\.shape\[0\], not len\(z\)"),
    (HalfUpgraded, {}, "earlier versions", "was made with --momentum, which broken of ganzoo-broken 1.0 does not have"),
    (UpgradedTwice, {}, "earlier versions", "changes width of the present version's options"),
    (Untried, {}, "earlier versions", "nothing to try it on; write what an earlier version stored"),
]


def name_of(value: Any) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(("cls", "given", "check", "words"), BROKEN, ids=name_of)
def test_a_fault_is_found_by_one_check(cls, given, check, words):
    found = failures(cls, slow=check == "exports", **given)
    assert list(found) == [check], found
    assert re.search(words, found[check]), found[check]


@pytest.mark.parametrize("cls", [TinyGAN, Excused, MeasuringTogether, Upgraded], ids=name_of)
def test_what_is_sound_passes(cls):
    assert failures(cls) == {}


class Columns(TinyAttributes):
    """Told attributes, or numbers."""

    abilities = replace(TinyAttributes.abilities, labels=frozenset({"attributes", "numbers"}))


class Hearing(Columns):
    """Deaf to numbers."""

    def generate(self, z, label=None, truncation=1.0):
        return self.G(z, label * (self.data.label == "attributes"))


class Everywhere(TinyPairs):
    """Translates to each of any domains, of any channels, from the first other one."""

    abilities = Abilities(translate=True, channels=True, domains=0)

    def __init__(self, config, data):
        Architecture.__init__(self, config, data)
        self.loss = make_loss("lsgan")
        ways = {to: (data.shape_before(to)[0], data.shape_of(to)[0]) for to in data.domains}
        self.G = nn.ModuleDict({to: nn.Conv2d(*way, 3, 1, 1) for to, way in ways.items()})
        self.D = nn.ModuleDict({to: nn.Conv2d(way[1], 1, 4, 2, 1) for to, way in ways.items()})

    def step(self, batches, progress):
        reals = next(batches).domains
        for to in self.data.domains:
            given = reals[next(name for name in reals if name != to)]
            fake, d = self.translate(given, to), self.D[to]
            yield Update(f"D.{to}", {"adversarial": self.loss.discriminator(d(reals[to]), d(fake.detach()))})
            distance = self.config.weight * fake.float().square().mean()
            yield Update(f"G.{to}", {"adversarial": self.loss.generator(d(fake)), "distance": distance})

    def translate(self, images, to):
        return self.G[to](images).tanh()


class Shrunk(TinyDoubles):
    """Takes domains of different sizes, and gives the small one's."""

    def translate(self, images, to):
        return super().translate(images, to)[:, :, ::2, ::2]


class Twofold(Everywhere):
    """Has forgotten that there may be three."""

    def step(self, batches, progress):
        for update in super().step(batches, progress):
            if "three" not in update.names[0]:
                yield update


def subjects(cls, task):
    return list(dict.fromkeys(check.subject for check in checks(entry(cls, tasks={task})) if check.subject))


def test_items_that_its_networks_cannot_take_are_to_be_said():
    """A class that names no modality is tried with each; the last of them are lines of text."""
    message = failures(Level)["trains"]
    assert 'So it is with lines; where it takes none, write modalities = ("image",) in the class.' in message


def test_abilities_that_are_none():
    assert "write abilities = Abilities(…)" in failures(Listed)["builds"]


def test_a_translator_that_leaves_out_a_way_says_so():
    class OneWay(TwoDomains):
        def __init__(self, config, data):
            super().__init__(config, data)
            self.G = nn.ModuleDict({"AB": nn.Conv2d(3, 3, 3, 1, 1)})

    model = OneWay(TwoDomainsConfig(), DataSpec((3, 8, 8), domains=("day", "night")))
    assert model.translate(torch.zeros(1, 3, 8, 8), "night").shape == (1, 3, 8, 8)
    with pytest.raises(GanzooError, match=r"no G\.BA, and says that it translates to day; .*self\.one_way"):
        model.translate(torch.zeros(1, 3, 8, 8), "day")


def test_labels_of_columns_mixed_channels_and_three_domains_are_cases():
    assert subjects(Columns, "conditional") == ["conditional 3x8x8", "conditional 3x8x8 numbers"]
    assert subjects(Everywhere, "translation") == [
        "translation 3x8x8", "translation 1x8x8 grey", "translation 3x8x8 three domains",
    ]  # fmt: skip
    assert failures(Columns, tasks={"conditional"}) == {}
    assert failures(Everywhere, tasks={"translation"}) == {}
    assert failures(TinyDoubles, slow=True, tasks={"translation"}) == {}
    assert "where (6, 3, 16, 16) belongs" in failures(Shrunk, tasks={"translation"})["samples"]
    assert "changes nothing" in failures(Hearing, tasks={"conditional"})["labels matter"]
    assert "a gradient" in failures(Twofold, tasks={"translation"})["trains"]


class Unsure(TinyGAN):
    """Takes the ability back that its class declares, which `ganzoo verdict` heeds."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.abilities = replace(self.abilities, realness=False)


def test_realness_that_is_not_declared_is_refused():
    assert failures(Unsure) == {}
    with pytest.raises(UsageError, match="The D of unsure judges no items by themselves"):
        check_judges(Unsure(Config(), DataSpec((3, 8, 8))), "unsure")


class Shifting(Counter):
    """It is loaded as another than was saved."""

    def _load_from_state_dict(self, state, prefix, *rest):
        super()._load_from_state_dict({**state, f"{prefix}count": state[f"{prefix}count"] + 1}, prefix, *rest)


class Shifted(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.counter = Shifting(persistent=True)


def test_a_state_that_comes_back_as_another():
    with pytest.raises(CheckFailed, match=r"gives back another state than it was given: .*counter\.count"):
        of("state", entry(Shifted))()


def test_a_buffer_that_is_not_finite():
    with pytest.raises(CheckFailed, match="A weight, a buffer or an average is not finite"):
        of("stays finite", entry(Poisoned))()


def test_what_normalises_over_the_batch_may_say_so():
    [check] = [check for check in checks(entry(Alike, batch_statistics=True)) if check.name == "two processes"]
    with pytest.raises(CheckFailed, match="give their generators the same inputs"):  # by a standard of its own
        check()


@pytest.mark.parametrize("cls", [OldNamed, Uncompared], ids=name_of)
def test_a_card_of_contract_1_is_not_asked_what_contract_2_asks(cls):
    assert failures(cls, api=1) == {}


def test_what_cannot_be_checked_names_the_check_that_says_why():
    found = {check.name: check.outcome() for check in checks(entry(Failing)) if check.name != "exports"}
    assert found["players"].word == "skipped"
    assert found["players"].message == "Its step fails; see the check 'trains'."
    found = {check.name: check.outcome() for check in checks(entry(Odd)) if check.name != "exports"}
    assert "see the check 'samples'" in found["latents"].message


# ---- expected failures -----------------------------------------------------------------------------------------------


def of(name: str, *given: Any) -> Any:
    """The check of this name."""
    (found,) = [check for check in checks(*given) if check.name == name]
    return found


def test_a_check_raises_what_is_wrong():
    with pytest.raises(CheckFailed, match="sides must be even"):
        of("presets", entry(Preset))()
    of("card", entry(Preset))()


def test_an_expected_failure_is_an_xfail(monkeypatch):
    check = of("presets", entry(Preset), {"presets": "to be mended"})
    with pytest.raises(pytest.xfail.Exception, match=r"to be mended .*sides must be even"):
        check()
    outcome = check.outcome()
    assert (outcome.word, outcome.good) == ("expected failure", True)
    assert "to be mended" in outcome.message
    monkeypatch.delitem(sys.modules, "pytest")
    with pytest.raises(ExpectedFailure, match="to be mended"):
        check()


def test_an_expected_failure_that_passes_says_so():
    check = of("presets", entry(TinyGAN), {"presets": "was broken"})
    with pytest.raises(CheckFailed, match=r"passes, and was expected to fail \(was broken\): take 'presets' out"):
        check()
    assert (check.outcome().word, check.outcome().good) == ("unexpectedly passed", False)


def test_expected_failures_name_one_check_or_all_of_a_name():
    given = {"tinygan unconditional 3x8x8 bf16": "here", "card": "everywhere"}
    made = {str(check): check.expected for check in checks("tinygan", given)}
    assert made["tinygan unconditional 3x8x8 bf16"] == "here"
    assert made["tinygan card"] == "everywhere"
    assert made["tinygan builds"] is None
    with pytest.raises(UsageError, match=r"names 'bf6', and there is no such check here; did you mean bf16\?"):
        checks("tinygan", {"bf6": "a slip"})


# ---- several processes in one ----------------------------------------------------------------------------------------


def test_lockstep_gathers_in_order_and_keeps_each_ones_random_stream():
    from ganzoo.contract import distributed

    def work():
        torch.manual_seed(3)
        first = torch.rand(())
        everyone = distributed.gather(torch.tensor([float(distributed.rank())]))
        mean = mean_over_processes(torch.tensor([2.0 * distributed.rank()]))
        most = distributed.any_of(distributed.rank() == 1, torch.device("cpu"))
        return everyone.tolist(), mean.item(), most, (first - torch.rand(())).item()

    one, two, three = Lockstep(3).run(work)
    assert one == two == three
    assert one[:3] == ([0.0, 1.0, 2.0], 2.0, True)
    assert (distributed.rank(), distributed.world()) == (0, 1)


def test_lockstep_says_where_processes_would_wait_for_ever():
    from ganzoo.contract import distributed
    from ganzoo.errors import GanzooError

    def work():
        if distributed.rank() == 0:
            mean_over_processes(torch.zeros(1))

    with pytest.raises(GanzooError, match="would wait for each other for ever"):
        Lockstep(2).run(work)


def test_lockstep_raises_what_the_first_raised():
    def work():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Lockstep(2).run(work)


def test_a_networks_state_moves_in_its_players_turn():
    with pytest.raises(CheckFailed, match=r"D\.down\.parametrizations.* changes in the turn of G.*spectral_norm"):
        of("state in turn", entry(Straying))()
    of("state in turn", entry(StrayingOnPurpose))()
    of("state in turn", entry(Keeping))()
