"""Tables: as wide as the screen, whatever is in them."""

from __future__ import annotations

import pytest

from ganzoo.cli.output import columns_of, table

ROWS = [("dcgan", 3, "Convolutional networks."), ("a-name", None, "one\ntwo and well-known things " * 3)]


def lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    table(("name", "how many", "what it is"), ROWS, right=("how many",)).print()
    return capsys.readouterr().out.splitlines()


def test_a_table(capsys, monkeypatch):
    text = lines(capsys, monkeypatch, 60)
    assert text[:2] == ["", " name     how many   what it is"]
    assert set(text[2]) == {" ", "─"}
    assert text[3] == " dcgan           3   Convolutional networks."
    assert text[4] == " a-name              one"
    assert "well-known" in "".join(text)
    assert text[-1] == ""


@pytest.mark.parametrize("width", [20, 30, 45, 80])
def test_it_fits_the_screen(capsys, monkeypatch, width):
    text = lines(capsys, monkeypatch, width)
    assert max(map(len, text)) <= width
    assert "two" in "".join(text)


def test_colours_are_shown_where_they_are_wanted(capsys, monkeypatch):
    made = table(("name",), ())
    made.add_row("bad", style="red")
    made.add_row("so so", style="dim")
    monkeypatch.setenv("FORCE_COLOR", "1")
    made.print()
    assert "\x1b[31m bad\x1b[0m\n\x1b[2m so so\x1b[0m" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    made.print()
    assert "\x1b" not in capsys.readouterr().out


def test_wide_letters_take_two_columns(capsys):
    assert columns_of("顔") == 2
    table(("a", "b"), [("顔", "x"), ("yyy", "z")]).print()
    assert [line[-1:] for line in capsys.readouterr().out.splitlines()[3:5]] == ["x", "z"]
