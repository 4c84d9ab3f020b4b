"""Commands of plugins: what they are called, what help says of them, and what goes wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import cli, refusal

CARDS = """
from ganzoo.api import CommandCard, hookimpl

@hookimpl
def ganzoo_commands():
    for name, attribute in (("greet", "greet"), ("list", "greet"), ("broken", "nothing"), ("number", "NUMBER")):
        yield CommandCard(name=name, summary="Say hello.", examples=("ganzoo greet you",), section="Manners",
                          api=2, command=f"stranger_words:{attribute}")
"""
WORDS = """
import click
from ganzoo.api import UsageError

NUMBER = 3

@click.command()
@click.argument("whom")
def greet(whom, progress):
    '''Say hello.'''
    if whom == "nobody":
        raise UsageError("Nobody is there; greet somebody.")
    with progress() as report:
        report("Greeting", 1, 2)
    click.echo(f"hello {whom}")
"""


@pytest.fixture
def stranger(install: Callable[..., Path], own_catalogue: None) -> None:
    site = install(CARDS)
    (site / "stranger_words.py").write_text(WORDS, encoding="utf-8")
    sys.modules.pop("stranger_words", None)


def test_help_reads_cards_only(stranger: None) -> None:
    text = cli("--help").stdout
    manners = text.partition("Manners:")[2]
    assert "  greet " in manners
    assert "  ganzoo-stranger:list " in manners
    assert "stranger_words" not in sys.modules


def test_it_works_and_has_help_of_ganzoos(stranger: None) -> None:
    assert cli("greet", "you").stdout.endswith("hello you\n")
    assert cli("ganzoo-stranger:greet", "you").stdout.endswith("hello you\n")
    text = cli("greet", "--help").stdout
    assert "Usage: ganzoo greet [OPTIONS] WHOM" in text
    assert "--plugin FILE" in text
    assert text.endswith("Example:\n  ganzoo greet you\n")


def test_a_core_name_stays_the_cores(stranger: None) -> None:
    assert "dcgan" in cli("list").stdout
    assert cli("ganzoo-stranger:list", "you").stdout.endswith("hello you\n")
    said = " ".join(cli("--help").stdout.split())
    assert "ganzoo-stranger has a command list too; type: ganzoo ganzoo-stranger:list" in said


def test_two_of_one_name(stranger: None, install: Callable[..., Path]) -> None:
    install(CARDS, "other")
    assert "2 plugins offer the command 'greet'; write " in refusal(cli("greet", "you"))
    assert cli("ganzoo-stranger:greet", "you").stdout.endswith("hello you\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["greet", "nobody"], "Error: Nobody is there; greet somebody."),
        (["greet"], "Error: WHOM is missing. See `ganzoo greet --help`."),
        (["gret"], "Error: There is no command 'gret'; did you mean greet? See `ganzoo --help`."),
        (["number"], "Error: The plugin of the command number names 3, which is no click.Command."),
    ],
)
def test_what_goes_wrong_is_one_sentence(stranger: None, words: list[str], sentence: str) -> None:
    assert refusal(cli(*words), 1 if words == ["number"] else 2) == sentence


def test_a_command_that_cannot_be_imported(stranger: None) -> None:
    assert "The command 'broken' of ganzoo-stranger 2.5 cannot be imported" in refusal(cli("broken"), 1)
