"""Unpaired translation between two domains: a generator each way, a discriminator for each domain.

This module is public: `ganzoo.api` has what stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from ganzoo.api import (
    Abilities,
    Adversarial,
    AdversarialConfig,
    Batch,
    DataSpec,
    Discriminator,
    GanzooError,
    Progress,
    Translator,
    Update,
    UsageError,
    generator_loss,
    option,
    suggest,
)


@dataclass(frozen=True)
class TwoDomainsConfig(AdversarialConfig):
    """What every such pair of GANs can be asked; subclass it to add fields or to change a default."""

    ema: int = option(0, "half-life of the averaged generators, in images; 0: no averaging")


class TwoDomains(Adversarial):
    """Generators `G.AB` and `G.BA`, discriminators `D.A` and `D.B`, children that the subclass sets.

    A stands for the first of the data's domains and B for the second, whatever they are called.
    """

    Config = TwoDomainsConfig
    modalities = ("image",)
    abilities = Abilities(translate=True)
    G: nn.ModuleDict
    D: nn.ModuleDict

    def __init__(self, config: Any, data: DataSpec) -> None:
        """Raises: UsageError when the data is not of images in two domains."""
        super().__init__(config, data)
        name = type(self).__name__
        if len(data.domains) > 2:
            raise UsageError(
                f"{name} translates between two domains, and this data set has {len(data.domains)}: "
                f"{', '.join(data.domains)}; name two of them, such as --domains {','.join(data.domains[:2])}."
            )
        if len(data.domains) != 2:
            splits = {"train", "test", "val"} & set(data.classes)
            if splits and not data.domains:
                raise UsageError(
                    f"{name} translates between two domains, and this data set has the folders "
                    f"{', '.join(sorted(splits))} and no domains; if its pictures show pairs A|B, add it with "
                    "`ganzoo data add NAME FOLDER --pairs halves`."
                )
            if len(data.classes) > 1:
                raise UsageError(
                    f"{name} translates between two domains, and this data set has classes, "
                    f"{', '.join(data.classes[:5])}; name two of them, such as --domains {','.join(data.classes[:2])}."
                )
            has = f"has {len(data.domains)}: {', '.join(data.domains)}" if data.domains else "has none"
            raise UsageError(
                f"{name} translates between two domains, and this data set {has}; "
                "try anime-hair, or `ganzoo data add NAME FOLDER_A FOLDER_B`."
            )

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The batch's images of A and of B, each [B, C, H, W]."""
        a, b = (batch.domains[name] for name in self.data.domains)
        return a, b

    def one_way(self, to: str) -> tuple[str, str]:
        """Of a translator to one domain, `to`, or the second where it is "": sets `targets`, and gives the keys of its
        generator and of its discriminator, such as "AB" and "B".

        Raises: UsageError when there is no such domain.
        """
        a, b = self.data.domains
        to = to or b
        if to not in (a, b):
            raise UsageError(f"--to {to} is no domain of this data set; {suggest(to, (a, b))}")
        self.targets = (to,)
        return ("AB", "B") if to == b else ("BA", "A")

    def translate(self, images: Tensor, to: str) -> Tensor:
        way = "AB" if to == self.data.domains[1] else "BA"
        if way not in self.G:
            raise GanzooError(
                f"{type(self).__name__} has no G.{way}, and says that it translates to {to}; a translator to one "
                "domain calls self.one_way(…) in its __init__."
            )
        generator: Translator = self.G[way]
        return generator(images)

    def discriminate(self, domain: str, images: Tensor) -> Tensor:
        """What the discriminator of domain "A" or "B" says of images, augmented."""
        critic: Discriminator = self.D[domain]
        return critic(self.augment(images))

    def generator_loss(self, domain: str, real: Tensor, fake: Tensor) -> Tensor:
        """The adversarial loss of the generator that makes images of a domain."""
        d_fake = self.discriminate(domain, fake)
        return generator_loss(self.loss, d_fake, lambda: self.discriminate(domain, real))

    def discriminator_terms(
        self, domain: str, real: Tensor, fake: Tensor, weight: float = 1.0
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """A discriminator's terms, its weighted loss and its penalties, and what it says of the images, to show.

        Lazy penalties are in `lazy_turn`, to yield after the Ds' own update.
        """
        d_real, d_fake = self.discriminate(domain, real), self.discriminate(domain, fake)
        terms = {f"adversarial {domain}": weight * self.loss.discriminator(d_real, d_fake)}
        penalties = self.penalties.terms(partial(self.discriminate, domain), real, fake, d_real, d_fake)
        terms |= {f"{name} {domain}": term for name, term in penalties.items()}
        watch = {f"D.{domain}(real)": self.mean_score(d_real), f"D.{domain}(fake)": self.mean_score(d_fake)}
        self.augment.observe(d_real)
        return terms, watch | self.augment.watch()

    def lazy_turn(self, turn: int, **sides: tuple[Tensor, Tensor]) -> Iterator[Update]:
        """The Ds' update of the lazy penalties, none at most turns: real and fake images by domain, A=(real, fake)."""
        critics = {f" {x}": (partial(self.discriminate, x), *images) for x, images in sides.items()}
        yield from self.penalties.lazy_turn(turn, "D", critics)


def linear_decay(progress: Progress, epochs: int, share: float) -> float:
    """CycleGAN's schedule (Zhu et al. 2017, section 4) as a factor on the rate: 1, then falling in the steps of so many
    epochs over the last `share` of them, to 1 / (n + 1) in the last of n; however long the training is.
    """
    falling = round(epochs * share)
    epoch = int(epochs * progress.fraction + 1e-9)
    return 1.0 - max(0, epoch + 1 - (epochs - falling)) / (falling + 1)
