"""A trained generator for other programs: one file, checked against the model before it is kept.

``safetensors`` is what `ganzoo.load` opens; ``torch-export`` runs in torch without ganzoo and without the plugin;
``onnx`` runs without torch. The last two take batches of any size, and where they translate images of any size that
the networks take; they carry the model's header as JSON under "ganzoo". They are without the dropout that stays on in
use in some models (`Abilities.dropout`), and say so there, ``"dropout": "off"``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ganzoo.api import (
    GanzooError,
    Model,
    UsageError,
    as_json,
    generator_state,
    load_model,
    save_tensors,
    suggest,
    written,
)

ENDINGS = {"safetensors": ".safetensors", "torch-export": ".pt2", "onnx": ".onnx"}
TOLERANCE = 1e-4  # largest difference of a pixel in [-1, 1] between the file's images and the model's
TRACED, CHECKED = 2, (1, 3)  # batch sizes: traced with one, checked with others
NEEDED = ("onnx", "onnxscript", "onnxruntime")


def export(
    source: str | os.PathLike[str] | Model,
    format: str,
    out: str | os.PathLike[str] | None = None,
    to: str | None = None,
    encode: bool = False,
) -> Path:
    """Writes a model's generator, or its encoder, for use elsewhere and returns the file.

    The program takes z [B, Z] from N(0, 1), and label [B], int64, where it was trained with labels; or, where it
    translates, source [B, C, H, W] in [-1, 1]. It gives images [B, C, H, W] in [-1, 1], for every B, on the CPU. To
    translate, H and W are multiples of the architecture's `side_multiple`, twice of it or more and not below its
    `smallest_side`; where it has no such multiple, or the data is smaller, they are the data's. Dropout is off in it.
    An encoder takes source [B, ...], items of the data's shape (and label), and gives z [B, Z].

    Args:
        source: a run's folder, a model.safetensors file, an address of one as in `ganzoo.load`, or a loaded model.
        format: "safetensors", "torch-export" or "onnx".
        out: the file; None: named after the run, in the working folder.
        to: the domain to translate to, for architectures that translate.
        encode: the encoder in place of the generator. In "safetensors" all of them are.
    Raises:
        UsageError: no such run, format, domain or encoder.
        GanzooError: the architecture cannot be exported so, packages are missing (says which to install), or the
            file's images differ from the model's by more than 1e-4; nothing is kept then.
    """
    format = format_of(out, format)
    model = source if isinstance(source, Model) else load_model(source, device="cpu")
    if encode:
        model.check_encodes()
    else:
        _check_direction(model, to, needed=format != "safetensors")
    missing = [name for name in NEEDED if find_spec(name) is None] if format == "onnx" else []
    if missing:
        raise GanzooError(f"ONNX needs {', '.join(missing)}, not installed here; type: pip install 'ganzoo[onnx]'.")
    program = Program(model, to, encode)
    target = Path(out) if out is not None else Path(program.name + ENDINGS[format])
    with written(target, ending=ENDINGS[format]) as temporary:
        _WRITERS[format](program, temporary)
    return target


def format_of(out: str | os.PathLike[str] | None, asked: str | None = None) -> str:
    """The format asked for, or the one that the file's ending says.

    Raises: UsageError when there is none or no such one.
    """
    ending = Path(out).suffix.lower() if out is not None else ""
    format = asked or next((format for format, its in ENDINGS.items() if its == ending), None)
    if format is None:
        choices = (
            "--format safetensors (for ganzoo), --format onnx (any ONNX runtime) or --format torch-export (torch alone)"
        )
        raise UsageError(f"Say what to write: {choices}; or give -o the ending {' or '.join(ENDINGS.values())}.")
    if format not in ENDINGS:
        raise UsageError(f"There is no format {format!r}; {suggest(format, ENDINGS)}")
    return format


class Program(nn.Module):
    """What is exported: the model's images from latents and labels, or of domain `to` from images, clamped; or latents
    from items.
    """

    def __init__(self, model: Model, to: str | None = None, encode: bool = False) -> None:
        super().__init__()
        self.model, self.architecture = model, model.architecture
        self.to_domain, self.encodes = (None, True) if encode else (to, False)
        self.eval()

    def forward(self, first: Tensor, label: Tensor | None = None) -> Tensor:
        if self.encodes:
            return self.architecture.encode(first, label)
        if self.to_domain is not None:
            images = self.architecture.translate(first, self.to_domain)
        else:
            images = self.architecture.generate(first, label)
        return self.model.modality.clean(images)

    @property
    def name(self) -> str:
        """Of its file, without the ending."""
        way = "encode" if self.encodes else self.to_domain and f"to-{self.to_domain}"
        return "-".join(filter(None, (self.model.name, way)))

    @property
    def gives(self) -> str:
        return "z" if self.encodes else "images"

    @property
    def multiple(self) -> int | None:
        """What the sides of images to translate are multiples of; None where they are fixed, or there are none.

        They are fixed too where the data's own are a single multiple: tracing takes that for a constant.
        """
        multiple, data = self.architecture.side_multiple, self.architecture.data
        if self.to_domain is None or multiple is None:
            return None
        return multiple if min(data.shape_before(self.to_domain)[1:]) >= 2 * multiple else None

    def inputs(self, count: int, larger: int = 0) -> dict[str, Tensor]:
        """Something to trace or to check the program with, by the inputs' names; `larger` enlarges images."""
        architecture, stream = self.architecture, torch.Generator().manual_seed(count)
        if self.to_domain is not None:
            channels, height, width = architecture.data.shape_before(self.to_domain)
            step = larger * (self.multiple or 0)
            size = (count, channels, height + step, width + 2 * step)
            return {"source": torch.rand(size, generator=stream) * 2 - 1}
        if self.encodes:
            inputs = {"source": torch.rand((count, *architecture.data.shape), generator=stream) * 2 - 1}
        else:
            inputs = {"z": torch.randn((count, architecture.latent_dim or 0), generator=stream)}
        if "choices" in architecture.abilities.labels:
            inputs["label"] = torch.zeros(count, *architecture.data.shape)
        elif (label := self.model.labels(count, seed=count)) is not None:
            inputs["label"] = label
        return inputs


def directions(model: Model) -> tuple[str | None, ...]:
    """The domains that a model translates to; one None where it makes images from latents."""
    return model.domains or (None,)


def programs(model: Model) -> list[Program]:
    """All that can be exported of a model: a program for each direction, and its encoder."""
    encoder = [Program(model, encode=True)] if model.architecture.abilities.encode else []
    return [*(Program(model, to) for to in directions(model)), *encoder]


def _check_direction(model: Model, to: str | None, needed: bool) -> None:
    """Raises: UsageError when the domain is unknown, given in vain, or missing though `needed`."""
    name, known = model.header.architecture, [domain for domain in directions(model) if domain is not None]
    if to is not None and not known:
        raise UsageError(f"{name} does not translate; leave out --to.")
    if to is not None and to not in known:
        raise UsageError(f"There is no domain {to!r}; {suggest(to, known)}")
    if to is None and needed and known:
        raise UsageError(f"{name} translates; say in which direction: --to {' or --to '.join(known)}.")
    if not known:
        model.noise(1)  # says so where there are no latents either


def _facts(model: Model) -> str:
    """The model's header as JSON, and that the program leaves out dropout which the model has in use."""
    return json.dumps(as_json(model.header) | ({"dropout": "off"} if model.architecture.abilities.dropout else {}))


def _write_safetensors(program: Program, file: Path) -> None:
    model = program.model
    save_tensors(file, generator_state(model.architecture), as_json(model.header))
    again = programs(load_model(file, device="cpu"))
    for here, there in zip(programs(model), again, strict=True):
        _check(here, lambda inputs: cast(Tensor, there(*inputs.values())))  # noqa: B023 (called at once)


def _write_torch_export(program: Program, file: Path) -> None:
    traced, any_size = _traced(program)
    whole = io.BytesIO()  # where a disk becomes full, torch's own writing ends the process, not with an error
    torch.export.save(traced, whole, extra_files={"ganzoo": _facts(program.model)})
    file.write_bytes(whole.getbuffer())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given buffer is not writable")  # of torch 2.9 and 2.10, about itself
        again = torch.export.load(file).module()
    _check(program, lambda inputs: again(*inputs.values()), any_size)


def _write_onnx(program: Program, file: Path) -> None:
    import onnxruntime

    names = list(program.inputs(TRACED))
    traced, any_size = _traced(program)
    first = {0: "batch", 2: "height", 3: "width"} if any_size else {0: "batch"}
    try:
        onnx = torch.onnx.export(
            traced, input_names=names, output_names=[program.gives],
            dynamic_shapes=(first, *[None] * (len(names) - 1)), dynamo=True, verbose=False,
            optimize=False,  # onnxscript's optimizer takes away "+ 1e-8", and with it every such guard against 0
        )  # fmt: skip
    except torch.onnx.OnnxExporterError as error:
        raise _cannot(program.model, "ONNX", error) from error
    assert onnx is not None
    onnx.model.metadata_props["ganzoo"] = _facts(program.model)
    onnx.save(str(file), external_data=False)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def run(inputs: dict[str, Tensor]) -> Tensor:
        return torch.from_numpy(session.run(None, {name: value.numpy() for name, value in inputs.items()})[0])

    _check(program, run, any_size)


def _traced(program: Program) -> tuple[ExportedProgram, bool]:
    """The program for any batch, and whether its images may have any size too."""
    if program.multiple is not None:
        with contextlib.suppress(Exception):  # then of one size, as every other
            return _trace(program, any_size=True), True
    try:
        return _trace(program, any_size=False), False
    except Exception as error:  # torch.export raises whatever the architecture's code makes it
        raise _cannot(program.model, "a program", error) from error


@torch.no_grad()
def _trace(program: Program, any_size: bool) -> ExportedProgram:
    inputs = tuple(program.inputs(TRACED, larger=1 if any_size else 0).values())
    shape = {0: Dim("batch", min=1)}
    if any_size and program.multiple is not None:
        least = max(2, -(-program.architecture.smallest_side // program.multiple))  # tracing takes 1 for a constant
        shape |= {axis: program.multiple * Dim(name, min=least) for axis, name in ((2, "height"), (3, "width"))}
    return torch.export.export(program, inputs, dynamic_shapes=tuple(shape for _ in inputs))


def _cannot(model: Model, what: str, error: Exception) -> GanzooError:
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return GanzooError(
        f"{model.header.architecture} cannot be written as {what} ({lines[0].strip().rstrip('.')}); "
        "use --format safetensors."
    )


@torch.no_grad()
def _check(program: Program, run: Callable[[dict[str, Tensor]], Tensor], any_size: bool = False) -> None:
    """Raises: GanzooError when what was written makes other images, or latents, than the model."""
    for larger, count in enumerate(CHECKED):
        inputs = program.inputs(count, 2 * larger if any_size else 0)
        expected, given = program(*inputs.values()), run(inputs)
        difference = (given - expected).abs().max().item() if given.shape == expected.shape else float("inf")
        if not difference <= TOLERANCE:
            raise GanzooError(
                f"The exported {program.model.header.architecture} makes other {program.gives} than the model (a batch "
                f"of {count} differs by up to {difference:.2g}); nothing was written. Please report it to its author."
            )


_WRITERS = {"safetensors": _write_safetensors, "torch-export": _write_torch_export, "onnx": _write_onnx}
