"""What a plugin does to everybody while it is imported is put right and said. Each one here is really installed."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
import warnings

import pytest
from support.strangers import CARD, YIELDS, names, plugin

from ganzoo.catalogue import isolation
from ganzoo.catalogue.catalogue import Catalogue
from ganzoo.contract import cards
from ganzoo.errors import Interrupted

# ---- what its import does besides ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how", ["print('hello', flush=True)", "import os; os.write(1, b'hello')", "import os; os.system('echo hello')"]
)
def test_what_it_prints_goes_to_standard_error(install, capfd, how):
    install(how + "\n" + YIELDS)
    found = plugin(Catalogue())
    assert (found.status, found.reason) == ("warning", "it prints 'hello'")
    assert [entry.name for entry in found.entries] == ["stranger"]
    printed = capfd.readouterr()
    assert (printed.out, printed.err.strip()) == ("", "hello")


def test_what_it_prints_before_it_fails_is_said_as_well(install, capfd):
    install("print('almost')\nraise RuntimeError('no')")
    found = plugin(Catalogue())
    assert found.status == "broken"
    assert found.remarks == ["it prints 'almost'"]
    assert capfd.readouterr().out == ""


def test_printing_works_again_afterwards(install, capfd):
    install("print('during')\n" + YIELDS)
    Catalogue()
    print("after")
    os.write(1, b"after too\n")
    assert sorted(capfd.readouterr().out.split("\n")) == ["", "after", "after too"]


def test_a_slow_one_is_named(install, monkeypatch, capfd):
    monkeypatch.setattr(isolation, "SLOW", 0.2)
    install("import time; time.sleep(0.5)\n" + YIELDS)
    found = plugin(Catalogue())
    assert found.status == "warning"
    assert re.fullmatch(r"it takes 0\.\d s to import; what is slow belongs .*", found.remarks[-1])
    assert "Waiting for the plugin stranger of ganzoo-stranger 2.5 to be imported" in capfd.readouterr().err


CHANGES = """
import logging, os, sys, torch, warnings
os.chdir("/")
sys.path.insert(0, "/somewhere/else")
warnings.filterwarnings("ignore")
warnings.filterwarnings("ignore", message="a certain one")
logging.root.addHandler(logging.NullHandler())
logging.disable(logging.CRITICAL)
torch.set_default_dtype(torch.float64)
torch.set_grad_enabled(False)
"""


def test_global_settings_are_put_back(install):
    import torch

    install(CHANGES + YIELDS)
    here, path, handlers = os.getcwd(), list(sys.path), list(logging.root.handlers)
    try:
        found = plugin(Catalogue())
        changed = re.findall(r"it changes (.*?), which ganzoo undoes", found.reason or "")
        assert [each.split()[-1] for each in changed[:4]] == ["folder", "path", "warnings", "everybody"]
        assert changed[4].startswith("torch's defaults")
        assert os.getcwd() == here
        assert sys.path == [*path, "/somewhere/else"]
        assert logging.root.handlers == handlers
        assert logging.root.manager.disable == 0
        assert torch.get_default_dtype() == torch.float32
        assert torch.is_grad_enabled()
        with pytest.warns(UserWarning, match="still heard"):
            warnings.warn("still heard", UserWarning, stacklevel=1)
        assert any(rule[1] and rule[1].pattern == "a certain one" for rule in warnings.filters)
    finally:
        sys.path[:] = path


def test_a_warning_under_w_error_is_a_reason_like_any_other(install):
    install("import warnings; warnings.warn('old', DeprecationWarning)\n" + YIELDS)
    assert "DeprecationWarning: old (stranger_module.py:1)" in (plugin(Catalogue()).error or "")


def test_a_model_that_prints_and_changes_settings_when_it_is_imported(install, capfd):
    import torch

    site = install(YIELDS.replace("card()", "card(model='heavy_module:Model')"))
    (site / "heavy_module.py").write_text(
        "print('loading')\nimport torch\ntorch.set_default_dtype(torch.float64)\nclass Model: pass\n", encoding="utf-8"
    )
    try:
        assert Catalogue().find("architecture", "stranger").load().__name__ == "Model"
    finally:
        del sys.modules["heavy_module"]
    assert torch.get_default_dtype() == torch.float32
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "Warning: the architecture 'stranger' of ganzoo-stranger 2.5: it changes torch's defaults" in printed.err


# ---- stopping --------------------------------------------------------------------------------------------------------


def test_ctrl_c_names_whom_one_waits_for(install):
    install("import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept BaseException: pass\n" + YIELDS)
    with pytest.raises(Interrupted, match=r"Stopped while the plugin stranger of ganzoo-stranger 2\.5 was being imp"):
        Catalogue()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert isinstance(Interrupted(), KeyboardInterrupt)


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "GeneratorExit", "type('Odd', (BaseException,), {})('odd')"])
def test_no_exception_of_a_plugins_own_stops_anybody(install, error):
    install(f"raise {error}")
    assert re.match(r"KeyboardInterrupt|GeneratorExit|Odd: odd", plugin(Catalogue()).error or "")


def test_an_error_that_cannot_say_what_it_is(install):
    install("class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute")
    assert "Mute (stranger_module.py:3)" in (plugin(Catalogue()).error or "")


def test_outside_the_main_thread_it_works_too(install):
    install(YIELDS)
    found: list[Catalogue] = []
    thread = threading.Thread(target=lambda: found.append(Catalogue()))
    thread.start()
    thread.join()
    assert "stranger" in names(found[0])


def test_looking_into_the_catalogue_while_it_is_made(install):
    install("from ganzoo.catalogue.catalogue import Catalogue\nCatalogue()\n" + YIELDS)
    assert "looks into the catalogue while it is imported" in (plugin(Catalogue()).error or "")


# ---- the contract's version ------------------------------------------------------------------------------------------


def test_an_older_contract_works_with_a_warning_until_it_is_dropped(install, monkeypatch):
    install(YIELDS.replace("card()", "card(api=2)"))
    monkeypatch.setattr(cards, "API", 3)
    monkeypatch.setattr(cards, "OLDEST_API", 1)
    found = plugin(Catalogue())
    assert found.status == "warning"
    assert found.reason == "it is made for an older ganzoo (API 2, this is 3), which still works; upgrade the plugin"
    assert [entry.name for entry in found.entries] == ["stranger"]
    monkeypatch.setattr(cards, "OLDEST_API", 3)
    assert "older ganzoo (API 2, this one reads 3); upgrade the plugin" in (plugin(Catalogue()).error or "")


def test_the_newest_contract_is_read():
    assert 1 <= cards.OLDEST_API <= cards.API


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ("year='2015'", "year is '2015', which is no int"),
        ("year=True", "year is True, which is no int"),
        ("tasks='unconditional'", "tasks is 'unconditional', which is no frozenset[str] | set[str]"),
        ("tasks={1}", "tasks is {1}"),
        ("resolutions=[32]", "resolutions is [32], which is no tuple[int, ...]"),
        ("channels=3", "channels is 3"),
        ("bf16=1", "bf16 is 1, which is no bool"),
        ("summary='two\\nlines'", "not one line of text"),
        ("title='\\x1b[2J'", "not one line of text"),
        ("model='no_colon'", 'neither "module:attribute" nor the thing itself'),
        ("model=None", 'neither "module:attribute" nor the thing itself'),
    ],
)
def test_a_card_with_fields_of_other_types(install, changes, reason):
    install(YIELDS.replace("card()", f"card({changes})"))
    assert reason in (plugin(Catalogue()).error or "")


# ---- hooks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("wrapper=True", "is a hook wrapper"),
        ("hookwrapper=True", "is a hook wrapper"),
        ("tryfirst=True", None),
        ("trylast=True", None),
        ("specname='ganzoo_architectures'", None),
        ("specname='ganzoo_architectures', optionalhook=True", None),
    ],
)
def test_options_of_a_hook(install, options, reason):
    name = "theirs" if "specname" in options else "ganzoo_architectures"
    install(f"{CARD}@hookimpl({options})\ndef {name}():\n    yield card()\n")
    found = plugin(Catalogue())
    assert (reason in found.error) if reason else found.error is None
    assert [entry.name for entry in found.entries] == ([] if reason else ["stranger"])


def test_a_hook_of_another_ganzoo_that_may_be_missing(install):
    install(YIELDS + "@hookimpl(optionalhook=True)\ndef ganzoo_holograms():\n    raise RuntimeError\n")
    found = plugin(Catalogue())
    assert (found.error, found.hooks) == (None, ["ganzoo_architectures"])


def test_a_hook_without_its_mark(install):
    install(YIELDS.replace("@hookimpl", ""), "bare")
    install(YIELDS + "def ganzoo_losses(): return []\n", "half")
    catalogue = Catalogue()
    assert "implements no hook; ganzoo_architectures lacks @hookimpl" in (plugin(catalogue, "bare").error or "")
    assert plugin(catalogue, "half").reason == "its ganzoo_losses is not called, for want of @hookimpl"


def test_an_unknown_hook_gets_the_nearest(install):
    install(YIELDS + "@hookimpl\ndef ganzoo_dataset(): pass\n")
    assert "no hook ganzoo_dataset; did you mean ganzoo_datasets" in (plugin(Catalogue()).error or "")
