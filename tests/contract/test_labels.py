"""Labels as people write them, and a DataSpec's header."""

from __future__ import annotations

import json

import pytest
import torch

from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.labels import labels_for
from ganzoo.contract.stored import as_json, from_json
from ganzoo.errors import UsageError
from ganzoo.runs.header import DataHeader

FACES = DataSpec((3, 8, 8), label="attributes", label_names=("Smiling", "Male"), label_scale=((1.0, 0.0), (0.25, 0.4)))
SIZES = DataSpec((3, 8, 8), label="numbers", label_names=("length", "age"), label_scale=((3.0, 0.5), (40.0, 10.0)))


def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_attributes_by_name_and_value_and_the_rest_as_often_as_in_the_data() -> None:
    drawn = labels_for(FACES, 400, "Male=1", random())
    assert drawn.shape == (400, 2)
    assert bool((drawn == 1).all())  # everyone smiles in this data
    assert labels_for(FACES, 1, "Smiling=0,Male", random()).tolist() == [[0, 1]]
    assert 0.15 < labels_for(FACES, 400, None, random())[:, 1].mean() < 0.35


def test_numbers_are_in_real_units_and_standardised() -> None:
    assert labels_for(SIZES, 2, "3.5,40", random()).tolist() == [[1, 0], [1, 0]]
    assert labels_for(SIZES, 1, "age=50", random())[0, 1] == 1


@pytest.mark.parametrize(
    ("data", "label", "words"),
    [(FACES, "Smilin=1", "no column 'Smilin'.*Smiling"), (FACES, "Male=2", "'Male' is 1 or 0"),
     (SIZES, "age=old", "a number for the column 'age'"), (SIZES, "age", "a number for the column 'age'")],
)  # fmt: skip
def test_what_cannot_be_names_the_column(data: DataSpec, label: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        labels_for(data, 1, label, random())


def test_a_header_says_all_and_an_old_one_reads_as_before() -> None:
    pairs = DataSpec((1, 8, 8), domains=("A", "B"), shapes={"B": (3, 8, 8)}, paired=True)
    for spec in (FACES, SIZES, pairs, DataSpec((3, 8, 8), ("cat", "dog"))):
        stored = json.dumps(as_json(DataHeader.of(spec, "it", "here")))
        assert from_json(DataHeader, json.loads(stored), "It", "").spec == spec
    old = DataHeader("it", "here", (3, 8, 8), ("cat",), ()).spec
    assert (old.label, old.paired, old.shape_of("A")) == ("class", False, (3, 8, 8))
