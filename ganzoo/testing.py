"""What every architecture must keep, as checks that anyone can run on theirs.

    @pytest.mark.parametrize("check", check_architecture("my-gan"), ids=str)
    def test_my_gan(check):
        check()

An architecture is built small (its preset `small` where it has one, at the smallest resolution of its card) and trained
for a few steps on noise in memory: once for each task of its card, and on points of the plane too if it takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import torch
from torch import Tensor

from ganzoo import checkpoint
from ganzoo.architecture import Architecture, DataSpec, Styled, is_generator, parameter_counts
from ganzoo.cases import LENGTH, POINT, TASKS, Case, NoisePart, cases, config_of, on_meta, spec_of
from ganzoo.errors import GanzooError, UsageError
from ganzoo.exporting import directions, export
from ganzoo.model import Model, make_model
from ganzoo.plan import load_architecture, preset_row
from ganzoo.plugins import Entry, Plugin, catalogue, find
from ganzoo.trainer import Trainer

STEPS = 2
STRIDES = 30  # places in the run, and beyond it, where a parameter may get its first gradient
CLOSE = 1e-4  # what arithmetic in another order may change of a pixel in [-1, 1]


class CheckFailed(AssertionError):
    """What is wrong, where, and how it is usually mended."""


@dataclass(frozen=True, eq=False)
class Check:
    """One promise of one architecture. Calling it raises when the promise is broken.

    Attributes:
        name: of the promise: "trains", "resumes", …
        architecture: as asked for.
        subject: the case, such as "conditional 3x32x32"; "" where all of them are meant.
    """

    name: str
    architecture: str
    subject: str
    run: Callable[[], None]

    def __call__(self) -> None:
        """Raises: CheckFailed, or whatever the architecture itself raised."""
        self.run()

    def __str__(self) -> str:
        return " ".join(filter(None, (self.architecture, self.subject, self.name)))


# ---- what is checked -------------------------------------------------------------------------------------------


def check_architecture(what: str | Entry) -> Iterator[Check]:
    """Every check of an architecture of the catalogue, by name or `distribution:name`, or of one that is not in it.

    An architecture that cannot even be loaded or built has one check, "loads", which raises the reason.
    """
    name = what if isinstance(what, str) else what.full_name
    try:
        entry = find("architecture", what) if isinstance(what, str) else what
        model = load_architecture(entry)
        found = list(cases(entry, model))
    except Exception as error:
        yield Check("loads", name, "", partial(_raise, error))
        return
    yield Check("card", name, "", partial(check_card, entry, model))
    yield Check("builds", name, "", partial(check_builds, entry, model))
    yield Check("presets", name, "", partial(check_presets, entry, model))
    for case in found:
        for promise, check in PROMISES.items():
            if promise == "labels matter" and case.task != "conditional":
                continue
            if promise == "latents" and case.task == "translation":
                continue
            yield Check(promise, name, str(case), partial(check, case))


def checks(plugin: str) -> list[Check]:
    """Every check of what a plugin offers, by its entry point's name."""
    found = [each for each in catalogue().plugins if each.name == plugin]
    if not found:
        missing = UsageError(f"There is no plugin {plugin!r}; install it first: pip install -e .")
        return [Check("loads", plugin, "", partial(_raise, missing))]
    return [check for each in found for check in _checks_of(each)]


def _checks_of(plugin: Plugin) -> Iterator[Check]:
    if plugin.error:
        yield Check("loads", plugin.name, "", partial(_raise, GanzooError(plugin.error)))
        return
    yield Check("loads", plugin.name, "", lambda: None)
    for entry in plugin.entries:
        if entry.kind == "architecture":
            yield from check_architecture(entry)
        else:
            yield Check("loads", entry.name, entry.kind, partial(_load, entry))


def _load(entry: Entry) -> None:
    entry.load()


def _raise(error: Exception) -> None:
    raise error


def _require(held: bool, text: str) -> None:
    if not held:
        raise CheckFailed(text)


def check_card(entry: Entry, model: type[Architecture]) -> None:
    """The card names tasks there are, and the class keeps what they promise."""
    unknown = set(entry.card.tasks) - set(TASKS)
    _require(not unknown, f"The card names the task {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}.")
    _require(bool(entry.card.tasks), f"The card names no task; there are {', '.join(TASKS)}.")
    wants = "conditional" in entry.card.tasks
    _require(model.conditional or not wants, "The card promises labels; set conditional = True on the class.")
    translates = "translation" in entry.card.tasks
    overridden = model.translate is not Architecture.translate
    _require(overridden or not translates, "The card promises translation; define translate(images, to).")


def check_builds(entry: Entry, model: type[Architecture]) -> None:
    """It is built at every resolution and channel count of its card, by its defaults or by a preset for that size."""
    for task in sorted(entry.card.tasks):
        for side in entry.card.resolutions:
            fitting = [row for row in model.presets.values() if str(row.get("resolution")) == str(side)]
            for channels in entry.card.channels:
                _build_first(entry, model, [{}, *fitting], [spec_of(task, (channels, side, side))])


def check_presets(entry: Entry, model: type[Architecture]) -> None:
    """Every preset builds at its own resolution, or at one of the card's, or for points."""
    for name in model.presets:
        row = preset_row(entry.name, model, name)
        sides = [int(row["resolution"])] if row.get("resolution") else sorted(entry.card.resolutions)
        channels = [int(row["channels"])] if row.get("channels") else sorted(entry.card.channels, reverse=True)
        shapes: list[tuple[int, ...]] = [(count, side, side) for side in sides for count in channels]
        task = "translation" if entry.card.tasks == {"translation"} else min(entry.card.tasks, key=TASKS.index)
        _build_first(entry, model, [dict(row)], [spec_of(task, shape) for shape in (*shapes, POINT)])


def _build_first(entry: Entry, model: type[Architecture], rows: list[Any], specs: list[DataSpec]) -> None:
    """Builds one of the rows on one of the specs. Raises: CheckFailed with the first refusal."""
    refusals = []
    for row in rows:
        for spec in specs:
            try:
                built = on_meta(Case(entry, "", model, config_of(entry, model, row, spec.shape), spec))
            except UsageError as error:
                refusals.append(str(error))
                continue
            counts = parameter_counts(built)
            has = any(is_generator(built, name) for name in counts)
            _require(has, f"None of its networks ({', '.join(counts)}) is among its generators.")
            return
    raise CheckFailed(f"{refusals[0]} The card or the preset says that it can.")


# ---- what each case is checked for -------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _trained(case: Case) -> tuple[Trainer, tuple[dict[str, Tensor], dict[str, Any]]]:
    """A trainer after `STEPS` steps, and its state one step before."""
    trainer = case.trainer()
    for _ in range(STEPS - 1):
        trainer.step()
    tensors, counters = trainer.state()
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    trainer.step()
    return trainer, (before, counters)


def check_gradients(case: Case) -> None:
    """Some update gives every parameter a gradient, somewhere in a run; all are finite."""
    trainer = case.trainer()
    trained = [name for name, parameter in trainer.model.named_parameters() if parameter.requires_grad]
    waiting = {name for name in trained if not name.startswith(tuple(case.model.untrained))}
    infinite: set[str] = set()

    def arrived(name: str, parameter: Tensor) -> None:
        waiting.discard(name)
        if parameter.grad is None or not parameter.grad.isfinite().all():
            infinite.add(name)

    for name, parameter in trainer.model.named_parameters():
        if parameter.requires_grad:
            cast(Any, parameter).register_post_accumulate_grad_hook(partial(arrived, name))
    for stride in range(2 * STRIDES):
        beyond = max(0, stride - STRIDES)
        trainer.images = max(trainer.images, (LENGTH * stride // STRIDES) << beyond)
        trainer.step()
        _require(not infinite, f"The gradient of {', '.join(sorted(infinite))} is not finite.")
        if not waiting and stride + 1 >= STEPS:
            break
    _require(
        not waiting,
        f"No update gives {', '.join(sorted(waiting))} a gradient; its loss does not depend on it. "
        "Remove it, freeze it with requires_grad_(False), or say why in the class's `untrained`.",
    )
    _require(trainer.is_finite(), "A loss or a weight is not finite.")


def check_samples(case: Case) -> None:
    """Images have the data's shape, are finite, and are a function of what they are made from alone."""
    model = case.averaged(_trained(case)[0])
    for name, make, inputs in _makers(case, model):
        torch.manual_seed(1)
        images = make(*inputs)
        torch.manual_seed(2)
        again = make(*inputs)
        few = make(*(rows[:2] for rows in inputs))
        wanted = (len(inputs[0]), *case.data.shape)
        _require(tuple(images.shape) == wanted, f"{name} gives {tuple(images.shape)} where {wanted} belongs.")
        _require(bool(images.isfinite().all()), f"{name} gives values that are not finite.")
        _require(
            torch.equal(images, again),
            f"{name} gives other images from the same inputs; in evaluation it may draw nothing at random.",
        )
        _require(
            bool((few - images[:2]).abs().max() <= CLOSE),
            f"{name} gives other images in a smaller batch; in evaluation an image may depend on its own row only.",
        )


def _makers(case: Case, model: Model) -> Iterator[tuple[str, Callable[..., Tensor], tuple[Tensor, ...]]]:
    """What makes images here, and from what: `generate`, or `translate` to each domain."""
    if case.task != "translation":
        labels = model.labels(6, seed=1)
        yield "generate", model.generate, (model.noise(6, seed=1), *([] if labels is None else [labels]))
        return
    for domain in model.domains:
        yield f"translate to {domain}", partial(model.translate, to=domain), (NoisePart(case.data, 5).items[:6],)


def check_saves(case: Case) -> None:
    """A model file opens to the same weights and the same images, bit for bit."""
    trainer = _trained(case)[0]
    model = case.averaged(trainer)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        checkpoint.save(file, trainer.average.tensors, case.facts)
        tensors, facts = checkpoint.load(file)
        again = make_model(case.entry, facts, "cpu")
        again.load_generators(tensors)
    pairs = zip(_makers(case, model), _makers(case, again), strict=True)
    for (name, make, inputs), (_, make_again, _) in pairs:
        _require(
            torch.equal(make(*inputs), make_again(*inputs)),
            f"{name} gives other images after saving and loading; what they depend on must be a parameter or a "
            "buffer of a generator, or follow from the Config.",
        )


def check_resumes(case: Case) -> None:
    """A run that is stopped after a step and taken up goes on as if it had not been, bit for bit."""
    trainer, (tensors, counters) = _trained(case)
    resumed = case.trainer(seed=1)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "checkpoint.safetensors"
        checkpoint.save(file, tensors, counters)
        resumed.load_state(*checkpoint.load(file))
    resumed.step()
    (expected, wanted), (given, got) = trainer.state(), resumed.state()
    differs = [key for key in expected if key not in given or not torch.equal(expected[key], given[key])]
    _require(
        not differs and set(given) == set(expected) and got == wanted,
        f"A resumed run goes on differently ({', '.join(differs[:3]) or 'its counters'}); what the step remembers must "
        "be a buffer of a TrainingState, and what it draws must come from torch, NumPy or rows().",
    )


def check_exports(case: Case) -> None:
    """The generator is written with torch.export and makes the same images, for batches of other sizes too."""
    model = case.averaged(_trained(case)[0])
    with TemporaryDirectory() as folder:
        for domain in directions(model):
            try:
                export(model, "torch-export", Path(folder) / "model.pt2", to=domain)
            except GanzooError as error:
                held = "Constraints violated (batch)" not in str(error)
                _require(held, "The generator is fixed to one batch size; write z.shape[0], not len(z), in forward.")
                raise


def check_labels(case: Case) -> None:
    """The label changes the image."""
    model = case.averaged(_trained(case)[0])
    z = model.noise(2, seed=1)
    first, second = (model.generate(z, torch.full((2,), label)) for label in range(2))
    _require(not torch.equal(first, second), "The label changes nothing; generate must hand it to the generator.")


def check_latents(case: Case) -> None:
    """Latent tools work: walks, styles that agree with `generate`, truncation or a sentence that there is none."""
    model = case.averaged(_trained(case)[0])
    walk = model.interpolate(points=2, frames=2, seed=1)
    _require(tuple(walk.shape) == (4, *case.data.shape), f"A walk of 4 images has the shape {tuple(walk.shape)}.")
    z, label = model.noise(2, seed=1), model.labels(2, seed=1)
    images = model.generate(z, label)
    if isinstance(model.architecture, Styled):
        away = (model.render(model.latents(z, label), label) - images).abs().max().item()
        _require(away <= CLOSE, f"synthesis(mapping(z, label)) is not generate(z, label); they differ by {away:.2g}.")
    try:
        half = model.generate(z, label, truncation=0.5)
        _require(half.shape == images.shape, "Truncation changes the shape of the images.")
    except GanzooError:
        pass
    if case.data.is_image:
        found = model.project(images[0], steps=2, starts=1, seed=1)
        _require(found.error <= found.mean_error or found.error < 1, "A projection is further off than any sample.")
        again = model.vary(found, 1, strength=0)
        _require(bool((again[0] - found.image).abs().max() <= CLOSE), "A variation of strength 0 is another image.")


PROMISES: dict[str, Callable[[Case], None]] = {
    "trains": check_gradients,
    "resumes": check_resumes,
    "samples": check_samples,
    "saves": check_saves,
    "labels matter": check_labels,
    "latents": check_latents,
    "exports": check_exports,
}
