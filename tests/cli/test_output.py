"""Tables: as wide as the screen, whatever is in them."""

from __future__ import annotations

import pytest

from ganzoo.cli.output import columns_of, fact, speed_text, table

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


MANY = ("run", "architecture", "latent-dim", "batch-size", "images", "pretrained", "swd-32", "swd, best")
RUNS = [(f"dcgan-anime-{n}", "dcgan", "100", "16", "1,920", "none", "222.1", "206.3 ± 12.5") for n in range(3)]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_no_word_is_broken_where_many_columns_meet_a_narrow_screen(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    table(MANY, RUNS, right=MANY[1:]).print()
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= width
    for word in {word for row in (MANY, *RUNS) for cell in row for word in cell.split()}:
        assert word in text.split()
    assert text.count("222.1") == len(RUNS)


def test_a_turned_table_has_a_column_for_each_row(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    table(MANY, RUNS, right=MANY[1:]).print()
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert lines[0] == ["run", "dcgan-anime-0", "dcgan-anime-1", "dcgan-anime-2"]
    assert ["images", *["1,920"] * 3] in lines


@pytest.mark.parametrize("width", [40, 60, 80])
def test_of_many_rows_of_many_columns_the_last_columns_stand_below_with_their_headings(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    table(MANY, RUNS * 10, right=MANY[1:]).print()
    heading, *lines = capsys.readouterr().out.strip().splitlines()
    assert heading.split()[:2] == ["run", "architecture"]
    assert max(map(len, lines)) <= width
    for word in {word for row in RUNS for cell in row for word in cell.split()}:
        assert word in " ".join(lines).split()
    assert " ".join(" ".join(lines).split()).count("swd, best: 206.3 ± 12.5") == len(RUNS * 10)


OPTIONS = [("--truncation-layers", "int|none", "1,1,1,1,1,1.5,2,3", "layers that truncation reaches")] * 9


@pytest.mark.parametrize("width", [40, 60, 65])
def test_few_columns_have_the_last_below_the_others_where_words_would_break(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    table(("option", "type", "value", "what it is"), OPTIONS).print()
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= width
    for cell in OPTIONS[0][:-1]:
        assert text.split().count(cell) == len(OPTIONS)
    if width == 40:  # the value stands below too, so each says what it is
        assert "value: 1,1,1,1,1,1.5,2,3 what it is: layers that truncation" in " ".join(text.split())
    else:
        assert "      layers that truncation" in text


def test_what_stands_above_is_in_columns_where_they_fit(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "65")
    table(("option", "type", "value", "what it is"), [("--lr", "float", "0.1", "learning rate"), *OPTIONS]).print()
    heading, _, first, _, second, _ = capsys.readouterr().out.splitlines()[1:7]
    assert heading.index("value") == first.index("0.1") == second.index("1,1,1")


def test_they_stand_side_by_side_where_there_is_room(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    table(("option", "type", "value", "what it is"), OPTIONS).print()
    assert len(capsys.readouterr().out.strip().splitlines()) == 2 + len(OPTIONS)


def test_a_long_fact_goes_on_below_itself_on_a_screen_and_is_one_line_in_a_pipe(capsys, monkeypatch):
    classes = ", ".join(f"name-{n} 800" for n in range(12))
    monkeypatch.setenv("COLUMNS", "60")
    fact("classes", classes, 13)
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("classes       name-0 800")
    assert others
    assert all(line.startswith(" " * 14 + "name-") or line.strip()[0].isdigit() for line in others)
    assert max(map(len, (first, *others))) <= 60
    monkeypatch.setattr("ganzoo.cli.output.piped", lambda: True)
    fact("classes", classes, 13)
    assert capsys.readouterr().out == f"classes       {classes}\n"


@pytest.mark.parametrize(("rate", "text"), [(0.44, "0.4"), (1.2, "1.2"), (70.4, "70"), (1612.0, "1,612")])
def test_a_low_speed_has_a_decimal(rate, text):
    assert speed_text(rate) == f"{text} images/s"
