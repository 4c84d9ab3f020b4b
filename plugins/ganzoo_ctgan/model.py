"""CTGAN: Xu, Skoularidou, Cuesta-Infante and Veeramachaneni 2019, arXiv:1907.00503, from the paper alone.

Rows come and go encoded as section 4.2 says: a number is where it lies within a mode, and one of many modes; a category
is one of many. Letters in shapes: B batch, D columns of an encoded row, K of them categories', Z latents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu

from ganzoo.api import (
    Abilities,
    Adversarial,
    Batch,
    DataSpec,
    Progress,
    TwoDomainsConfig,
    Update,
    UsageError,
    generator_loss,
    option,
    rows,
)


@dataclass(frozen=True)
class CTGANConfig(TwoDomainsConfig):
    loss: str = "wasserstein"
    penalty: str = "wgan-gp:weight=10"
    noise: int = option(128, "numbers of z, besides one for each of a column's choices", low=1)
    hidden: int = option(256, "width of both hidden layers of G, and of D", low=1)
    pac: int = option(10, "rows that D judges together", low=1)
    temperature: float = option(0.2, "of the Gumbel softmax", low=1e-3)
    dropout: float = option(0.5, "share of D's features that is dropped", low=0, high=0.9)
    condition: float = option(1.0, "weight of the category that G was asked for", low=0)
    n_critic: int = option(1, "turns of D before each turn of G", low=1)
    batch_size: int = option(500, "rows in a step")
    epochs: int | None = option(300, "passes over the data")


class CTGAN(Adversarial):
    """G is asked for a category of a column; the critic C sees packs of rows with what was asked (section 4.3)."""

    Config = CTGANConfig
    modalities = ("table",)
    abilities = Abilities(generate=True)
    presets: ClassVar = {"small": {"hidden": 128, "batch_size": 250, "epochs": 100, "n_critic": 1, "lr": 5e-4}}
    preset_summaries: ClassVar = {
        "small": "Half the width and a third of the epochs, for a look within minutes.",
    }

    idle: ClassVar = {"temperature": "columns with choices", "condition": "columns of categories"}

    def __init__(self, config: CTGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        ends = [0, *(end for _, end in data.choices)]
        # A number has its place within the mode first; where no such column lies before the choices, it is a category.
        self.categories = [each for each, before in zip(data.choices, ends, strict=False) if each[0] == before]
        self.asked = [place for start, end in self.categories for place in range(start, end)]
        if self.categories:
            self.abilities = replace(self.abilities, labels=frozenset({"choices"}))
        self.latent_dim = config.noise + sum(end - start for start, end in data.choices)
        width = data.shape[0]
        self.G = Generator(config, width, len(self.asked), data.choices)
        self.C = Critic(config, config.pac * (width + len(self.asked)))

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        n_critic = self.config.n_critic
        for turn in range(n_critic):
            real, condition = self.sampled(next(batches).images)
            asked = condition[:, self.asked]
            with torch.set_grad_enabled(turn == n_critic - 1):  # G learns from the last fakes only
                logits = self.G.logits(z := self.noise(len(real)), asked)
                fake = self.G.activate(logits, z)
            real_pack, fake_pack = self.packed(real, asked), self.packed(fake.detach(), asked)
            d_real, d_fake = self.C(real_pack), self.C(fake_pack)
            terms = {"adversarial": self.loss.discriminator(d_real, d_fake)}
            terms |= self.penalties.terms(self.C, real_pack, fake_pack, d_real, d_fake)
            yield Update("C", terms, {"D(x)": self.mean_score(d_real), "D(G(z))": self.mean_score(d_fake)})
            count = progress.step * n_critic + turn
            yield from self.penalties.lazy_turn(count, "C", {"": (self.C, real_pack, fake_pack)})

        d_fake = self.C(self.packed(fake, asked))
        terms = {"adversarial": generator_loss(self.loss, d_fake, lambda: self.C(real_pack))}
        if self.categories:
            terms["condition"] = self.config.condition * self.missed(logits, condition)
        yield Update("G", terms, {"D(G(z)) after": self.mean_score(d_fake)})

    def sampled(self, real: Tensor) -> tuple[Tensor, Tensor]:
        """Training by sampling: rows [B, D] of the batch that have the categories asked for, and these, [B, D].

        A column is drawn evenly, a category of it by the logarithm of how often the batch has it, plus 1.
        """
        condition = torch.zeros_like(real)
        if not self.categories:
            return real, condition
        count = len(real)
        draw = rows((count, 2), torch.rand, self.device)
        column = (draw[:, 0] * len(self.categories)).long().clamp(max=len(self.categories) - 1)
        has = torch.zeros(count, count, dtype=torch.bool, device=self.device)  # [asked, row of the batch]
        for number, (start, end) in enumerate(self.categories):
            share = (1 + real[:, start:end].sum(0)).log().cumsum(0)
            category = (draw[:, 1:] * share[-1] >= share).sum(1).clamp(max=end - start - 1)  # [B]
            here = column == number
            condition[:, start:end] = nn.functional.one_hot(category, end - start) * here[:, None]
            has |= here[:, None] & (real[:, start:end].argmax(1)[None] == category[:, None])
        lots = torch.rand(count, count, device=self.device).masked_fill(~has, -1.0)
        return real[lots.argmax(1)], condition

    def missed(self, logits: Tensor, condition: Tensor) -> Tensor:
        """The cross entropy between the categories asked for and those that G made, over all rows; a scalar."""
        found = logits.new_zeros(len(logits)).float()
        for start, end in self.categories:
            asked = condition[:, start:end]
            each = cross_entropy(logits[:, start:end].float(), asked.argmax(1), reduction="none")
            found = found + each * asked.sum(1)
        return found.mean()

    def packed(self, items: Tensor, asked: Tensor) -> Tensor:
        """Rows with what was asked, `pac` a pack: [B / pac, pac * (D + K)]; the last pack is filled from the top."""
        pac, count = self.config.pac, len(items)
        places = torch.arange(-(-count // pac) * pac, device=items.device) % count
        return torch.cat([items, asked], 1)[places].reshape(len(places) // pac, -1)

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Rows [B, D] from z [B, Z]; `label` [B, D] has a 1 at the category asked for, none of a row: anything."""
        if truncation != 1.0:
            raise UsageError("CTGAN has no truncation; leave out --truncation.")
        return self.G(z) if label is None else self.G(z, label[:, self.asked].to(z.dtype))


class Generator(nn.Module):
    """z [B, Z] and the categories asked for, [B, K], none at all without -> encoded rows [B, D]."""

    def __init__(self, config: CTGANConfig, width: int, asked: int, choices: Any) -> None:
        super().__init__()
        self.noise, self.temperature = config.noise, config.temperature
        self.asked, self.choices = asked, choices
        first, hidden = config.noise + asked, config.hidden
        self.one = nn.Sequential(nn.Linear(first, hidden), nn.BatchNorm1d(hidden), nn.ReLU())
        self.two = nn.Sequential(nn.Linear(first + hidden, hidden), nn.BatchNorm1d(hidden), nn.ReLU())
        self.last = nn.Linear(first + 2 * hidden, width)

    def forward(self, z: Tensor, asked: Tensor | None = None) -> Tensor:
        return self.activate(self.logits(z, z.new_zeros(z.shape[0], self.asked) if asked is None else asked), z)

    def logits(self, z: Tensor, asked: Tensor) -> Tensor:
        """What the rows [B, D] are made from; each layer sees all before it."""
        x = torch.cat([z[:, : self.noise], asked], 1)
        x = torch.cat([x, self.one(x)], 1)
        x = torch.cat([x, self.two(x)], 1)
        return self.last(x)

    def activate(self, logits: Tensor, z: Tensor) -> Tensor:
        """Places within a mode by tanh, choices by the Gumbel softmax, whose noise is made from the rest of z."""
        chance = torch.special.ndtr(z[:, self.noise :].float()).clamp(1e-6, 1 - 1e-6)
        gumbel = -(-chance.log()).log()
        pieces, done, used = [], 0, 0
        for start, end in self.choices:
            some = logits[:, start:end].float() + gumbel[:, used : used + end - start]
            pieces += [logits[:, done:start].float().tanh(), (some / self.temperature).softmax(1)]
            done, used = end, used + end - start
        return torch.cat([*pieces, logits[:, done:].float().tanh()], 1)


class Critic(nn.Module):
    """Packs of rows [B / pac, pac * (D + K)] -> one number each, [B / pac]."""

    def __init__(self, config: CTGANConfig, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(width, config.hidden), nn.Linear(config.hidden, config.hidden)
        self.drop, self.last = Dropout(config.dropout), nn.Linear(config.hidden, 1)

    def forward(self, packs: Tensor) -> Tensor:
        x = self.drop(leaky_relu(self.one(packs), 0.2))
        x = self.drop(leaky_relu(self.two(x), 0.2))
        return self.last(x).flatten()


class Dropout(nn.Dropout):
    """Dropout whose lots are drawn for the global batch, so that several processes draw what one would."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = rows(tuple(x.shape), torch.rand, x.device) >= self.p
        return x * kept / (1 - self.p)
