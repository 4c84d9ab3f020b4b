"""`--domains`: which of the data's domains take part in a translation, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from support.command_line import as_json, cli

import ganzoo
from ganzoo import data
from ganzoo.errors import UsageError

SIZE = 32
TINY = ("--layers-d", "1", "--blocks", "1", "--width-g", "4", "--width-d", "4", "--load-size", str(SIZE))
FEW = ("--steps", "2", "--batch-size", "2", "--resolution", str(SIZE), "--device", "cpu", "--samples", "4")
SHADES = {"autumn": 10, "spring": 90, "summer": 170, "winter": 250}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))


def shades(folder: Path, name: str, count: int = 6) -> Path:
    """Pictures of one grey, by which a domain is told from the others."""
    (folder / name).mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (SIZE, SIZE), (SHADES[name],) * 3).save(folder / name / f"{number}.png")
    return folder / name


@pytest.fixture
def seasons(tmp_path: Path) -> Path:
    return next(iter({shades(tmp_path / "seasons", name).parent for name in SHADES}))


def colours(dataset: data.Dataset) -> dict[str, int]:
    parts = dataset.parts.items()
    return {name: round((part.gather(torch.arange(1)).mean().item() + 1) * 127.5) for name, part in parts}


def test_several_sources_are_domains_with_names_or_letters(seasons: Path) -> None:
    named = data.add("named-4", [f"{name}={seasons / name}" for name in SHADES])
    assert dict(named.domains) == dict.fromkeys(SHADES, 6)
    assert colours(data.prepare("named-4")) == SHADES
    assert colours(data.prepare("named-4", domains=("winter", "spring"))) == {"winter": 250, "spring": 90}
    assert list(data.prepare("named-4", domains=("winter", "spring")).domains) == ["winter", "spring"]
    assert [*data.add("letters-4", [seasons / name for name in SHADES]).domains] == [*"ABCD"]
    again = data.add("named-4", named.source.split(" + "))  # as `data show` prints it
    assert again.fingerprint == named.fingerprint
    for wrong in ([f"a={seasons / 'autumn'}", seasons / "winter"], [f"testing={seasons / 'autumn'}", "b=x"]):
        with pytest.raises(UsageError, match=r"Give every source a name of its own.*\.$"):
            data.add("wrong", wrong)


def test_folders_of_more_than_two_letters_are_domains(tmp_path: Path) -> None:
    for number, folder in enumerate(("trainA", "trainB", "trainC", "testC")):
        shades(tmp_path / "set" / folder, [*SHADES][number], 3)
    info = data.add("three", tmp_path / "set")
    assert dict(info.domains) == {"A": 3, "B": 3, "C": 3, "testC": 3}
    chosen = data.prepare("three", domains=("C", "A"))
    assert colours(chosen) == {"C": SHADES["summer"], "A": SHADES["autumn"]}
    assert [*chosen.held_out] == ["testC"]


def test_classes_are_domains_where_they_are_chosen(seasons: Path) -> None:
    info = data.add("classes-4", seasons)
    assert (info.classes, dict(info.domains)) == (tuple(SHADES), {})
    chosen = data.prepare("classes-4", domains=("summer", "autumn"))
    assert colours(chosen) == {"summer": 170, "autumn": 10}
    assert (chosen.classes, chosen.parts["summer"].labels) == ((), None)


def test_a_run_trains_extends_translates_and_scores_with_its_domains(seasons: Path, tmp_path: Path) -> None:
    data.add("run-4", [f"{name}={seasons / name}" for name in SHADES])
    chosen, folder = ("--domains", "winter,spring"), tmp_path / "run"
    assert "--domains summer" not in cli("train", "cyclegan", "run-4", *FEW, *TINY, *chosen, "--dry-run").output
    result = cli("train", "cyclegan", "run-4", *FEW, *TINY, *chosen, "--out", folder)
    assert result.exit_code == 0, result.output
    run = ganzoo.Run.open(folder)
    assert run.facts["data"]["domains"] == ["winter", "spring"]
    assert {file.name for file in folder.glob("real-*.png")} == {"real-winter.png", "real-spring.png"}
    result = cli("extend", folder, "--steps", "2")
    assert result.exit_code == 0, result.output
    refused = cli("extend", folder, "--steps", "2", "--domains", "summer,winter")
    assert refused.exit_code == 2
    assert "--domains cannot change within a run" in refused.output
    picture = seasons / "winter" / "0.png"
    assert cli("translate", folder, picture, "--to", "spring", "-o", tmp_path / "new.png").exit_code == 0
    assert as_json(cli("evaluate", folder, "--metric", "swd", "--samples", "4", "--json"))


def test_a_recipe_may_say_the_domains(seasons: Path, tmp_path: Path) -> None:
    data.add("recipe-4", [f"{name}={seasons / name}" for name in SHADES])
    recipe = tmp_path / "seasons.toml"
    recipe.write_text('architecture = "cyclegan"\ndata = "recipe-4"\n[options]\ndomains = "summer,winter"\nsteps = 1\n')
    plan = ganzoo.plan.plan.plan_run(None, None, recipe=str(recipe))
    assert plan.domains == ("summer", "winter")
    plan = ganzoo.plan.plan.plan_run(None, None, recipe=str(recipe), domains="winter,autumn")
    assert plan.domains == ("winter", "autumn")


@pytest.mark.parametrize(
    ("domains", "said"),
    [
        (
            None,
            "refused-4 has 4: autumn, spring, summer, winter; name those to take, such as --domains autumn,spring",
        ),
        ("autumn", "--domains takes two or more different ones of autumn, spring, summer, winter"),
        ("autumn,autumn", "--domains takes two or more different ones"),
        ("autumn,sumer", "has no domain 'sumer'; did you mean summer"),
        ("autumn,spring,winter", "refused-4 has 3: autumn, spring, winter"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_the_names(
    domains: str | None, said: str, seasons: Path, tmp_path: Path
) -> None:
    data.add("refused-4", [f"{name}={seasons / name}" for name in SHADES])
    words = ("--domains", domains) if domains else ()
    result = cli("train", "cyclegan", "refused-4", *FEW, *TINY, *words, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert not (tmp_path / "run").exists()


def test_without_domains_or_classes_there_is_nothing_to_choose(seasons: Path) -> None:
    data.add("plain-1", seasons / "winter")
    result = cli("train", "cyclegan", "plain-1", *FEW, *TINY, "--domains", "A,B")
    assert result.exit_code == 2
    assert "plain-1 has no domains and no classes to choose from" in result.output
