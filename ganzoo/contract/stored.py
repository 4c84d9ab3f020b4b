"""Dataclasses as JSON objects: written by one function, and read by one that checks every key, type and range.

What is read may be a stranger's, damaged, or edited by hand; each error names the file and the key.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass
from functools import cache
from itertools import chain
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from ganzoo.contract.options import build, values
from ganzoo.contract.schedules import Schedule
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import load_json

T = TypeVar("T")

Count = Annotated[int, (0, 2**63 - 1)]  # a whole number from the first to the second
Side = Annotated[int, (1, 2**31 - 1)]

_WORDS = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}


class _Fault(Exception):
    """What is wrong, as the end of a sentence."""


def rare(default: Any) -> Any:
    """A field that is written only where it is not at its default."""
    if isinstance(default, dict):
        return field(default_factory=dict, metadata={"rare": True})
    return field(default=default, metadata={"rare": True})


def from_json(cls: type[T], value: object, file: object, advice: str) -> T:
    """A dataclass from what `as_json` made of one; keys that it does not know are passed over.

    Args:
        file: what the value is from, for the error.
        advice: what to do then, such as "restore it".
    Raises: GanzooError when a key is missing, or its value is of another type or out of range.
    """
    try:
        made: T = _read(cls, value, "")
        return made
    except (_Fault, OverflowError) as fault:
        raise GanzooError(f"{file} is damaged: {str(fault).rstrip('.')}; {advice}.") from fault


def parse(text: str | bytes, file: object, advice: str) -> Any:
    """JSON of any origin. Raises: GanzooError for what is none, or is nested too deeply."""
    try:
        return load_json(text)
    except ValueError as error:
        raise GanzooError(f"{file} is damaged ({' '.join(str(error).split())}); {advice}.") from error


def as_json(instance: Any) -> dict[str, Any]:
    """A dataclass as a JSON object, by field; options as `ganzoo.contract.options.values` has them."""
    kind: Any = type(instance)
    if _holds_options(kind):
        return values(instance)
    rows = {each: getattr(instance, each.name) for each in fields(instance)}
    return {each.name: _plain(value) for each, value in rows.items() if not _left_out(each, value)}


def _left_out(each: dataclasses.Field[Any], value: Any) -> bool:
    return "rare" in each.metadata and value == ({} if each.default is dataclasses.MISSING else each.default)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, (type, Schedule)):
        return as_json(value)
    if isinstance(value, Schedule):
        return value.text
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _read(hint: Any, value: Any, key: str) -> Any:
    """`value` as the type that a field has."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin is Annotated:
        number, (low, high) = _read(parts[0], value, key), parts[1]
        if not low <= number <= high:
            raise _Fault(f"`{key}` is {number}, which is not between {low} and {high}")
        return number
    if origin in (typing.Union, types.UnionType):
        kinds = [part for part in parts if part is not type(None)]
        if value is None and len(kinds) < len(parts):
            return None
        return _read(next((kind for kind in kinds if type(value) is kind), kinds[0]), value, key)
    if origin is Literal:
        if value in parts:
            return value
    elif origin in (tuple, list) and isinstance(value, (list, tuple)):
        if origin is list and _plain_list(hint, value):
            return value
        each = parts[:1] * len(value) if origin is list or parts[-1] is Ellipsis else parts
        if len(each) == len(value):
            pairs = enumerate(zip(each, value, strict=True))
            return origin(_read(part, item, f"{key}[{i}]") for i, (part, item) in pairs)
    elif origin in (Mapping, dict) and isinstance(value, Mapping):
        return {name: _read(parts[1], item, f"{key}.{name}") for name, item in value.items()}
    elif hint is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    elif is_dataclass(hint) and isinstance(value, Mapping):
        return _read_fields(hint, value, f"{key}." if key else "")
    elif type(value) is hint:
        return value
    raise _Fault(f"{f'`{key}`' if key else 'it'} is {_short(value)}, which is not {_named(hint)}")


def _plain_list(hint: Any, value: Any) -> bool:
    """Whether a list is as its type says, quickly: a data set's has hundreds of thousands of items."""
    [each] = get_args(hint)
    if type(value) is not list or each is Any:
        return type(value) is list
    if get_origin(each) is list:
        return {*map(type, value)} <= {list} and _plain_list(each, [*chain.from_iterable(value)])
    return each in (int, str) and {*map(type, value)} <= {each}


def _read_fields(cls: Any, value: Mapping[str, Any], prefix: str) -> Any:
    if _holds_options(cls):
        try:
            return build(cls, value, "ganzoo")
        except UsageError as error:
            raise _Fault(f"in `{prefix[:-1]}`, {error}") from error
    made = {}
    for each, hint in _hints(cls).items():
        if each.name in value:
            made[each.name] = _read(hint, value[each.name], prefix + each.name)
        elif each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            raise _Fault(f"it does not say its `{prefix}{each.name}`")
    return cls(**made)


@cache
def _hints(cls: Any) -> dict[dataclasses.Field[Any], Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {each: hints[each.name] for each in fields(cls)}


@cache
def _holds_options(cls: Any) -> bool:
    return any("help" in each.metadata for each in fields(cls))


def _named(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(map(str, get_args(hint)))
    if get_origin(hint) is list:
        return "a list"
    if get_origin(hint) is tuple:
        count = "" if get_args(hint)[-1] is Ellipsis else f" of {len(get_args(hint))}"
        return f"a list{count}"
    return _WORDS.get(hint, "an object")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"
