"""Pretrained networks that an architecture looks through and never trains."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.contract.pretrained import Pretrained as Pretrained
from ganzoo.errors import GanzooError, UsageError


class Frozen(nn.Module):
    """A network with pretrained weights: never trained, averaged, checkpointed, exported or counted.

    What holds it sees no parameters, buffers or children of it. It is always in evaluation mode; gradients pass through
    it to its inputs. The weights are read before training begins and when a model is loaded.
    """

    def __init__(self, weights: Pretrained, build: Callable[[], nn.Module]) -> None:
        """build: makes the network, whose state dict the file holds; its first weights leave the run's alone."""
        super().__init__()
        self.weights, self.ready = weights, False
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)  # the checks use it with these first weights, alike each time
            self._hidden = (build().eval().requires_grad_(False),)  # in a tuple, where torch looks for no children

    @property
    def network(self) -> nn.Module:
        return self._hidden[0]

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes the weights. Raises: GanzooError when they are not this network's."""
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "for .*: copying from a non-meta parameter")
                self.network.load_state_dict(dict(tensors))
        except RuntimeError as error:
            first = str(error).split("\n\t")[1:2] or [str(error)]
            brief = re.sub(r'", ".*', '" and others', first[0].rstrip(". "))  # torch names every one
            raise GanzooError(
                f"The weights {self.weights.name} do not fit their network: {brief}; give others with "
                f"`ganzoo weights add {self.weights.name} FILE`."
            ) from error
        self.ready = True

    def forward(self, *inputs: Any) -> Any:
        counted = any(isinstance(each, Tensor) and each.is_meta for each in inputs)  # a dry step, without any numbers
        if not self.ready and not counted:
            raise UsageError(f"The weights {self.weights.name} are not read yet; see `ganzoo weights list`.")
        return self.network(*inputs)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self.network._apply(fn)  # type: ignore[no-untyped-call]  # so that it moves with what holds it
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]


def frozen_in(model: nn.Module) -> list[Frozen]:
    """The frozen networks anywhere in a model."""
    return [module for module in model.modules() if isinstance(module, Frozen)]
