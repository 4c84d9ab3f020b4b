"""One generator, one discriminator, a loss of the catalogue: a plain GAN is its networks and a Config."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganzoo.catalogue.components import make_augmentation, make_loss, make_penalties
from ganzoo.contract.abilities import Abilities
from ganzoo.contract.architecture import Architecture, Discriminator, Generator, Loss, Progress, Update
from ganzoo.contract.data_spec import Batch, DataSpec
from ganzoo.contract.networks import is_generator
from ganzoo.contract.options import option
from ganzoo.contract.renamed import OldOptions
from ganzoo.errors import UsageError
from ganzoo.gan.losses import generator_loss
from ganzoo.gan.san import Slicing, direction_loss


@dataclass(frozen=True)
class AdversarialConfig(OldOptions):
    """What every GAN of generators and discriminators can be asked."""

    loss: str = option("nonsaturating", "adversarial loss, with constants: lsgan:a=-1,c=0")
    penalty: str = option("", "penalties on D, joined by +: r1:gamma=10,every=16+drift")
    augment: str = option("none", "what D sees is altered, by augmentations joined by +: diffaug:cutout=no")
    lr: float = option(2e-4, "learning rate", low=0, scheduled=True)
    lr_d: float | None = option(None, "D's own learning rate; none: the same", low=0, scheduled=True)
    beta1: float = option(0.5, "Adam's decay of the mean gradient", low=0, high=0.9999)
    beta2: float = option(0.999, "Adam's decay of the mean squared gradient", low=0, high=0.999999, scheduled=True)


class Adversarial(Architecture):
    """Generators against discriminators: `loss`, `penalties` and `augment` as the config names them."""

    config: Any
    loss: Loss

    def __init__(self, config: Any, data: DataSpec) -> None:
        """Raises: UsageError for a loss, penalty or augmentation that there is not, or is not for such items."""
        super().__init__(config, data)
        self.loss = make_loss(config.loss)
        self.penalties = make_penalties(config.penalty)
        self.augment = make_augmentation(config.augment, data.modality)

    def begin_step(self, progress: Progress) -> None:
        self.penalties.begin_step(progress)
        self.augment.begin_step(progress)

    def mean_score(self, logits: Tensor) -> Tensor:
        """What the log shows as D(x): the loss's reading of the logits, averaged, detached."""
        return self.loss.score(logits.detach()).mean()

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam, at a rate of its own for discriminators where `lr_d` says one."""
        config, betas = self.config, (self.config.beta1, self.config.beta2)
        if is_generator(self, network):
            return torch.optim.Adam(parameters, lr=config.lr, betas=betas)
        lr = config.lr if config.lr_d is None else config.lr_d
        return torch.optim.Adam(parameters, **self.penalties.adam(lr, betas))


@dataclass(frozen=True)
class TwoPlayerConfig(AdversarialConfig):
    """What every two-player GAN can be asked; subclass it to add fields or to change a default."""

    n_critic: int = option(1, "turns of D before each turn of G", low=1)
    latent_dim: int = option(100, "length of the noise vector z", low=1)
    san: bool = option(False, "SAN: the direction of D's last layer learns by the Wasserstein loss, the rest by --loss")


@dataclass(frozen=True)
class ConditionalConfig(TwoPlayerConfig):
    """Of an architecture that takes classes where it is asked to; its `conditional` then says so, and G and D are
    called with a label. Its card lists both tasks.
    """

    conditional: bool = option(False, "one model for all classes: G and D are told the label")


class TwoPlayer(Adversarial):
    """A generator `G` and a discriminator `D`, children that the subclass sets; D moves first.

    `fresh_fakes` says that `generator_turn` makes images of its own, so that those of D's turns need no graph to G;
    `clip` is the largest norm of each player's gradient.
    """

    Config = TwoPlayerConfig
    abilities = Abilities(generate=True, realness=True)
    fresh_fakes: ClassVar[bool] = False
    clip: float | None = None
    G: Generator
    D: Discriminator

    def __init__(self, config: Any, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.domains:
            raise UsageError(
                f"{type(self).__name__} learns one set of images, and this data has the domains "
                f"{' and '.join(data.domains)}; choose an architecture for translation, or add one domain by itself."
            )
        self.latent_dim = config.latent_dim
        if getattr(config, "conditional", False):
            if data.label != "class":
                raise UsageError(
                    "--conditional takes data with a class for each image, and this data set has none; add it with "
                    "--labels, or leave --conditional out."
                )
            self.abilities = replace(self.abilities, labels=frozenset({"class"}))
        if getattr(config, "san", False):
            self.abilities = replace(self.abilities, recompute=False)  # it looks into D while D is computed

    @cached_property
    def slicing(self) -> Slicing | None:
        """What splits D's last layer, with `--san`. Raises: UsageError when D does not name it."""
        return Slicing(self.get_submodule("D")) if getattr(self.config, "san", False) else None

    def begin_step(self, progress: Progress) -> None:
        super().begin_step(progress)
        if self.slicing:
            self.slicing.normalise()

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        n_critic = self.config.n_critic
        for turn in range(n_critic):
            batch = next(batches)
            real, label = batch.images, batch.label if self.conditional else None
            # G learns from the last fakes only, unless its turn makes others.
            with torch.set_grad_enabled(turn == n_critic - 1 and not self.fresh_fakes):
                fake = self.generate(self.noise(len(real)), label)
            yield from self.critic_turn(real, fake.detach(), label, progress.step * n_critic + turn)
        yield from self.generator_turn(real, fake, label)

    def critic_turn(self, real: Tensor, fake: Tensor, label: Tensor | None, turn: int) -> Iterator[Update]:
        """D's turn on real and generated images [B, ...]; `turn` counts D's turns since the run began."""
        d_real, real_direction = self.sliced(real, label)
        d_fake, fake_direction = self.sliced(fake, label)
        critic = partial(self.discriminate, label=label)
        terms = {"adversarial": self.loss.discriminator(d_real, d_fake)}
        if real_direction is not None and fake_direction is not None:
            terms["direction"] = direction_loss(real_direction, fake_direction)
        terms |= self.penalties.terms(critic, real, fake, d_real, d_fake)
        watch = {"D(x)": self.mean_score(d_real), "D(G(z))": self.mean_score(d_fake)}
        self.augment.observe(d_real)
        yield Update("D", terms, watch | self.augment.watch(), self.clip)
        if self.slicing:
            self.slicing.normalise()
        yield from self.penalties.lazy_turn(turn, "D", {"": (critic, real, fake)}, self.clip)
        if self.slicing:
            self.slicing.normalise()

    def generator_turn(self, real: Tensor, fake: Tensor, label: Tensor | None) -> Iterator[Update]:
        """G's turn: D is the updated one by now, `fake` are the images of D's last turn, with their graph to G."""
        d_fake = self.discriminate(fake, label)
        loss = generator_loss(self.loss, d_fake, lambda: self.discriminate(real, label))
        yield Update("G", {"adversarial": loss}, {"D(G(z)) after": self.mean_score(d_fake)}, self.clip)

    def discriminate(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        """D's logits on augmented images."""
        return self._logits(self.augment(images), label)

    def sliced(self, images: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """D's logits on augmented images, and with `--san` their direction part."""
        logits = self.discriminate(images, label)
        return logits, self.slicing.direction if self.slicing else None

    def realness(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        """The loss's reading of D's logits for each image as it is, averaged over its patches: [B]."""
        return self.loss.score(self._logits(images, label)).reshape(len(images), -1).mean(1)

    def _logits(self, images: Tensor, label: Tensor | None) -> Tensor:
        inputs = (images, label) if self.conditional else (images,)
        critic: Discriminator = partial(self.slicing, self.D) if self.slicing else self.D
        return critic(*inputs)
