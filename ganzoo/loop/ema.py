"""The averaged generator: an exponential moving average of weights, which is what people sample from."""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo.contract.architecture import Architecture
from ganzoo.contract.networks import averaged_keys, generator_state, is_generator, networks
from ganzoo.contract.schedules import Schedule


class EMA:
    """Follows the generators of a model.

    Weights, and the running statistics of normalisation layers, move towards the model's by 1 - beta a step, with
    beta = min(0.5 ** (images / half_life), (1 + t) / (10 + t)) after t steps, so that the start is soon forgotten;
    other buffers and integers are copied. A half-life that follows a schedule is taken as it is, without that ramp.

    Attributes:
        tensors: the average by the model's state-dict keys, float32, on the model's device.
    """

    def __init__(self, model: Architecture, half_life: float) -> None:
        """half_life: images after which half of the weight of a state is gone; 0 follows the model exactly."""
        self.half_life, self.ramped = half_life, not isinstance(half_life, Schedule)
        self.steps = 0
        self._generators = [name for name in networks(model) if is_generator(model, name)]
        source = generator_state(model)
        self.tensors = {key: value.detach().clone() for key, value in source.items()}
        averaged = averaged_keys(model)
        self._moving = [key for key in source if key in averaged and source[key].is_floating_point()]
        self._copied = [key for key in source if key not in set(self._moving)]

    def beta(self, images: int) -> float:
        """The decay of a step that drew so many images."""
        if self.half_life <= 0:
            return 0.0
        steady: float = 0.5 ** (images / self.half_life)
        return min(steady, (1 + self.steps) / (10 + self.steps)) if self.ramped else steady

    @torch.no_grad()
    def update(self, model: Architecture, images: int) -> None:
        """One step of the average, after a step of training that drew `images` images."""
        source: dict[str, Tensor] = {}
        for name in self._generators:
            model.get_submodule(name).state_dict(destination=source, prefix=name + ".")
        weight = 1.0 - self.beta(images)
        torch._foreach_lerp_([self.tensors[key] for key in self._moving], [source[key] for key in self._moving], weight)
        for key in self._copied:
            self.tensors[key].copy_(source[key])
        self.steps += 1
