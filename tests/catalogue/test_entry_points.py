"""Damaged metadata harms nobody, and of two things with one name or module neither silently wins."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from support.command_line import as_json, cli
from support.install import write_distribution
from support.strangers import CARD, YIELDS, names, plugin

from ganzoo.catalogue import entry_points
from ganzoo.catalogue.catalogue import Catalogue, find, written_by
from ganzoo.catalogue.catalogue import catalogue as everybodys
from ganzoo.errors import GanzooError, UsageError

# ---- entry points and metadata ---------------------------------------------------------------------------------------


def distribution(site, folder, metadata="", points="", **files):
    (site / folder).mkdir()
    (site / folder / "METADATA").write_bytes(metadata if isinstance(metadata, bytes) else metadata.encode())
    (site / folder / "entry_points.txt").write_bytes(points if isinstance(points, bytes) else points.encode())
    for name, text in files.items():
        (site / folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("value", ["", "two words", "module:", ":attribute", ".relative", "a..b", "stranger-module"])
def test_an_entry_point_that_names_no_module(install, value):
    site = install(YIELDS)
    distribution(site, "odd-1.dist-info", "Name: odd\nVersion: 1\n", f"[ganzoo]\nodd = {value}\n")
    catalogue = Catalogue()
    assert "names no module; `name = module` does" in (plugin(catalogue, "odd").error or "")
    assert "stranger" in names(catalogue)


def test_a_line_without_a_value(install):
    site = install(YIELDS)
    distribution(site, "odd-1.dist-info", "Name: odd\nVersion: 1\n", "[ganzoo]\nodd\n# a comment\n\n[other]\nx = y\n")
    catalogue = Catalogue()
    assert plugin(catalogue, "odd").status == "broken"
    assert not [each for each in catalogue.plugins if each.name == "x" or each.name.startswith("#")]


def test_an_entry_point_may_name_an_object_and_extras(install):
    site = install(YIELDS)
    (site / "objects.py").write_text(
        f"{YIELDS.replace('card()', 'card(chr(97))')}\nclass Plugin:\n    @hookimpl\n    def ganzoo_losses(self):\n"
        "        yield LossCard(name='far', summary='', api=2, loss='m:L')\nplugin = Plugin()\n",
        encoding="utf-8",
    )
    distribution(site, "odd-1.dist-info", "Name: odd\nVersion: 1\n", "[ganzoo]\nodd = objects:plugin [extra]\n")
    assert "far" in names(Catalogue(), "loss")


def test_metadata_without_a_name_or_none_at_all(install):
    site = install(YIELDS)
    distribution(site, "ganzoo_mute-3.1.dist-info", "Metadata-Version: 2.1\n", "[ganzoo]\nmute = stranger_module\n")
    found = plugin(Catalogue(), "mute")
    assert (found.error, found.distribution, found.version) == (None, "ganzoo_mute", "3.1")


def test_files_that_are_no_text_break_nobody(install):
    site = install(YIELDS)
    distribution(site, "ganzoo_bytes-1.dist-info", b"\xff\xfe\n", b"[ganzoo]\n\xff = \xfe\n")
    distribution(site, "elsewhere-1.dist-info", "Name: elsewhere\nVersion: 1\n", b"\xff")
    (site / "ganzoo_stranger-2.5.dist-info" / "direct_url.json").write_bytes(b"\xff")
    catalogue = Catalogue()
    assert "stranger" in names(catalogue)
    assert plugin(catalogue, "ganzoo_bytes").status == "broken"
    assert not [each for each in catalogue.plugins if each.distribution == "elsewhere"]


def test_a_module_that_is_not_there(install):
    site = install(YIELDS)
    distribution(site, "gone-1.dist-info", "Name: gone\nVersion: 1\n", "[ganzoo]\ngone = gone_module.plugin\n")
    assert plugin(Catalogue(), "gone").error == "its module gone_module is not there; install gone again"


@pytest.mark.parametrize(
    ("requirements", "advice"),
    [
        ([], "pip install surely_not_there"),
        (["surely-not-there>=2"], "pip install 'surely-not-there>=2'"),
        (["pluggy", "another-name (>=1)"], "pip install 'another-name(>=1)'"),
        (["another-name; python_version < '3'"], "pip install surely_not_there"),
        (["surely-not-there; extra == 'far'"], "pip install 'needy[far]'"),
    ],
)
def test_what_to_install_for_want_of_a_dependency(install, requirements, advice):
    site = install(YIELDS)
    (site / "needy_module.py").write_text("import surely_not_there.deep", encoding="utf-8")
    asked = "".join(f"Requires-Dist: {each}\n" for each in requirements)
    metadata = f"Metadata-Version: 2.1\nName: needy\nVersion: 1\n{asked}"
    distribution(site, "needy-1.dist-info", metadata, "[ganzoo]\nneedy = needy_module\n")
    error = plugin(Catalogue(), "needy").error or ""
    assert error == f"it needs the module surely_not_there, which is not installed; type: {advice}"


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        ("pluggy>=1", None),
        ("surely-not-there; extra == 'far'", None),
        ("another-name; python_version < '3'", None),
        ("surely-not-there>=2", "it needs surely-not-there>=2, and it is not installed; type: pip install "),
        ("pluggy>=99", rf"it needs pluggy>=99, and {re.escape(version('pluggy'))} is installed; type: pip install "),
        ("two words", "its requirement 'two words' is none that pip can read"),
    ],
)
def test_ganzoo_plugins_names_a_requirement_that_is_not_met(install, own_catalogue, monkeypatch, requirement, words):
    site = install(YIELDS)
    monkeypatch.delitem(sys.modules, "needy_module", raising=False)
    metadata = f"Metadata-Version: 2.1\nName: needy\nVersion: 1\nRequires-Dist: {requirement}\n"
    (site / "needy_module.py").write_text(YIELDS.replace("card()", "card('needed')"), encoding="utf-8")
    distribution(site, "needy-1.dist-info", metadata, "[ganzoo]\nneedy = needy_module\n")
    rows = as_json(cli("plugins", "--json"))
    [row] = [row for row in rows if row["name"] == "needy"]
    assert row["status"] == ("ok" if words is None else "warning"), row
    assert words is None or re.match(words, row["reason"])


# ---- names and modules that two have ---------------------------------------------------------------------------------


def test_one_name_twice_in_one_distribution(install):
    site = install(YIELDS)
    (site / "second_module.py").write_text(YIELDS, encoding="utf-8")
    points = "[ganzoo]\ntwin = stranger_module\ntwin = second_module\n"
    distribution(site, "twins-1.dist-info", "Name: twins\nVersion: 1\n", points)
    twins = [each for each in Catalogue().plugins if each.name == "twin"]
    assert sorted(each.error or "" for each in twins) == [
        "",
        "it offers the architecture twins:stranger twice, as twin does",
    ]


def test_one_plugin_that_offers_a_name_twice(install):
    install(YIELDS + "    while True:\n        yield card()\n")
    assert plugin(Catalogue()).error == "it offers the architecture ganzoo-stranger:stranger twice"


def test_the_full_name_always_resolves_however_the_distribution_is_spelt(install):
    install(YIELDS, "one", "Ganzoo_One")
    install(YIELDS, "two")
    catalogue = Catalogue()
    for name in ("Ganzoo_One:stranger", "ganzoo-one:stranger", "ganzoo.one:stranger"):
        assert catalogue.find("architecture", name).distribution == "Ganzoo_One"
    with pytest.raises(UsageError, match="2 plugins offer"):
        catalogue.find("architecture", "stranger")


@pytest.mark.parametrize("source", [YIELDS, "raise RuntimeError", "def"])
@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_a_module_in_front_of_ours(install, monkeypatch, name, source):
    """Python would import the stranger's, being first on the path; ganzoo's own is loaded before, from where it is."""
    site = install(YIELDS)
    (site / "ganzoo_dcgan.py").write_text(source, encoding="utf-8")
    write_distribution(site, "ganzoo-front", {name: "ganzoo_dcgan"})
    kept = {module: sys.modules.pop(module) for module in list(sys.modules) if module.startswith("ganzoo_dcgan")}
    path = list(sys.path)
    try:
        catalogue = Catalogue()
        assert sys.modules["ganzoo_dcgan"].__file__.endswith("__init__.py")
    finally:
        sys.modules.pop("ganzoo_dcgan", None)
        sys.modules.update(kept)
    assert sys.path == path
    assert plugin(catalogue, "dcgan").error is None
    assert catalogue.find("architecture", "dcgan").full_name == "ganzoo:dcgan"
    hidden = r"its module ganzoo_dcgan \(.*ganzoo_dcgan\.py\) is hidden by another of that name, .*ganzoo_dcgan;"
    assert re.match(hidden, plugin(catalogue, name).error or "")
    assert [each.name for each in catalogue.plugins] == sorted(each.name for each in catalogue.plugins)


def test_of_two_strangers_with_one_module_one_is_refused(install, tmp_path, monkeypatch):
    install(YIELDS, "first")
    other = tmp_path / "other"
    other.mkdir()
    (other / "first_module.py").write_text(YIELDS, encoding="utf-8")
    write_distribution(other, "ganzoo-another", {"another": "first_module"})
    monkeypatch.setattr(sys, "path", [*sys.path, str(other)])
    catalogue = Catalogue()
    assert "is hidden by another" in (plugin(catalogue, "first").error or "")
    assert catalogue.find("architecture", "stranger").distribution == "ganzoo-another"
    assert str(other) in (sys.modules["first_module"].__file__ or "")


def test_a_module_whose_file_was_overwritten(install):
    """pip lets one distribution's file replace another's; the hash in RECORD tells."""
    site = install(YIELDS, "first")
    recorded = "first_module.py,sha256=AAAA,1\n"
    (site / "ganzoo_first-2.5.dist-info" / "RECORD").write_text(recorded, encoding="utf-8")
    write_distribution(site, "ganzoo-second", {"second": "first_module"})
    catalogue = Catalogue()
    assert plugin(catalogue, "second").error is None
    assert re.fullmatch(
        "its module first_module was overwritten by that of ganzoo-second; .* install ganzoo-first again",
        plugin(catalogue, "first").error or "",
    )


@pytest.mark.parametrize("inside", [False, True], ids=["beside", "venv inside"])
def test_a_module_among_the_metadata_of_a_checkout(install, tmp_path, monkeypatch, inside):
    """What pip installed with -e lies in its checkout; what lies beside its metadata is somebody else's."""
    checkout = tmp_path if inside else tmp_path / "checkout"
    (checkout / "src").mkdir(parents=True)
    (checkout / "src" / "thief_module.py").write_text(YIELDS.replace("card()", "card('mine')"), encoding="utf-8")
    site = install(YIELDS.replace("card()", "card('theirs')"), "thief")
    write_distribution(site, "ganzoo-mine", {"mine": "thief_module"})
    facts = {"url": checkout.as_uri(), "dir_info": {"editable": True}}
    (site / "ganzoo_mine-1.0.dist-info" / "direct_url.json").write_text(json.dumps(facts), encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(checkout / "src")])
    catalogue = Catalogue()
    assert plugin(catalogue, "mine").error is None
    assert catalogue.find("architecture", "mine").full_name == "ganzoo-mine:mine"
    assert "is hidden by another of that name" in (plugin(catalogue, "thief").error or "")


def test_a_module_in_another_shape_than_was_installed(install):
    """A package and a file of one name lie side by side, and Python takes the package."""
    site = install(YIELDS, "second")
    (site / "second_module").mkdir()
    (site / "second_module" / "__init__.py").write_text(YIELDS.replace("card()", "card('first')"), encoding="utf-8")
    (site / "ganzoo_second-2.5.dist-info" / "RECORD").write_text("second_module.py,,\n", encoding="utf-8")
    write_distribution(site, "ganzoo-first", {"first": "second_module"})
    (site / "ganzoo_first-1.0.dist-info" / "RECORD").write_text("second_module/__init__.py,,\n", encoding="utf-8")
    catalogue = Catalogue()
    assert catalogue.find("architecture", "first").full_name == "ganzoo-first:first"
    assert "its module second_module was overwritten by that of ganzoo-first" in (
        plugin(catalogue, "second").error or ""
    )


@pytest.mark.parametrize("module", ["ganzoo", "ganzoo.strange", "ganzoo.gan.losses"])
def test_a_module_inside_ganzoo(install, module):
    site = install(YIELDS)
    distribution(site, "inside-1.dist-info", "Name: inside\nVersion: 1\n", f"[ganzoo]\ninside = {module}\n")
    assert "lies inside ganzoo" in (plugin(Catalogue(), "inside").error or "")


def test_nobody_else_is_ganzoos_core(install):
    site = install(YIELDS)
    points = f"[ganzoo]\nbuiltin = {entry_points.CORE}\n"
    distribution(site, "core-1.dist-info", "Name: core\nVersion: 1\n", points)
    catalogue = Catalogue()
    assert [each.distribution for each in catalogue.plugins if each.module == entry_points.CORE] == ["ganzoo"]
    assert catalogue.find("loss", "hinge").distribution == "ganzoo"
    assert entry_points.points()[0].distribution.name == "ganzoo", "so that its modules are what their names stand for"


LOSS = (
    CARD + "@hookimpl\ndef ganzoo_losses():\n    yield LossCard(name='nonsaturating', summary='', api=2, loss='m:L')\n"
)


def test_a_loss_of_a_name_of_ours_does_not_change_what_ours_means(install, own_catalogue, tmp_path, monkeypatch):
    """The default loss of an architecture was named by its author; only the user's own words are ambiguous."""
    from ganzoo.catalogue.components import make_loss
    from ganzoo.gan.losses import NonSaturating
    from ganzoo.plan.plan import plan_run

    install(LOSS)
    assert isinstance(make_loss("nonsaturating"), NonSaturating)
    assert plan_run("tinygan", "tiny").config.loss == "nonsaturating"
    with pytest.raises(UsageError, match="2 plugins offer the loss 'nonsaturating'; write ganzoo:nonsaturating or"):
        plan_run("tinygan", "tiny", loss="nonsaturating")
    assert plan_run("tinygan", "tiny", loss="ganzoo:nonsaturating").config.loss == "ganzoo:nonsaturating"


def test_what_a_recipe_or_a_run_names_stays_what_it_meant(install, own_catalogue):
    from ganzoo.plan.recipe import recipe_of

    assert written_by("architecture", "dcgan", ("ganzoo",)) == "dcgan"
    everybodys.cache_clear()
    install(YIELDS.replace("card()", "card('dcgan')") + DATASET)
    recipe = recipe_of("report-anime")
    assert (recipe.architecture, recipe.data) == ("ganzoo:dcgan", "ganzoo:anime")
    assert find("architecture", recipe.architecture).distribution == "ganzoo"
    assert written_by("dataset", "anime:images=5", ("ganzoo-stranger",)) == "ganzoo-stranger:anime:images=5"
    assert written_by("dataset", "of-nobody", ("ganzoo",)) == "of-nobody"


DATASET = """
from ganzoo.api import DatasetCard
@hookimpl
def ganzoo_datasets():
    yield DatasetCard(name='anime', summary='', origin='', api=2, dataset='m:D')
"""


def test_a_run_goes_on_when_somebody_offers_its_data_too(install, own_catalogue, train):
    import ganzoo
    from ganzoo.loop.display import Display

    run = train(steps=2)
    assert run.facts["data"]["distribution"] == "ganzoo-tiny"
    install(YIELDS.replace("card()", "card('tinygan')") + DATASET.replace("anime", "tiny"))
    everybodys.cache_clear()
    with pytest.raises(UsageError, match="2 plugins offer"):
        train(steps=2)
    ganzoo.extend(run, steps=1, display=Display())
    with pytest.raises(UsageError, match="16 pixels or more"):  # the data was found, and is too small for the score
        ganzoo.evaluate(run, ["swd"], samples=4, device="cpu")


# ---- choosing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", set()),
        ("one", {"one"}),
        ("ganzoo-two", {"two"}),
        ("ganzoo-one:one,two", {"one", "two"}),
    ],
)
def test_ganzoo_plugins_takes_names_distributions_and_both(install, monkeypatch, wanted, expected):
    for name in ("one", "two"):
        install(YIELDS, name)
    monkeypatch.setenv("GANZOO_PLUGINS", wanted)
    catalogue = Catalogue()
    assert {each.name for each in catalogue.plugins} - {"builtin"} == expected
    assert catalogue.left_out > 10
    with pytest.raises(UsageError, match=rf"GANZOO_PLUGINS leaves out {catalogue.left_out} plugins\."):
        catalogue.find("architecture", "dcgan")


def test_names_in_ganzoo_plugins_that_are_nobodys(monkeypatch):
    monkeypatch.setenv("GANZOO_PLUGINS", "dcgan, dcgn")
    assert Catalogue().unknown == {"dcgn"}


def test_an_unknown_name_says_that_some_plugins_do_not_work(install):
    install("raise RuntimeError", "loud")
    with pytest.raises(UsageError, match=r"Plugins that do not work: 1; see `ganzoo plugins`\."):
        Catalogue().find("architecture", "wherever")


def test_a_model_of_a_broken_plugin_says_why(install, own_catalogue):
    from ganzoo.runs.header import DataHeader, ModelHeader, architecture_of

    install("raise RuntimeError('tired')")
    header = ModelHeader("dcgan", DataHeader("it", "here", (1,), (), ()), {}, "ganzoo-stranger", "2.5")
    with pytest.raises(GanzooError, match="which does not work here: RuntimeError: tired"):
        architecture_of(header, "It")


def test_a_command_in_the_checkout_is_no_module(tmp_path, monkeypatch):
    """As with a virtual environment inside the checkout, whose `bin` comes first on the path of its commands."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "mine").write_text("#!python", encoding="utf-8")
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / ".venv" / "bin"), str(tmp_path)])
    editable = json.dumps({"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    there = SimpleNamespace(read_text={"direct_url.json": editable}.get)
    assert entry_points.Distribution("mine", "1.0", str(tmp_path / "site"), there).copy_of("mine") == str(
        tmp_path / "mine"
    )
