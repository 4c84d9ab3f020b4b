"""The networks of an architecture: their names, their parameters, and what of them is kept."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

from ganzoo.contract.architecture import Architecture, TrainingState
from ganzoo.contract.data_spec import DataSpec
from ganzoo.errors import UsageError, suggest


def networks(model: Architecture) -> dict[str, nn.Module]:
    """The networks of a model by name: its children with parameters; a ModuleDict's members as ``"G.AB"``."""
    by_name: dict[str, nn.Module] = {}
    for name, child in model.named_children():
        if isinstance(child, TrainingState) or next(child.parameters(), None) is None:
            continue
        if isinstance(child, nn.ModuleDict):
            by_name.update({f"{name}.{key}": member for key, member in child.items()})
        else:
            by_name[name] = child
    return by_name


def is_generator(model: Architecture, network: str) -> bool:
    """Whether a network's name (``"G"``, ``"G.AB"``) belongs to the model's `generators`."""
    return any(network == name or network.startswith(name + ".") for name in model.generators)


def freeze(model: Architecture, names: str) -> None:
    """Keeps parts of a model still, such as ``"D.main.0,D.main.2"``: no gradient reaches them and no optimizer has them
    (FreezeD; Mo, Cho and Shin 2020, arXiv:2002.10964).

    Raises: UsageError for a name that the model has not, or when nothing of a network is left to train.
    """
    known = {**dict(model.named_modules()), **dict(model.named_parameters())}
    for name in filter(None, names.split(",")):
        if name not in known:
            raise UsageError(
                f"--freeze {name} is no part of {type(model).__name__}; {suggest(name, filter(None, known))}"
            )
        known[name].requires_grad_(False)
    for name, network in networks(model).items():
        if names and not any(parameter.requires_grad for parameter in network.parameters()):
            raise UsageError(f"--freeze {names} leaves nothing of {name} to train; leave some of its parts out.")


def weightless(cls: type[Architecture], config: Any, data: DataSpec) -> Architecture:
    """A model without memory, on torch's meta device, to count or to try.

    Raises: UsageError when the architecture cannot do the data's shape, or for sizes that no tensor can have.
    """
    try:
        with torch.device("meta"):
            return cls(config, data)
    except (RuntimeError, TypeError, OverflowError, MemoryError) as error:
        if isinstance(error, TypeError) and "Overflow" not in str(error):  # torch's word for a size beyond 64 bits
            raise
        raise UsageError(
            f"{cls.__name__} cannot be built with these options ({str(error).splitlines()[0]}); "
            "choose smaller numbers for its size."
        ) from error


def parameter_counts(model: Architecture) -> dict[str, int]:
    """Trainable parameters of each network."""
    return {
        name: sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
        for name, network in networks(model).items()
    }


def generator_state(model: Architecture) -> dict[str, Tensor]:
    """The model's state of its generators (no `TrainingState`), by state-dict key."""
    states = [name + "." for name, child in model.named_modules() if isinstance(child, TrainingState)]
    prefixes = tuple(name + "." for name in networks(model) if is_generator(model, name))
    return {
        key: value
        for key, value in model.state_dict().items()
        if key.startswith(prefixes) and not key.startswith(tuple(states))
    }


def full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Within it, what is computed on the device has the precision of its tensors, also where training has bfloat16."""
    if device.type == "meta":  # which has no autocast: a dry step that counts memory
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def averaged_keys(model: Architecture) -> set[str]:
    """Keys of parameters and of running statistics; what else a module keeps is copied, not averaged."""
    keys = {name for name, _ in model.named_parameters()}
    for name, module in model.named_modules():
        if isinstance(module, (_BatchNorm, _NormBase)):
            keys.update(f"{name}.{buffer}" for buffer in ("running_mean", "running_var"))
    return keys
