"""Runs set side by side, made of files alone."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ganzoo_compare.comparison import plot
from support.runs import edit

import ganzoo
from ganzoo.cli.app import app
from ganzoo.errors import UsageError, csv_cell

TEMPLATE = Path(__file__).parents[1] / "fixtures" / "contract1" / "gan-stopped" / "run.json"
PROTOCOL = {"samples": 500, "seed": 0, "data": "digits", "split": "training", "metric": "swd"}


def make(folder: Path, seed: int, lr: float, swd: list[float], images: int = 100, **protocol: object) -> Path:
    """A run whose log has a row, and whose scores an evaluation, for each of `swd`."""
    facts = json.loads(TEMPLATE.read_text())
    facts["seed"] = facts["settings"]["seed"] = seed
    facts["config"]["lr"] = lr
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(facts))
    log, scores = [], []
    for number, value in enumerate(swd, 1):
        log.append(
            {"step": 10 * number, "images": images * number, "seconds": 30.0 * number, "loss/G": value / 10 + seed,
             "score/swd": value}
        )  # fmt: skip
        told = {"name": "swd", "value": value, "protocol": {**PROTOCOL, "step": 10 * number, **protocol}}
        scores.append({"step": 10 * number, "images": images * number, "training": True, "metrics": [told]})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))
    (folder / "scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in scores))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two rates, two seeds each."""
    make(tmp_path / "a0", 0, 1e-3, [60, 40, 50])
    make(tmp_path / "a1", 1, 1e-3, [60, 44, 54])
    make(tmp_path / "b0", 0, 2e-3, [60, 30, 20])
    make(tmp_path / "b1", 1, 2e-3, [60, 30, 24])
    return tmp_path


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, words)])


def test_seeds_are_one_row_with_mean_and_spread(runs: Path) -> None:
    compared = ganzoo.compare([runs])
    slow, fast = compared.rows
    assert (slow.settings, fast.settings) == ({"lr": 1e-3}, {"lr": 2e-3})  # what differs, and only that
    assert slow.seeds == fast.seeds == (0, 1)
    assert slow.scores["swd"].final == (50, 54)
    assert slow.scores["swd"].best == (40, 44)  # the smaller is the better
    facts = compared.facts()["rows"][1]
    assert facts["scores"]["swd"]["mean"] == 22
    assert facts["scores"]["swd"]["spread"] == pytest.approx(math.sqrt(8))
    assert facts["seconds"] == [90.0, 90.0]
    assert compared.notes == ()


def test_the_table_in_every_form(runs: Path) -> None:
    table = run(runs).output
    assert "52 ± 2.828" in table
    rows = list(csv.reader(run(runs, "--csv").output.splitlines()))
    assert rows[0] == ["run", "lr", "seeds", "images", "minutes", "pretrained", "swd", "swd, best"]
    assert rows[1] == ["a0", "0.001", "0,1", "300", "1.5", "none", "52 ± 2.828", "42 ± 2.828"]
    assert "| b0 | 0.002 | 0,1 | 300 | 1.5 | none | 22 ± 2.828 | 22 ± 2.828 |" in run(runs, "--markdown").output
    assert r"b0 & 0.002 & 0,1 & 300 & 1.5 & none & 22 $\pm$ 2.828" in run(runs, "--latex").output
    assert json.loads(run(runs, "--json").output)["rows"][0]["scores"]["swd"]["best"] == [40, 44]


def test_unequal_lengths_are_said(runs: Path) -> None:
    make(runs / "c0", 0, 3e-3, [60, 30], images=500)
    [note] = ganzoo.compare([runs]).notes
    assert note.startswith("Not equally long: from 300 to 1,000 images.")


def test_what_was_found_in_a_run_is_no_difference_in_how_it_was_scored(runs: Path) -> None:
    make(runs / "c0", 0, 3e-3, [60, 30, 20], shares={"a": 0.25}, caution="Few.")
    assert not [note for note in ganzoo.compare([runs]).notes if "taken alike" in note]


def test_the_name_of_a_run_is_shorter_than_a_dozen_options(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(runs / "c0", 0, 3e-3, [60, 30, 20])
    monkeypatch.setattr("ganzoo_compare.comparison.LEGEND", 7)
    assert run(runs, "--plot", runs / "a.svg").exit_code == 0
    drawn = (runs / "a.svg").read_text(encoding="utf-8")
    assert "<!-- c0 -->" in drawn
    assert "<!-- a0" not in drawn, "two seeds have no name together"


def test_seeds_below_a_folder_have_its_name_and_one_alone_has_both(tmp_path: Path) -> None:
    for parent in ("first", "second"):
        for seed in range(2):
            make(tmp_path / parent / f"seed={seed}", seed, 1e-3 if parent == "first" else 2e-3, [60, 40])
    assert [row.folder for row in ganzoo.compare([tmp_path / "first", tmp_path / "second"]).rows] == ["first", "second"]
    single = ganzoo.compare([tmp_path / "first/seed=0", tmp_path / "second/seed=0"])
    assert [row[0] for row in single.table()[1]] == ["first/seed=0", "second/seed=0"]


def test_the_legend_of_many_rows_stands_below_the_curves(runs: Path) -> None:
    few, many = runs / "few.svg", runs / "many.svg"
    plot(ganzoo.compare([runs]), few)
    for number in range(3):
        make(runs / f"c{number}", 0, 3e-3 + number, [60, 40])
    plot(ganzoo.compare([runs]), many)
    heights = [float(re.findall(r'height="([\d.]+)pt"', file.read_text())[0]) for file in (few, many)]
    assert heights[0] < heights[1]


def test_a_plot_says_what_it_shows_in_words(runs: Path) -> None:
    compared, file = ganzoo.compare([runs]), runs / "a.svg"
    for value, over, label in (
        ("score/swd", "images", "swd"), ("loss/G", "steps", "loss of G"), ("loss/G", "time", "seconds of training"),
    ):  # fmt: skip
        plot(compared, file, value, over)
        assert f"<!-- {label} -->" in file.read_text(encoding="utf-8")
    assert "<!-- lr 0.001 (2 seeds) -->" in file.read_text(encoding="utf-8")
    assert "<!-- band: all seeds; line: their mean -->" in file.read_text(encoding="utf-8")
    edit_log = (runs / "a0" / "metrics.jsonl").read_text().replace('"seconds": 90.0', '"seconds": 9000.0')
    (runs / "a0" / "metrics.jsonl").write_text(edit_log)
    plot(compared, file, over="time")
    assert "<!-- minutes of training -->" in file.read_text(encoding="utf-8")


def test_runs_without_a_score_say_how_to_get_one(runs: Path) -> None:
    make(runs / "c0", 0, 3e-3, [60, 30, 20])
    (runs / "c0" / "scores.jsonl").unlink()
    rows = [{"step": 30, "images": 300, "seconds": 90.0}]
    (runs / "c0" / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    [note] = ganzoo.compare([runs]).notes
    assert note.startswith("Without a score: 1 of 5 runs. `ganzoo evaluate")
    assert str(runs / "c0") in note


def test_scores_taken_otherwise_are_said(runs: Path) -> None:
    make(runs / "c0", 0, 3e-3, [60, 30, 20], samples=50)
    assert ganzoo.compare([runs]).notes == ("swd was not taken alike: the runs differ in samples.",)
    assert "swd was not taken alike" in run(runs, "--markdown").output


def test_the_caution_of_a_score_is_said(runs: Path) -> None:
    make(runs / "c0", 0, 3e-3, [60, 30, 20], caution="the classifier names only 71.0% of held-out items rightly.")
    notes = ganzoo.compare([runs / "c0"]).notes
    assert notes == ("Caution about swd: the classifier names only 71.0% of held-out items rightly.",)


def test_pretrained_weights_have_a_column(runs: Path) -> None:
    row = ganzoo.compare([runs]).facts()["rows"][0]
    assert row["pretrained"] == "none"
    edit(runs / "a0" / "run.json", init="elsewhere/faces.safetensors")
    assert ganzoo.compare([runs]).rows[0].pretrained == "begun from faces.safetensors"


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_a_curve_is_drawn(runs: Path, ending: str) -> None:
    file = runs / f"curve.{ending}"
    assert run(runs, "--plot", file, "--over", "time").output.endswith(f"{file}\n")
    start = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending]
    assert file.read_bytes().startswith(start)


def test_the_value_drawn_is_the_first_score_unless_it_is_named(runs: Path) -> None:
    compared = ganzoo.compare([runs])
    assert plot(compared, runs / "a.png") == "score/swd"
    assert plot(compared, runs / "a.png", "loss/G") == "loss/G"
    with pytest.raises(UsageError, match=r"No run logged 'los/G'; did you mean loss/G\?"):
        plot(compared, runs / "a.png", "los/G")
    with pytest.raises(UsageError, match=r"takes \.png, \.pdf, \.svg"):
        plot(compared, runs / "a.gif")
    many = {f"option-{number}": "a value" for number in range(12)}  # of runs that differ in much
    plot(replace(compared, rows=tuple(replace(row, settings=many) for row in compared.rows)), runs / "b.png")


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    found = run(tmp_path)
    assert found.exit_code == 2
    assert "is not a run folder" in found.output
    assert run().exit_code == 2


def test_the_list_of_runs_has_score_seed_size_and_time(runs: Path) -> None:
    facts = json.loads(CliRunner().invoke(app, ["runs", str(runs), "--json"]).output)
    first = facts[0]
    assert (first["seed"], first["seconds"], first["scores"], first["score"]) == (0, 90.0, {"swd": 50}, "swd")
    line = CliRunner().invoke(app, ["runs", str(runs)], env={"COLUMNS": "200"}).output.splitlines()[3]
    assert "1.5" in line
    assert "swd 50" in line


def test_the_log_of_a_run_as_csv(runs: Path) -> None:
    rows = list(csv.DictReader(CliRunner().invoke(app, ["runs", str(runs / "a0"), "--csv"]).output.splitlines()))
    assert [row["score/swd"] for row in rows] == ["60", "40", "50"]
    assert [row["step"] for row in rows] == ["10", "20", "30"]
    refused = CliRunner().invoke(app, ["runs", str(runs), "--csv"])
    assert refused.exit_code == 2
    assert "--csv prints the log of one run" in refused.output


@pytest.mark.parametrize("metrics", ["none", [3], [{"name": "swd"}], [{"name": "swd", "value": "low", "protocol": {}}]])
def test_a_damaged_evaluation_is_left_out(runs: Path, metrics: object) -> None:
    with (runs / "a0" / "scores.jsonl").open("a") as rows:
        rows.write(json.dumps({"step": 40, "images": 400, "metrics": metrics}) + "\n")
    assert ganzoo.compare([runs]).rows[0].scores["swd"].final == (50, 54)
    assert CliRunner().invoke(app, ["runs", str(runs)]).exit_code == 0


def test_names_are_no_formulas_and_no_markup(runs: Path) -> None:
    """In a spreadsheet, a terminal, Markdown or LaTeX."""
    make(runs / "=cmd|' x'!A0", 0, -3e-3, [7])
    make(runs / "\x1b[2J|`<b>`\n\\input{x}", 0, 4e-3, [7])
    rows = list(csv.reader(run(runs, "--csv").output.splitlines()))
    assert {row[0] for row in rows[1:]} == {"a0", "b0", "'=cmd|' x'!A0", "\\x1b[2J|`<b>` \\input{x}"}
    assert "-0.003" in {row[1] for row in rows}  # a number stays one
    assert r"\\x1b\[2J\|\`\<b\>\` \\input{x}" in run(runs, "--markdown").output
    assert r"\textbackslash{}input\{x\}" in run(runs, "--latex").output


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        *((text, text) for text in ("-1.5", "+2", "-1e-05 ± 0.25", "-inf", "dcgan-1", "1,024", "", "a=b")),
        *((text, f"'{text}") for text in ("=1+1", "@SUM(A1)", "+cmd", "-2+3+cmd|' /C calc'!A0", "-", "-1=2")),
        *((0.5, "0.5"), ("a\x1b\n\tb", "a\\x1b b"), ("\t=1", "'=1")),
    ],
)
def test_a_cell_of_csv(value: object, cell: str) -> None:
    assert csv_cell(value) == cell


def test_notes_are_in_lines_that_break_no_word_of_a_terminal(monkeypatch, capsys):
    from ganzoo_compare.commands import _in_lines

    note = "Not equally long: from 3,840 to 19,200 images."
    assert _in_lines(note) == note, "one line for a program"
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert _in_lines(note).splitlines() == ["Not equally long:", "from 3,840 to 19,200", "images."]


def sized(folder: Path, lr: float, **levels: float) -> Path:
    """A run with a score at several sizes."""
    make(folder, 0, lr, [20])
    (row,) = map(json.loads, (folder / "scores.jsonl").read_text().splitlines())
    more = [{**row["metrics"][0], "name": name.replace("_", "-"), "value": value} for name, value in levels.items()]
    (folder / "scores.jsonl").write_text(json.dumps({**row, "metrics": [*more, *row["metrics"]]}) + "\n")
    return folder


def test_a_score_at_one_size_that_only_repeats_it_has_no_column(tmp_path: Path) -> None:
    compared = ganzoo.compare([sized(tmp_path / "a", 1e-3, swd_28=20)])
    assert [name for name in compared.table()[0] if name.startswith("swd")] == ["swd", "swd, best"]
    assert set(compared.facts()["rows"][0]["scores"]) == {"swd", "swd-28"}
    compared = ganzoo.compare([tmp_path / "a", sized(tmp_path / "b", 2e-3, swd_32=15, swd_16=25)])
    assert [name for name in compared.table()[0] if name.startswith("swd")] == ["swd", "swd, best", "swd-32", "swd-16"]
    assert "swd-32 and swd-16 are swd at this many pixels a side; swd itself is their mean." in compared.notes


def test_a_sweep_of_which_no_run_has_begun(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text("{}")
    found = run(tmp_path)
    assert found.exit_code == 2
    assert f"No run in {tmp_path} has begun yet; `ganzoo resume {tmp_path}` goes on with the sweep." in found.stderr
