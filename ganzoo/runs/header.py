"""What run.json, the header of a model and that of a checkpoint say: their types, and what it takes to open them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ganzoo import data
from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import Entry, catalogue, find
from ganzoo.catalogue.single_file import PluginFile, reopen
from ganzoo.contract import renamed
from ganzoo.contract.options import parse_spec, values
from ganzoo.contract.pretrained import Pretrained
from ganzoo.contract.settings import LENGTHS, Settings, Stage
from ganzoo.contract.stored import Count, Side, from_json, parse, rare
from ganzoo.errors import GanzooError, UsageError

if TYPE_CHECKING:
    from ganzoo.contract.data_spec import DataSpec
    from ganzoo.data.images import Reading

FORMAT = 1  # of run.json, classes.json, models and checkpoints
RESTORE = "restore it to go on"  # what to do about a damaged one


@dataclass(frozen=True)
class Levels:
    """The stored values that became black and white, of pictures with more than 8 bits; `of_bytes`: with 8 bits too."""

    black: float
    white: float
    of_bytes: bool = rare(False)

    def __post_init__(self) -> None:
        if not self.black < self.white:
            raise GanzooError(f"A model cannot be of pictures with levels from {self.black} to {self.white}.")


@dataclass(frozen=True)
class DataHeader:
    """What data a run or model is of.

    Attributes:
        name, distribution, origin, fingerprint: of the data set.
        images: items of a domain.
        label: that of the only items trained on; None: all of them.
        shape … paired: what an architecture was told of it, see `ganzoo.api.DataSpec`; `label_kind` is its `label`.
        levels: domain, "" for all, -> how its pictures were read, where not as they are.
        modality, state: what an item is, and what the modality keeps of the whole set.
    """

    name: str
    origin: str
    shape: tuple[Side, ...]
    classes: tuple[str, ...]
    domains: tuple[str, ...]
    distribution: str = ""
    fingerprint: str = ""
    images: Count = 0
    label: str | None = None
    label_kind: str = rare("")
    label_names: tuple[str, ...] = rare(())
    label_scale: tuple[tuple[float, float], ...] = rare(())
    shapes: Mapping[str, tuple[Side, ...]] = rare({})
    paired: bool = rare(False)
    class_shares: tuple[float, ...] = rare(())
    levels: Mapping[str, Levels] = rare({})
    modality: str = ""
    state: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.modality:  # from before there were modalities
            object.__setattr__(self, "modality", "image" if len(self.shape) == 3 else "point")
        if any(len(shape) not in (1, 3) for shape in (self.shape, *self.shapes.values()) if self.modality == "image"):
            raise GanzooError(f"No image has the shape {list(self.shape)}; the run or model that says so is damaged.")

    @classmethod
    def of(cls, spec: DataSpec, name: str, origin: str, **others: Any) -> DataHeader:
        """Of what an architecture is told of a data set, and what it is not told."""
        return cls(
            name, origin, spec.shape, spec.classes, spec.domains, label_kind=spec.label if spec.columns else "",
            label_names=spec.label_names, label_scale=spec.label_scale, shapes=spec.shapes, paired=spec.paired,
            class_shares=spec.class_shares, modality=spec.modality, **others,
        )  # fmt: skip

    @property
    def spec(self) -> DataSpec:
        """What an architecture was told of the data. Raises: UsageError when its modality is not installed."""
        from ganzoo.catalogue.modalities import make_modality  # now: these load numpy and torch, which listing runs
        from ganzoo.contract.data_spec import DataSpec  # does not need

        modality = make_modality(self.modality, self.state)
        return DataSpec(
            self.shape, self.classes, self.domains, self.modality, modality.mean, modality.spread, modality.choices,
            self.label_kind, self.label_names, self.label_scale, self.shapes, self.paired,
            self.class_shares,
        )  # fmt: skip

    def reading(self, domain: str = "") -> Reading:
        """How pictures like those of a domain are read; without levels where these are not known."""
        from ganzoo.data.images import Reading  # now, as above

        levels = self.levels.get(domain) or self.levels.get("")
        return Reading() if levels is None else Reading((levels.black, levels.white), levels.of_bytes)

    @property
    def full_name(self) -> str:
        """The name of the data set, now that others may offer that name too."""
        return data.meant(self.name, (self.distribution,)) if self.distribution else self.name


@dataclass(frozen=True)
class Header:
    """What runs and models both say.

    Attributes:
        format: of the file; ganzoo: the version that wrote it.
        architecture, distribution, version: which it is, and of which distribution.
        config: every option of the architecture, by name, as its `version` called them.
        plugin_files: the single files that it was made with.
    """

    architecture: str
    data: DataHeader
    config: Mapping[str, Any]
    distribution: str = ""
    version: str = ""
    format: Count = FORMAT
    ganzoo: str = ""
    preset: str | None = None
    seed: Count = 0
    plugin_files: tuple[PluginFile, ...] = ()


@dataclass(frozen=True)
class Score:
    """A score of a model, which way is better, and how it was measured."""

    name: str
    value: float
    better: Literal["smaller", "larger"]
    protocol: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelHeader(Header):
    """The header of model.safetensors: all that sampling from it needs, and where it came from.

    Attributes:
        run: name of the run, which models of earlier versions have.
        step, images: how far it is trained.
        ema: half-life of the averaged weights in images, or its schedule; 0: the weights are not averaged.
        score: of the best model of a run, the one that it is best by.
        licence: of the weights, where they were imported or trained from such, as SPDX writes it.
        also: networks that are in the file besides the generators, for training to go on from.
    """

    run: str = rare("")
    step: Count = 0
    images: Count = 0
    ema: int | str = 1
    score: Score | None = rare(None)
    licence: str = rare("")
    also: tuple[str, ...] = rare(())

    def caption(self, seed: int, *more: str) -> str:
        """What stands below a sheet: the model, how far it is trained, the seed, and what more there is to say."""
        data = parse_spec(self.data.name)[0].rpartition(":")[2]
        label = () if self.data.label is None else (f"label {self.data.label}",)
        return " · ".join((f"{self.architecture} on {data}", *label, f"step {self.step:,}", f"seed {seed}", *more))


@dataclass(frozen=True)
class Process:
    """A process that trains a run."""

    pid: Count
    host: str


@dataclass(frozen=True)
class Environment:
    """The machine and the versions that a run was trained with."""

    python: str = ""
    torch: str = ""
    system: str = ""
    device: str = ""
    device_name: str = ""
    threads: Count = 0
    precision: str = ""


@dataclass(frozen=True)
class RunHeader(Header):
    """What run.json says; classes.json says the same of all runs in its folder, and their `labels`.

    Attributes:
        stages, settings: how it is trained; size: height and width of the images, where it was chosen.
        parameters, networks, frozen: what the model has.
        init, taken: where the first weights are from, and what was taken, in a sentence.
        licence: of those weights, where they say one.
        ended, seconds: when training ended last, and how long it took in all.
        process: the one that trains it now.
        earlier_versions, earlier_plugin_files: of its plugin, where it went on with another.
    """

    settings: Settings = field(kw_only=True)
    stages: tuple[Stage, ...] = field(kw_only=True)
    recipe: str | None = None
    size: tuple[Side, Side] | None = None
    parameters: Mapping[str, Count] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    frozen: tuple[Pretrained, ...] = ()
    init: str | None = None
    taken: str | None = None
    licence: str = rare("")
    environment: Environment = field(default_factory=Environment)
    started: str | None = None
    earlier_versions: tuple[str, ...] = rare(())
    earlier_plugin_files: tuple[PluginFile, ...] = rare(())
    labels: tuple[str, ...] = rare(())
    status: str = "new"
    ended: str | None = rare(None)
    seconds: float = rare(0.0)
    process: Process | None = rare(None)


@dataclass(frozen=True)
class Extent:
    """Where the present stage of a run begins and ends, in images drawn; `last_step` ends it too, when given."""

    first_image: Count = 0
    last_image: Count = 0
    last_step: Count | None = None


@dataclass(frozen=True)
class Counters:
    """A trainer's state besides tensors.

    Attributes:
        step, images, epoch, epoch_step: steps done; images drawn; passes over the data; step the epoch began at.
        ema_steps: steps that are averaged.
        phase: of the architecture, as text.
        optimizer: what optimizers keep and is no tensor, by ``optimizer/NETWORK/index/key``.
    """

    step: Count
    images: Count
    epoch: Count
    epoch_step: Count
    ema_steps: Count
    phase: str
    optimizer: Mapping[str, Any]


@dataclass(frozen=True)
class CheckpointHeader:
    """The header of a checkpoint: where in the run it is, and what the log had reached.

    Attributes:
        stage, stage_starts: index of the present stage; the step at which each so far began.
        newest: each logged value's newest; log_bytes: length of train.log.
        options: those that decide what the stage becomes.
    """

    architecture: str
    stage: Count
    stage_starts: tuple[Count, ...]
    extent: Extent
    counters: Counters
    log_bytes: Count
    newest: Mapping[str, float] = field(default_factory=dict)  # checkpoints before contract 2 have none
    options: Mapping[str, Any] = rare({})
    format: Count = FORMAT


def run_header(text: str | bytes, file: object, what: str = "a run") -> RunHeader:
    """What run.json or classes.json says.

    Args:
        what: it is to describe.
    Raises: GanzooError when it is damaged (says where), of a newer ganzoo, or describes something else.
    """
    facts = parse(text, file, RESTORE)
    if not isinstance(facts, dict) or "architecture" not in facts:
        raise GanzooError(f"{file} does not describe {what}.")
    _check_format(facts, file)
    header = from_json(RunHeader, renamed.facts(facts), file, RESTORE)
    if not header.stages:
        raise GanzooError(f"{file} is damaged: it has no stages; {RESTORE}.")
    for stage in header.stages:
        if len(stage.length) != 1 or not {*stage.length} <= {*LENGTHS} or min(stage.length.values()) < 1:
            raise GanzooError(f"{file} is damaged: a stage's length is {dict(stage.length)}; {RESTORE}.")
    return header


def model_header(facts: object, what: object) -> ModelHeader:
    """What the header of a model's file says, which may be a stranger's.

    Raises: GanzooError when it does not say what a model is, and of what data, or is of a newer ganzoo.
    """
    if isinstance(facts, dict):
        if "counters" in facts:
            raise GanzooError(f"{what} is a checkpoint of training; give its run's folder, or its model.safetensors.")
        _check_format(facts, what)
    return from_json(ModelHeader, facts, what, "it is no model of ganzoo's")


def _check_format(facts: Mapping[str, Any], what: object) -> None:
    made = facts.get("format", 0)
    if isinstance(made, int) and made > FORMAT:
        by = f" ({facts['ganzoo']})" if isinstance(facts.get("ganzoo"), str) else ""
        raise GanzooError(f"{what} was made by a newer ganzoo{by}; upgrade this one to open it.")


def checkpoint_header(facts: object, file: object) -> CheckpointHeader:
    """What a checkpoint says. Raises: GanzooError when it is none, or what it says cannot be."""
    advice = "delete it, and the run goes on from its checkpoint before"
    if isinstance(facts, dict) and isinstance(facts.get("counters"), dict):
        facts = {**facts, "counters": renamed.today(facts["counters"], renamed.COUNTERS)}
    header = from_json(CheckpointHeader, facts, file, advice)
    starts, extent, now = header.stage_starts, header.extent, header.counters
    if (
        len(starts) != header.stage + 1
        or list(starts) != sorted(starts)
        or not starts[-1] <= now.step
        or not extent.first_image <= now.images
        or not now.epoch_step <= now.step
    ):
        raise GanzooError(f"{file} is damaged: its stages and counters cannot be; {advice}.")
    return header


def architecture_of(header: Header, what: str) -> Entry:
    """The catalogue's entry for the architecture that a run's or model's header names.

    Raises: GanzooError when it is not installed, or its file must be given anew.
    """
    name, distribution, version = words = (header.architecture, header.distribution, header.version)
    for file, plugin in zip(header.plugin_files, reopen(header.plugin_files, what), strict=True):
        if file.path == distribution:
            return plugin.architecture(name)
    if not all(re.fullmatch(r"\w[\w.+!-]*", word) for word in words):
        raise GanzooError(f"{what} does not say which architecture it is of; it is no model of ganzoo's.")
    with contextlib.suppress(UsageError):
        return find("architecture", f"{distribution}:{name}")
    for broken in catalogue().plugins:
        if broken.error and broken.distribution == distribution:
            raise GanzooError(f"{what} is a {name!r} of {distribution}, which does not work here: {broken.error}.")
    with contextlib.suppress(UsageError):  # ganzoo's own distribution may have been renamed, and only that
        return find("architecture", f"{DISTRIBUTION}:{name}")
    ours = distribution == DISTRIBUTION
    advice = "upgrade ganzoo" if ours else f"install it: pip install '{distribution}=={version}'"
    raise GanzooError(
        f"{what} is a {name!r}, an architecture of {distribution} {version}, which is not installed; {advice}."
    )


def model_of(run: RunHeader, config: Mapping[str, Any], step: int, images: int) -> ModelHeader:
    """The header of a run's model: everything that sampling from it needs, and where it came from."""
    return ModelHeader(
        run.architecture, run.data, config, run.distribution, run.version, run.format, run.ganzoo, run.preset,
        run.seed, run.plugin_files, step=step, images=images, ema=values(run.settings)["ema"],
        licence=run.licence,
    )  # fmt: skip
