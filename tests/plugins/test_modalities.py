"""Signals and tables: read, encoded and undone, trained on, and what each command does or refuses for each modality."""

from __future__ import annotations

import csv
import math
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from ganzoo_point.points import Points
from ganzoo_signal import wav
from ganzoo_signal.signal import Signal
from ganzoo_table import mixture
from ganzoo_table.people import People
from ganzoo_table.table import Table

import ganzoo
from ganzoo import data
from ganzoo.api import DataSpec, Unreadable
from ganzoo.cli.app import app
from ganzoo.errors import GanzooError, UsageError
from ganzoo.runs.header import DataHeader

MODALITIES = {"image": "digits:images=16", "point": "points:images=64", "signal": "tones:images=16,length=256",
              "table": "people:images=64", "text": "words:images=64",
              "clip": "bouncing:images=16,side=16,frames=4"}  # fmt: skip
ARCHITECTURES = {"text": "gumbelgan", "clip": "vgan"}  # for what `gan` does not take


def command(*words: str):
    return CliRunner().invoke(app, list(words), catch_exceptions=True)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run on each modality, of two steps."""
    folder = tmp_path_factory.mktemp("modalities")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_HOME", str(folder / "home"))
        for name, given in MODALITIES.items():
            made[name] = folder / name
            ganzoo.train(ARCHITECTURES.get(name, "gan"), given, out=made[name], steps=2, batch_size=8, device="cpu")
        yield made


# ---- every modality × every command ----------------------------------------------------------------------------------

REFUSED = {  # command -> modalities for which it says so, and what it says; all others work
    "swd": ({"point", "signal", "table", "text"}, "judges images and clips, and this model makes"),
    "folder": ({"point", "table", "text"}, "are written together"),
    "movie": ({"point", "signal", "table", "text", "clip"}, "make no movie"),
    "project": ({"point", "signal", "table", "text", "clip"}, "makes no images"),
    "flip": ({"point", "signal", "table", "text"}, "--flip is for images"),
    "dcgan": ({"point", "signal", "table", "text", "clip"}, "DCGAN makes images, and this data set has none"),
}


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize(
    "what", ["sample", "npy", "folder", "swd", "verdict", "grid", "movie", "export", "project", "flip", "dcgan"]
)
def test_every_command_works_or_refuses_in_a_sentence(runs, tmp_path, modality, what):
    run, out = str(runs[modality]), tmp_path
    picture = out / "given.png"
    ganzoo.sheet(torch.zeros(1, 1, 28, 28)).save(picture)
    words = {
        "sample": ["sample", run, "-n", "4", "-o", str(out / "a.png")],
        "npy": ["sample", run, "-n", "4", "-o", str(out / "a.npy")],
        "folder": ["sample", run, "-n", "4", "-o", str(out / "each")],
        "swd": ["evaluate", run, "--metric", "swd", "--samples", "8"],
        "verdict": ["verdict", run, "--samples", "8"],
        "grid": ["interpolate", run, "--points", "2", "--frames", "2", "-o", str(out / "w.png")],
        "movie": ["interpolate", run, "--points", "2", "--frames", "2", "-o", str(out / "w.gif")],
        "export": ["export", run, "--format", "safetensors", "-o", str(out / "m.safetensors")],
        "project": ["project", run, str(picture), "--steps", "1", "-o", str(out / "p.png")],
        "flip": [
            "train",
            ARCHITECTURES.get(modality, "gan"),
            MODALITIES[modality],
            "--flip",
            "--batch-size",
            "8",
            "--dry-run",
        ],
        "dcgan": ["train", "dcgan", MODALITIES[modality], "--batch-size", "8", "--steps", "1", "--out", str(out / "r")],
    }[what]
    if what == "dcgan" and modality == "image":
        return
    result = command(*words)
    refused, said = REFUSED.get(what, ((), ""))
    if modality in refused:
        assert result.exit_code == 2, result.output
        assert said in result.output
        assert "Traceback" not in result.output
    else:
        assert result.exit_code == 0, result.output


def test_what_makes_no_images_does_not_even_open_what_it_is_to_project(runs, tmp_path):
    sound = tmp_path / "given.wav"
    sound.write_bytes(b"RIFF")
    for run in (runs["signal"], runs["table"]):
        result = command("project", str(run), str(sound))
        assert result.exit_code == 2
        assert "makes no images; there is nothing to compare one with" in result.output


def test_the_header_says_the_modality_and_its_state(runs):
    for name, run in runs.items():
        model = ganzoo.load(run, device="cpu")
        assert model.facts["data"]["modality"] == name
        assert model.modality.name == name
        assert model.modality.state == model.facts["data"]["state"]
    assert ganzoo.load(runs["signal"], device="cpu").modality.state["rate"] == 8000


def test_a_header_from_before_there_were_modalities_opens(runs):
    assert DataHeader("it", "here", (2,), (), ()).spec.modality == "point"
    assert DataHeader("it", "here", (3, 8, 8), (), ()).spec.modality == "image"


def test_a_data_spec_refuses_what_is_no_image():
    for spec in (DataSpec((2,)), DataSpec((1, 256), modality="signal")):
        for name in ("channels", "height", "width"):
            with pytest.raises(UsageError, match="makes images"):
                getattr(spec, name)


# ---- signals ---------------------------------------------------------------------------------------------------------


def test_wav_of_16_bits_reads_as_python_writes_it(tmp_path):
    file = tmp_path / "a.wav"
    values = np.array([[0, 16384, -32768, 32767], [1, 2, 3, 4]], "<i2")
    with wave.open(str(file), "wb") as opened:
        opened.setnchannels(2)
        opened.setsampwidth(2)
        opened.setframerate(22050)
        opened.writeframes(values.T.tobytes())
    samples, rate = wav.read(file.read_bytes())
    assert rate == 22050
    assert np.array_equal(samples, values / 32768)
    assert wav.write(samples, rate)[:4] == b"RIFF"


@pytest.mark.parametrize(
    ("kind", "bits", "raw", "value"),
    [
        (1, 8, bytes([192]), 0.5),
        (1, 24, b"\x00\x00\xc0", -0.5),
        (1, 32, struct.pack("<i", 1 << 30), 0.5),
        (3, 32, struct.pack("<f", 0.25), 0.25),
        (3, 64, struct.pack("<d", -0.25), -0.25),
    ],
)
def test_wav_of_every_kind(kind, bits, raw, value):
    form = struct.pack("<HHIIHH", kind, 1, 8000, 8000 * bits // 8, bits // 8, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(raw)) + raw
    samples, _ = wav.read(b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks)
    assert samples.tolist() == [[value]]


def test_a_broken_wav_says_what_is_wrong():
    whole = wav.write(np.zeros((1, 100), np.float32), 8000)
    for data_, said in ((b"RIFF", "not a WAV"), (whole[:-50], "cut short"), (whole[:36], "no samples")):
        with pytest.raises(Unreadable, match=said):
            wav.read(data_)


def test_sounds_are_written_one_after_another_and_come_back(tmp_path):
    sounds = torch.stack([torch.full((1, 50), 0.5), torch.full((1, 50), -0.5)])
    Signal({"rate": 100}).save(sounds, tmp_path / "two.wav")
    samples, rate = wav.read((tmp_path / "two.wav").read_bytes())
    assert (rate, samples.shape) == (100, (1, 125))
    assert samples[0, 0] == pytest.approx(0.5, abs=1e-4)
    assert samples[0, -1] == pytest.approx(-0.5, abs=1e-4)


def test_a_folder_of_sounds_is_added_with_labels_and_trained_on(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    for label, length in (("high", 300), ("low", 200)):
        folder = tmp_path / "sounds" / label
        folder.mkdir(parents=True)
        for number in range(3):
            wave_ = np.sin(np.arange(length) / (number + 2))[None].astype(np.float32)
            (folder / f"{number}.wav").write_bytes(wav.write(wave_, 8000))
    with pytest.raises(UsageError, match="200 to 300 samples; say how many"):
        data.add("mine", tmp_path / "sounds")
    with pytest.raises(UsageError, match="signal:length 999999999999 is too large; it takes 67108864 at most"):
        data.add("mine", tmp_path / "sounds", modality="signal:length=999999999999")
    info = data.add("mine", tmp_path / "sounds", modality="signal:length=256")
    assert (info.modality, info.shape, info.classes) == ("signal", (1, 256), ("high", "low"))
    assert info.details["rate"] == 8000
    part = data.prepare("mine").parts["train"]
    sounds = part.gather(torch.arange(6))
    assert sounds.shape == (6, 1, 256)
    assert bool((sounds[3:, :, 200:] == 0).all())  # padded
    assert float(sounds[0, 0, 255]) == pytest.approx(math.sin(255 / 2), abs=1e-3)  # cut
    run = ganzoo.train("gan", "mine", out=tmp_path / "run", steps=1, batch_size=4, device="cpu")
    assert ganzoo.load(run.path, device="cpu").sample(2).shape == (2, 1, 256)


def test_sounds_of_other_rates_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "sounds").mkdir()
    for rate in (8000, 16000):
        (tmp_path / "sounds" / f"{rate}.wav").write_bytes(wav.write(np.zeros((1, 64), np.float32), rate))
    with pytest.raises(UsageError, match=r"different sample rates \(8000, 16000\)"):
        data.add("mine", tmp_path / "sounds")


def test_loud_floats_are_divided_by_the_loudest_of_all(tmp_path, monkeypatch):
    """They were trained on beyond -1 and 1, where no generator comes."""
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "sounds").mkdir()
    for number, peak in enumerate((0.5, 50)):
        samples = struct.pack("<64f", *[peak] * 64)
        head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 3, 1, 8000, 32000, 4,
                           32, b"data", len(samples))  # fmt: skip
        (tmp_path / "sounds" / f"{number}.wav").write_bytes(head + samples)
    assert data.add("loud", tmp_path / "sounds").details["peak"] == 50
    assert data.prepare("loud").parts["train"].gather(torch.arange(2))[:, 0, 0].tolist() == pytest.approx([0.01, 1])
    assert "50, by which all samples are divided" in command("data", "show", "loud").output
    (tmp_path / "sounds" / "1.wav").unlink()
    with pytest.raises(UsageError, match="has only one item that can be used"):
        data.add("quiet", tmp_path / "sounds")


def test_flac_reads_with_the_extra():
    soundfile = pytest.importorskip("soundfile")
    import io

    file = io.BytesIO()
    soundfile.write(file, np.linspace(-0.5, 0.5, 64), 8000, format="FLAC")
    samples, said = Signal.read(file.getvalue())
    assert (samples.shape, said) == ((1, 64), {"rate": 8000})


def test_other_sounds_without_the_extra_say_what_to_type(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(GanzooError, match=r"pip install 'ganzoo\[sound\]'"):
        Signal.read(b"fLaC")


# ---- tables ----------------------------------------------------------------------------------------------------------


def test_a_mixture_finds_its_modes():
    rng = np.random.RandomState(0)
    values = np.concatenate([rng.normal(-5, 0.5, 3000), rng.normal(4, 1, 3000)])
    found = mixture.fit(values)
    assert len(found) == 2
    assert found[0] == pytest.approx((-5, 0.5), abs=0.05)
    assert found[1] == pytest.approx((4, 1), abs=0.05)
    assert mixture.fit(np.full(50, 7.0)) == [(7.0, 1.0)]


def test_people_are_encoded_and_undone():
    people = People(images=400)
    rows = torch.from_numpy(np.stack([people.read(index) for index in range(400)]))
    table = Table(Table.fit(rows.numpy(), people.details))
    again = table.decode(table.encode(rows))
    assert torch.equal(again.isnan(), rows.isnan())
    assert bool(rows[:, 6].isnan().any())
    sure = ~rows.isnan()
    away = (again - rows.double()).abs()[sure]
    assert float((away > 1e-4).double().mean()) < 0.002  # those further than 4 standard deviations out, as in the paper


def test_a_csv_comes_back_with_its_columns_types_and_order(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    file = tmp_path / "t.csv"
    rows = [[str(i), f"{i / 8:.3f}", "red" if i % 3 else "", str(i % 2), "" if i % 5 == 0 else str(100 + i)]
            for i in range(60)]  # fmt: skip
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=";").writerows([["n", "x", "colour", "flag", "gap"], *rows])
    info = data.add("mine", file)
    kinds = {column["name"]: (column["kind"], column["missing"]) for column in info.details["columns"]}
    assert kinds == {"n": ("number", False), "x": ("number", False), "colour": ("category", True),
                     "flag": ("category", False), "gap": ("number", True)}  # fmt: skip
    assert info.modality == "table"
    prepared = data.prepare("mine")
    prepared.modality.save(prepared.parts["train"].gather(torch.arange(60)), tmp_path / "again.csv")
    with (tmp_path / "again.csv").open(encoding="utf-8", newline="") as opened:
        first, *back = csv.reader(opened, delimiter=";")
    assert first == ["n", "x", "colour", "flag", "gap"]
    assert [[row[0], row[2], row[3], row[4]] for row in back] == [[row[0], row[2], row[3], row[4]] for row in rows]
    assert all(abs(float(a[1]) - float(b[1])) < 0.002 for a, b in zip(back, rows, strict=True))


def test_a_table_is_fitted_on_what_is_trained_on_and_lies_in_the_model(runs, tmp_path):
    result = command("sample", str(runs["table"]), "-n", "30", "-o", str(tmp_path / "out.csv"))
    assert result.exit_code == 0, result.output
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as opened:
        first, *rows = csv.reader(opened)
    assert first == [column["name"] for column in People().details["columns"]]
    assert len(rows) == 30
    for row in rows:
        assert row[1] in ("female", "male")
        assert row[0].isdecimal()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,a\n1,2\n", "two of one name"),
        ("a,b\n1\n", "Row 2"),
        ("a,b\n", "no rows"),
        ("1.5,x\n2.5,y\n3.5,x\n", "looks like a row, with 1.5; it should name the columns"),
        ("a\n" + "\n".join(f"{n}.5" for n in range(9)) + "\noops\n", "'a' has 'oops' among numbers; mend it"),
        ("a\n" + "\n".join(f"{n}.5" for n in range(9)) + "\ninf\n", "'a' has 'inf' among numbers"),
        ("a\n" + "\n".join(f"user{n}" for n in range(20)) + "\n", "'a' has 20 different texts in 20, such"),
        ("a\n" + "\n".join(str(10**17 + n) for n in range(20)) + "\n", "differ in less than the seven digits"),
    ],
)
def test_what_is_no_table_says_so(tmp_path, monkeypatch, text, said):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(GanzooError, match=said):
        data.add("mine", tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("zip,n\n" + "".join(f"0{200 + n % 12},{n}\n" for n in range(48)), ["category", "number"]),
        ("x;n\n" + "".join(f"{n},25;{n}\n" for n in range(20)), ["number", "number"]),
        ("x,n\r" + "".join(f"{n}.25,{n}\r" for n in range(20)), ["number", "number"]),
        ("\ufeffx,n\n" + "".join(f"{n}.25,{n}\n" for n in range(20)), ["number", "number"]),
    ],
    ids=["leading zeros", "decimal commas", "CR", "UTF-16"],
)
def test_tables_as_other_programs_write_them(tmp_path, monkeypatch, text, columns):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "t.csv").write_bytes(text.encode("utf-16-le" if text[0] == "\ufeff" else "utf-8"))
    found = data.add("mine", tmp_path / "t.csv").details["columns"]
    assert [column["kind"] for column in found] == columns
    assert found[0].get("values", ["0200"])[0] == "0200"
    if columns[0] == "number":
        assert float(data.open_source("mine").read(3)[0]) == 3.25
    with pytest.raises(UsageError, match="leave --labels away"):
        data.add("labelled", tmp_path / "t.csv", labels="nothing.csv")
    with pytest.raises(UsageError, match="--levels says how pictures are read"):
        data.add("levelled", tmp_path / "t.csv", levels="0-5")


@pytest.mark.parametrize(
    ("mark", "cells", "values", "unsure"),
    [
        (",", ["12.345.678", "9.876", "5"], [12345678, 9876, 5], ""),
        (";", ["12,345,678", "9,876", "5"], [12345678, 9876, 5], ""),
        (",", ["-1.234.567 €", "2.345 €", ""], [-1234567, 2345, math.nan], ""),
        (",", ["1.234", "9.876", "5"], [1.234, 9.876, 5], "n, where 1.234 may be 1234: "),
        (";", ["1,234", "9,876", "5"], [1.234, 9.876, 5], "n, where 1,234 may be 1234: "),
        (",", ["1.234", "0.876", "5"], [1.234, 0.876, 5], ""),
        (",", ["1.234", "9.8765", "5"], [1.234, 9.8765, 5], ""),
    ],
)
def test_marks_of_thousands_are_told_from_fractions_or_it_is_said(tmp_path, monkeypatch, mark, cells, values, unsure):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    rows = [f"{cell}{mark}{number}" for number, cell in enumerate([*cells, *(f"{n}" for n in range(100, 120))])]
    sign = " €" * ("€" in cells[0])
    text = "\n".join([f"n{mark}m", *rows[:3], *(row.replace(mark, sign + mark) for row in rows[3:])])
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    info = data.add("mine", tmp_path / "t.csv")
    found = [float(data.open_source("mine").read(row)[0]) for row in range(3)]
    assert found == pytest.approx(values, nan_ok=True)
    assert Table.describe(info.details).get("fractions", "").startswith(unsure)
    assert ("fractions" in Table.describe(info.details)) == bool(unsure)


def test_names_of_one_row_each_are_categories_only_if_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "t.csv").write_text("a\n" + "\n".join(f"user{n}" for n in range(20)) + "\n", encoding="utf-8")
    assert (
        len(data.add("mine", tmp_path / "t.csv", modality="table:categories=a").details["columns"][0]["values"]) == 20
    )


def test_parquet_with_the_extra(tmp_path):
    pytest.importorskip("pyarrow")
    people = People(images=50)
    rows = torch.from_numpy(np.stack([people.read(index) for index in range(50)]))
    table = Table(Table.fit(rows.numpy(), people.details))
    table.save(table.encode(rows), tmp_path / "p.parquet")
    again, details = Table.read_all(tmp_path / "p.parquet", Table.Options())
    assert [column["name"] for column in details["columns"]] == [c["name"] for c in people.details["columns"]]
    assert again.shape == (50, 8)


def test_parquet_without_the_extra_says_what_to_type(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(GanzooError, match=r"pip install 'ganzoo\[table\]'"):
        Table.read_all(Path(tmp_path / "p.parquet"), Table.Options())


# ---- points ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 2, 3, 7, 40])
def test_vectors_of_any_length_have_a_sheet(columns):
    points = torch.randn(50, columns)
    plain, beside = Points({}).sheet(points), Points({}).sheet(points, real=points + 3)
    assert min(plain.size) > 50
    assert plain.tobytes() != beside.tobytes()


def test_points_bring_mean_and_spread(runs):
    spec = ganzoo.load(runs["point"], device="cpu").architecture.data
    assert (len(spec.mean), len(spec.spread)) == (2, 2)
    assert 0.3 < spec.spread[0] < 0.9


def test_points_are_written_as_csv(runs, tmp_path):
    assert command("sample", str(runs["point"]), "-n", "5", "-o", str(tmp_path / "p.csv")).exit_code == 0
    assert len((tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()) == 6


def test_an_architecture_of_longer_vectors_is_described(monkeypatch):
    from ganzoo.catalogue.catalogue import find
    from ganzoo.catalogue.components import load_architecture
    from ganzoo.plan.describe import describe

    gan = load_architecture(find("architecture", "gan"))
    before = gan.__init__

    def only_fives(self, config, spec):
        if spec.shape != (5,):
            raise UsageError("It takes vectors of 5 numbers.")
        before(self, config, spec)

    monkeypatch.setattr(gan, "__init__", only_fives)
    card = find("architecture", "gan").card
    monkeypatch.setitem(card.__dict__, "resolutions", ())
    assert describe("gan")["counted_for"] == [5]


def test_without_a_score_for_its_items_evaluate_says_so(runs):
    result = command("evaluate", str(runs["table"]), "--samples", "8")
    assert result.exit_code == 2
    assert "No installed score judges rows" in result.output


def test_scores_that_its_items_cannot_have_are_refused_before_data_is_packed(monkeypatch, tmp_path):
    monkeypatch.setattr("ganzoo.data.prepare", lambda *_, **__: pytest.fail("packed"))
    words = ("train", "ctgan", "people:images=600", "--evaluate-every", "100", "--out", str(tmp_path / "run"))
    for more, said in (
        ((), "No installed score judges rows"),
        (("--evaluate", "swd"), "The score swd judges images and clips"),
    ):
        result = command(*words, *more)
        assert result.exit_code == 2, result.output
        assert said in result.output
    assert not (tmp_path / "run").exists()


def test_nobody_is_sent_for_a_score_that_there_is_not(runs):
    assert "ganzoo evaluate" not in command("compare", str(runs["table"])).output
    assert "ganzoo evaluate" in command("compare", str(runs["signal"])).output
