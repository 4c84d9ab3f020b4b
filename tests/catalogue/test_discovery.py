"""Discovery: what is broken says why, and the rest of the zoo stays. Each plugin here is installed as pip would."""

from __future__ import annotations

import re
import sys

import pytest
from support.install import write_distribution
from support.strangers import CARD, YIELDS, names, plugin

from ganzoo.catalogue.catalogue import Catalogue
from ganzoo.errors import GanzooError, UsageError


def test_a_stranger_comes_in_by_the_same_door(install):
    install(YIELDS)
    catalogue = Catalogue()
    assert {"dcgan", "tinygan", "stranger"} <= set(names(catalogue))
    entry = catalogue.find("architecture", "stranger")
    assert (entry.distribution, entry.version, entry.full_name) == (
        "ganzoo-stranger",
        "2.5",
        "ganzoo-stranger:stranger",
    )
    found = plugin(catalogue)
    assert (found.error, found.hooks, found.version) == (None, ["ganzoo_architectures"], "2.5")


def test_what_comes_with_the_core_works():
    catalogue = Catalogue()
    broken = {each.name: each.error for each in catalogue.plugins if each.error}
    assert broken == {}
    assert {"minimax", "nonsaturating", "lsgan", "hinge", "wasserstein"} <= set(names(catalogue, "loss"))
    assert {"r1", "r2", "wgan-gp", "dragan", "drift"} <= set(names(catalogue, "penalty"))
    assert "report-anime" in names(catalogue, "recipe")


BROKEN = {
    "raises": ("raise RuntimeError('no luck\\ntoday')", r"RuntimeError: no luck today \(.*_module.py:1\)"),
    "exits": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "syntax": ("def", "SyntaxError"),
    "needs another": (
        "import surely_not_installed",
        "needs the module surely_not_installed, which is not installed; type: pip install surely_not_installed$",
    ),
    "no hook": ("x = 1", "implements no hook"),
    "raises in its hook": (CARD + "@hookimpl\ndef ganzoo_architectures():\n    raise KeyError('x')", "KeyError"),
    "exits in its hook": (CARD + "@hookimpl\ndef ganzoo_architectures():\n    raise SystemExit", "SystemExit"),
    "raises after a card": (
        CARD + "@hookimpl\ndef ganzoo_architectures():\n    yield card()\n    raise ValueError('late')",
        "ValueError: late",
    ),
    "a number": (
        CARD + "@hookimpl\ndef ganzoo_architectures():\n    return 42",
        "gave a int; it should yield each ArchitectureCard",
    ),
    "strings": (
        CARD + "@hookimpl\ndef ganzoo_architectures():\n    return ['dcgan']",
        "gave a str where a ArchitectureCard belongs",
    ),
    "another card": (
        CARD + "@hookimpl\ndef ganzoo_architectures():\n    yield LossCard(name='x', summary='', api=2, loss='m:L')",
        "gave a LossCard where a ArchitectureCard belongs",
    ),
    "unknown hook": (YIELDS + "@hookimpl\ndef ganzoo_holograms():\n    pass", "another ganzoo.* ganzoo_holograms"),
    "unknown argument": (YIELDS + "@hookimpl\ndef ganzoo_logged(run, mood):\n    pass", "mood"),
    "unknown name": ("from ganzoo.api import Hologram", "another ganzoo.*Hologram"),
    "unknown field": (YIELDS.replace("card()", "card(smell='sweet')"), "another ganzoo.*smell"),
    "newer": (YIELDS.replace("card()", "card(api=3)"), r"newer ganzoo \(API 3, this is 2\)"),
    "no version": (YIELDS.replace("card()", "card(api='one')"), "api"),
    "bad name": (YIELDS.replace("card()", "card('Big Name')"), "'Big Name' is not lower case"),
    "colon": (YIELDS.replace("card()", "card('a:b')"), "'a:b' is not lower case"),
    "no name": (YIELDS.replace("card()", "card(None)"), "name"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_says_why_and_the_rest_stays(install, case):
    source, reason = BROKEN[case]
    install(source)
    with_it = Catalogue()
    error = plugin(with_it).error
    assert error is not None
    assert "\n" not in error

    assert re.search(reason, error), error
    assert plugin(with_it).entries == []
    assert "stranger" not in names(with_it)
    for kind in ("architecture", "loss", "dataset"):
        assert {"architecture": "dcgan", "loss": "hinge", "dataset": "tiny"}[kind] in names(with_it, kind)
    with pytest.raises(UsageError, match="'stranger' does not work"):
        with_it.find("architecture", "stranger")
    with_it.notify("ganzoo_run_started", pytest.fail, run=None)


def test_a_card_that_names_nothing_there_fails_when_it_is_used(install):
    install(YIELDS)
    with pytest.raises(
        GanzooError, match=r"architecture 'stranger' of ganzoo-stranger 2\.5 cannot be imported"
    ) as error:
        Catalogue().find("architecture", "stranger").load()
    assert "\n" not in str(error.value)


def test_a_name_offered_twice(install):
    install(YIELDS, "one")
    install(YIELDS.replace("card()", "card(title='Two')"), "two")
    catalogue = Catalogue()
    assert names(catalogue).count("stranger") == 2
    with pytest.raises(UsageError, match="2 plugins offer the architecture 'stranger'; write ganzoo-one:stranger or"):
        catalogue.find("architecture", "stranger")
    assert catalogue.find("architecture", "ganzoo-two:stranger").card.title == "Two"
    assert catalogue.find("architecture", "ganzoo-one:stranger").card.title == "T"
    assert catalogue.find("architecture", "dcgan").distribution == "ganzoo"


def test_nobody_takes_the_name_of_an_architecture_of_ours(install):
    install(YIELDS.replace("card()", "card('dcgan')"))
    catalogue = Catalogue()
    with pytest.raises(UsageError, match="write ganzoo:dcgan or ganzoo-stranger:dcgan"):
        catalogue.find("architecture", "dcgan")
    assert catalogue.find("architecture", "ganzoo:dcgan").card.title == "DCGAN"


def test_one_module_offered_by_two_distributions_still_works(install, tmp_path):
    """As when a plugin was renamed and the old distribution is still there."""
    install(
        YIELDS + "heard = []\n@hookimpl\ndef ganzoo_run_started(run):\n    heard.append(run)\n", distribution="first"
    )
    write_distribution(tmp_path / "site", "second", {"stranger": "first_module"})
    catalogue = Catalogue()
    assert [each.error is None for each in catalogue.plugins if each.name == "stranger"].count(True) >= 1
    catalogue.notify("ganzoo_run_started", pytest.fail, run="run")
    assert sys.modules["first_module"].heard == ["run"]


def test_names_in_capitals_and_aliases_are_found():
    catalogue = Catalogue()
    assert catalogue.find("architecture", "DCGAN").name == "dcgan"
    assert catalogue.find("augmentation", "DiffAugment") is catalogue.find("augmentation", "diffaugment")
    with pytest.raises(UsageError, match="dcgan is an architecture, not an augmentation"):
        catalogue.find("augmentation", "dcgan")


def test_unknown_names_get_the_nearest():
    with pytest.raises(UsageError, match=r"There is no architecture 'dcgam'; did you mean dcgan"):
        Catalogue().find("architecture", "dcgam")


@pytest.mark.parametrize(
    ("wanted", "expected"), [("dcgan", {"dcgan"}), ("dcgan, tiny", {"dcgan", "tiny"}), ("none", set())]
)
def test_ganzoo_plugins_limits_what_is_loaded(install, monkeypatch, wanted, expected):
    install("raise RuntimeError", "loud")
    monkeypatch.setenv("GANZOO_PLUGINS", wanted)
    catalogue = Catalogue()
    assert {each.name for each in catalogue.plugins} - {"builtin"} == expected
    assert {"dcgan", "tinygan"} & set(names(catalogue)) == {{"dcgan": "dcgan", "tiny": "tinygan"}[n] for n in expected}


def test_a_checkout_without_metadata_has_what_the_core_brings(monkeypatch):
    monkeypatch.setattr("ganzoo.catalogue.entry_points.points", list)
    catalogue = Catalogue()
    assert [plugin.name for plugin in catalogue.plugins] == ["builtin"]
    for kind, name in (("loss", "hinge"), ("penalty", "r1"), ("modality", "image"), ("augmentation", "diffaug")):
        assert catalogue.find(kind, name).full_name == f"ganzoo:{name}"


def test_ganzoo_plugins_leaves_what_the_core_brings(monkeypatch):
    """Else `GANZOO_PLUGINS=dcgan` would list an architecture that cannot be built for want of its loss."""
    monkeypatch.setenv("GANZOO_PLUGINS", "dcgan")
    assert "nonsaturating" in names(Catalogue(), "loss")


LOGGER = """
from ganzoo.api import hookimpl
heard = []

@hookimpl
def ganzoo_logged(run, values):
    heard.append((run, dict(values)))

@hookimpl
def ganzoo_run_ended(status):
    heard.append(status)
"""


def test_a_logger_hears_what_it_asks_for(install):
    install(LOGGER)
    catalogue, complaints = Catalogue(), []
    catalogue.notify("ganzoo_logged", complaints.append, run="run", step=3, values={"loss/D": 0.5})
    catalogue.notify("ganzoo_run_ended", complaints.append, run="run", status="finished")
    assert sys.modules["stranger_module"].heard == [
        ("run", {"loss/D": 0.5}),
        "finished",
    ]
    assert complaints == []


@pytest.mark.parametrize("how", ["ValueError('broken\\npipe')", "SystemExit(1)"])
def test_a_logger_that_raises_is_complained_about_once_and_left_out(install, how):
    install(LOGGER, "quiet")
    install(LOGGER.replace("    heard.append((run", f"    raise {how}\n    heard.append((run"), "noisy")
    catalogue, complaints = Catalogue(), []
    for step in range(3):
        catalogue.notify("ganzoo_logged", complaints.append, run="run", step=step, values={})
    catalogue.notify("ganzoo_run_ended", complaints.append, run="run", status="finished")
    (complaint,) = complaints
    assert "The plugin noisy of ganzoo-noisy 2.5 failed in ganzoo_logged" in complaint
    assert "\n" not in complaint
    assert sys.modules["noisy_module"].heard == []
    assert sys.modules["quiet_module"].heard == [("run", {})] * 3 + ["finished"]
