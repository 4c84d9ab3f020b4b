"""`ganzoo bench` measures what it says; how fast is nobody's test."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner
from ganzoo_bench import worker
from ganzoo_bench.speed import Job

import ganzoo
from ganzoo.catalogue.catalogue import entries
from ganzoo.catalogue.components import load_architecture
from ganzoo.cli.app import app
from ganzoo.loop.spacing import RECORD_EVERY
from ganzoo.loop.trainer import Trainer
from ganzoo.testing.architecture.cases import Noise, cases

TINY = {"rounds": 1, "steps": 1, "batch_size": 4, "resolution": 32, "width_g": 4, "width_d": 4}


def every_case():
    for entry in entries("architecture"):
        if entry.distribution == "ganzoo":
            for case in cases(entry, load_architecture(entry)):
                yield pytest.param(case, id=f"{entry.name}-{case}")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", list(every_case()))
def test_every_architecture_has_every_loop(case, tmp_path):
    """ganzoo's, the tutorial's and the step by hand each train, and their operations are counted."""
    dataset = Noise(case.data)
    dataset.domains = case.data.domains
    session = SimpleNamespace(
        build=lambda: case.trainer(Trainer), dataset=dataset, precision="fp32", device=torch.device("cpu"),
        plan=SimpleNamespace(size=None, entry=case.entry, data=SimpleNamespace(name="noise")),
    )  # fmt: skip
    for step in (worker.trained(session), worker.bare(session), worker.plain(session, tmp_path)):
        assert step() >= 4
    with worker.Operations() as counter:
        worker.at_the_end(session).step()
    assert counter.total > 0


@pytest.mark.parametrize(
    ("architecture", "data", "more"),
    [("dcgan", "digits:images=32", {"width_g": 4, "width_d": 4}), ("cyclegan", "anime-hair:images=32", {})],
)
def test_the_plain_loop_reads_pictures(architecture, data, more, tmp_path):
    options = {"resolution": "32", "batch_size": 4, "device": "cpu", **more}
    step, _ = worker.make("plain", Job(architecture, data, options, "small", folder=str(tmp_path)))
    assert step() == 4
    assert len(list(tmp_path.rglob("*.jpg"))) >= 16


def test_values_are_read_as_often_as_a_run_reads_them():
    assert worker.READ_EVERY == RECORD_EVERY


def test_it_times_both(tmp_path):
    result = ganzoo.bench("dcgan", "digits:images=32", against="plain", **TINY)
    assert result.images_per_second > 0
    assert result.ratio == pytest.approx(result.images_per_second / result.plain_images_per_second)
    assert result.protocol["against"] == "plain"
    assert result.flops_per_image > 0
    assert not list(tmp_path.iterdir())


def test_a_script_beside_whole_runs(tmp_path):
    """It gets the pictures, their number and the batch; what it writes stays in a folder that is deleted. An
    architecture in a file is found by each process, whatever folder it is in.
    """
    script, mine = tmp_path / "theirs.py", tmp_path / "mine.py"
    script.write_text(
        "import pathlib, sys\n"
        "folder, images, batch = sys.argv[1:]\n"
        "assert len(list(pathlib.Path(folder).glob('*/*.jpg'))) == int(images) == 8 and batch == '4'\n"
        "pathlib.Path('out.txt').write_text('x')\n"
    )
    mine.write_text(
        "from ganzoo.api import ArchitectureCard, hookimpl\n"
        "from ganzoo_gan.model import GAN\n"
        "@hookimpl\n"
        "def ganzoo_architectures():\n"
        "    yield ArchitectureCard(name='mine', title='Mine', paper='P', year=2024, summary='S.', licence='MIT',\n"
        "        tasks={'unconditional'}, resolutions=(28, 32), api=2, model=GAN)\n"
    )
    given = {"rounds": 1, "steps": 1, "batch_size": 4, "resolution": 32, "images": 8}
    result = ganzoo.bench("mine.py", "digits:images=32", against=f"{script} {{folder}} {{images}} {{batch}}", **given)
    assert result.ratio > 0 < result.images_per_second
    assert result.protocol["architecture"] == f"{mine}:mine"
    assert {file.name for file in tmp_path.iterdir()} <= {"theirs.py", "mine.py"}
    script.write_text("raise SystemExit('no such network')")
    with pytest.raises(ganzoo.GanzooError, match="ended with code 1: no such network"):
        ganzoo.bench("mine.py", "digits:images=32", against=str(script), **given)


def test_a_preset_and_a_wrong_word(tmp_path):
    words = ["dcgan", "--on", "digits:images=32", "--preset", "small", "--batch-size", "4", "--rounds", "1"]
    said = CliRunner().invoke(app, ["bench", *words, "--turn", "1", "--json"])
    assert '"preset": "small"' in said.output, said.output
    with pytest.raises(ganzoo.UsageError, match="plain, bare or a script"):
        ganzoo.bench("dcgan", "digits:images=32", against="plane", **TINY)


def test_bad_options_are_said_by_the_contender():
    with pytest.raises(ganzoo.UsageError, match="did you mean hinge"):
        ganzoo.bench("dcgan", "digits:images=32", loss="hing", **TINY)


def test_operations_are_torchs_own_count():
    """Where torch's counter works, without `autograd.grad`, both count alike; with it only ours goes on."""
    from torch.utils.flop_counter import FlopCounterMode

    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 1))
    images = torch.randn(2, 3, 8, 8, requires_grad=True)
    with worker.Operations() as ours:
        network(images).sum().backward()
    with FlopCounterMode(display=False) as theirs:
        network(images).sum().backward()
    assert ours.total == theirs.get_total_flops() > 0
    with worker.Operations() as more:
        torch.autograd.grad(network(images).sum(), images, create_graph=True)[0].square().sum().backward()
    assert more.total > ours.total


QUICK = {"batch_size": 32, "evaluate_every": 64, "samples": 4}


def test_time_to_quality(tmp_path):
    """It stops at the score; the run is kept with its best model and goes on; the row has the figures."""
    from ganzoo_bench import until

    data = "points:images=256"
    found = ganzoo.time_to_quality(
        "gan", data, "modes=0", preset="points", steps=40, out="easy", against="bare", **QUICK
    )
    assert (found.reached, found.score, found.goal) == (True, "modes", 0.0)
    assert found.images == 64
    assert found.steps == 2 < ganzoo.Run.open("easy").header.stages[0].length["steps"]
    assert found.minutes >= 0
    assert found.other_minutes > 0 < found.ratio
    assert found.row.count("|") == len(until.COLUMNS) + 1
    assert "ganzoo bench gan --on points:images=256 --until modes=0 --preset points" in found.row
    run = ganzoo.Run.open("easy")
    assert run.status == "interrupted"
    assert run.best_file.exists()
    assert ganzoo.resume("easy").status == "finished"

    missed = ganzoo.time_to_quality("gan", data, "good=2", preset="points", steps=6, out="hard", **QUICK)
    assert not missed.reached
    assert missed.images == 192
    assert 0 <= missed.value < 2
    assert missed.other_minutes is None
    with pytest.raises(ganzoo.UsageError, match="takes a score and its value"):
        ganzoo.time_to_quality("gan", data, "good", preset="points")
    with pytest.raises(ganzoo.UsageError, match=r"god is not a score .* did you mean good"):
        ganzoo.time_to_quality("gan", data, "god=1", preset="points")


def test_time_to_quality_by_the_command_line(tmp_path):
    """Out of time it says how to go on, and --continue does; the row is in --json too."""
    words = ["bench", "gan", "--on", "points:images=256", "--preset", "points", "--until", "good=2", "--out", "here"]
    words += ["--batch-size", "32", "--evaluate-every", "64", "--samples", "4", "--steps", "9"]
    said = CliRunner().invoke(app, [*words, "--max-time", "1s", "--steps", "1000000"])
    assert "Not reached: " in said.output, said.output
    assert "To go on: ganzoo resume here" in said.output
    again = CliRunner().invoke(app, [*words, "--continue", "--max-time", "1s", "--json"])
    row = json.loads(again.output)
    assert row["reached"] is False
    assert row["images"] > 0
    assert row["row"].startswith(f"| {row['date']} |")
    refused = CliRunner().invoke(app, ["bench", "gan", "--on", "points", "--max-time", "1m"])
    assert refused.exit_code == 2
    assert "are for --until" in refused.output


def test_energy_is_of_the_processors_where_it_is_told(tmp_path):
    from ganzoo_bench.until import joules

    assert joules(tmp_path) is None
    for name, microjoules in (("intel-rapl:0", "2500000"), ("intel-rapl:0:0", "1"), ("intel-rapl:1", "1500000")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(microjoules)
    assert joules(tmp_path) == 4.0
