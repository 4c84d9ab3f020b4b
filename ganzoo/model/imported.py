"""Models of ganzoo's made of weights that other code trained and wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ganzoo.about import __version__
from ganzoo.catalogue.catalogue import entries, find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.architecture import Architecture, TrainingState
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.networks import generator_state, weightless
from ganzoo.contract.options import build, values
from ganzoo.contract.stored import as_json
from ganzoo.errors import GanzooError, UsageError
from ganzoo.runs import checkpoint
from ganzoo.runs.header import DataHeader, ModelHeader


@dataclass(frozen=True)
class Foreign:
    """What a file of other code holds.

    Attributes:
        networks: of each network, by the file's name for it, its tensors by theirs; a file of one network: ``""``.
        facts: of some networks, numbers and texts that the file says of it.
    """

    networks: Mapping[str, Mapping[str, Tensor]]
    facts: Mapping[str, Mapping[str, Any]]

    def network(self, *endings: str) -> dict[str, Tensor]:
        """The first network whose name ends so, without the ``module.`` of torch's DataParallel; {} for none."""
        for ending in endings:
            for name, tensors in self.networks.items():
                if name.endswith(ending):
                    return {key.removeprefix("module."): value for key, value in tensors.items()}
        return {}


@dataclass(frozen=True)
class Imported:
    """What `Architecture.imported` makes of it.

    Attributes:
        options: those of the Config that are not its defaults.
        data: what the model makes.
        tensors: by the architecture's own names, such as ``"G.main.0.weight"``: all of its generators, and of other
            networks, from which training may go on, all or some.
    """

    options: Mapping[str, Any]
    data: DataSpec
    tensors: Mapping[str, Tensor]


def save_imported(name: str, foreign: Foreign | Callable[[], Foreign], source: Path, out: Path, licence: str) -> None:
    """Writes a model of the architecture called `name`.

    Args:
        foreign: what the file holds, or what reads it once it is known that the architecture takes weights.
        source: the file it is from, for its origin.
        licence: of the weights; "" where it is not known.
    Raises: UsageError when there is no such architecture, or it takes no weights from elsewhere; GanzooError when the
        file holds another network.
    """
    entry = find("architecture", name)
    cls = load_architecture(entry)
    if not hasattr(cls, "imported"):
        able = [each.name for each in entries("architecture") if _imports(each)]
        raise UsageError(f"{entry.name} takes no weights from elsewhere; these do: {', '.join(sorted(able))}.")
    held = foreign() if callable(foreign) else foreign
    try:
        imported: Imported = cls.imported(held)
        config: Any = build(cls.Config, imported.options, entry.name)
        model = weightless(cls, config, imported.data)
    except (UsageError, GanzooError):
        raise
    except Exception as error:  # a stranger's tensors may have any names and shapes
        raise GanzooError(f"{source} holds no {entry.name} that can be built here; choose another --as.") from error
    tensors = {key: value.float() if value.is_floating_point() else value for key, value in imported.tensors.items()}
    _check(model, tensors, f"{source} as a {entry.name}")
    generators = set(cls.generators)
    also = sorted({key.split(".")[0] for key in tensors} - generators)
    data = DataHeader.of(imported.data, source.stem, f"of weights imported from {source.name}")
    header = ModelHeader(
        entry.name, data, values(config), entry.distribution, entry.version, ganzoo=__version__, run=source.stem, ema=0,
        licence=licence, also=tuple(also),
    )  # fmt: skip
    checkpoint.save(out, tensors, as_json(header))


def _imports(entry: Any) -> bool:
    try:
        return hasattr(load_architecture(entry), "imported")
    except Exception:  # a plugin that does not load imports nothing
        return False


def _check(model: Architecture, tensors: Mapping[str, Tensor], what: str) -> None:
    """Raises: GanzooError unless the tensors are all of the generators and nothing that the model has not."""
    states = tuple(f"{name}." for name, child in model.named_modules() if isinstance(child, TrainingState))
    own = {key: value.shape for key, value in model.state_dict().items() if not key.startswith(states or ("\0",))}
    for key, shape in own.items():
        if key in tensors and tensors[key].shape != shape:
            raise GanzooError(
                f"{what}: {key} has the shape {list(tensors[key].shape)}, and {list(shape)} is needed; "
                "the file is of another network."
            )
        if key in tensors and not tensors[key].isfinite().all():
            raise GanzooError(f"{what}: {key} has numbers that are not finite; the file is damaged.")
    if missing := sorted(set(generator_state(model)) - set(tensors)):
        raise GanzooError(f"{what} lacks {missing[0]}; the file is of another network.")
    if unknown := sorted(set(tensors) - set(own)):
        raise GanzooError(f"{what} has {unknown[0]}, which the network has not; the file is of another one.")
