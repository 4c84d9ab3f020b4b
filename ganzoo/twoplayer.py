"""One generator, one discriminator, a loss of the catalogue: a plain GAN is its networks and a Config."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganzoo.architecture import Architecture, Batch, DataSpec, Progress, Update
from ganzoo.augment import DiffAugment
from ganzoo.errors import UsageError
from ganzoo.losses import make_loss
from ganzoo.penalties import make_penalties
from ganzoo.spec import option


@dataclass(frozen=True)
class TwoPlayerConfig:
    """What every two-player GAN can be asked; subclass it to add fields or to change a default."""

    loss: str = option("nonsaturating", "adversarial loss, with constants: lsgan:a=-1,c=0")
    penalty: str = option("", "penalties on D, joined by +: wgan-gp:weight=10+drift")
    augment: Literal["none", "diffaug"] = option("none", "what D sees is augmented differentiably")
    lr: float = option(2e-4, "learning rate", low=0)
    lr_d: float | None = option(None, "D's own learning rate; none: the same", low=0)
    beta1: float = option(0.5, "Adam's decay of the mean gradient", low=0, high=0.9999)
    beta2: float = option(0.999, "Adam's decay of the mean squared gradient", low=0, high=0.999999)
    n_critic: int = option(1, "turns of D before each turn of G", low=1)
    latents: int = option(100, "length of the noise vector z", low=1)


class TwoPlayer(Architecture):
    """A generator `G` and a discriminator `D`, children that the subclass sets; D moves first."""

    Config = TwoPlayerConfig
    config: Any
    G: nn.Module
    D: nn.Module

    def __init__(self, config: Any, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.domains:
            raise UsageError(
                f"{type(self).__name__} learns one set of images, and this data has the domains "
                f"{' and '.join(data.domains)}; choose an architecture for translation, or add one domain by itself."
            )
        self.latents = config.latents
        self.loss = make_loss(config.loss)
        self.penalties = make_penalties(config.penalty)
        self.augment = DiffAugment() if config.augment == "diffaug" else nn.Identity()

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        for turn in range(self.config.n_critic):
            batch = next(batches)
            label = batch.label if self.conditional else None
            real = batch.images
            with torch.set_grad_enabled(turn == self.config.n_critic - 1):  # G learns from the last fakes only
                fake = self.generate(self.noise(len(real)), label)
            d_real, d_fake = self.judge(real, label), self.judge(fake.detach(), label)
            terms = {"adversarial": self.loss.discriminator(d_real, d_fake)}
            for name, penalty in self.penalties.items():
                terms[name] = penalty(partial(self.judge, label=label), real, fake.detach(), d_real, d_fake)
            yield Update("D", terms, {"D(x)": self.mean_score(d_real), "D(G(z))": self.mean_score(d_fake)})

        d_fake = self.judge(fake, label)  # D is the updated one by now
        yield Update("G", {"adversarial": self.loss.generator(d_fake)}, {"D(G(z)) after": self.mean_score(d_fake)})

    def judge(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        """D's logits on augmented images."""
        images = self.augment(images)
        logits: Tensor = self.D(images, label) if self.conditional else self.D(images)
        return logits

    def verdict(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        """The loss's reading of D's logits for each image, averaged over its patches: [B]."""
        return self.loss.score(self.judge(images, label)).reshape(len(images), -1).mean(1)

    def mean_score(self, logits: Tensor) -> Tensor:
        """What the log shows as D(x): the loss's reading of the logits, averaged, detached."""
        return self.loss.score(logits.detach()).mean()

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        config = self.config
        lr = config.lr if network == "G" or config.lr_d is None else config.lr_d
        return torch.optim.Adam(parameters, lr=lr, betas=(config.beta1, config.beta2))
