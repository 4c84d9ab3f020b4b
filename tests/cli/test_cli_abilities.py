"""Every command over every kind of architecture: it works, or refuses in one line."""

from __future__ import annotations

import pytest
from support.command_line import cli, refusal

import ganzoo
from ganzoo.loop.display import Display

QUIET = {"device": "cpu", "display": Display(), "samples": 4, "steps": 1}
TINY = {"resolution": 24, "blocks": 0, "width_g": 2, "width_d": 2, "layers_d": 2, "pool": 2, "batch_size": 1}
ONE_WAY = '''
from dataclasses import dataclass

from torch import nn

from ganzoo.api import ArchitectureCard, TwoDomains, TwoDomainsConfig, Update, hookimpl


@dataclass(frozen=True)
class Config(TwoDomainsConfig):
    batch_size: int = 2
    resolution: int = 16


class OneWay(TwoDomains):
    """Translates to B only."""

    Config = Config
    side_multiple = 1

    def __init__(self, config, data):
        super().__init__(config, data)
        self.targets = (data.domains[1],)
        self.G = nn.ModuleDict({"AB": nn.Conv2d(data.channels, data.channels, 3, padding=1)})
        self.D = nn.ModuleDict({"B": nn.Conv2d(data.channels, 1, 3)})

    def step(self, batches, progress):
        a, b = self.pair(next(batches))
        fake = self.G["AB"](a)
        yield Update("D", *self.discriminator_terms("B", b, fake.detach()))
        yield Update("G", {"adversarial": self.loss.generator(self.discriminate("B", fake))})

    def translate(self, images, to):
        assert to == self.data.domains[1]
        return self.G["AB"](images).tanh()


@hookimpl
def ganzoo_architectures():
    yield ArchitectureCard(
        name="oneway", title="OneWay", year=2000, paper="none", summary="For the tests.", resolutions=(8,),
        tasks={"translation"}, licence="MIT", api=2, model=OneWay,
    )
'''


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A tiny run of each kind of ability."""
    folder = tmp_path_factory.mktemp("abilities")
    (folder / "oneway.py").write_text(ONE_WAY, encoding="utf-8")
    rows = {
        "noise": ("tinygan", "tiny:images=32", {}),
        "labels": ("cgan", "digits:images=64", {"resolution": 16, "channels": 1, "batch_size": 8}),
        "points": ("gan", "points:images=64", {"batch_size": 8}),
        "styles": ("stylegan", "tiny:images=32", {"resolution": 8, "batch_size": 4}),
        "both ways": ("cyclegan", "anime-hair:images=12", TINY),
        "one way": (str(folder / "oneway.py"), "anime-hair:images=12", {}),
    }
    return {
        kind: ganzoo.train(name, data, out=folder / kind.replace(" ", "-"), **QUIET, **options).path
        for kind, (name, data, options) in rows.items()
    }


COMMANDS = {
    "sample": ({"noise", "labels", "points", "styles"}, ["-n", "2", "-o", "out.png"]),
    "truncated": ({"styles"}, ["-n", "2", "--truncation", "0.5", "-o", "out.png"]),
    "mix": ({"styles"}, ["-o", "out.png"]),
    "interpolate": ({"noise", "labels", "points", "styles"}, ["--points", "2", "--frames", "2", "-o", "out.png"]),
    "project": ({"noise", "labels", "styles"}, ["face.png", "--steps", "1", "-o", "out.png"]),
    "translate": ({"both ways", "one way"}, ["face.png", "--to", "B", "-o", "out"]),
    "translate back": ({"both ways"}, ["face.png", "--to", "A", "-o", "out"]),
    "verdict": ({"noise", "points", "styles"}, ["--samples", "4"]),
    "export": ({"noise", "labels", "points", "styles", "both ways", "one way"}, ["--format", "safetensors", "-o", "o"]),
    "evaluate": ({"labels", "both ways", "one way"}, ["--samples", "8", "--metric", "swd"]),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works_or_refuses_in_a_line(command, runs, tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (24, 24), "red").save("face.png")
    working, words = COMMANDS[command]
    name = {"truncated": "sample", "translate back": "translate"}.get(command, command.split()[0])
    for kind, run in runs.items():
        result = cli(name, run, *words)
        if kind in working:
            assert result.exit_code == 0, (kind, result.output)
        elif result.exit_code:
            assert refusal(result), kind
