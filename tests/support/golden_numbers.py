"""Reading `tests/golden`, and when two tensors agree.

Networks are compared in float64. What the references computed in float32 lies within the tolerances of it, while two
float32 computations may differ by more than that from one kind of CPU to another.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

FOLDER = Path(__file__).parents[1] / "golden"
OUTPUT, GRADIENT = 2e-5, 1e-4  # tolerances, relative to a tensor's peak


def stored(name: str) -> dict[str, Tensor]:
    """Everything in a file, in float64; whole numbers stay whole."""
    found = load_file(FOLDER / f"{name}.safetensors")
    return {key: value.double() if value.is_floating_point() else value for key, value in found.items()}


def weights(numbers: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is stored under ``weights/``, by the reference's names."""
    return {key.removeprefix("weights/"): value for key, value in numbers.items() if key.startswith("weights/")}


def near(ours: Tensor, theirs: Tensor, tolerance: float) -> bool:
    assert ours.shape == theirs.shape
    peak = theirs.abs().max().item()
    return (ours - theirs).abs().max().item() <= (tolerance * peak if peak > 1e-6 else 1e-6)


def take_weights(network: torch.nn.Module, numbers: dict[str, Tensor], ours: dict[str, str]) -> None:
    """Loads ``weights/<their name>`` into the parameters that `ours` says by their names; all must be given."""
    assert set(weights(numbers)) == set(ours)
    parameters = dict(network.named_parameters())
    assert set(ours.values()) == set(parameters)
    with torch.no_grad():
        for theirs, name in ours.items():
            parameters[name].copy_(numbers[f"weights/{theirs}"].reshape(parameters[name].shape))


def check_gradients(network: torch.nn.Module, numbers: dict[str, Tensor], ours: dict[str, str], mode: str) -> None:
    """After a backward: the gradients stored under a mode are ours."""
    parameters = dict(network.named_parameters())
    prefix = f"grad/{mode}/"
    found = [key for key in numbers if key.startswith(prefix) and not key.startswith(prefix + "input/")]
    assert found
    for key in found:
        gradient = parameters[ours[key.removeprefix(prefix)]].grad
        assert gradient is not None, key
        assert near(gradient.reshape(numbers[key].shape), numbers[key], GRADIENT), key


SPECTRAL = ("weight_u", "sn_u", "u0")  # what the references call the vector u


def take_layers(network: torch.nn.Module, numbers: dict[str, Tensor], layers: dict[str, str], root: str = "") -> None:
    """Loads every ``weights/<root><their layer>.<what>`` into our layer of that name; no other parameter is left."""
    left = {name for name, _ in network.named_parameters()}
    with torch.no_grad():
        for key, value in weights(numbers).items():
            if not key.startswith(root):
                continue
            theirs, _, what = key.removeprefix(root).rpartition(".")
            if what in ("weight_v", "sv0"):
                continue  # follows from u
            name, tensor = _our(network, layers[theirs], what)
            tensor.copy_(value.reshape(tensor.shape))
            left.discard(name)
    assert not left


def check_layers(
    network: torch.nn.Module, numbers: dict[str, Tensor], layers: dict[str, str], prefix: str, tolerance: float
) -> None:
    """Gradients (``grad/MODE/``) or what a pass changed (``after_train/``) are the stored ones."""
    found = [key for key in numbers if key.startswith(prefix) and not key.startswith(prefix + "input/")]
    assert found
    for key in found:
        theirs, _, what = key.removeprefix(prefix).rpartition(".")
        tensor = _our(network, layers[theirs], what)[1]
        ours = tensor.grad if prefix.startswith("grad/") else tensor
        assert ours is not None, key
        assert near(ours.reshape(numbers[key].shape), numbers[key], tolerance), key


def _our(network: torch.nn.Module, layer: str, what: str) -> tuple[str, Tensor]:
    """The parameter or buffer of our layer that they call so, and its name in the network."""
    names = {"stored_mean": "running_mean", "stored_var": "running_var", "gain": "weight", "weight_orig": "weight"}
    name = names.get(what, what)
    normalised = hasattr(network.get_submodule(layer), "parametrizations")
    if what in SPECTRAL:
        name = "parametrizations.weight.0.u"
    elif name == "weight" and normalised:
        name = "parametrizations.weight.original"
    whole = f"{layer}.{name}".removeprefix(".")
    every = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    return whole, every[whole]


def stored_norms(network: torch.nn.Module, numbers: dict[str, Tensor], layers: dict[str, str]) -> None:
    """Divides spectrally normalised weights by the value that torch's own norm uses in evaluation, u W v as stored."""
    for key, v in weights(numbers).items():
        theirs, _, what = key.rpartition(".")
        if what == "weight_v":
            layer = network.get_submodule(layers[theirs])
            weight = numbers[f"weights/{theirs}.weight_orig"]
            sigma = numbers[f"weights/{theirs}.weight_u"] @ weight.flatten(1) @ v
            torch.nn.utils.parametrize.remove_parametrizations(layer, "weight")
            with torch.no_grad():
                layer.weight.copy_(weight / sigma)
