"""Options: one frozen dataclass says every name, type, default and help; strings from a command line become its fields.

The same few lines serve an architecture's `Config`, a loss's constants, a penalty's weights and a data set's options.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin

from ganzoo.contract.schedules import Schedule, parse_schedule
from ganzoo.errors import GanzooError, UsageError, suggest

T = TypeVar("T")

_WORDS = {  # what one takes, and several
    int: ("a whole number", "whole numbers with commas between"),
    float: ("a number", "numbers with commas between"),
    bool: ("yes or no", "yes or no with commas between"),
    str: ("text", "words with commas between"),
}


def option(default: T, help: str, *, low: float | None = None, high: float | None = None, scheduled: bool = False) -> T:
    """A field of a `Config`: its default, what it means, and the range it must lie in (ends included).

    A subclass that only changes a default writes ``lr: float = 1e-4``; what it means and its range stay the base's.

    Args:
        scheduled: whether it may follow a schedule (`ganzoo.contract.schedules`). In `step`, `optimizer` and
            `learning_rate` `self.config` then has its number of the moment.
    """
    meta = {"help": help, "low": low, "high": high, "scheduled": scheduled}
    field = dataclasses.field(default=default, metadata=meta)
    return field


@dataclass(frozen=True)
class Option:
    """One field as the command line shows it. `kinds` are the types a value may take, `choices` those of a Literal."""

    name: str
    default: Any
    help: str
    kinds: tuple[type, ...]
    choices: tuple[Any, ...] = ()
    optional: bool = False
    sequence: bool = False
    low: float | None = None
    high: float | None = None
    scheduled: bool = False
    owner: str = ""

    @property
    def flag(self) -> str:
        """As it is typed: ``--width-g``, or ``r1:gamma`` of what has a name of its own, the `owner`."""
        return f"{self.owner}:{self.name}" if self.owner else "--" + self.name.replace("_", "-")

    @property
    def type_name(self) -> str:
        """Such as ``int``, ``float | none``, ``int,int,…`` or ``ring|grid``."""
        names = "|".join(map(str, self.choices)) or " | ".join(kind.__name__ for kind in self.kinds)
        return names + (",…" if self.sequence else "") + (" | none" if self.optional else "")

    @property
    def takes(self) -> str:
        """The same in words, such as "a whole number or none", or "auto, cpu or cuda"."""
        words = [str(choice) for choice in self.choices] or [_WORDS[kind][self.sequence] for kind in self.kinds]
        words += ["none"] * self.optional
        return ", ".join(words[:-1]) + f" or {words[-1]}" if len(words) > 1 else words[0]

    def parse(self, value: Any) -> Any:
        """The field's value from a string or from a value of (about) its type.

        Raises: UsageError naming the option, what was given and what it takes.
        """
        if value is None or (isinstance(value, str) and value.lower() == "none" and self.optional):
            if not self.optional:
                raise self._refuse(value)
            return None
        written = value.text if isinstance(value, Schedule) else value
        if self.scheduled and isinstance(written, str) and ":" in written:
            schedule = parse_schedule(written)
            for end in (float(schedule), schedule.end):
                self._check_range(end, schedule.text)
            return schedule
        if self.sequence:
            items = value.split(",") if isinstance(value, str) else value
            if not isinstance(items, (list, tuple)):
                raise self._refuse(value)
            return tuple(self._one(item, value) for item in items if item != "")
        return self._one(value, value)

    def _one(self, item: Any, whole: Any) -> Any:
        if self.choices:
            for choice in self.choices:
                if str(choice) == str(item):
                    return choice
            raise self._refuse(whole)
        for kind in self.kinds:
            parsed = _as(kind, item)
            if parsed is not None:
                self._check_range(parsed, whole)
                return parsed
        raise self._refuse(whole)

    def _check_range(self, number: Any, whole: Any) -> None:
        if isinstance(number, float) and not math.isfinite(number):
            raise self._refuse(whole)
        if self.low is not None and number < self.low:
            raise UsageError(f"{self.flag} {whole} is too small; it takes {self.low} or more.{self._meaning}")
        if self.high is not None and number > self.high:
            raise UsageError(f"{self.flag} {whole} is too large; it takes {self.high} at most.{self._meaning}")

    @property
    def _meaning(self) -> str:
        return f" It means: {self.help.partition('; default:')[0]}." if self.help else ""

    def _refuse(self, value: Any) -> UsageError:
        default = "" if self.default in (None, "") else f"; its default is {self.default}"
        return UsageError(f"{self.flag} takes {self.takes}, not {value!r}{default}.")


def _as(kind: type, item: Any) -> Any:
    """`item` as a `kind`, or None when it is not one."""
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return item if isinstance(item, bool) else words.get(str(item).lower())
    if isinstance(item, bool):
        return None
    if kind is int:
        text = str(int(item)) if isinstance(item, float) and item.is_integer() else str(item)
        try:
            return int(text)
        except ValueError:
            return None
    if kind is float:
        try:
            return float(item)
        except (TypeError, ValueError, OverflowError):
            return None
    return item if isinstance(item, str) else None


def options(cls: Any) -> Mapping[str, Option]:
    """The options that a dataclass declares, by field name, in order.

    Raises: TypeError when it is no dataclass, a field's type is none of int, float, bool, str, Literal, `| None`, a
    tuple of int or float, or when it has no default.
    """
    return _options(cls)


@cache
def _options(cls: Any) -> Mapping[str, Option]:
    left = any(isinstance(value, dataclasses.Field) for value in vars(cls).values())  # its base alone is a dataclass
    if left or not hasattr(cls, "__dataclass_fields__"):
        raise TypeError(f"{cls.__module__}.{cls.__qualname__} is no dataclass; write @dataclass(frozen=True) above it.")
    hints = typing.get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if field.init]
    return types.MappingProxyType({field.name: _option(cls, field, hints[field.name]) for field in fields})


def _metadata(cls: type, field: dataclasses.Field[Any]) -> Mapping[str, Any]:
    """Help and range of a field; where it only says another default, those of the base that says them."""
    declared = (vars(base).get("__dataclass_fields__", {}).get(field.name) for base in cls.__mro__)
    return next((each.metadata for each in declared if each is not None and each.metadata), field.metadata)


def _option(cls: type, field: dataclasses.Field[Any], hint: Any) -> Option:
    where = f"{cls.__module__}.{cls.__qualname__}.{field.name}"
    if field.default is dataclasses.MISSING:
        raise TypeError(f"{where} has no default.")
    parts = get_args(hint) if get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    optional = type(None) in parts
    parts = tuple(part for part in parts if part is not type(None))
    sequence = len(parts) == 1 and get_origin(parts[0]) is tuple
    if sequence:
        parts = tuple(dict.fromkeys(part for part in get_args(parts[0]) if part is not Ellipsis))
    choices: tuple[Any, ...] = ()
    if len(parts) == 1 and get_origin(parts[0]) is Literal:
        choices = get_args(parts[0])
        parts = tuple(dict.fromkeys(type(choice) for choice in choices))
    if not parts or any(part not in (int, float, bool, str) for part in parts):
        raise TypeError(f"{where} has a type that no command-line option can take: {hint}.")
    meta = _metadata(cls, field)
    of_bases = (getattr(base, "__dataclass_fields__", {}).get(field.name) for base in cls.__mro__)
    scheduled = any(base.metadata.get("scheduled") for base in of_bases if base is not None)
    return Option(
        field.name, field.default, meta.get("help", ""), parts, choices, optional, sequence, meta.get("low"),
        meta.get("high"), scheduled,
    )  # fmt: skip


def build(cls: type[T], values: Mapping[str, Any], what: str, base: T | None = None) -> T:
    """A `cls` (or `base` changed) with `values`, strings or not, parsed and checked.

    Args:
        what: whose options they are, for the error: "dcgan", "the loss lsgan".
    Raises: UsageError on an unknown name or a value its field does not take; GanzooError when `cls` is no dataclass of
        options.
    """
    try:
        known = options(cls)
    except TypeError as error:
        raise GanzooError(f"The options of {what} are not what ganzoo can read: {error}") from error
    unknown = [name for name in values if name not in known]
    if unknown:
        raise UsageError(f"{what} has no option {unknown[0]!r}; {suggest(unknown[0], known)}")
    owner = what.split()[-1] if what.startswith("the ") else ""
    parsed = {name: dataclasses.replace(known[name], owner=owner).parse(value) for name, value in values.items()}
    if base is None:
        return cls(**parsed)
    return dataclasses.replace(base, **parsed)  # type: ignore[type-var]


def values(instance: Any) -> dict[str, Any]:
    """The options of an instance with their values, as `build` takes them; a schedule as it is written."""
    by_name = {name: getattr(instance, name) for name in options(type(instance))}
    return {name: value.text if isinstance(value, Schedule) else value for name, value in by_name.items()}


def typed(value: Any) -> str:
    """A value as one would type it: "yes", "64,64", "none"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)):
        return ",".join(map(typed, value))
    return "none" if value is None else str(value)


def command_words(options: Mapping[str, Any]) -> list[str]:
    """Options by name as a command line has them: a value after its name, a switch by its name or `--no-` and that."""
    words = list[str]()
    for name, value in options.items():
        flag = name.replace("_", "-")
        words += [f"--{'no-' * (not value)}{flag}"] if isinstance(value, bool) else [f"--{flag}", typed(value)]
    return words


def parse_spec(text: str) -> tuple[str, dict[str, str]]:
    """A name with options: ``"lsgan:a=-1,c=0"`` is ``("lsgan", {"a": "-1", "c": "0"})``.

    The name itself may have a colon, as in ``"ganzoo-yours:anime:images=100"``, and so may a value, as in
    ``"r1:gamma=cosine:2:0.2"``: options begin after the last colon before the first `=`.
    """
    before, equals, _ = text.partition("=")
    head, colon, _ = before.rpartition(":")
    if not colon or not equals:
        return text, {}
    tail = text[len(head) + 1 :]
    pairs = (pair.partition("=") for pair in tail.split(",") if pair)
    return head, {key.strip(): value.strip() for key, _, value in pairs}
