"""Options, specifications, labels and headers: what holds for every value, not only for those that a test names."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.labels import find_label, written
from ganzoo.contract.options import Option, build, option, options, parse_spec, typed, values
from ganzoo.contract.settings import Settings
from ganzoo.contract.stored import as_json, from_json
from ganzoo.data.labels import label_list
from ganzoo.errors import GanzooError, UsageError
from ganzoo.runs.header import CheckpointHeader, DataHeader, Levels, ModelHeader, RunHeader


@dataclass(frozen=True)
class Every:
    """An option of every type that there is."""

    whole: int = option(3, "a count", low=-5, high=2**63 - 1)
    number: float = option(0.5, "a rate", low=0)
    switch: bool = option(False, "yes or no")
    word: str = option("", "text")
    maybe: int | None = option(None, "a count or none", low=0)
    choice: Literal["auto", "cpu", 4] = option("auto", "one of three")
    sizes: tuple[int, ...] = option((64,), "counts", low=1)
    rates: tuple[float, ...] = option((), "rates")


finite = st.floats(allow_nan=False, allow_infinity=False)
every = st.builds(
    Every,
    whole=st.integers(-5, 2**63 - 1),
    number=finite.filter(lambda number: number >= 0),
    switch=st.booleans(),
    word=st.text(),
    maybe=st.none() | st.integers(0, 10**30),
    choice=st.sampled_from(["auto", "cpu", 4]),
    sizes=st.lists(st.integers(1, 10**6)).map(tuple),
    rates=st.lists(finite).map(tuple),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


# ---- options ---------------------------------------------------------------------------------------------------------


@given(every)
def test_options_come_back_from_what_one_would_type_and_from_json(chosen: Every) -> None:
    assert build(Every, {name: typed(value) for name, value in values(chosen).items()}, "test") == chosen
    assert build(Every, json.loads(json.dumps(values(chosen))), "test") == chosen


@given(st.sampled_from([*options(Every).values(), *options(Settings).values()]), st.text() | json_values)
def test_any_value_is_taken_as_the_options_type_within_its_range_or_refused(each: Option, value: Any) -> None:
    try:
        parsed = each.parse(value)
    except UsageError as error:
        assert each.flag in str(error)  # noqa: PT017
        return
    for item in parsed if each.sequence else [] if parsed is None else [parsed]:
        assert type(item) in each.kinds or each.scheduled
        assert each.low is None or float(item) >= each.low
        assert each.high is None or float(item) <= each.high
        assert not isinstance(item, float) or math.isfinite(item)


@given(
    st.from_regex(r"[\w.-]+(:[\w.-]+)?", fullmatch=True),
    st.dictionaries(
        st.from_regex(r"[a-z]\w*", fullmatch=True), st.from_regex(r"[\w.:=+-]+", fullmatch=True), min_size=1
    ),
)
def test_a_specification_comes_back_whatever_its_values_hold(name: str, given: dict[str, str]) -> None:
    assert parse_spec(f"{name}:{','.join(f'{key}={value}' for key, value in given.items())}") == (name, given)
    assert parse_spec(name) == (name, {})


@given(st.text())
def test_any_text_is_a_specification_that_begins_with_its_name(text: str) -> None:
    name, given = parse_spec(text)
    assert text.startswith(name)
    assert all("," not in value for value in given.values())


# ---- labels ----------------------------------------------------------------------------------------------------------

labels = st.lists(st.integers() | st.text(), min_size=1, max_size=20)


@given(labels)
def test_each_item_keeps_its_label_and_the_order_of_items_does_not_change_the_classes(given: list[Any]) -> None:
    names = [  # as they are, but for what a terminal obeys
        "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in str(value))
        for value in given
    ]
    assume(len({*names}) == len({*map(str, given)}))
    found = label_list(given)
    assert [found.classes[place] for place in found.of] == names
    assert len({*found.classes}) == len(found.classes) == len({*map(str, given)})
    assert label_list(given[::-1]).classes == found.classes


@given(st.lists(st.integers(), min_size=1, max_size=20))
def test_whole_numbers_are_ordered_as_numbers(given: list[int]) -> None:
    assert [*map(int, label_list(given).classes)] == sorted({*given})


@given(st.lists(st.text(), min_size=1, max_size=8, unique=True))
def test_a_class_is_found_by_its_name_and_by_its_position(classes: list[str]) -> None:
    for place, name in enumerate(classes):
        assert find_label(tuple(classes), name) == place
        position = f"#{place}"
        assert find_label(tuple(classes), position) == (classes.index(position) if position in classes else place)


@given(st.lists(st.text(), min_size=1, max_size=5, unique=True), st.text())
def test_any_other_word_is_no_class_and_is_refused_in_a_sentence(classes: list[str], word: str) -> None:
    assume(word not in classes and not (word.startswith("#") and word[1:].isdecimal() and int(word[1:]) < len(classes)))
    with pytest.raises(UsageError):
        find_label(tuple(classes), word)


@given(st.dictionaries(st.from_regex(r"[A-Za-z][\w ]*\w", fullmatch=True), st.booleans(), min_size=1, max_size=6))
def test_attributes_are_taken_as_they_are_written(chosen: dict[str, bool]) -> None:
    data = DataSpec((1, 8, 8), label="attributes", label_names=(*chosen, "never asked"))
    text = ", ".join(f"{name}={int(value)}" for name, value in chosen.items())
    assert written(data, text) == {place: float(value) for place, value in enumerate(chosen.values())}


# ---- headers ---------------------------------------------------------------------------------------------------------

names = st.text(min_size=1)
data_headers = st.builds(
    DataHeader,
    name=names,
    origin=st.text(),
    shape=(st.tuples(st.integers(1, 8192)) | st.tuples(*3 * [st.integers(1, 8192)])),
    classes=st.lists(names, unique=True).map(tuple),
    domains=st.lists(names, unique=True).map(tuple),
    fingerprint=st.text(),
    images=st.integers(0, 2**63 - 1),
    label=st.none() | st.text(),
    label_scale=st.lists(st.tuples(finite, finite)).map(tuple),
    paired=st.booleans(),
    class_shares=st.lists(st.floats(0, 1)).map(tuple),
    levels=st.dictionaries(
        st.text(),
        st.builds(Levels, st.floats(-1e9, 0), st.floats(1, 1e9), st.booleans()),
    ),
    modality=st.sampled_from(["image", "point"]),
)


@given(data_headers)
def test_a_header_comes_back_from_the_file_that_it_was_written_to(header: DataHeader) -> None:
    assert from_json(DataHeader, json.loads(json.dumps(as_json(header))), "a file", "restore it") == header


@given(st.sampled_from([DataHeader, ModelHeader, RunHeader, CheckpointHeader]), json_values)
def test_any_json_is_a_header_or_refused_in_a_sentence_that_names_the_file(kind: type, value: Any) -> None:
    with pytest.raises(GanzooError, match="a file is damaged"):
        from_json(kind, value, "a file", "restore it")


@given(data_headers, st.data())
def test_a_header_with_one_value_of_another_type_is_refused(header: DataHeader, data: st.DataObject) -> None:
    facts = json.loads(json.dumps(as_json(header)))
    key = data.draw(st.sampled_from(sorted(facts)))
    other: dict[type, Any] = {str: 5, int: "5", list: "no list", bool: 0, dict: [], type(None): 5}
    with pytest.raises(GanzooError, match=f"`{key}`"):
        from_json(DataHeader, {**facts, key: other[type(facts[key])]}, "a file", "restore it")
