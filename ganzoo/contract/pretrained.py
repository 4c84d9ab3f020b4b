"""Where pretrained weights come from, in a module without torch: headers say it too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pretrained:
    """Where a frozen network's weights come from.

    Attributes:
        name: what `ganzoo weights add NAME FILE` calls them.
        address: ``https://…`` that they are fetched from, once; "" where they must be added by hand.
        sha256: of the file: .safetensors, or a checkpoint of torch that holds nothing but tensors by name. "" for one
            that users make, which must fit the network and is not checked otherwise.
        licence: of the weights, as SPDX writes it.
    """

    name: str
    address: str
    sha256: str
    licence: str
