"""What one pair of players and two of them have in common: any loss and penalties, augmentation, rates of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganzoo.contract.architecture import Architecture, DataSpec, is_generator
from ganzoo.contract.options import option
from ganzoo.errors import UsageError
from ganzoo.gan.augment import DiffAugment
from ganzoo.gan.losses import make_loss
from ganzoo.gan.penalties import make_penalties


@dataclass(frozen=True)
class AdversarialConfig:
    """What every GAN of generators and discriminators can be asked."""

    loss: str = option("nonsaturating", "adversarial loss, with constants: lsgan:a=-1,c=0")
    penalty: str = option("", "penalties on D, joined by +: wgan-gp:weight=10+drift")
    augment: Literal["none", "diffaug"] = option("none", "what D sees is augmented differentiably")
    lr: float = option(2e-4, "learning rate", low=0)
    lr_d: float | None = option(None, "D's own learning rate; none: the same", low=0)
    beta1: float = option(0.5, "Adam's decay of the mean gradient", low=0, high=0.9999)
    beta2: float = option(0.999, "Adam's decay of the mean squared gradient", low=0, high=0.999999)


class Adversarial(Architecture):
    """Generators against discriminators: `loss`, `penalties` and `augment` as the config names them."""

    config: Any

    def __init__(self, config: Any, data: DataSpec) -> None:
        """Raises: UsageError for a loss or a penalty that there is not, and for points that should be augmented."""
        super().__init__(config, data)
        if config.augment != "none" and not data.is_image:
            raise UsageError("Images can be augmented, and this data set has none; use --augment none.")
        self.loss = make_loss(config.loss)
        self.penalties = make_penalties(config.penalty)
        self.augment = DiffAugment() if config.augment == "diffaug" else nn.Identity()

    def mean_score(self, logits: Tensor) -> Tensor:
        """What the log shows as D(x): the loss's reading of the logits, averaged, detached."""
        return self.loss.score(logits.detach()).mean()

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam, at a rate of its own for discriminators where `lr_d` says one."""
        config = self.config
        lr = config.lr if is_generator(self, network) or config.lr_d is None else config.lr_d
        return torch.optim.Adam(parameters, lr=lr, betas=(config.beta1, config.beta2))
