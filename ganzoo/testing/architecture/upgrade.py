"""Models of earlier versions: an option that was renamed or dropped is brought up to date by the Config's `upgrade`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ganzoo.catalogue.upgrade import upgraded
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.networks import generator_state
from ganzoo.contract.options import values
from ganzoo.contract.stored import as_json
from ganzoo.model.model import make_model
from ganzoo.runs import checkpoint
from ganzoo.runs.header import model_header
from ganzoo.testing.architecture.cases import Case
from ganzoo.testing.check import require


def has_history(model: type[Architecture]) -> bool:
    """Whether the Config says anything of earlier versions."""
    return hasattr(model.Config, "upgrade") or bool(getattr(model.Config, "previous", {}))


def check_earlier(case: Case) -> None:
    """A model file with the options that each version in `Config.previous` wrote opens, and makes images."""
    config = case.model.Config
    previous = getattr(config, "previous", {})
    require(
        bool(previous),
        "The Config has an `upgrade` and nothing to try it on; write what an earlier version stored into "
        'its `previous`: {"0.1.0": {"option": value}}.',
    )
    for version, options in previous.items():
        header = replace(case.header, version=version, config=dict(options))
        model = make_model(case.entry, header, "cpu")
        with TemporaryDirectory() as folder:
            file = Path(folder) / "model.safetensors"
            checkpoint.save(file, generator_state(model.architecture), as_json(header))
            tensors, facts = checkpoint.load(file)
            again = make_model(case.entry, model_header(facts, file), "cpu")
            again.load_generators(tensors)
    now = values(config())
    same = upgraded(config, now, case.entry.version, case.entry.name)
    differs = [name for name in {**now, **same} if name not in now or name not in same or now[name] != same[name]]
    require(
        not differs,
        f"`upgrade` changes {', '.join(differs)} of the present version's options; it must leave what is already so.",
    )
