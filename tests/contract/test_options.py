"""Options: strings to a dataclass's fields, and what is said when they do not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from ganzoo.api import UsageError, make_augmentation, make_loss, make_penalties, option
from ganzoo.contract.options import build, options, parse_spec
from ganzoo.contract.settings import RESERVED, Settings, parse_resolution
from ganzoo.data.store import open_source
from ganzoo.errors import GanzooError
from ganzoo.scoring.evaluator import SAMPLES


@dataclass(frozen=True)
class Config:
    depth: int = option(4, "layers", low=1, high=16)
    lr: float = option(2e-4, "learning rate", low=0)
    norm: Literal["batch", "none"] = option("batch", "normalisation")
    group: Literal[2, 4] = option(4, "size of a group")
    skip: bool = option(False, "skip connections")
    label: str = option("", "a text")
    lr_d: float | None = option(None, "D's learning rate")
    widths: tuple[int, ...] = option((8, 16), "feature maps")
    plain: int = 3


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("depth", "8", 8),
        ("depth", 8, 8),
        ("depth", 8.0, 8),
        ("lr", "1e-3", 1e-3),
        ("lr", 1, 1.0),
        ("norm", "none", "none"),
        ("group", "2", 2),
        ("skip", "yes", True),
        ("skip", "False", False),
        ("skip", True, True),
        ("label", "5", "5"),
        ("lr_d", "none", None),
        ("lr_d", None, None),
        ("lr_d", "0.5", 0.5),
        ("widths", "4,8,16", (4, 8, 16)),
        ("widths", [4, 8], (4, 8)),
        ("widths", "32", (32,)),
        ("plain", "7", 7),
    ],
)
def test_parses(name, given, value):
    parsed = getattr(build(Config, {name: given}, "test"), name)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("depth", "many", r"--depth takes a whole number, not 'many'; its default is 4"),
        ("depth", "2.5", r"--depth takes a whole number, not '2.5'"),
        ("depth", 2.5, r"--depth takes a whole number, not 2.5"),
        ("depth", True, r"--depth takes a whole number, not True"),
        ("depth", "", r"--depth takes a whole number, not ''"),
        ("depth", None, r"--depth takes a whole number, not None"),
        ("depth", "0", r"--depth 0 is too small; it takes 1 or more"),
        ("depth", "-1", r"--depth -1 is too small"),
        pytest.param("depth", "9" * 5000, "--depth", id="thousands of digits"),
        ("depth", 17, r"--depth 17 is too large; it takes 16 at most"),
        ("lr", "nan", r"--lr takes a number, not 'nan'"),
        ("lr", "inf", r"--lr takes a number, not 'inf'"),
        ("lr", "1e999", r"--lr takes a number, not '1e999'"),
        pytest.param("lr", 10**400, "--lr", id="larger than any float"),
        ("lr", "-1e-9", r"--lr -1e-9 is too small; it takes 0 or more"),
        ("norm", "btch", r"--norm takes batch or none, not .btch."),
        ("group", "3", r"--group takes .*, not .3."),
        ("skip", "perhaps", r"--skip takes yes or no, not 'perhaps'"),
        ("label", 5, r"--label takes text, not 5"),
        ("lr_d", "fast", r"--lr-d takes a number or none, not 'fast'"),
        ("widths", "4,x", r"--widths takes whole numbers with commas between, not '4,x'"),
        ("widths", 4, r"--widths takes whole numbers with commas between, not 4"),
        ("dpth", "1", r"test has no option 'dpth'; did you mean depth"),
    ],
)
def test_refuses_in_one_sentence(name, given, message):
    with pytest.raises(UsageError, match=message) as error:
        build(Config, {name: given}, "test")
    assert "\n" not in str(error.value)


def test_a_number_out_of_range_says_what_the_option_means():
    with pytest.raises(UsageError, match=r"^--depth 17 is too large; it takes 16 at most\. It means: layers\.$"):
        build(Config, {"depth": 17}, "test")
    with pytest.raises(UsageError, match=rf"--samples 2000 is too large.* sheet .* while training are of {SAMPLES} "):
        build(Settings, {"samples": "2000"}, "test")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: make_loss("lsgan:a=x"), "lsgan:a takes a number, not 'x'"),
        (lambda: make_penalties("r1:gamma=-1"), "r1:gamma -1 is too small"),
        (lambda: make_penalties("r1:every=0"), "r1:every 0 is too small"),
        (lambda: make_augmentation("ada:target=2"), "ada:target 2 is too large"),
        (lambda: open_source("digits:images=0"), "digits:images 0 is too small"),
    ],
)
def test_options_of_what_is_named_are_said_as_they_are_typed(make, sentence):
    """--images of a data set would be that of the training."""
    with pytest.raises(UsageError, match=f"^{sentence}"):
        make()


def test_no_penalty_is_named_twice():
    with pytest.raises(UsageError, match="names r1 twice; once is enough"):
        make_penalties("r1:gamma=1+drift+r1:gamma=2")


def test_build_changes_a_base_and_leaves_it_as_it_was():
    base = Config(depth=2, lr=1.0)
    assert build(Config, {"depth": "3"}, "test", base=base) == Config(depth=3, lr=1.0)
    assert base == Config(depth=2, lr=1.0)


def test_an_option_knows_how_it_is_shown():
    known = options(Config)
    assert list(known) == ["depth", "lr", "norm", "group", "skip", "label", "lr_d", "widths", "plain"]
    assert [known[name].type_name for name in ("depth", "norm", "lr_d", "widths")] == [
        "int", "batch|none", "float | none", "int,…",
    ]  # fmt: skip
    assert known["lr_d"].flag == "--lr-d"
    assert (known["depth"].default, known["depth"].help) == (4, "layers")


def test_every_default_fits_its_own_option():
    for item in options(Settings).values():
        assert item.parse(item.default) == item.default
        assert item.help


def test_a_field_without_default_or_of_another_type_is_a_type_error():
    @dataclass
    class Bare:
        depth: int

    @dataclass
    class Odd:
        table: dict = None  # type: ignore[assignment]

    class Undecorated(Config):
        depth: int = option(4, "layers")

    class Nothing:
        pass

    for cls in (Undecorated, Nothing):
        with pytest.raises(
            TypeError, match=rf"{cls.__name__} is no dataclass; write @dataclass\(frozen=True\) above it"
        ):
            options(cls)
        with pytest.raises(
            GanzooError, match=r"The options of the loss mine are not what ganzoo can read: .*no dataclass"
        ):
            build(cls, {}, "the loss mine")
    with pytest.raises(TypeError, match="depth has no default"):
        options(Bare)
    with pytest.raises(TypeError, match="table has a type that no command-line option can take"):
        options(Odd)


@pytest.mark.parametrize(
    ("text", "name", "given"),
    [
        ("hinge", "hinge", {}),
        ("lsgan:a=-1,c=0", "lsgan", {"a": "-1", "c": "0"}),
        ("lsgan: a = 1 ,", "lsgan", {"a": "1"}),
        ("ganzoo-yours:hinge", "ganzoo-yours:hinge", {}),
        ("ganzoo-yours:anime:images=100", "ganzoo-yours:anime", {"images": "100"}),
    ],
)
def test_parse_spec(text, name, given):
    assert parse_spec(text) == (name, given)


@pytest.mark.parametrize(
    ("text", "size"), [("64", (64, 64)), (64, (64, 64)), ("64x96", (64, 96)), (" 48X80 ", (48, 80))]
)
def test_parse_resolution(text, size):
    assert parse_resolution(text) == size


@pytest.mark.parametrize("text", ["", "x", "64x", "-64", "6.4", "0", "64x0", "8193", "64x64x3", "sixty"])
def test_parse_resolution_refuses(text):
    with pytest.raises(UsageError, match="--resolution"):
        parse_resolution(text)


def test_names_that_mean_something_else_are_reserved():
    assert {"seed", "out", "device", "continue", "steps", "preset"} <= RESERVED
    assert not RESERVED & {"batch_size", "resolution", "channels", "lr"}


def test_a_changed_default_keeps_help_and_range():
    @dataclass(frozen=True)
    class Base:
        lr: float = option(2e-4, "learning rate", low=0)

    @dataclass(frozen=True)
    class Between(Base):
        pass

    @dataclass(frozen=True)
    class Changed(Between):
        lr: float = 1e-4

    changed = options(Changed)["lr"]
    assert (changed.default, changed.help, changed.low) == (1e-4, "learning rate", 0)
    assert options(Base)["lr"].default == 2e-4
    with pytest.raises(UsageError, match="too small"):
        build(Changed, {"lr": "-1"}, "changed")


def test_an_option_follows_a_schedule_only_where_it_says_so():
    assert not options(Config)["lr"].scheduled
    with pytest.raises(UsageError, match="takes a number, not 'cosine:2e-4:5e-5'"):
        build(Config, {"lr": "cosine:2e-4:5e-5"}, "test")
