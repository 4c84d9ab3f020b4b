"""The public names are there, and importing them is quick."""

from __future__ import annotations

import pkgutil

import pytest

import ganzoo
import ganzoo.api


@pytest.mark.parametrize("module", [ganzoo, ganzoo.api], ids=lambda module: module.__name__)
def test_every_public_name_resolves(module):
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in dir(module)


def test_what_can_be_imported_from_the_api_is_listed_there():
    """All but the names that only plugins of contract 1 use."""
    of_contract_1 = set(ganzoo.api._LAZY["ganzoo_progan.growing"])
    assert set(ganzoo.api._MODULE_OF) - set(ganzoo.api.__all__) == of_contract_1


@pytest.mark.parametrize("module", [ganzoo, ganzoo.api], ids=lambda module: module.__name__)
def test_unknown_name_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match="nonsense"):
        module.nonsense  # noqa: B018


def test_importing_imports_no_torch(run_python):
    code = "import sys, ganzoo, ganzoo.api; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    assert run_python(code).stdout.split() == ["False", "False"]


def test_the_catalogue_imports_no_torch(run_python):
    code = "import sys, ganzoo; print(len(ganzoo.architectures()) > 0, 'torch' in sys.modules)"
    assert run_python(code).stdout.split() == ["True", "False"]


def test_no_public_name_is_a_module_too():
    """Importing a submodule would put it in the function's place."""
    modules = {module.name for module in pkgutil.iter_modules(ganzoo.__path__)}
    assert not modules & set(ganzoo.__all__)
