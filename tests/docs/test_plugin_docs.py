"""The plugin guide says what is so: its code runs, its tables are complete, its sentences are what ganzoo says."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import json
import re
import tomllib
from pathlib import Path

import pytest
from support.documentation import GUIDE, ROOT, guide, parts, rows, section, shown, shown_files
from support.install import forget_files

import ganzoo
import ganzoo.api
from ganzoo.contract import hookspecs, renamed

# ---- the reference ---------------------------------------------------------------------------------------------------


def names(text: str) -> set[str]:
    """Everything in code's type, by its first word: "`rows(shape)`" says `rows`."""
    return set(re.findall(r"`(\w+)", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)))


def test_the_reference_has_every_hook_with_its_arguments():
    hooks = [name for name in dir(hookspecs) if name.startswith("ganzoo_")]
    assert hooks
    table = {row[0] for row in rows(section("reference", "Hooks"))}
    assert table == {f"`{name}({', '.join(inspect.signature(getattr(hookspecs, name)).parameters)})`" for name in hooks}


def test_the_reference_has_every_name():
    missing = set(ganzoo.api.__all__) - names(guide("reference"))
    assert not missing


CARDS = [name for name in ganzoo.api.__all__ if name.endswith("Card")]


@pytest.mark.parametrize("name", CARDS)
def test_the_reference_has_every_field_of_a_card(name):
    fields = {field.name for field in dataclasses.fields(getattr(ganzoo.api, name))}
    table = rows(section("reference", "Cards"))
    everywhere = {"name", "summary", "api"}
    own = names(" ".join(" ".join(row) for row in table if name == "ArchitectureCard" or row[0] == f"`{name}`"))
    assert fields <= everywhere | own
    assert everywhere <= names(" ".join(row[0] for row in table))


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("DataSpec", "An architecture"), ("Batch", "The step"), ("Progress", "The step"), ("Update", "The step"),
        ("Evidence", "Metrics"), ("Run", "Loggers and runs"), ("TwoPlayerConfig", "Base classes"),
        ("GrowingConfig", "Base classes"), ("Source", "Data sets"),
    ],
)  # fmt: skip
def test_the_reference_has_everything_of(name, heading):
    cls = getattr(ganzoo.api, name)
    own = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    said = names(section("reference", heading))
    inherited = {field.name for field in dataclasses.fields(ganzoo.api.TwoPlayerConfig)} if own else set()
    wanted = {field.name for field in own if name != "GrowingConfig" or field.name not in inherited}
    if name not in ("Update", "Run"):  # which have what the trainer calls
        members = {key: value for key, value in vars(cls).items() if not key.startswith("_")}
        wanted |= {key for key, value in members.items() if isinstance(value, property) or inspect.isfunction(value)}
    assert wanted - said <= {"batch_size", "resolution"}  # of a Config, for the trainer


def test_the_reference_has_everything_that_an_architecture_can_define():
    cls = ganzoo.api.Architecture
    own = {*vars(cls), *cls.__annotations__} - {"forward"}
    old = renamed.METHODS["Architecture"]
    assert {"Card", *old, *renamed.OPTIONS} <= names(section("compatibility", "What contract 1 called otherwise"))
    wanted = {name for name in own if not name.startswith("_") and name not in old}
    tables = rows(section("reference", "An architecture"))
    assert wanted <= names(" ".join(row[0] for row in tables)) | {"config", "data"}
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if name in wanted:
            arguments = ", ".join([*inspect.signature(method).parameters][1:])
            assert f"`{name}({arguments})`" in guide("reference")


@pytest.mark.parametrize(
    "name",
    ["EqualizedLinear", "EqualizedConv2d", "PixelNorm", "MinibatchStddev", "GrowingGenerator", "GrowingDiscriminator",
     "ImagePool", "upsample", "downsample", "fade", "feature_maps"],
)  # fmt: skip
def test_the_reference_has_the_arguments_of(name):
    (row,) = [row[1] for row in rows(guide("reference")) if row[0] == f"`{name}`"]
    (shown_arguments,) = re.findall(rf"^`(?:{name})?\((.*?)\)`", row)
    parameters = inspect.signature(getattr(ganzoo.api, name)).parameters.values()
    assert [each.split("=")[0] for each in shown_arguments.split(", ")] == [each.name for each in parameters]


def test_small_programs_of_the_reference_run():
    for text in parts()[""]:
        if text.startswith("import torch"):
            exec(compile(text, "reference.md", "exec"), scope := {})
    assert scope["z"].shape == (16, 100)


def test_the_paired_translator_of_the_reference_takes_grey_and_colour():
    import torch

    from ganzoo.api import Batch, DataSpec, Progress, TwoDomainsConfig

    (text,) = [text for text in parts()[""] if "class Paired" in text]
    exec(text, given := {})
    data = DataSpec((1, 8, 8), domains=("A", "B"), shapes={"B": (3, 8, 8)}, paired=True)
    model = given["Paired"](TwoDomainsConfig(penalty="r1:every=2"), data)
    both = {"A": torch.zeros(2, 1, 8, 8), "B": torch.zeros(2, 3, 8, 8)}
    turns = list(model.step(iter([Batch(both["A"], None, both)]), Progress(0, 0, 0, 0, 2)))
    assert [(turn.networks, turn.name) for turn in turns] == [("D", ""), ("D", "r1"), ("G", "")]
    assert model.translate(both["A"], "B").shape == (2, 3, 8, 8)


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"penalty": "r1:every=2"}, {"n_critic": 2}], ids=str)
def test_the_noisy_critic_of_the_reference_follows_how_sure_it_is(options, make_trainer):
    from tinyzoo.model import TinyGAN

    (text,) = [text for text in parts()[""] if "class Noisy" in text]
    exec(text, given := {})
    trainer = make_trainer(type("NoisyTinyGAN", (given["Noisy"], TinyGAN), {}), **options)
    sure = trainer.step()["sure"]
    amount = trainer.model.noisiness.amount
    if options != {"n_critic": 2}:  # of two turns the last one is shown
        assert float(amount) == pytest.approx(0.1 + 0.01 * (float(sure) - 0.6), abs=1e-6)
    assert 0.1 - 0.016 - 1e-6 <= float(amount) <= 0.1 + 0.004 + 1e-6
    assert float(amount) != pytest.approx(0.1, abs=1e-7)


def test_codes_made_of_a_gaussian_are_what_the_reference_says():
    import torch

    (text,) = [text for text in parts()[""] if "def codes" in text]
    exec(compile(text, "reference.md", "exec"), scope := {})
    z = torch.randn(20_000, 3 + 10 + 2, generator=torch.Generator().manual_seed(1))
    plain, category, continuous = scope["codes"](z, 3, 10)
    assert torch.equal(plain, z[:, :3])
    assert torch.bincount(category, minlength=10).float().div(2000).sub(1).abs().max() < 0.1
    assert continuous.min() >= -1
    assert continuous.max() <= 1
    assert (continuous.sort(0).values[5000] + 0.5).abs().max() < 0.03  # a quarter of it
    assert scope["inputs"](plain, category, continuous, 10).shape == z.shape


# ---- the tutorial ----------------------------------------------------------------------------------------------------

RUN = """
import sys
from ganzoo.cli import main
for words in sys.argv[1].splitlines():
    sys.argv = ["ganzoo", *words.split()]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""
TINY = "--steps 2 --batch-size 16 --device cpu"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def test_the_tutorials_file_trains(tmp_path, monkeypatch, run_python):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"my_gan.py": shown("my_gan.py")})
    assert "ganzoo train ./my_gan.py digits --width 512\nganzoo sample runs/my-gan-digits-1\n" in guide("tutorial")
    data = "digits:images=64"
    result = run_python(RUN, f"train ./my_gan.py {data} --width 32 {TINY}\nsample runs/my-gan-digits-1 -n 4")
    assert result.returncode == 0, result.stderr
    assert "My GAN (G " in result.stdout


def test_the_tutorials_package_passes_every_check(tmp_path, monkeypatch, run_python):
    """What `ganzoo plugins new` writes, with the tutorial's card and networks in place of its own."""
    from ganzoo.scaffold import write_plugin

    folder = write_plugin("my-gan", out=tmp_path / "ganzoo-my-gan")
    imports, *rest = parts()["my_gan.py"]
    imports, hook, _ = imports.partition("\n\n@hookimpl")
    assert hook
    package = folder / "ganzoo_my_gan"
    write(package, {"__init__.py": shown("ganzoo_my_gan/__init__.py"), "model.py": "\n\n".join([imports, *rest])})
    written = (folder / "tests" / "test_my_gan.py").read_text(encoding="utf-8")
    assert written.endswith(shown("tests/test_my_gan.py"))
    monkeypatch.chdir(tmp_path)
    result = run_python(RUN, "plugins check ./ganzoo-my-gan --json")
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(result.stdout)
    assert (found["failed"], found["skipped"]) == (0, 0)
    assert {each["subject"] for each in found["checks"]} == {
        "",
        "unconditional 3x28x28",
        "unconditional 2",
        "unconditional 10",
        "unconditional 1x1024",
        "unconditional 6x8",
        "unconditional 8x3x16x16",
    }


def test_the_card_is_the_same_in_the_file_and_in_the_package():
    (alone,) = re.findall(r"^    yield ArchitectureCard\(.*?^    \)$", shown("my_gan.py"), re.M | re.S)
    (packed,) = re.findall(r"^    yield ArchitectureCard\(.*?^    \)$", shown("ganzoo_my_gan/__init__.py"), re.M | re.S)
    assert alone.replace("my_gan:", "ganzoo_my_gan.model:") == packed


# ---- other plugins that are shown whole ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["__init__.py", "model.py"])
def test_the_guide_shows_dcgan_whole(name):
    """Its blocks, one after the other, are the file itself."""
    path = f"plugins/ganzoo_dcgan/{name}"
    there, blocks = (ROOT / path).read_text(encoding="utf-8"), parts()[path]
    shown_lines, lines = ([line for line in text.splitlines() if line.strip()] for text in ("\n".join(blocks), there))
    for number, (line, real) in enumerate(itertools.zip_longest(shown_lines, lines), 1):
        assert line == real, f"docs/plugins/dcgan.md and {path} differ in their line {number} that is not empty"
    assert all(text.strip("\n") in there for text in blocks)


EVALUATE = """
import ganzoo
(score,) = ganzoo.evaluate("runs/my-gan-stripes-1", ["contrast:scale=1"], samples=8, device="cpu")
print(score["name"], score["value"] >= 0, score["protocol"]["scale"], score["protocol"]["real_contrast"] > 0)
"""


def test_plugins_of_every_kind_work_together(tmp_path, monkeypatch, run_python):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, shown_files())
    loaded = "".join(f" --plugin ./ganzoo_{name}.py" for name in ("stripes", "margin", "beep", "contrast"))
    options = "--loss margin:margin=2 --penalty slope:gamma=0.5+drift --log beep:times=3 --preset small"
    result = run_python(RUN + EVALUATE, f"train ./my_gan.py stripes:images=64,seed=1 {options}{loaded} {TINY}")
    assert result.returncode == 0, result.stderr
    assert "on stripes:images=64,seed=1" in result.stdout
    assert "contrast-error True 1.0 True" in result.stdout
    assert "\a\a\aruns" in result.stdout  # the logger was told of the end
    run = tmp_path / "runs" / "my-gan-stripes-1"
    row = json.loads((run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert {"loss/D/adversarial", "loss/D/slope", "loss/D/drift"} <= row.keys()


def test_the_step_of_your_own_trains(tmp_path, monkeypatch, run_python):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"ganzoo_hazy.py": shown("ganzoo_hazy.py")})
    result = run_python(RUN, f"train ./ganzoo_hazy.py points:images=64 --preset calm --width 16 --accumulate 2 {TINY}")
    assert result.returncode == 0, result.stderr
    assert " haze: 0.5000" in result.stdout


def test_the_guides_own_tests_pass(tmp_path, monkeypatch, run_python):
    """What step.md says of how a rule of one's own is tested, tried on the file that the page shows."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {name: shown(name) for name in ("ganzoo_hazy.py", "test_hazy.py")})
    program = """
import inspect, pathlib, ganzoo, test_hazy
train = ganzoo.train
ganzoo.train = lambda name, *args, **options: train("./ganzoo_hazy.py", *args, **options)
for name, test in inspect.getmembers(test_hazy, inspect.isfunction):
    folder = pathlib.Path(name)
    folder.mkdir()
    test(folder)
    print(name)
"""
    result = run_python(program)
    assert result.returncode == 0, result.stderr
    ran = [line for line in result.stdout.splitlines() if line.startswith("test_")]
    assert ran == ["test_the_haze_comes_back_from_a_checkpoint", "test_the_haze_follows_how_sure_d_is"]


def test_what_the_guide_shows_passes_its_checks(monkeypatch):
    """All but those of the whole module, which is one file for the sake of being read."""
    import sys
    import types

    from ganzoo.catalogue.catalogue import KINDS, Entry
    from ganzoo.testing import checks

    ran = set()
    for name in ("ganzoo_hazy", "ganzoo_stripes", "ganzoo_margin", "ganzoo_contrast"):
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(shown(f"{name}.py"), f"{name}.py", "exec", dont_inherit=True), vars(module))
        for kind, (hook, _, _) in KINDS.items():
            for card in getattr(module, hook, list)():
                for check in checks(Entry(kind, card, name, "ganzoo-guide", "0.1.0")):
                    check()
                    ran.add(check.kind)
    assert ran == {"architecture", "dataset", "loss", "penalty", "metric"}


def test_a_file_may_import_torch(tmp_path):
    """What torch does when it is imported is not taken for the file's doing."""
    from ganzoo.testing import checks

    file = tmp_path / "ganzoo_margin.py"
    write(tmp_path, {file.name: shown(file.name)})
    module = [check for check in checks(file) if check.kind == "plugin"]
    quiet = {f"loads without {what}" for what in ("network", "printing", "writing")}
    assert {check.name for check in module} == {"loads", *quiet}
    for check in module:
        check()
    forget_files()


# ---- sentences -------------------------------------------------------------------------------------------------------


def test_the_sentences_about_a_step_are_what_the_trainer_says(make_trainer):
    """Each of the table is what a step with that mistake gets."""
    import torch
    from tinyzoo.model import TinyGAN

    from ganzoo.api import Update

    def detached(self, batches, progress):
        fake = self.G(self.noise(len(next(batches).images)))
        yield Update("G", {"loss": self.loss.generator(self.D(fake.detach()))})

    def stranger(self, batches, progress):
        next(batches)
        yield Update("E", {"loss": torch.zeros(())})

    def idle(self, batches, progress):
        next(batches)
        yield from ()

    def no_generator(self, batches, progress):
        next(batches)

    def dataless(self, batches, progress):
        yield Update("G", {"loss": self.G(self.noise(4)).mean()})

    def gradless(self, batches, progress):
        next(batches)
        with torch.no_grad():
            yield Update("G", {"loss": self.G(self.noise(4)).mean()})

    def a_dict(self, batches, progress):
        next(batches)
        yield {"loss": 1}

    def without_terms(self, batches, progress):
        next(batches)
        yield Update("G", {})

    def no_mean(self, batches, progress):
        next(batches)
        yield Update("D", {"adversarial": self.D(self.G(self.noise(4)))})

    said = set()
    for step in (
        detached, stranger, idle, no_generator, dataless, gradless, a_dict, without_terms, no_mean,
    ):  # fmt: skip
        trainer = make_trainer(type("MyGAN", (TinyGAN,), {"step": step}))
        with pytest.raises(ganzoo.GanzooError) as error:
            trainer.step()
        said.add(str(error.value))
        torch.set_grad_enabled(True)
    table = {row[0] for row in rows(section("trouble", "A step that is stopped"))}
    assert {row for row in table if "MyGAN" in row} == said


def test_the_sentences_about_a_plugin_are_ganzoos():
    """What stands between two "…" of a sentence is in the source of what says it."""
    files = [ROOT / "ganzoo" / "contract" / "cards.py", *(ROOT / "ganzoo" / "catalogue").glob("*.py")]
    said = "".join(file.read_text(encoding="utf-8") for file in files)
    said = re.sub(r'"\s*\n\s*f?"', "", said)  # a text over several lines
    said = re.sub(r"\{[^{}]*(\{[^{}]*\})?[^{}]*\}", "…", said)
    table = rows(section("trouble", "A plugin that does not load"))
    assert len(table) >= 16
    for sentence, _ in table[1:]:
        for part in re.split("ganzoo_architectures|architecture|ArchitectureCard|…|;", sentence):
            assert part.strip() in said, f"ganzoo does not say {sentence!r}"


# ---- checks, compatibility, publishing, directory --------------------------------------------------------------------

SECTIONS = {
    "plugin": "The module",
    "architecture": "Architectures",
    "dataset": "Data sets",
    "loss": "Losses",
    "penalty": "Penalties",
    "augmentation": "Augmentations",
    "metric": "Metrics",
    "logger": "Loggers",
    "modality": "Modalities",
    "scheme": "Schemes",
    "command": "Commands",
    "recipe": "Recipes",
}


def test_every_check_is_explained(monkeypatch):
    """Those of one plugin of every kind, and of every task: of what the catalogue has, and of one with a history."""
    from tinyzoo.model import TinyGAN

    from ganzoo.testing import checks

    monkeypatch.setattr(TinyGAN.Config, "previous", {"0.1": {}}, raising=False)
    plugins = ("builtin", "cgan", "cyclegan", "dcgan", "drawn", "hub", "tensorboard", "tiny")
    found = {(check.kind, check.name) for plugin in plugins for check in checks(plugin)}
    assert {kind for kind, _ in found} == SECTIONS.keys()
    explained = {
        (kind, row[0].strip("`")) for kind, heading in SECTIONS.items() for row in rows(section("checks", heading))
    }
    assert explained == found


def test_an_option_that_was_renamed_is_brought_up_to_date():
    from ganzoo.catalogue.upgrade import upgraded

    exec(compile(shown("upgrade"), "compatibility.md", "exec", dont_inherit=True), scope := {"__name__": "upgrade"})
    config = scope["MyGANConfig"]
    stored = config.previous["0.1.0"]
    assert upgraded(config, stored, "0.1.0", "my-gan") == {"width": 64, "latent_dim": 100}
    assert upgraded(config, {"width": 8}, "0.2.0", "my-gan") == {"width": 8}


def test_the_version_of_the_contract_is_the_one_written():
    assert f"now {ganzoo.api.API}." in re.sub(r"\s+", " ", guide("compatibility"))
    assert f"this ganzoo's is `API`, {ganzoo.api.API}" in guide("reference")


def test_the_entry_point_is_that_of_a_new_plugin(tmp_path):
    from ganzoo.scaffold import write_plugin

    (text,) = [text for text in parts()[""] if text in guide("publishing") and "entry-points" in text]
    project = (write_plugin("my-gan", out=tmp_path / "new") / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(project)["project"]["entry-points"] == tomllib.loads(text)["project"]["entry-points"]


THIRD_PARTY = ROOT / "tests" / "third_party"
LINK = re.compile(r"\[(.+)\]\((\S+)\)")


def test_the_directory_is_sound():
    """An entry is one row: a name with a link, a distribution, its kind, whose it is, and a check that passed."""
    from ganzoo.catalogue.catalogue import KINDS

    table = rows(guide("directory").partition("## To be")[0])
    assert table
    listed = [LINK.fullmatch(row[0]) for row in table]
    assert all(listed), "the name of a plugin is a link to it"
    assert [link[1] for link in listed] == sorted({link[1] for link in listed}), "rows are in order, each name once"
    kinds = [{"dataset": "data set"}.get(kind, kind) for kind in KINDS]
    for link, (_, distribution, what, by, checked) in zip(listed, table, strict=True):
        assert distribution == "ganzoo" or distribution.startswith("ganzoo-"), link[1]
        assert what.startswith(tuple(kinds)), f"{link[1]}: its kind comes first"
        assert by, f"{link[1]}: whose it is"
        if distribution == "ganzoo":
            assert (by, checked) == ("ganzoo", "every version")
        else:
            version = LINK.fullmatch(checked)
            assert version, f"{link[1]}: the version it passed with is a link to the run"
            assert re.fullmatch(r"\d+(\.\d+)+", version[1]), f"{link[1]}: {version[1]} is no version of ganzoo"


def test_the_directory_has_all_that_is_in_the_tree():
    table = rows(guide("directory").partition("## To be")[0])
    ours = {LINK.fullmatch(row[0])[1] for row in table if row[1] == "ganzoo"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert ours == project["entry-points"]["ganzoo"].keys() - {"builtin"}
    strangers = {file.parent.name for file in THIRD_PARTY.glob("*/pyproject.toml")}
    assert {row[1] for row in table if "third_party" in row[0]} == strangers


def test_the_way_in_leads_to_every_page():
    linked = set(re.findall(r"\]\((\w[\w-]*\.md)\)", guide("index")))
    assert linked == {file.name for file in GUIDE.glob("*.md")} - {"index.md"}


def test_players_may_move_at_once_as_the_reference_says(make_trainer):
    """Each by its own loss, at the weights that the step began with; against both gradients taken by hand."""
    import torch
    from tinyzoo.model import TinyGAN

    from ganzoo.api import Update

    (text,) = [text for text in parts()[""] if "def frozen" in text]
    exec(compile(text, "reference.md", "exec"), scope := {})

    class AtOnce(TinyGAN):
        def step(self, batches, progress):
            self.real = next(batches).images
            self.fake = self.G(self.noise(len(self.real)))
            d = self.loss.discriminator(self.D(self.real), self.D(self.fake.detach()))
            g = self.loss.generator(scope["frozen"](self.D, self.fake))
            self.by_hand = [
                *torch.autograd.grad(d, [*self.D.parameters()], retain_graph=True),
                *torch.autograd.grad(self.loss.generator(self.D(self.fake)), [*self.G.parameters()], retain_graph=True),
            ]
            yield Update(("D", "G"), {"d": d, "g": g})

        def optimizer(self, network, parameters):
            return torch.optim.SGD(parameters, lr=1.0)

    trainer = make_trainer(AtOnce)
    model = trainer.model
    parameters = [*model.D.parameters(), *model.G.parameters()]
    before = [parameter.detach().clone() for parameter in parameters]
    trainer.step()
    for old, new, gradient in zip(before, parameters, model.by_hand, strict=True):
        torch.testing.assert_close(new, old - gradient)
