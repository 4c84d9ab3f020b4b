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
