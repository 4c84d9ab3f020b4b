"""The page that `ganzoo report` makes of runs, as it lies on the disk; test_report_browser.py opens it."""

from __future__ import annotations

import base64
import dataclasses
import inspect
import io
import json
import re
import shutil

import numpy
import pytest
from ganzoo_report.page import gather
from ganzoo_report.record import Mark
from ganzoo_report.sections import stage_by_stage
from PIL import Image, PngImagePlugin
from support.command_line import cli, refusal

import ganzoo
from ganzoo.loop.display import Display

pytest.importorskip("plotly", reason="the extra report is not installed")


def told(text: str) -> dict:
    """What the page's script is told."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


@pytest.fixture
def run(finished, tmp_path):
    """A copy of a finished run, to be changed."""
    shutil.copytree(finished.path, tmp_path / "run")
    return ganzoo.Run.open(tmp_path / "run")


def test_a_page_is_one_file_in_the_run(run):
    result = cli("report", run.path)
    assert result.exit_code == 0, result.output
    file = run.path / "report.html"
    assert result.stdout.splitlines()[-1] == str(file)
    text = file.read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    assert len(told(text)["series"]["r0-sheet"]) == 2  # of two epochs


def test_sheets_are_cut_as_the_core_lays_them_out():
    from ganzoo_report import story

    from ganzoo.pictures import framed, grid

    assert (story.SIDE, story.LARGEST) == (framed.SIDE, framed.LARGEST)
    assert inspect.signature(grid.grid).parameters["gap"].default == story.GAP


def test_curves_have_the_rows_of_the_log(run):
    cli("report", run.path)
    columns = told((run.path / "report.html").read_text(encoding="utf-8"))["runs"][0]["columns"]
    rows = list(run.metrics())
    assert columns == {name: [row.get(name) for row in rows] for name in columns}
    assert set(columns) == {name for row in rows for name in row}


def test_values_that_are_not_finite_are_left_out_of_the_curves(run):
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 7, "epoch": 2, "images": 112, "loss/D": NaN, "loss/G": Infinity}\n')
    assert cli("report", run.path).exit_code == 0
    columns = told((run.path / "report.html").read_text(encoding="utf-8"))["runs"][0]["columns"]
    assert (columns["loss/D"][-1], columns["loss/G"][-1], columns["images"][-1]) == (None, None, 112)


def test_a_long_run_is_spread_over_forty_positions_and_says_so(run):
    notes = PngImagePlugin.PngInfo()
    for step in range(1, 101):
        notes.add_text("step", str(step))
        Image.new("RGB", (22, 22), (step, 0, 0)).save(run.path / "samples" / f"step-{step:06d}.png", pnginfo=notes)
    rows = [{"step": step, "epoch": 0, "images": 16 * step, "loss/D": 1.0} for step in range(1, 6001)]
    (run.path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cli("report", run.path)
    text = (run.path / "report.html").read_text(encoding="utf-8")
    found = told(text)
    positions = [images for images, _ in found["positions"]]
    assert positions[0] == 16
    assert positions[-1] == 1600
    assert len(found["series"]["r0-sheet"]) == 40
    assert "40 of 102 sheets of samples are on this page" in text
    assert len(found["runs"][0]["columns"]["step"]) == 2000
    assert found["runs"][0]["columns"]["step"][-1] == 6000
    assert "4,000 of the 6,000 rows" in text
    cli("report", run.path, "--full")
    text = (run.path / "report.html").read_text(encoding="utf-8")
    assert len(told(text)["series"]["r0-sheet"]) == 102
    assert len(told(text)["runs"][0]["columns"]["step"]) == 6000
    assert "Left out" not in text


def test_a_page_has_eight_megabytes_at_most(run, monkeypatch):
    from ganzoo_report import page

    assert page.LIMIT == 8_000_000
    monkeypatch.setattr(page, "LIMIT", 2_200_000)  # a fifth of a megabyte more than the charts' library
    random = numpy.random.default_rng(0)
    for epoch in range(3, 13):  # noise, which cannot be compressed
        noise = random.integers(0, 256, (300, 300, 3), numpy.uint8)
        Image.fromarray(noise).save(run.path / "samples" / f"epoch-{epoch:04d}.png", compress_level=0)
    text = page.page([run])
    assert len(text.encode()) <= 2_200_000
    assert "The pictures are scaled to" in text
    assert len(told(text)["series"]["r0-sheet"]) == 12
    assert "Left out" not in page.page([run], full=True)


def test_words_of_a_run_stay_text(run):
    facts = json.loads((run.path / "run.json").read_text())
    facts["data"]["name"] = "</script><script>alert(1)</script>"
    (run.path / "run.json").write_text(json.dumps(facts))
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 7, "images": 112, "</script><b>": 1}\n')
    evil = run.path.with_name("<script>alert(2)<script>")
    run.path.rename(evil)
    cli("report", evil)
    text = (evil / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert text.count("</script>") == 3
    assert told(text)["runs"][0]["name"] == "<script>alert(2)<script>"


def test_without_a_run_it_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "ganzoo report runs/dcgan-anime-1" in refusal(cli("report"))
    assert "is not a run folder" in refusal(cli("report", "nowhere"))


def moments(text: str, series: str) -> list[int]:
    """Images seen of each picture of a series."""
    return [images for images, _, _ in told(text)["series"][series]]


def test_samples_stand_beside_the_training_images_nearest_to_them(run):
    cli("report", run.path)
    text = (run.path / "report.html").read_text(encoding="utf-8")
    assert moments(text, "r0-nearest") == moments(text, "r0-sheet") == [48, 96]
    assert moments(text, "r0-walk")[-1] == 96
    assert "The last 4 samples shown above are 0." in text
    words = re.sub("</?span>", "", text)  # of a command, which a narrow screen breaks between them alone
    assert f"ganzoo train tinygan tiny --epochs 2 --seed 0 --out {run.name}" in words


def test_a_run_whose_data_is_gone_has_a_page_all_the_same(run):
    facts = json.loads((run.path / "run.json").read_text())
    facts["data"] = {**facts["data"], "name": "gone", "distribution": ""}
    (run.path / "run.json").write_text(json.dumps(facts))
    (run.path / "model.safetensors").unlink()
    assert cli("report", run.path).exit_code == 0
    text = (run.path / "report.html").read_text(encoding="utf-8")
    assert "nothing was made with its model: " in text
    assert moments(text, "r0-sheet") == [48, 96]


def test_sheets_are_taken_without_their_captions(run):
    """A sheet is enlarged 16 times with a caption below; the page has the items as they were made."""
    cli("report", run.path, "--full")
    found = told((run.path / "report.html").read_text(encoding="utf-8"))
    assert found["grids"]["r0-sheet"] == [2, 2, 8, 8]
    number = found["series"]["r0-sheet"][-1][1]
    plain = Image.open(io.BytesIO(base64.b64decode(found["pictures"][number].partition(",")[2])))
    assert plain.size == (22, 22)
    whole = Image.open(run.path / "samples" / "epoch-0002.png").convert("RGB")
    times = 128 // 8
    small = whole.crop((0, 0, 22 * times, 22 * times)).resize((22, 22), Image.Resampling.NEAREST)
    assert plain.convert("RGB").tobytes() == small.tobytes()


def test_one_sheet_has_no_slider_that_moves_nothing(run):
    _, *later = sorted((run.path / "samples").glob("*.png"))
    for file in later:
        file.unlink()
    cli("report", run.path)
    text = (run.path / "report.html").read_text(encoding="utf-8")
    assert 'There is one sheet of samples: <span id="when"></span>' in text
    assert 'id="at"' not in text


def test_sheets_of_other_items_are_as_large_as_the_real_ones(tmp_path):
    run = ganzoo.train("gan", "points:images=64", out=tmp_path / "run", steps=1, samples=4, device="cpu",
                       batch_size=4, display=Display())  # fmt: skip
    album, (story,) = gather([run], full=False, quick=True)
    (sheet,) = (moment.picture for moment in story.series[story.sheet])
    assert album.pictures[sheet].size == album.pictures[story.real[""]].size


def test_stages_are_chapters(train, tmp_path):
    recipe = tmp_path / "two.toml"
    recipe.write_text(
        'architecture = "tinygan"\ndata = "tiny"\n[[stages]]\nsteps = 3\nlr = 1e-3\n[[stages]]\nsteps = 2\nlr = 1e-4\n'
    )
    run = train(architecture=None, data=None, recipe=str(recipe))
    cli("report", run.path)
    text = (run.path / "report.html").read_text(encoding="utf-8")
    assert told(text)["runs"][0]["stages"] == [[48, "2 steps, lr 0.0001"]]
    assert "<h3>Stage 1 of 2: 3 steps, lr 0.001</h3>" in text
    assert re.search(r"From 0 to 48 images seen, in \d+ s\.</p>", text)
    assert re.search(r"From 48 to 80 images seen, in \d+ s\. New: lr from 0.001 to 0.0001\.</p>", text)
    assert "<h3>Stage 2 of 2: 2 steps, lr 0.0001</h3>" in text
    assert 'data-least="48" data-most="80"' in text
    assert '<a href="#at=80&amp;zoom=48,80" data-to="curves" class="screen">Curves of this stage</a>' in text
    assert '<th scope="row">recipe</th><td>two.toml</td>' in text  # without the folders of this machine
    assert str(tmp_path) not in text


def test_a_stage_that_was_given_up_claims_no_samples(run):
    (given_up,) = gather([run], full=False, quick=True)[1]
    given_up.stages = [Mark(0, "a"), Mark(48, "b"), Mark(48, "c")]
    text = stage_by_stage([given_up])
    assert 'b</h3><p class="quiet">It was given up: the run was rolled back to 48 images seen.</p></article>' in text
    assert text.count("<img") == 2


def test_warnings_are_marked_and_said(run):
    row = {"step": 3, "images": 48, "stage": 0, "kind": "collapse", "text": "The samples are <b>alike</b>."}
    (run.path / "warnings.jsonl").write_text(json.dumps(row) + "\n")
    cli("report", run.path)
    text = (run.path / "report.html").read_text(encoding="utf-8")
    assert told(text)["runs"][0]["warnings"] == [[48, "The samples are <b>alike</b>."]]
    assert "48 images seen: The samples are &lt;b&gt;alike&lt;/b&gt;." in text


def test_the_caution_of_a_score_stands_by_it_once_in_the_headline_and_once_below_the_table(run):
    protocol = {"samples": 20, "metric": "m", "caution": "The classifier names only <70 % rightly."}
    metrics = [{"name": name, "value": 0.5, "protocol": protocol} for name in ("confident", "rarest")]
    (run.path / "scores.jsonl").write_text(json.dumps({"step": 6, "metrics": metrics}) + "\n")
    cli("report", run.path)
    text = (run.path / "report.html").read_text(encoding="utf-8")
    assert text.count('<p class="caution">⚠ The classifier names only &lt;70 % rightly.</p>') == 2
    assert text.count("Measured with: samples 20, metric m</p>") == 1, "once for all that were measured alike"
    assert re.findall(r'scope="row">(?:confident|rarest)</th><td>0.5</td><td>(\w*)</td>', text) == ["larger", ""]
    assert re.findall(r"<b>0.5</b><span>(.*?)</span>", text) == ["confident, larger is better"]


def test_settings_that_differ_are_marked(finished, train):
    other = train(out="other", lr=1e-3, steps=2)
    assert cli("report", finished.path, other.path).stdout.splitlines()[-1] == "report.html"
    text = (other.path.parent / "report.html").read_text(encoding="utf-8")
    marked = re.findall(r'<tr class="marked"><th scope="row">([\w-]+) ', text)
    assert {"lr", "steps", "epochs"} <= set(marked)
    assert not {"beta1", "seed", "architecture"} & set(marked)
    assert "Not equally long: from 32 to 96 images seen." in text
    assert [each["name"] for each in told(text)["runs"]] == [finished.name, "other"]


def test_translations_stand_there_and_back(tmp_path):
    options = {"layers_d": 1, "blocks": 1, "width_g": 4, "width_d": 4, "load_size": 32, "resolution": 32}
    run = ganzoo.train("cyclegan", "anime-hair:images=12", out=tmp_path / "run", steps=1, batch_size=1, device="cpu",
                       samples=4, display=Display(), **options)  # fmt: skip
    cli("report", run.path)
    text = (run.path / "report.html").read_text(encoding="utf-8")
    a, b = run.header.data.domains
    rows = re.findall(r'<div class="row"><span>(.*?)</span><canvas.*? data-cells="(.*?)"', text)
    names = (a, f"{a} → {b}", f"{a} → {b} → {a}", b, f"{b} → {a}", f"{b} → {a} → {b}")
    assert rows == [(name, f"{2 * row},{2 * row + 1}") for row, name in enumerate(names)]
    assert text.count('class="edge"') == 2
    assert "There and back</h2>" in text
    assert f"Real images: {a}</figcaption>" in text
    assert told(text)["grids"]["r0-sheet"][:2] == [2, 6]


def test_sounds_play(tmp_path):
    run = ganzoo.train("wavegan", "tones:images=16,length=64", out=tmp_path / "run", steps=1, samples=2, device="cpu",
                       width=1, latent_dim=4, n_critic=1, batch_size=4, display=Display())  # fmt: skip
    cli("report", run.path)
    text = (run.path / "report.html").read_text(encoding="utf-8")
    players = re.findall(r'<audio src="data:audio/wav;base64,([^"]+)" controls', text)
    assert [base64.b64decode(each)[:4] for each in players] == [b"RIFF"] * 8  # four made, four real
    assert "Real and generated</h2>" in text, "no nearest ones are looked for"
    assert re.search(r"<dd>\d+ sounds in 1 step,", text)
    assert text.count("<h3>Generated, at the end</h3>") == 1, "the slider moves no sound"
    assert re.search(r"<dd>tones[^<]*: 16 sounds, drawn by ganzoo</dd>", text)
    (story,) = gather([run], full=False, quick=True)[1]
    assert story.left_out == ["run: sounds to hear, which take long; the page of ganzoo report has them."]
    assert told(text)["items"] == "sounds"
    assert "Sounds per second" in [panel["title"] for panel in told(text)["panels"]]
    assert " images" not in re.sub(r"<script.*?</script>|<style.*?</style>", "", text, flags=re.S)


def test_passes_are_said_of_data_in_one_domain_only(run):
    from ganzoo_report.sections import _time, _trained

    data = dataclasses.replace(run.header.data, images=16)
    one = dataclasses.replace(run, header=dataclasses.replace(run.header, data=data))
    assert _trained(one, {"images": 16, "step": 2}) == "16 images in 2 steps, 1 pass over the data"
    assert _trained(one, {"images": 40, "step": 5}).endswith(", 2.5 passes over the data")
    both = dataclasses.replace(run.header, data=dataclasses.replace(data, domains=("A", "B")))
    assert _trained(dataclasses.replace(run, header=both), {"images": 16, "step": 2}) == "16 images in 2 steps"
    assert [_time(seconds, "") for seconds in (7, 67, 3700)] == ["7 s", "1 min 7 s", "1 h 1 min"]
