"""One generator, one discriminator, a loss of the catalogue: a plain GAN is its networks and a Config."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.contract.architecture import Batch, DataSpec, Progress, Update
from ganzoo.contract.options import option
from ganzoo.errors import UsageError
from ganzoo.gan.adversarial import Adversarial, AdversarialConfig


@dataclass(frozen=True)
class TwoPlayerConfig(AdversarialConfig):
    """What every two-player GAN can be asked; subclass it to add fields or to change a default."""

    n_critic: int = option(1, "turns of D before each turn of G", low=1)
    latents: int = option(100, "length of the noise vector z", low=1)


class TwoPlayer(Adversarial):
    """A generator `G` and a discriminator `D`, children that the subclass sets; D moves first."""

    Config = TwoPlayerConfig
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
        return self._logits(self.augment(images), label)

    def verdict(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        """The loss's reading of D's logits for each image as it is, averaged over its patches: [B]."""
        return self.loss.score(self._logits(images, label)).reshape(len(images), -1).mean(1)

    def _logits(self, images: Tensor, label: Tensor | None) -> Tensor:
        logits: Tensor = self.D(images, label) if self.conditional else self.D(images)
        return logits
