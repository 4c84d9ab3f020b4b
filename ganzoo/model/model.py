"""A trained generator to use: opened from a run or from a single file that needs no other."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import Any, Literal, overload

import torch
from PIL import Image
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo.catalogue.catalogue import Entry
from ganzoo.catalogue.components import load_architecture
from ganzoo.catalogue.modalities import make_modality
from ganzoo.catalogue.upgrade import stored_config
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.distributed import share
from ganzoo.contract.labels import labels_for, repeated, written
from ganzoo.contract.networks import generator_state, is_generator, networks, weightless
from ganzoo.contract.randomness import stream
from ganzoo.contract.stored import as_json
from ganzoo.data.images import Reading
from ganzoo.devices import pick_device
from ganzoo.errors import GanzooError, UsageError, suggest
from ganzoo.model import latents
from ganzoo.model.latents import Projection
from ganzoo.model.translation import by_encoder, targets, through, to_labels
from ganzoo.pictures.framed import framed
from ganzoo.pictures.grid import from_picture, read_picture, to_picture
from ganzoo.runs import checkpoint
from ganzoo.runs.address import here, is_remote
from ganzoo.runs.header import ModelHeader, architecture_of, model_header
from ganzoo.runs.run import Run
from ganzoo.runs.weights import load_frozen

BATCH = 64  # images generated at a time; fixed, so that a sample does not depend on how many are asked for
SHOWN = 16  # samples that a notebook shows of a model
SETTLE = 512  # images that batch norm's statistics are measured on


class Model:
    """The averaged generators of a run, in evaluation mode.

    Attributes:
        called: the name of the run or file that it was loaded from, "" for none.
        header: the file's: architecture, distribution and version it needs, config, data and its origin.
        architecture: the module, on its device.
        modality: what it makes, and how that is drawn and written.
    """

    called = ""

    def __init__(self, architecture: Architecture, header: ModelHeader) -> None:
        self.architecture = architecture.eval().requires_grad_(False)
        self.header = header
        self.modality = make_modality(architecture.data.modality, header.data.state)

    @property
    def facts(self) -> dict[str, Any]:
        """What the file's header says, as it stands there."""
        return as_json(self.header)

    @property
    def name(self) -> str:
        """What a file made with the model is called: after its run, in letters that any folder takes."""
        return re.sub(r"[^\w.-]+", "-", self.header.run or self.called or self.header.architecture)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels that `sample` takes; () when the architecture takes none."""
        return self.architecture.data.classes if self.architecture.conditional else ()

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains that `translate` takes; () when the architecture does not translate."""
        return targets(self.architecture)

    def load_generators(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes weights by state-dict key. Raises: GanzooError when they are not this architecture's."""
        wanted = generator_state(self.architecture)
        if _shapes(wanted) != _shapes(tensors):
            raise _misfit(type(self.architecture))
        self.architecture.load_state_dict(dict(tensors), strict=False)

    @torch.no_grad()
    def settle(self) -> None:
        """Measures batch norm's running statistics anew, on noise, for the weights there are.

        Averaged weights make activations of less variance than any of the networks they average, so that statistics
        averaged along with them wash the images out.
        """
        norms = [norm for norm in self.architecture.modules() if isinstance(norm, _BatchNorm)]
        norms = [norm for norm in norms if norm.track_running_stats]
        if not norms or not self.architecture.abilities.generate:
            return
        momenta = [norm.momentum for norm in norms]
        kept = [{name: buffer.clone() for name, buffer in norm.named_buffers()} for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all batches
            norm.train()
        self.generate(self.noise(SETTLE, seed=-1), self.labels(SETTLE, seed=-1))
        for norm, momentum, before in zip(norms, momenta, kept, strict=True):
            norm.momentum = momentum
            norm.eval()
            if not norm.num_batches_tracked:  # `generate` does not reach it: an encoder's keeps what training left
                norm.load_state_dict(before, strict=False)

    def noise(self, n: int, seed: int = 0) -> Tensor:
        """Latents [n, Z] from N(0, 1), a function of the seed; the first k of n are the same for every n."""
        if not self.architecture.abilities.generate or self.architecture.latent_dim is None:
            instead = f"; `ganzoo translate` takes images to {' or '.join(self.domains)}" if self.domains else ""
            raise UsageError(f"{self.header.architecture} makes no images from noise: it has no latents{instead}.")
        even = -(-n // 16) * 16  # torch draws the last few of an uneven count in another way
        return torch.randn(even, self.architecture.latent_dim, generator=stream(seed, "sample"))[:n]

    def labels(self, n: int, seed: int = 0, label: str | int | None = None) -> Tensor | None:
        """Labels [n] int64 or, of attributes and numbers, [n, K]: what is asked for, else drawn by the seed; None when
        the architecture takes none.

        Raises: UsageError when there is no such label.
        """
        data = self.architecture.data
        if "choices" in self.architecture.abilities.labels:
            return self.modality.condition(n, label, stream(seed, "labels"))
        if not self.architecture.conditional or data.label == "none":
            if label is not None:
                raise UsageError(f"{self.header.architecture} was trained without labels; leave out --label.")
            return None
        return labels_for(data, n, label, stream(seed, "labels"))

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Images [n, C, H, W] in [-1, 1], on the CPU, from latents [n, Z] and labels [n]; vectors come as they are."""
        check_truncation(truncation)
        if truncation != 1.0 and not self.architecture.abilities.truncation:
            raise UsageError(f"{type(self.architecture).__name__} has no truncation; leave out --truncation.")
        images = self._in_pieces(partial(self.architecture.generate, truncation=truncation), z, label)
        return self.modality.clean(images)

    def encode(self, items: Tensor, label: Tensor | None = None) -> Tensor:
        """Latents z [n, Z] of items [n, ...], by the architecture's encoder. Raises: UsageError where it has none."""
        self.check_encodes()
        return self._in_pieces(self.architecture.encode, items, label)

    def check_projects(self) -> None:
        """Raises: UsageError when it makes no images, or not from latents."""
        if self.modality.name != "image":
            raise UsageError(f"{self.header.architecture} makes no images; there is nothing to compare one with.")
        self.noise(1)

    def check_encodes(self) -> None:
        """Raises: UsageError when there is no encoder."""
        if not self.architecture.abilities.encode:
            raise UsageError(
                f"{self.header.architecture} has no encoder that takes pictures; `ganzoo project` finds the latent of "
                "one, and --index goes between images of the sheet."
            )

    def latents(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Where z [n, Z] lies in the space of `project`: w [n, ...] where there are styles, else z itself."""
        if not self.architecture.abilities.styles:
            return z
        return self._in_pieces(self.architecture.mapping, z, label)

    def render(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Images [n, C, H, W] in [-1, 1] of latents [n, ...] in the space of `latents`."""
        if not self.architecture.abilities.styles:
            return self.generate(latent, label)
        return self.modality.clean(self._in_pieces(self.architecture.synthesis, latent))

    @torch.no_grad()
    def _in_pieces(self, work: Callable[..., Tensor], *inputs: Tensor | None) -> Tensor:
        """`work` on a few rows of the inputs at a time, on the model's device; those that are None are left out."""
        device = self.architecture.device
        given = [rows for rows in inputs if rows is not None]

        def made(start: int) -> Tensor:
            return work(*(rows[start : start + BATCH].to(device) for rows in given)).float().cpu()

        return torch.cat(list(share(made, range(0, len(given[0]), BATCH))))

    @overload
    def sample(
        self,
        n: int = 1,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        code: str | int | None = None,
        as_: Literal["tensor"] = "tensor",
    ) -> Tensor: ...
    @overload
    def sample(
        self,
        n: int = 1,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        code: str | int | None = None,
        *,
        as_: Literal["pil"],
    ) -> list[Image.Image]: ...
    def sample(
        self,
        n: int = 1,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        code: str | int | None = None,
        as_: str = "tensor",
    ) -> Tensor | list[Image.Image]:
        """New images [n, C, H, W] in [-1, 1] (or vectors [n, D]), the same for the same seed.

        Args:
            label: a class's name, or its position as ``"#2"``, for conditional architectures; None draws them.
            truncation: 1 for none; less pulls towards the mean, where the architecture can.
            code: chosen codes of the latents, such as ``3`` for the first one or ``"3,c1=-0.5"``, where it has some.
            as_: ``"pil"`` for a list of PIL images.
        Raises: UsageError for n < 1, an unknown label or code, truncation where there is none, PIL images of points.
        """
        if as_ not in ("tensor", "pil") or (as_ == "pil" and self.modality.name != "image"):
            raise UsageError(
                f'as_={as_!r} is unknown for {self.modality.items}; it takes "tensor", or of images "pil".'
            )
        images = torch.cat(list(self.batches(n, seed, label, truncation, code)))
        return [to_picture(image) for image in images] if as_ == "pil" else images

    def batches(
        self,
        n: int,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        code: str | int | None = None,
        part: tuple[int, int] = (0, 1),
    ) -> Iterator[Tensor]:
        """The images of `sample` a few at a time, made when they are asked for.

        Args, Raises: as `sample`, and part: (k, K) for every K-th batch, from the k-th on, counted from 0.
        """
        if n < 1:
            raise UsageError(f"At least one image can be sampled, not {n}.")
        z, labels = latents.choose(self, self.noise(n, seed), code), self.labels(n, seed, label)

        def made(start: int) -> Tensor:
            some = slice(start, start + BATCH)
            return self.generate(z[some], None if labels is None else labels[some], truncation)

        yield from share(made, range(part[0] * BATCH, n, part[1] * BATCH))

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows: a sheet of samples; nothing of a model that makes none."""
        if not self.architecture.abilities.generate:
            return None
        made, shown = self.sample(self.modality.shown or SHOWN), BytesIO()
        side = max(made.shape[2:]) if self.modality.name == "image" else 0
        framed(self.modality.sheet(made), self.header.caption(0), side=side).save(shown, "png")
        return shown.getvalue()

    def mix(
        self,
        coarse: Tensor,
        fine: Tensor,
        cutoff: int | None = None,
        truncation: float = 1.0,
        label: str | int | None = None,
    ) -> Tensor:
        """Style mixing: images [R, K, C, H, W] in [-1, 1], coarse styles of each of R latents with fine of K.

        Args:
            coarse, fine: latents [R, Z] and [K, Z], such as `noise` gives.
            cutoff: layers that take coarse styles, counted from the first; None for the architecture's choice.
            label: the class of all of them, for conditional architectures; None draws one.
        Raises: UsageError when the architecture has no styles, or so many layers not, or there is no such label.
        """
        check_truncation(truncation)
        if not self.architecture.abilities.mix:
            name = type(self.architecture).__name__
            raise UsageError(f"{name} has no styles to mix; `ganzoo interpolate` goes from image to image.")
        count = len(fine)
        labels = repeated(self.labels(1, label=label), count)

        def mixed(coarse: Tensor, fine: Tensor, *label: Tensor) -> Tensor:
            return self.architecture.mix(coarse, fine, cutoff, truncation, *label)

        made = [self._in_pieces(mixed, z.expand(count, -1), fine, labels) for z in coarse]
        images = self.modality.clean(torch.cat(made))
        return images.reshape(len(coarse), count, *images.shape[1:])

    @overload
    def translate(self, images: Tensor, to: str, seed: int = 0, first: int = 0) -> Tensor: ...
    @overload
    def translate(self, images: Image.Image, to: str, seed: int = 0, first: int = 0) -> Image.Image: ...
    @overload
    def translate(self, images: Sequence[Image.Image], to: str, seed: int = 0, first: int = 0) -> list[Image.Image]: ...
    def translate(self, images: Any, to: str, seed: int = 0, first: int = 0) -> Any:
        """Images of another domain, made into images of the domain `to`; each keeps its size.

        A model with labels and an encoder gives an image another label by its latents.

        Args:
            to: the domain; of a model with labels in place of domains, a class, or every attribute: "Young=0,Male=1".
            images: a tensor [N, C, H, W] in [-1, 1], a PIL image, or several of any sizes; more than 8 bits are read
                by the levels of training. Sides that the networks cannot take are padded by reflection and cut off
                again; networks of one size scale there and back.
            seed: of what an architecture draws whose dropout stays on in use; to others it is all one.
            first: the position of the first of them, in a longer row; what is drawn for an image follows from the seed
                and its position alone.
        Returns: what was given: a tensor on the CPU, an image, or a list of images.
        Raises: UsageError when the architecture does not translate, there is no such domain, or an image is too small.
        """
        goal = self.check_goal(to)
        if isinstance(images, Tensor):
            return through(self.architecture, images, goal, seed, first)
        if isinstance(images, Image.Image):
            data = self.architecture.data
            given = from_picture(images, data.shape_before(to)[0], self.header.data.reading(data.domain_before(to)))
            return to_picture(through(self.architecture, given, goal, seed, first)[0])
        return [self.translate(image, to, seed, position) for position, image in enumerate(images, first)]

    def check_goal(self, to: str) -> str | Tensor:
        """What the architecture's `translate` takes: a domain that there is, or a label. Raises: UsageError."""
        if not self.relabels:
            self.check_domain(to)
            return to
        data = self.architecture.data
        unsaid = [name for at, name in enumerate(data.label_names) if at not in written(data, to)]
        if unsaid:
            raise UsageError(f"The label says nothing of {', '.join(unsaid)}; say all, such as {unsaid[0]}=1.")
        return labels_for(data, 1, to, stream("label"))

    @property
    def relabels(self) -> bool:
        """Whether `translate` takes labels in place of domains."""
        return to_labels(self.architecture) or by_encoder(self.architecture)

    def check_domain(self, name: str) -> None:
        """Raises: UsageError when `translate` does not take this domain."""
        if not self.domains:
            raise UsageError(
                f"{self.header.architecture} does not translate between domains; "
                "`ganzoo list --task translation` names those that do."
            )
        if name not in self.domains:
            raise UsageError(f"There is no domain {name!r} in this model; {suggest(name, self.domains)}")

    def interpolate(
        self,
        points: int = 6,
        frames: int = 25,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        ends: bool = False,
        code: str | None = None,
        between: Tensor | Sequence[str | os.PathLike[str]] | None = None,
        index: Sequence[int] = (),
        count: int = 64,
    ) -> Tensor:
        """Images along a walk through latents and back to the first: [points * frames, C, H, W] in [-1, 1].

        Args:
            points: the latents on the way, those of ``sample(points, seed)``; from each to the next along an arc.
            frames: images from one point to the next.
            label: the class of all of them; None draws one.
            ends: let each stretch end at the next point, which a grid of one row a stretch wants and a movie does not.
            code: walk along this code of the latents instead, at each point from its least to its greatest value, and
                back without `ends`.
            between: walk between these images in place of samples, files or [P, C, H, W], whose latents the encoder
                finds.
            index: walk between these images of ``sample(count, seed)``, counted from 1, in place of the first ones.
                Each has its own label; between two that differ the label changes half-way.
            count: how many images that sheet has.
        Raises: UsageError for fewer than 2 points or frames, where there is no encoder, and as `sample` does.
        """
        if between is not None and not isinstance(between, Tensor):
            self.check_encodes()
            between = torch.stack([read_picture(file, self.architecture.data.shape) for file in between])
        return latents.interpolate(self, points, frames, seed, label, truncation, ends, code, between, index, count)

    def project(
        self,
        image: str | os.PathLike[str] | Tensor,
        steps: int = 200,
        starts: int = 4,
        seed: int = 0,
        label: str | int | None = None,
        each_layer: bool = False,
        reading: Reading | None = None,
    ) -> Projection:
        """Finds the latent whose image is nearest to a given one, by gradient descent on the mean squared error.

        Args:
            image: a file, cropped and scaled to what the model makes, or [C, H, W] in [-1, 1].
            steps: of the descent.
            starts: descents, from the nearest of many samples; the best of their ends is taken.
            label: the class to look in; None leaves it to the samples.
            each_layer: give each layer a style of its own (w+): nearer to the image, further from what the model makes.
            reading: how a file of more than 8 bits is read; None for as in training.
        Raises: UsageError when the image cannot be read or the model makes none from latents.
        """
        self.check_projects()
        if not isinstance(image, Tensor):
            image = read_picture(image, self.architecture.data.shape, reading or self.header.data.reading())
        return latents.project(self, image, steps, starts, seed, label, each_layer)

    def vary(self, projection: Projection, n: int = 8, strength: float = 0.3, seed: int = 0) -> Tensor:
        """New versions [n, C, H, W] in [-1, 1] of a projected image.

        Args:
            strength: how far from its latent: 0 not at all, 1 as far as any other sample.
        Raises: UsageError when n or strength is out of range.
        """
        return latents.vary(self, projection, n, strength, seed)

    def vary_sample(
        self,
        index: int,
        count: int = 64,
        n: int = 8,
        strength: float = 0.3,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        code: str | int | None = None,
    ) -> Tensor:
        """New versions [n, C, H, W] in [-1, 1] of one image of ``sample(count, seed, label, truncation, code)``.

        Args:
            index: which image, counted from 1.
            strength: how far from its latent: 0 not at all, 1 as far as any other sample.
        Raises: UsageError when index, n or strength is out of range, and as `sample` does.
        """
        return latents.vary_sample(self, index, count, n, strength, seed, label, truncation, code)


def check_truncation(psi: float) -> None:
    """Raises: UsageError when it is no number that latents can be multiplied by."""
    if not math.isfinite(psi):
        raise UsageError(f"Truncation takes a number, 1 for none, not {psi}.")


def load(path: str | os.PathLike[str], device: str = "auto") -> Model:
    """The model of a run folder or of a model.safetensors file.

    Args:
        path: where it is: here, at ``https://…`` or, published on the hub, at ``hf://user/name[@revision]``. What is
            elsewhere is downloaded once.
    Raises:
        UsageError: there is no such run or file, or it has no model yet.
        GanzooError: the file is damaged, its architecture is not installed (says what to install), or it cannot be
            fetched.
    """
    where, path = here(path)
    if where.is_dir():
        run = Run.open(where)
        where = run.model_file
        if not where.exists():
            raise UsageError(f"{run.path} has no model yet; `ganzoo resume` or `ganzoo extend` writes it.")
    called = path if is_remote(path) else None
    header = model_header(checkpoint.read_facts(where, called), path)
    entry = architecture_of(header, path)
    others = tuple(f"{name}." for name in header.also)
    shapes = {name: shape for name, shape in checkpoint.shapes(where).items() if not name.startswith(others)}
    _check_shapes(entry, header, shapes)
    tensors, _ = checkpoint.load(where, called)
    model = make_model(entry, header, device)
    model.load_generators({name: tensors[name] for name in shapes})
    load_frozen(model.architecture)
    if not is_remote(path):
        model.called = where.absolute().parent.name if where.name == Run.MODEL else where.stem
    return model


def make_model(entry: Entry, header: ModelHeader, device: str) -> Model:
    """An untrained `Model` as a header describes it, with the networks that only training needs left out."""
    cls = load_architecture(entry)
    with torch.random.fork_rng(devices=[]):
        architecture = cls(_config(entry, cls, header), header.data.spec)
    for name in list(networks(architecture)):
        top = name.split(".")[0]
        if not is_generator(architecture, name) and hasattr(architecture, top):
            delattr(architecture, top)
    return Model(architecture.to(pick_device(device)), header)


def _config(entry: Entry, cls: type[Architecture], header: ModelHeader) -> Any:
    return stored_config(entry, cls.Config, header, f"This model of {entry.name}")


def _check_shapes(entry: Entry, header: ModelHeader, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Compares the shapes in a file with what its options say, before memory is taken for either.

    Raises: GanzooError when they differ, or no network can be so.
    """
    cls = load_architecture(entry)
    config = _config(entry, cls, header)
    try:
        model = weightless(cls, config, header.data.spec)
    except UsageError as error:
        raise GanzooError(f"{cls.__name__} cannot be built as this file says: {error}") from error
    if _shapes(generator_state(model)) != shapes:
        raise _misfit(cls)


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _misfit(cls: type[Architecture]) -> GanzooError:
    return GanzooError(
        f"The weights do not fit {cls.__name__} as its options say; the file is not what was written, or its plugin "
        "has changed."
    )
