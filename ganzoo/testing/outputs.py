"""What an architecture promises of its images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from ganzoo import checkpoint
from ganzoo.architecture import Styled
from ganzoo.errors import GanzooError
from ganzoo.exporting import directions, export
from ganzoo.model import Model, make_model
from ganzoo.testing.cases import Case, NoisePart
from ganzoo.testing.check import require
from ganzoo.testing.training import trained

CLOSE = 1e-4  # what arithmetic in another order may change of a pixel in [-1, 1]


def check_samples(case: Case) -> None:
    """Images have the data's shape, are float32 and finite, and are a function of what they are made from alone."""
    model = case.averaged(trained(case)[0])
    for name, make, inputs in _makers(case, model):
        torch.manual_seed(1)
        images = make(*inputs)
        torch.manual_seed(2)
        again = make(*inputs)
        few = make(*(rows[:2] for rows in inputs))
        wanted = (len(inputs[0]), *case.data.shape)
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


@torch.no_grad()
def _raw(model: Model, translate_to: str | None, *inputs: Tensor) -> Tensor:
    """What the architecture itself makes, as it is."""
    architecture = model.architecture
    if translate_to is not None:
        return architecture.translate(inputs[0], translate_to)
    z, label = inputs if len(inputs) > 1 else (inputs[0], None)
    return architecture.generate(z, label)


def _makers(case: Case, model: Model) -> Iterator[tuple[str, Callable[..., Tensor], tuple[Tensor, ...]]]:
    """What makes images here, and from what: `generate`, or `translate` to each domain."""
    if case.task != "translation":
        labels = model.labels(6, seed=1)
        inputs = (model.noise(6, seed=1), *([] if labels is None else [labels]))
        yield "generate", partial(_raw, model, None), inputs
        return
    for domain in model.domains:
        yield f"translate to {domain}", partial(_raw, model, domain), (NoisePart(case.data, 5).items[:6],)


def check_saves(case: Case) -> None:
    """A model file opens to the same weights and the same images, bit for bit."""
    trainer = trained(case)[0]
    model = case.averaged(trainer)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        checkpoint.save(file, trainer.average.tensors, case.facts)
        tensors, facts = checkpoint.load(file)
        again = make_model(case.entry, facts, "cpu")
        again.load_generators(tensors)
    pairs = zip(_makers(case, model), _makers(case, again), strict=True)
    for (name, make, inputs), (_, make_again, _) in pairs:
        require(
            torch.equal(make(*inputs), make_again(*inputs)),
            f"{name} gives other images after saving and loading; what they depend on must be a parameter or a "
            "buffer of a generator, or follow from the Config.",
        )


def check_labels(case: Case) -> None:
    """The label changes the image."""
    model = case.averaged(trained(case)[0])
    z = model.noise(2, seed=1)
    first, second = (model.generate(z, torch.full((2,), label)) for label in range(2))
    require(
        not torch.equal(first, second),
        "The label changes nothing; generate must hand it to the generator, and that must use it.",
    )


def check_latents(case: Case) -> None:
    """Latent tools work: walks, styles that agree with `generate`, truncation or a sentence that there is none."""
    model = case.averaged(trained(case)[0])
    walk = model.interpolate(points=2, frames=2, seed=1)
    require(tuple(walk.shape) == (4, *case.data.shape), f"A walk of 4 images has the shape {tuple(walk.shape)}.")
    z, label = model.noise(2, seed=1), model.labels(2, seed=1)
    images = model.generate(z, label)
    if isinstance(model.architecture, Styled):
        away = (model.render(model.latents(z, label), label) - images).abs().max().item()
        require(away <= CLOSE, f"synthesis(mapping(z, label)) is not generate(z, label); they differ by {away:.2g}.")
    try:
        half = model.generate(z, label, truncation=0.5)
        require(half.shape == images.shape, "Truncation changes the shape of the images.")
    except GanzooError:
        pass
    if case.data.is_image:
        found = model.project(images[0], steps=2, starts=1, seed=1)
        require(found.error <= found.mean_error or found.error < 1, "A projection is further off than any sample.")
        again = model.vary(found, 1, strength=0)
        require(bool((again[0] - found.image).abs().max() <= CLOSE), "A variation of strength 0 is another image.")


def check_exports(case: Case) -> None:
    """The generator is written with torch.export and makes the same images, for batches of other sizes too."""
    model = case.averaged(trained(case)[0])
    with TemporaryDirectory() as folder:
        for domain in directions(model):
            try:
                export(model, "torch-export", Path(folder) / "model.pt2", to=domain)
            except GanzooError as error:
                held = "Constraints violated (batch)" not in str(error)
                require(held, "The generator is fixed to one batch size; write z.shape[0], not len(z), in forward.")
                raise


PROMISES: dict[str, Callable[[Case], None]] = {
    "samples": check_samples,
    "saves": check_saves,
    "labels matter": check_labels,
    "latents": check_latents,
    "exports": check_exports,
}
