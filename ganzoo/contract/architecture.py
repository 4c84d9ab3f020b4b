"""The contract between an architecture and the trainer: what a model is, and what its training step yields.

Letters in shapes: B batch, C channels, H height, W width, Z latents.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

from ganzoo.contract.randomness import rows
from ganzoo.contract.renamed import OldNames
from ganzoo.errors import UsageError, suggest


class Generator(Protocol):
    """Noise to images."""

    def __call__(self, z: Tensor, label: Tensor | None = None, /) -> Tensor:
        """z [B, Z] (and label [B], int64) -> images [B, C, H, W], nominally in [-1, 1]."""


class Translator(Protocol):
    """Images of one domain to images of another."""

    def __call__(self, images: Tensor, /) -> Tensor:
        """images [B, C, H, W] in [-1, 1] -> images [B, C, H, W]."""


class Discriminator(Protocol):
    """Judges images; what its numbers mean is its loss's affair."""

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
class DataSpec:
    """What the data says of itself, so that nobody types the image size twice.

    Attributes:
        shape: of one item: (C, H, W) for images, (D,) for points and rows of a table, (C, L) for signals.
        classes: label names, () when unlabelled; label i means classes[i].
        domains: names of the domains that take part in translation, () otherwise.
        label: kind of the labels: "none", "class", "attributes" (0 or 1 in each column) or "numbers".
        label_names: columns of attributes or numbers.
        label_scale: (mean, spread) of each column in the data. `Batch.label` holds numbers as (number - mean) / spread;
            an attribute's mean is the share of the items that have it.
        shapes: domain -> shape of its items, where not all domains have `shape`, that of the first.
        paired: True when the domains' items belong together one by one.
        modality: what an item is, by its name in the catalogue: ``"image"``, ``"point"``, ``"signal"``, ``"table"`` …
            Vectors are points unless it is said.
        mean, spread: mean and standard deviation of each column of vectors; () where they say nothing.
        choices: first and last + 1 of the columns of which one is 1 and the others are 0, for a softmax.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    modality: str = "image"
    mean: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    choices: tuple[tuple[int, int], ...] = ()
    label: str = ""
    label_names: tuple[str, ...] = ()
    label_scale: tuple[tuple[float, float], ...] = ()
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    paired: bool = False

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", "class" if self.classes else "none")
        if not self.label_scale:
            object.__setattr__(self, "label_scale", ((0.5 if self.label == "attributes" else 0.0, 1.0),) * self.columns)
        if self.modality == "image" and len(self.shape) == 1:
            object.__setattr__(self, "modality", "point")

    @classmethod
    def from_header(cls, data: Mapping[str, Any]) -> DataSpec:
        """Of run.json's or a model's "data"; older ones say shape, classes and domains alone.

        The modality, which has a state of its own, is `ganzoo.catalogue.components.data_spec_of`'s.
        """
        return cls(
            tuple(data["shape"]),
            tuple(data["classes"]),
            tuple(data["domains"]),
            label=data.get("label_kind", ""),
            label_names=tuple(data.get("label_names", ())),
            label_scale=tuple((float(mean), float(spread)) for mean, spread in data.get("label_scale", ())),
            shapes={name: tuple(shape) for name, shape in data.get("shapes", {}).items()},
            paired=bool(data.get("paired", False)),
        )

    def header(self) -> dict[str, Any]:
        """What `from_header` reads."""
        found: dict[str, Any] = {
            "shape": list(self.shape), "classes": list(self.classes), "domains": list(self.domains),
        }  # fmt: skip
        if self.label_names:
            found |= {"label_kind": self.label, "label_names": list(self.label_names),
                      "label_scale": [list(scale) for scale in self.label_scale]}  # fmt: skip
        if self.shapes:
            found["shapes"] = {name: list(shape) for name, shape in self.shapes.items()}
        return found | ({"paired": True} if self.paired else {})

    @property
    def columns(self) -> int:
        """K of labels [B, K]: how many attributes or numbers an item has; 0 for classes, and without labels."""
        return len(self.label_names)

    def shape_of(self, domain: str) -> tuple[int, ...]:
        """Of the items of one domain."""
        return self.shapes.get(domain, self.shape)

    def shape_before(self, to: str) -> tuple[int, ...]:
        """Of the items that are translated to a domain: those of the first other one."""
        return self.shape_of(next((name for name in self.domains if name != to), to))

    @property
    def channels(self) -> int:
        """Raises: UsageError when the items are no images, so that whoever asks refuses them."""
        return self._side(0)

    @property
    def height(self) -> int:
        """Raises: as `channels`."""
        return self._side(1)

    @property
    def width(self) -> int:
        """Raises: as `channels`."""
        return self._side(2)

    def _side(self, axis: int) -> int:
        if not self.is_image:
            raise UsageError(
                f"This architecture makes images, and an item of the data set is a {self.modality}; "
                "choose a data set of images, or another architecture."
            )
        return self.shape[axis]

    @property
    def is_image(self) -> bool:
        return self.modality == "image"


@dataclass
class Batch:
    """Real data: images [B, C, H, W] in [-1, 1] (or vectors [B, D]), and labels where the data has some.

    `label` is int64 [B] for classes, float [B, K] for attributes (0 or 1) and numbers (standardised by the mean and
    spread in `DataSpec.label_scale`).

    For translation `domains` maps each domain's name to its images, and `images` are those of the first.
    """

    images: Tensor
    label: Tensor | None = None
    domains: Mapping[str, Tensor] = field(default_factory=dict)


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


@dataclass(frozen=True)
class Abilities:
    """What an architecture can do. Everything that uses one asks this table; the kit checks that it is true.

    Attributes:
        generate: makes items from noise: `latent_dim` and `generate`.
        truncation: its `generate` takes other values than 1.
        mix: mixes the styles of two latents.
        styles: ``generate(z, label)`` is ``synthesis(mapping(z, label))``; projections are made in w instead of z.
        realness: says of an item alone how real it looks.
        translate: from domain to domain; `Architecture.targets` names those that it translates to.
        encode: says which latents z an item has.
        labels: what it takes as labels: ``"class"``, ``"attributes"``, ``"numbers"``; none where it is empty.
        pairs: learns from pairs: row i of each domain's images then belongs together, cropped and flipped alike.
        channels: takes domains of different channels, which `DataSpec.shapes` then says, such as grey edges and colour
            photos; to others every domain is given in the colours of the richest.
        domains: how many domains a translator takes; 0: as many as the data has.
        dropout: its dropout stays on when the trained model is used (Isola et al. 2017). Images are then translated
            one by one, with the generators' dropout modules in training mode and all else in evaluation.
    """

    generate: bool = False
    truncation: bool = False
    mix: bool = False
    styles: bool = False
    realness: bool = False
    translate: bool = False
    encode: bool = False
    labels: frozenset[str] = frozenset()
    pairs: bool = False
    channels: bool = False
    domains: int = 2
    dropout: bool = False

    @classmethod
    def derived(cls, model: type[Architecture]) -> Abilities:
        """Those of a class of contract 1: what it declares or inherits, and what it defines besides."""
        own, table = Architecture, model.abilities
        defined = {name: getattr(model, name) is not getattr(own, name) for name in ("mix", "translate", "realness")}
        found = {name: getattr(table, name) or here for name, here in defined.items()}
        found["generate"] = not found["translate"] or model.generate is not own.generate
        found["truncation"] = table.truncation or model.generate is not own.generate
        found["styles"] = table.styles or (model.mapping is not own.mapping and model.synthesis is not own.synthesis)
        said: Any = model.conditional  # the property, unless the class has a flag of its own in its place
        return replace(table, **found, labels=frozenset({"class"}) if said is True else table.labels)


class Architecture(OldNames, nn.Module):
    """A GAN: its children are its networks, its `step` reads like the paper's algorithm box.

    Class attributes:
        Config: frozen dataclass of every hyperparameter, with default and help (`ganzoo.api.option`), once. Fields
            called like an option of the trainer that may vary by architecture (`batch_size`, `resolution`, `channels`,
            `ema`, `epochs`, `flip`, `load_size`) are this architecture's defaults for it.
        presets: variants as rows, ``{"name": {"option": value}}``.
        generators: the networks that are averaged, saved as the model and exported.
        abilities: what it can do; an instance may set its own, where that depends on the config.
        modalities: what an item may be, by name; () where its `__init__` sees to it. Others are refused.
        untrained: parameters that no update reaches by default although they stay trainable, such as a layer that
            only another option uses: ``{"beginning of their names": "why"}``.
        any_turn: buffers of networks that change in other players' turns too: ``{"beginning of their names": "why"}``.

    Attributes:
        latent_dim: length of the noise vector z; None when images are not made from noise.
        side_multiple: sides of the images that `translate` takes are multiples of this, to which others are padded;
            None when it takes only the size of the data, to which others are scaled.
        smallest_side: of the images that `translate` takes, in pixels.
        targets: the domains that it translates to, where those are not all.

    `translate`, `mix`, `mapping`, `synthesis`, `realness` and `encode` are there where `abilities` says so, and never
    called elsewhere.
    """

    Config: ClassVar[type]
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    generators: ClassVar[tuple[str, ...]] = ("G",)
    abilities: Abilities = Abilities(generate=True)
    untrained: ClassVar[Mapping[str, str]] = {}
    any_turn: ClassVar[Mapping[str, str]] = {}
    modalities: ClassVar[tuple[str, ...]] = ()
    latent_dim: int | None = None
    side_multiple: int | None = None
    smallest_side: int = 1
    targets: tuple[str, ...] | None = None

    def __init__(self, config: Any, data: DataSpec) -> None:
        """Raises: UsageError when the architecture cannot do `data`'s shape, saying what it can."""
        super().__init__()
        if self.modalities and data.modality not in self.modalities:
            takes = " or ".join(f"{name}s" for name in self.modalities)
            raise UsageError(f"{type(self).__name__} makes {takes}, and this data set has none; choose one of {takes}.")
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

        Classes are uniform, [count] int64; of [count, K], each attribute is as frequent as in the data and each number
        is from N(0, 1), every column for itself.
        """
        data = self.data
        if not data.columns:
            return rows((count,), partial(torch.randint, len(data.classes)), device=self.device)
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

    def mix(self, coarse: Tensor, fine: Tensor, cutoff: int | None = None, truncation: float = 1.0) -> Tensor:
        """Style mixing: images [B, C, H, W] with the styles of `coarse` [B, Z] in the first `cutoff` layers, of `fine`
        in the others; None for a cut-off of its own choosing.
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


def networks(model: Architecture) -> dict[str, nn.Module]:
    """The networks of a model by name: its children with parameters; a ModuleDict's members as ``"G.AB"``."""
    found: dict[str, nn.Module] = {}
    for name, child in model.named_children():
        if isinstance(child, TrainingState) or next(child.parameters(), None) is None:
            continue
        if isinstance(child, nn.ModuleDict):
            found.update({f"{name}.{key}": member for key, member in child.items()})
        else:
            found[name] = child
    return found


def freeze(model: Architecture, names: str) -> None:
    """Keeps parts of a model still, such as ``"D.main.0,D.main.2"``: no gradient reaches them and no optimizer has them
    (FreezeD; Mo, Cho and Shin 2020, arXiv:2002.10964).

    Raises: UsageError for a name that the model has not, or when nothing of a network is left to train.
    """
    known = {**dict(model.named_modules()), **dict(model.named_parameters())}
    for name in filter(None, names.split(",")):
        if name not in known:
            raise UsageError(
                f"--freeze {name} is no part of {type(model).__name__}; {suggest(name, filter(None, known))}"
            )
        known[name].requires_grad_(False)
    for name, network in networks(model).items():
        if names and not any(parameter.requires_grad for parameter in network.parameters()):
            raise UsageError(f"--freeze {names} leaves nothing of {name} to train; leave some of its parts out.")


def is_generator(model: Architecture, network: str) -> bool:
    """Whether a network's name (``"G"``, ``"G.AB"``) belongs to the model's `generators`."""
    return any(network == name or network.startswith(name + ".") for name in model.generators)


def weightless(cls: type[Architecture], config: Any, data: DataSpec) -> Architecture:
    """A model without memory, on torch's meta device, to count or to try.

    Raises: UsageError when the architecture cannot do the data's shape, or for sizes that no tensor can have.
    """
    try:
        with torch.device("meta"):
            return cls(config, data)
    except (RuntimeError, TypeError, OverflowError, MemoryError) as error:
        if isinstance(error, TypeError) and "Overflow" not in str(error):  # torch's word for a size beyond 64 bits
            raise
        raise UsageError(
            f"{cls.__name__} cannot be built with these options ({str(error).splitlines()[0]}); "
            "choose smaller numbers for its size."
        ) from error


def parameter_counts(model: Architecture) -> dict[str, int]:
    """Trainable parameters of each network."""
    return {
        name: sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
        for name, network in networks(model).items()
    }


Critic = Callable[[Tensor], Tensor]


class Penalty(Protocol):
    """A term of D's loss that the adversarial loss does not have."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        """D, real and fake images [B, ...], D's logits on both -> weighted scalar."""


def find_label(classes: tuple[str, ...], label: str | int) -> int:
    """The number of a class given by name or number. Raises: UsageError."""
    if str(label) in classes:
        return classes.index(str(label))
    if str(label).isdecimal() and int(label) < len(classes):
        return int(label)
    number = str(label).removeprefix("-").isdecimal()  # one out of range, to which no label is near
    known = f"known: {', '.join(classes)}." if number else suggest(str(label), classes)
    raise UsageError(f"There is no label {label!r}; {known}")


def generator_state(model: Architecture) -> dict[str, Tensor]:
    """The model's state of its generators (no `TrainingState`), by state-dict key."""
    states = [name + "." for name, child in model.named_modules() if isinstance(child, TrainingState)]
    prefixes = tuple(name + "." for name in networks(model) if is_generator(model, name))
    return {
        key: value
        for key, value in model.state_dict().items()
        if key.startswith(prefixes) and not key.startswith(tuple(states))
    }


def averaged_keys(model: Architecture) -> set[str]:
    """Keys of parameters and of running statistics; what else a module keeps is copied, not averaged."""
    keys = {name for name, _ in model.named_parameters()}
    for name, module in model.named_modules():
        if isinstance(module, (_BatchNorm, _NormBase)):
            keys.update(f"{name}.{buffer}" for buffer in ("running_mean", "running_var"))
    return keys
