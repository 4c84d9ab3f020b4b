"""The contract between an architecture and the trainer: what a model is, and what its training step yields.

Letters in shapes: B batch, C channels, H height, W width, Z latents.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from ganzoo.contract.abilities import Abilities
from ganzoo.contract.codes import Codes
from ganzoo.contract.data_spec import Batch, DataSpec
from ganzoo.contract.randomness import rows
from ganzoo.contract.renamed import OldNames
from ganzoo.errors import UsageError


class Generator(Protocol):
    """Noise to images."""

    def __call__(self, z: Tensor, label: Tensor | None = None, /) -> Tensor:
        """z [B, Z] (and label [B], int64) -> images [B, C, H, W], nominally in [-1, 1]."""


class Translator(Protocol):
    """Images of one domain to images of another."""

    def __call__(self, images: Tensor, /) -> Tensor:
        """images [B, C, H, W] in [-1, 1] -> images [B, C, H, W]."""


class Discriminator(Protocol):
    """Scores images; its loss says what the numbers mean."""

    def __call__(self, images: Tensor, label: Tensor | None = None, /) -> Tensor:
        """images [B, C, H, W] (and label [B]) -> logits [B], or patches [B, 1, h, w], or whatever its Loss takes."""


class Styled(Protocol):
    """Contract 1's name for what `Abilities.styles` says now."""


class Judging(Protocol):
    """Contract 1's name for what `Abilities.realness` says now."""


class Loss(Protocol):
    """An adversarial loss. Works in float32 whatever the precision of the logits.

    One that compares real with generated items says so by a class attribute, ``compares = True``: then, and only then,
    `generator` is given D(x), of the updated D on the same real batch (see `ganzoo.api.generator_loss`).
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """What D minimises: D(x) and D(G(z)) as logits -> scalar."""

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """What G minimises: D(G(z)) as logits (and D(x), for a loss that compares) -> scalar."""

    def score(self, logits: Tensor) -> Tensor:
        """What stands as D(x) in the log: the probability of being real where the loss has one, else the logit."""


@dataclass(frozen=True)
class Progress:
    """Where training stands, counted before the step.

    Attributes:
        step: steps done since the run began.
        images: images drawn since the run began (of one domain).
        epoch: passes over the data completed.
        stage_images: images drawn when the present stage of the run began.
        total_images: images drawn when it will end.
        parts: copies of the step that this process runs side by side, each on its part of the batch (`--accumulate`).
        part: which of them this is, 0 … parts - 1. What stands between two yields is run for part 0 first, and for the
            last part last, so that a sum over the batch begins at part 0 and is whole at part `parts - 1`.
    """

    step: int
    images: int
    epoch: int
    stage_images: int
    total_images: int
    parts: int = 1
    part: int = 0

    @property
    def fraction(self) -> float:
        """Share of the present stage that is done, in [0, 1]."""
        length = self.total_images - self.stage_images
        return min(1.0, (self.images - self.stage_images) / length) if length > 0 else 1.0


@dataclass
class Update:
    """One player's turn, yielded by `Architecture.step`: the trainer sums `terms`, backpropagates and steps.

    Attributes:
        networks: the network, or several, whose parameters the terms train and whose optimizers then step.
        terms: scalars by name; their sum is minimised, each is logged.
        watch: values by name to show beside the losses, such as ``{"D(x)": tensor}``; must be detached.
        clip: largest norm of the gradient over all the networks' parameters; None for no clipping.
        name: of the turn in the log, where a network has several: ``"r1"`` is logged as ``"loss/D/r1"``, beside the
            ``"loss/D"`` of D's turns without a name.
    """

    networks: str | tuple[str, ...]
    terms: Mapping[str, Tensor]
    watch: Mapping[str, Tensor] = field(default_factory=dict)
    clip: float | None = None
    name: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.networks,) if isinstance(self.networks, str) else tuple(self.networks)

    @property
    def logged(self) -> str:
        """What the sum of the terms is called in the log: ``"loss/D"``, of a named turn ``"loss/D/r1"``."""
        return "/".join(filter(None, ("loss", "+".join(self.names), self.name)))

    def logged_term(self, term: str) -> str:
        """What a term is called in the log: ``"loss/D/real"``; the term ``"r1"`` of the turn r1 is ``"loss/D/r1"``."""
        return self.logged if term == self.name else f"{self.logged}/{term}"


class TrainingState(nn.Module):
    """State that is not weights (an image pool, a controller's k): fixed-shape buffers on a child of this type.

    It is part of every checkpoint, and never averaged, exported or counted as a network.
    """


class Architecture(OldNames, nn.Module):
    """A GAN: its children are its networks, its `step` reads like the paper's algorithm box.

    Class attributes:
        Config: frozen dataclass of every hyperparameter, with default and help (`ganzoo.api.option`), once. Fields
            called like an option of the trainer that may vary by architecture (`batch_size`, `resolution`, `channels`,
            `ema`, `epochs`, `flip`, `load_size`) are this architecture's defaults for it.
        presets: variants as rows, ``{"name": {"option": value}}``.
        preset_summaries: preset -> what it is for, in one sentence.
        generators: the networks that are averaged, saved as the model and exported.
        abilities: what it can do; an instance may set its own, where that depends on the config.
        modalities: what an item may be, by name; () where its `__init__` sees to it. Others are refused.
        untrained: parameters that no update reaches by default although they stay trainable, such as a layer that
            only another option uses: ``{"beginning of their names": "why"}``.
        idle: options that change nothing in the first steps of a small run: ``{"option": "why"}``.
        other_calls: networks that are called otherwise than the protocols above say: ``{"D": "why"}``.
        any_turn: buffers of networks that change in other players' turns too: ``{"beginning of their names": "why"}``.

    Attributes:
        latent_dim: length of the noise vector z; None when images are not made from noise.
        side_multiple: sides of the images that `translate` takes are multiples of this, to which others are padded;
            None when it takes only the size of the data, to which others are scaled.
        smallest_side: of the images that `translate` takes, in pixels.
        targets: the domains that it translates to, where those are not all.
        style_layers: of an architecture with styles, L where `synthesis` takes one for each layer too, w [B, L, Z].
        codes: what of the latents a user may choose, by name: how many values a code has, 0, 1, …, or its range.

    `translate`, `mix`, `mapping`, `synthesis`, `realness`, `encode` and `coded` are there where `abilities` says so,
    and never called elsewhere.
    """

    Config: ClassVar[type]
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    preset_summaries: ClassVar[Mapping[str, str]] = {}
    generators: ClassVar[tuple[str, ...]] = ("G",)
    abilities: Abilities = Abilities(generate=True)
    untrained: ClassVar[Mapping[str, str]] = {}
    idle: ClassVar[Mapping[str, str]] = {}
    other_calls: ClassVar[Mapping[str, str]] = {}
    any_turn: ClassVar[Mapping[str, str]] = {}
    modalities: ClassVar[tuple[str, ...]] = ()
    latent_dim: int | None = None
    side_multiple: int | None = None
    smallest_side: int = 1
    targets: tuple[str, ...] | None = None
    style_layers: int | None = None
    codes: Codes = MappingProxyType({})

    def __init__(self, config: Any, data: DataSpec) -> None:
        """Raises: UsageError when the architecture cannot do `data`'s shape, saying what it can."""
        super().__init__()
        check_modality(type(self), data.modality)
        self.config = config
        self.data = data

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        """One training step: draws real data with ``next(batches)`` and yields an `Update` for each player's turn.

        After a yield the named networks are the updated ones. Runs under autocast where the precision asks for it;
        grad mode must be at each yield what it was before.
        """
        raise NotImplementedError

    def begin_step(self, progress: Progress) -> None:
        """Called before each step, once whatever `--accumulate` says: what changes along the training may move here."""

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of one network, with its rate at the start; Adam by `config.lr`, `beta1` and `beta2`."""
        return torch.optim.Adam(parameters, lr=self.config.lr, betas=(self.config.beta1, self.config.beta2))

    def learning_rate(self, progress: Progress, network: str) -> float:
        """The factor on the optimizer's rate at this moment."""
        return 1.0

    def batch_size(self, progress: Progress) -> int | None:
        """The global batch size at this moment; None for the trainer's."""
        return None

    def phase(self, progress: Progress) -> Hashable:
        """Something that changes when the optimizers should start fresh, such as a growing network's resolution."""
        return None

    def noise(self, count: int) -> Tensor:
        """Latents z [count, Z] from N(0, 1), this process's rows of the global batch."""
        if self.latent_dim is None:
            raise UsageError(f"{type(self).__name__} has no latents.")
        return rows((count, self.latent_dim), device=self.device)

    def random_labels(self, count: int) -> Tensor:
        """Random labels as `Batch.label` has them, this process's rows of the global batch.

        Classes, [count] int64, and of [count, K] attributes are as frequent as in the data; each number is from
        N(0, 1), every column for itself.
        """
        data = self.data
        if not data.columns:
            if not data.class_shares:
                return rows((count,), partial(torch.randint, len(data.classes)), device=self.device)
            ends = torch.tensor(data.class_shares, device=self.device).cumsum(0)
            drawn = torch.bucketize(rows((count,), torch.rand, self.device), ends, right=True)
            return drawn.clamp(max=len(data.classes) - 1)
        if data.label == "numbers":
            return rows((count, data.columns), device=self.device)
        shares = torch.tensor([mean for mean, _ in data.label_scale], device=self.device)
        return (rows((count, data.columns), torch.rand, self.device) < shares).float()

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Images [B, C, H, W] from latents z [B, Z]. Architectures without truncation are given 1."""
        if truncation != 1.0:
            raise UsageError(f"{type(self).__name__} has no truncation; leave out --truncation.")
        generator: Generator = getattr(self, self.generators[0])
        return generator(z, label) if self.conditional else generator(z)

    def mix(
        self,
        coarse: Tensor,
        fine: Tensor,
        cutoff: int | None = None,
        truncation: float = 1.0,
        label: Tensor | None = None,
    ) -> Tensor:
        """Style mixing: images [B, C, H, W] with the styles of `coarse` [B, Z] in the first `cutoff` layers, of `fine`
        in the others; None for a cut-off of its own choosing. Without labels it is called with the first four alone.
        """
        raise NotImplementedError

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """z [B, Z] (and label [B]) -> w [B, ...], before any truncation; in evaluation a function of these alone."""
        raise NotImplementedError

    def synthesis(self, w: Tensor) -> Tensor:
        """w [B, ...] -> images [B, C, H, W], nominally in [-1, 1]; differentiable in w."""
        raise NotImplementedError

    def realness(self, items: Tensor, /) -> Tensor:
        """items [B, C, H, W], or vectors [B, D] -> what the log shows as D(x), of each: [B]."""
        raise NotImplementedError

    def encode(self, items: Tensor, label: Tensor | None = None) -> Tensor:
        """items [B, ...] (and label [B]) -> latents z [B, Z] that `generate` makes the like of them from."""
        raise NotImplementedError

    def coded(self, z: Tensor, name: str, values: Tensor) -> Tensor:
        """Latents like z [B, Z] whose code `name`, one of `codes`, has these values [B]; all else in them stays."""
        raise NotImplementedError

    def translate(self, images: Tensor, to: str) -> Tensor:
        """Images [B, C, H, W] in [-1, 1] of another domain -> images of the domain `to`, one of the targets."""
        raise UsageError(f"{type(self).__name__} does not translate between domains.")

    @property
    def conditional(self) -> bool:
        """Whether it takes labels."""
        return bool(self.abilities.labels)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device


def check_modality(model: type[Architecture], modality: str) -> None:
    """Raises: UsageError when the architecture makes no items of this kind."""
    if model.modalities and modality not in model.modalities:
        takes = " or ".join(f"{name}s" for name in model.modalities)
        raise UsageError(f"{model.__name__} makes {takes}, and this data set has none; choose one of {takes}.")


def check_judges(model: Architecture | type[Architecture], name: str, labelled: bool = False) -> None:
    """Raises: UsageError when an architecture says nothing of items alone; an instance may say so of itself."""
    if not model.abilities.realness or model.abilities.labels or labelled:
        raise UsageError(f"The D of {name} judges no items by themselves, without a label.")
