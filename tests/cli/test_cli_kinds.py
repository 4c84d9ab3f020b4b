"""A run, a model, a data set or an architecture, given to a command that takes another of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.command_line import cli, refusal

RUN = "`ganzoo runs runs/tiny` shows it, `ganzoo resume runs/tiny` goes on with it."
ARCHITECTURE, DATA = "`ganzoo show tinygan` shows it", "`ganzoo data show tiny` shows it"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a model file of its own and pictures, in a home that has a data set of the user's."""
    import ganzoo

    folder = tmp_path_factory.mktemp("kinds")
    run = ganzoo.train("tinygan", "tiny", steps=1, out=folder / "runs" / "tiny")
    shutil.copy(run.model_file, folder / "alone.safetensors")
    (folder / "pictures").mkdir()
    for name in ("one.png", "two.png"):
        shutil.copy(run.path / "real.png", folder / "pictures" / name)
    return folder


@pytest.fixture(autouse=True)
def there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show runs/tiny", f"runs/tiny is a run, not an architecture; {RUN}"),
        ("train runs/tiny", f"runs/tiny is a run, not an architecture; {RUN}"),
        ("plan runs/tiny tiny", f"runs/tiny is a run, not an architecture; {RUN}"),
        ("train tinygan runs/tiny", f"runs/tiny is a run, not a data set; {RUN}"),
        ("data show runs/tiny", f"runs/tiny is a run, not a data set; {RUN}"),
        ("data remove runs/tiny", f"runs/tiny is a run, not a data set; {RUN}"),
        ("train --recipe runs/tiny", f"runs/tiny is a run, not a recipe; {RUN}"),
        ("show tiny", f"tiny is a data set, not an architecture; {DATA}, `ganzoo list` lists the architectures."),
        ("show tiny:images=4", "tiny:images=4 is a data set, not an architecture;"),
        ("show hinge", "hinge is a loss, not an architecture; --loss hinge takes it"),
        ("show alone.safetensors", "alone.safetensors is a model without its run, not an architecture;"),
        ("show runs", "runs is a folder of runs, not an architecture; `ganzoo runs runs` lists them."),
        ("data show tinygan", f"tinygan is an architecture, not a data set; {ARCHITECTURE}, `ganzoo data list` lists"),
        ("train tinygan tinygan", "tinygan is an architecture, not a data set;"),
        ("train tinygan ./pictures", "`ganzoo data add NAME ./pictures` makes a data set of it"),
        ("train pictures", "`ganzoo data add NAME pictures` makes a data set of it"),
        ("data show runs/tiny/model.safetensors", "is part of the run runs/tiny, not a data set;"),
        ("runs tinygan", f"tinygan is an architecture, not a run; {ARCHITECTURE}, `ganzoo runs` lists the runs."),
        ("runs runs/tiny/samples", "runs/tiny/samples is part of the run runs/tiny, not a run; give runs/tiny."),
        ("train tinygan tiny --loss r1", "r1 is a penalty, not a loss; --penalty r1 takes it, `ganzoo list --losses`"),
        ("train tinygan tiny --loss wgan-gp", "wgan-gp is a penalty, not a loss; --penalty wgan-gp takes it"),
        ("train tinygan tiny --evaluate r1", "There is no metric 'r1'"),
        ("evaluate runs/tiny --against tinygan", "tinygan is an architecture, not a data set;"),
        ("train tinygan tiny --init tiny", f"tiny is a data set, not a run; {DATA}"),
    ],
)
def test_a_word_of_another_kind_is_named_with_the_command_it_belongs_to(words: str, said: str) -> None:
    assert said in refusal(cli(*words.split()), 2)


@pytest.mark.parametrize(
    "command",
    [
        "resume", "extend {} --steps 2", "sample", "mix", "interpolate", "project {} runs/tiny/real.png", "evaluate",
        "compare", "watch", "report", "play", "verdict", "probe", "animate", "export {} --format safetensors",
    ],
)  # fmt: skip
def test_a_command_that_takes_a_run_says_what_it_was_given(command: str) -> None:
    words = (command if "{}" in command else f"{command} {{}}").split()
    for word, called in (("tinygan", "an architecture"), ("tiny", "a data set"), ("tiny:images=4", "a data set")):
        said = refusal(cli(*(word if each == "{}" else each for each in words)), 2)
        assert f"{word} is {called}, not a run; " in said


@pytest.mark.parametrize("command", ["resume", "extend --steps 2", "compare", "watch", "report", "verdict", "probe"])
def test_what_needs_a_run_and_is_given_a_model_names_its_run(command: str) -> None:
    first, *rest = command.split()
    said = refusal(cli(first, "runs/tiny/model.safetensors", *rest), 2)
    assert "is part of the run runs/tiny, not a run; give runs/tiny." in said
    said = refusal(cli(first, "alone.safetensors", *rest), 2)
    assert "alone.safetensors is a model without its run, not a run; `ganzoo sample alone.safetensors`" in said


def test_a_data_set_of_the_users_is_known_too(place: Path) -> None:
    import ganzoo

    ganzoo.data.add("ours", place / "pictures")
    assert "`ganzoo data show ours` shows it" in refusal(cli("show", "ours"), 2)
    assert json.loads(cli("data", "show", "ours", "--json").output)["name"] == "ours"
