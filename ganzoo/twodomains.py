"""Unpaired translation between two domains: a generator each way, a discriminator for each domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from ganzoo.architecture import Architecture, Batch, DataSpec
from ganzoo.augment import DiffAugment
from ganzoo.errors import UsageError
from ganzoo.losses import make_loss
from ganzoo.penalties import make_penalties
from ganzoo.spec import option


@dataclass(frozen=True)
class TwoDomainsConfig:
    """What every such pair of GANs can be asked; subclass it to add fields or to change a default."""

    loss: str = option("nonsaturating", "adversarial loss, with constants: lsgan:a=-1,c=0")
    penalty: str = option("", "penalties on the Ds, joined by +: wgan-gp:weight=10+drift")
    augment: Literal["none", "diffaug"] = option("none", "what the Ds see is augmented differentiably")
    lr: float = option(2e-4, "learning rate", low=0)
    lr_d: float | None = option(None, "the Ds' own learning rate; none: the same", low=0)
    beta1: float = option(0.5, "Adam's decay of the mean gradient", low=0, high=0.9999)
    beta2: float = option(0.999, "Adam's decay of the mean squared gradient", low=0, high=0.999999)
    average: int = option(0, "half-life of the averaged generators, in images; 0: no averaging")


class TwoDomains(Architecture):
    """Generators `G.AB` and `G.BA`, discriminators `D.A` and `D.B`, children that the subclass sets.

    A stands for the first of the data's domains and B for the second, whatever they are called.
    """

    Config = TwoDomainsConfig
    generators: ClassVar[tuple[str, ...]] = ("G",)
    config: Any
    G: nn.ModuleDict
    D: nn.ModuleDict

    def __init__(self, config: Any, data: DataSpec) -> None:
        """Raises: UsageError when the data is not of images in two domains."""
        super().__init__(config, data)
        name = type(self).__name__
        if not data.is_image:
            raise UsageError(f"{name} translates images, and this data set has none.")
        if len(data.domains) != 2:
            has = f"has {len(data.domains)}: {', '.join(data.domains)}" if data.domains else "has none"
            raise UsageError(
                f"{name} translates between two domains, and this data set {has}; "
                "try anime-hair, or `ganzoo data add NAME FOLDER_A FOLDER_B`."
            )
        self.loss = make_loss(config.loss)
        self.penalties = make_penalties(config.penalty)
        self.augment = DiffAugment() if config.augment == "diffaug" else nn.Identity()

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The batch's images of A and of B, each [B, C, H, W]."""
        a, b = (batch.domains[name] for name in self.data.domains)
        return a, b

    def translate(self, images: Tensor, to: str) -> Tensor:
        return cast(Tensor, self.G["AB" if to == self.data.domains[1] else "BA"](images))

    def judge(self, domain: str, images: Tensor) -> Tensor:
        """What the discriminator of domain "A" or "B" says of images, augmented."""
        return cast(Tensor, self.D[domain](self.augment(images)))

    def verdict(
        self, domain: str, real: Tensor, fake: Tensor, weight: float = 1.0
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """A discriminator's terms, its weighted loss and its penalties, and what it says of the images, to show."""
        d_real, d_fake = self.judge(domain, real), self.judge(domain, fake)
        terms = {f"adversarial {domain}": weight * self.loss.discriminator(d_real, d_fake)}
        for name, penalty in self.penalties.items():
            terms[f"{name} {domain}"] = penalty(partial(self.judge, domain), real, fake, d_real, d_fake)
        watch = {f"D.{domain}(real)": self.mean_score(d_real), f"D.{domain}(fake)": self.mean_score(d_fake)}
        return terms, watch

    def mean_score(self, logits: Tensor) -> Tensor:
        """What the log shows as D(x): the loss's reading of the logits, averaged, detached."""
        return self.loss.score(logits.detach()).mean()

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        config = self.config
        lr = config.lr if network.startswith("G") or config.lr_d is None else config.lr_d
        return torch.optim.Adam(parameters, lr=lr, betas=(config.beta1, config.beta2))
