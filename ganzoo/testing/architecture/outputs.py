"""What an architecture promises of its images."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from ganzoo.contract.architecture import Architecture, check_judges
from ganzoo.contract.codes import code_range
from ganzoo.contract.networks import generator_state, networks
from ganzoo.contract.stored import as_json
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.trainer import Trainer
from ganzoo.model.model import Model, make_model
from ganzoo.model.translation import dropouts, targets
from ganzoo.runs import checkpoint
from ganzoo.runs.header import model_header
from ganzoo.testing.architecture.cases import Case, NoisePart
from ganzoo.testing.architecture.training import trained
from ganzoo.testing.architecture.upgrade import has_history
from ganzoo.testing.check import CheckFailed, NotChecked, explain, require

CLOSE = 1e-4  # what arithmetic in another order may change of a pixel in [-1, 1]


def check_samples(case: Case) -> None:
    """Images have the data's shape, are float32 and finite, and are a function of what they are made from alone."""
    architecture = _averaged(case).architecture
    require(case.task == "translation" or architecture.latent_dim is not None, "It has no latents; set `latent_dim`.")
    for name, make, inputs in makers(case, architecture):
        torch.manual_seed(1)
        images = make(*inputs)
        torch.manual_seed(2)
        again = make(*inputs)
        few = make(*(rows[:2] for rows in inputs))
        wanted = (len(inputs[0]), *case.data.shape_of(name.removeprefix("translate to ")))
        require(
            tuple(images.shape) == wanted,
            f"{name} gives {tuple(images.shape)} where {wanted} belongs; the size is data.height and data.width, "
            "the channels are data.channels.",
        )
        require(
            images.dtype == torch.float32,
            f"{name} gives {images.dtype} where torch.float32 belongs; end it with .float().",
        )
        require(bool(images.isfinite().all()), f"{name} gives values that are not finite; look for a division by 0.")
        require(
            torch.equal(images, again),
            f"{name} gives other images from the same inputs; in evaluation it may draw nothing at random "
            "(`if self.training`).",
        )
        require(
            bool((few - images[:2]).abs().max() <= CLOSE),
            f"{name} gives other images in a smaller batch; in evaluation an image may depend on its own row only.",
        )


def makers(case: Case, architecture: Architecture) -> Iterator[tuple[str, Callable[..., Tensor], tuple[Tensor, ...]]]:
    """What makes images here, and from what: `generate`, or `translate` to each domain."""
    for domain in targets(architecture):
        make = partial(architecture.translate, to=domain)
        items = NoisePart(case.data, 5, case.data.shape_before(domain)).items[:6]
        yield f"translate to {domain}", torch.no_grad()(make), (items,)
    if case.task != "translation":
        label = labels(case, architecture, 6)
        z = torch.randn(6, architecture.latent_dim or 0, generator=torch.Generator().manual_seed(1))
        inputs = (z,) if label is None else (z, label)
        yield "generate", torch.no_grad()(architecture.generate), inputs


def labels(case: Case, architecture: Architecture, count: int) -> Tensor | None:
    """Of so many items, as `Batch.label` has them; None where it takes none."""
    found = NoisePart(case.data, 5).labels if architecture.conditional else None
    return None if found is None else found[:count]


def _sound(case: Case) -> Model:
    """The averaged model. Raises: NotChecked where its images are not as they should be, which "samples" says."""
    try:
        check_samples(case)
    except CheckFailed as error:
        raise NotChecked(f"Its images are not as they should be; see the check 'samples' ({error})") from error
    return _averaged(case)


def _averaged(case: Case) -> Model:
    """The averaged generators, opened as from a file."""
    try:
        return case.averaged(trained(case)[0])
    except GanzooError as error:
        if has_history(case.model):
            raise NotChecked(f"Its model cannot be opened; see the check 'earlier versions' ({error})") from error
        raise


def check_saves(case: Case) -> None:
    """A model file opens to the same weights and the same images, bit for bit, as the model in training makes."""
    _sound(case)
    trainer = trained(case)[0]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        checkpoint.save(file, trainer.ema.tensors, as_json(case.header))
        tensors, facts = checkpoint.load(file)
        again = make_model(case.entry, model_header(facts, file), "cpu")
        again.load_generators(tensors)
    with _as_averaged(trainer) as architecture:
        here, there = makers(case, architecture), makers(case, again.architecture)
        for (name, make, inputs), (_, make_again, _) in zip(here, there, strict=True):
            require(
                torch.equal(make(*inputs), make_again(*inputs)),
                f"{name} gives other images after saving and loading; what they depend on must be a parameter or a "
                "buffer of a generator, or follow from the Config.",
            )


@contextmanager
def _as_averaged(trainer: Trainer) -> Iterator[Architecture]:
    """Within it the model in training has the averaged weights, and is in evaluation mode."""
    model = trainer.model
    weights = {key: value.clone() for key, value in generator_state(model).items()}
    try:
        model.load_state_dict(trainer.ema.tensors, strict=False)
        yield model.eval()
    finally:
        model.load_state_dict(weights, strict=False)
        model.train()


def check_labels(case: Case) -> None:
    """The label changes the image."""
    model = _sound(case)
    if not model.architecture.conditional:
        raise NotChecked("Its class takes no labels; see the check 'card'.")
    z = model.noise(1, seed=1)
    rows = NoisePart(case.data, 5).labels
    images = [] if rows is None else [model.generate(z, label[None]) for label in rows]
    require(
        any(not torch.equal(image, images[0]) for image in images),
        "The label changes nothing; generate must hand it to the generator, and that must use it.",
    )


def check_latents(case: Case) -> None:
    """Latent tools work: walks, styles that agree with `generate`, truncation or a sentence that there is none."""
    model = _sound(case)
    walk = model.interpolate(points=2, frames=2, seed=1)
    require(tuple(walk.shape) == (4, *case.data.shape), f"A walk of 4 images has the shape {tuple(walk.shape)}.")
    z, label = model.noise(2, seed=1), model.labels(2, seed=1)
    images = model.generate(z, label)
    if model.architecture.abilities.styles:
        away = (model.render(model.latents(z, label), label) - images).abs().max().item()
        require(away <= CLOSE, f"synthesis(mapping(z, label)) is not generate(z, label); they differ by {away:.2g}.")
    if case.data.is_image:
        found = model.project(images[0], steps=2, starts=1, seed=1)
        require(found.error <= found.mean_error or found.error < 1, "A projection is further off than any sample.")
        again = model.vary(found, 1, strength=0)
        require(bool((again[0] - found.image).abs().max() <= CLOSE), "A variation of strength 0 is another image.")


def check_abilities(case: Case) -> None:
    """What the architecture declares works, and what it does not declare is refused in a sentence."""
    model, whole = _sound(case), case.build().eval()
    able = model.architecture.abilities
    items, label = NoisePart(case.data, 5).items[:2], labels(case, model.architecture, 2)
    own, kind = Architecture, type(model.architecture)
    defined = {
        name: getattr(kind, name) is not getattr(own, name) for name in ("mix", "translate", "realness", "encode")
    }
    defined["codes"] = kind.coded is not own.coded and bool(model.architecture.codes)
    defined["styles"] = kind.mapping is not own.mapping and kind.synthesis is not own.synthesis
    for name, there in defined.items():
        require(there or not getattr(able, name), f"Its abilities say {name}, and it does not define it.")
    if able.realness and not able.labels:
        found = whole.realness(items)
        require(
            tuple(found.shape) == (2,), f"realness gives {tuple(found.shape)} for 2 items; give one number of each."
        )
    if able.dropout:
        _check_dropout(model)
    if able.encode:
        z = model.encode(items, label)
        wanted = (2, model.architecture.latent_dim)
        require(tuple(z.shape) == wanted, f"encode gives {tuple(z.shape)} where {wanted} belongs.")
        if able.generate and able.labels and case.data.is_image:
            _check_relabelling(model, items)
    refusing: dict[str, Callable[[], object]] = {
        "encode": lambda: model.encode(items, label),
        "translate": lambda: model.translate(items, "A"),
        "generate": lambda: model.noise(1),
        "mix": lambda: model.mix(torch.zeros(1, 1), torch.zeros(1, 1)),
        "truncation": lambda: model.generate(model.noise(2), label, truncation=0.5),
        "realness": lambda: check_judges(whole, case.entry.name),
    }
    for name, call in refusing.items():
        if not getattr(able, name):
            with suppress(UsageError):
                call()
                require(
                    False, f"Its abilities do not say {name}, and that is not refused; say it, or raise a UsageError."
                )
    if not able.generate:
        return
    z = model.noise(2, seed=1)
    if able.truncation:
        shape = model.generate(z, label, truncation=0.5).shape
        require(tuple(shape) == (2, *case.data.shape), "Truncation changes the shape of the images.")
    for name, code in model.architecture.codes.items() if able.codes else ():
        low, high = (model.architecture.coded(z, name, torch.full((2,), end)) for end in code_range(code))
        require(low.shape == z.shape, f"coded gives {tuple(low.shape)} for the code {name!r}; give latents like z.")
        greatest, least = model.generate(high, label), model.generate(low, label)
        require(not torch.equal(greatest, least), f"The code {name!r} changes nothing.")
    if able.mix:
        require(tuple(model.mix(z, z).shape) == (2, 2, *case.data.shape), "mix gives another shape than the data's.")


def _check_relabelling(model: Model, items: Tensor) -> None:
    """With an encoder an image gets another label by its latents, which are found without knowing its own."""
    data = model.architecture.data
    to = data.classes[0] if data.classes else ",".join(f"{name}=1" for name in data.label_names)
    with suppress(UsageError):
        try:
            made = model.translate(items, to)
        except (TypeError, AttributeError) as error:
            raise CheckFailed(
                f"encode(items) without a label fails ({explain(error)}), and `ganzoo translate --label` knows none; "
                "let it do without, or raise a UsageError."
            ) from error
        require(made.shape == items.shape, f"generate(encode(items), label) gives {tuple(made.shape)}.")


def _check_dropout(model: Model) -> None:
    """Dropout in use: an item's translation follows from the seed and its position alone."""
    held = model.architecture.abilities.translate and bool(dropouts(model.architecture))
    require(held, "Its abilities say dropout, and that is of a translator with modules such as nn.Dropout.")
    for to in model.domains:
        items = NoisePart(model.architecture.data, 5, model.architecture.data.shape_before(to)).items[:2]
        one, again, other = (model.translate(items, to, seed) for seed in (0, 0, 1))
        require(
            torch.equal(one, again) and torch.equal(one[1:], model.translate(items[1:], to, first=1)),
            "The same seed gives other translations; what is drawn in use must come from its dropout modules alone.",
        )
        require(
            not torch.equal(one, other),
            "Its abilities say dropout, and another seed gives the same translations; have the preset that is checked "
            "drop something.",
        )


def check_protocols(case: Case) -> None:
    """Its players are called as the protocols say: Generator or Translator, Discriminator, Loss."""
    model, items = case.build().eval(), NoisePart(case.data, 5).items[:2]
    able, first = model.abilities, model.generators[0]
    given = labels(case, model, 2)
    label = () if given is None else (given,)
    loss = getattr(model, "loss", None)
    for method in ("discriminator", "generator", "score") if loss is not None else ():
        require(callable(getattr(loss, method, None)), f"Its loss has no {method}; see ganzoo.api's Loss.")
    for name, network in networks(model).items():
        player = name.split(".")[0]
        if player in model.other_calls:
            continue
        if player == first and able.translate:
            alike = not case.data.shapes  # else "samples" sees to it, which knows the direction
            _check_call(name, network, (items,), "images", case.data.shape if alike else None)
        elif player == first and able.generate and model.latent_dim:
            z = torch.randn(2, model.latent_dim, generator=torch.Generator().manual_seed(1))
            plain = case.model.generate is Architecture.generate  # of its own it may take more of G than the items
            _check_call(name, network, (z, *label), "z, label" if label else "z", case.data.shape if plain else None)
        elif player == "D":
            seen = torch.cat([items, items], 1) if able.pairs else items
            _check_call(name, network, (seen, *label), "images, label" if label else "images")


@torch.no_grad()
def _check_call(
    name: str, network: nn.Module, inputs: tuple[Tensor, ...], words: str, shape: tuple[int, ...] | None = None
) -> None:
    """One call of a player by place alone: items of a shape come back, or anything of as many rows."""
    player = name.split(".")[0]
    try:
        inspect.signature(network.forward).bind(*inputs)
    except TypeError as error:
        raise CheckFailed(
            f"{name} cannot be called as {name}({words}): {error}. Give what is more a default, or say why in "
            f'the class: other_calls = {{"{player}": "why"}}.'
        ) from error
    try:
        found = network(*inputs)
    except Exception as error:
        given = " and ".join(str(tuple(each.shape)) for each in inputs)
        error.add_note(
            f"So it is when {name} is called as {name}({words}), with {given}. A network that is called otherwise "
            f'is named in the class, other_calls = {{"{player}": "why"}}; with the ability `pairs` D is given both '
            "domains' channels."
        )
        raise
    if shape is not None:
        right = isinstance(found, Tensor) and tuple(found.shape) == (2, *shape)
        require(right, f"{name}({words}) gives no items of the data's shape; end it with the layer that makes them.")
    elif isinstance(found, Tensor):
        require(
            found.shape[:1] == (2,), f"{name}({words}) gives {tuple(found.shape)} for 2 items; keep one row of each."
        )


def check_exports(case: Case) -> None:
    """The generator is written with torch.export and makes the same images, for batches of other sizes too."""
    model, exports = _sound(case), importlib.import_module("ganzoo_export.export")
    with TemporaryDirectory() as folder:
        for program in exports.programs(model):
            try:
                exports.export(model, "torch-export", Path(folder) / "model.pt2", program.to_domain, program.encodes)
            except GanzooError as error:
                held = "Constraints violated (batch)" not in str(error)
                require(held, "The generator is fixed to one batch size; write z.shape[0], not len(z), in forward.")
                raise


PROMISES: dict[str, Callable[[Case], None]] = {
    "samples": check_samples,
    "saves": check_saves,
    "labels matter": check_labels,
    "latents": check_latents,
    "abilities": check_abilities,
    "protocols": check_protocols,
    "exports": check_exports,
}
