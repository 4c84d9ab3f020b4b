"""Files of tensors that other code wrote, read without executing anything of them."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy
import torch
from torch import Tensor

from ganzoo.api import Foreign, GanzooError

# What files of torch begin with: an archive, and what came before that.
TORCH = (b"PK\x03\x04", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19")
MOST = 100_000  # tensors and modules of a file
SHARED = 8  # times the bytes of a pickle that its tensors may take, as some share their numbers
DTYPES = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
)


def read(file: Path) -> Foreign:
    """The networks in a file: a pickle of NVIDIA's, a file of torch's with nothing but tensors, or safetensors.

    Raises: GanzooError when it is none of these, is damaged, or asks for anything else than to be looked at.
    """
    data = file.read_bytes()
    try:
        if data.startswith(TORCH):
            _check_stored(data)
            found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        elif file.suffix == ".safetensors":
            from safetensors.torch import load

            found = load(data)
        else:
            found = unpickled(data)
        return foreign(found)
    except Refused as error:
        raise GanzooError(f"{file} is not read: {error}") from error
    except Exception as error:  # whatever a stranger's bytes lead to
        raise GanzooError(f"{file} is damaged, or no file of tensors that is safe to read.") from error


def read_all(files: list[Path]) -> Foreign:
    """The networks of several files; the only one of a file is called as that is, without its ending."""
    if len(files) == 1:
        return read(files[0])
    found = [(file.stem, read(file)) for file in files]
    networks = {name or stem: tensors for stem, each in found for name, tensors in each.networks.items()}
    return Foreign(networks, {name: facts for _, each in found for name, facts in each.facts.items()})


class Refused(Exception):
    """What a file asks for and does not get."""


def foreign(found: Any) -> Foreign:
    """The networks among what a file holds."""
    if isinstance(found, tuple | list):  # G, D and the averaged G
        found = dict(zip(("G", "D", "G_ema"), found, strict=False))
    if not isinstance(found, Mapping):
        found = {"": found}
    networks: dict[str, dict[str, Tensor]] = {}
    facts: dict[str, dict[str, Any]] = {}
    alone = {str(key): _plain(value) for key, value in found.items() if isinstance(value, Tensor)}
    if alone:
        networks[""] = alone
    budget = iter(range(MOST))
    for key, value in found.items():
        tensors = dict(_tensors(value, "", budget))
        if tensors and not isinstance(value, Tensor):
            networks[str(key)], facts[str(key)] = tensors, _facts(value)
    if not networks:
        raise Refused("there are no tensors in it.")
    return Foreign(networks, facts)


def _plain(tensor: Tensor) -> Tensor:
    """Raises: Refused for a tensor that is no row of numbers in memory: sparse, quantised, complex, or repeated."""
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.dtype not in DTYPES:
        raise Refused("it holds a tensor of another kind than plain numbers.")
    if tensor.nbytes > tensor.untyped_storage().nbytes():
        raise Refused("a tensor is larger than its numbers.")
    return tensor


def _tensors(value: Any, name: str, budget: Iterator[int]) -> Iterator[tuple[str, Tensor]]:
    """Tensors by name of a mapping, of a module of torch's and those in it, or of a network of TensorFlow's."""
    if next(budget, None) is None:
        raise Refused(f"it holds more than {MOST:,} tensors.")
    if isinstance(value, Tensor):
        yield name, _plain(value)
    elif isinstance(value, _Array):
        yield name, torch.from_numpy(value.value)
    elif isinstance(value, Kept):
        state = value.state if isinstance(value.state, Mapping) else {}
        for part in ("_parameters", "_buffers", "_modules"):
            inner = state.get(part)
            for key, each in inner.items() if isinstance(inner, Mapping) else ():
                yield from _tensors(each, f"{name}.{key}" if name else str(key), budget)
        for each in state.get("variables") or ():
            yield from _tensors(each[1], str(each[0]), budget)
        for key, each in (state.get("components") or {}).items():
            yield from _tensors(each, "", budget) if isinstance(key, str) else ()
    elif isinstance(value, Mapping | list | tuple):
        for key, each in value.items() if isinstance(value, Mapping) else enumerate(value):
            if isinstance(each, Tensor | _Array):
                yield from _tensors(each, f"{name}.{key}" if name else str(key), budget)


def _facts(value: Any) -> dict[str, Any]:
    """What a module says of itself in numbers and texts."""
    state = value.state if isinstance(value, Kept) and isinstance(value.state, Mapping) else {}
    return {str(key): each for key, each in state.items() if isinstance(each, str | int | float | bool)}


class Kept:
    """An object of a class that is not there: its state alone, which nothing is done with."""

    state: Any = None

    def __init__(self, state: Any = None) -> None:
        self.state = state

    def __setstate__(self, state: Any) -> None:
        self.state = state


def unpickled(data: bytes) -> Any:
    """What a pickle holds, of plain containers, arrays and tensors. Raises: Refused for anything else."""
    # Python takes memory up to the furthest place that a pickle notes something at: nine bytes could take all of it.
    for number, (code, place, _) in enumerate(pickletools.genops(data)):
        if "PUT" in code.name and cast(int, place) > number:
            raise Refused("it is written as no pickle is.")
    return _Unpickler(data).load()


def _check_stored(data: bytes) -> None:
    """Raises: Refused for an archive of torch's that would be larger when unpacked; torch packs nothing."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > len(data):
                raise Refused("it is packed, as no file of torch's is.")


class _Unpickler(pickle.Unpickler):
    """Knows a few names, none of which does anything but to hold or to give tensors."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.left = SHARED * len(data)  # bytes that its tensors and arrays may still take
        # Made anew for each file: what one of them does to these names no other sees.
        kept = type("Kept", (Kept,), {})
        plain = type("Plain", (dict,), {"__setstate__": lambda self, state: None})
        dtype, unpickler = type("Dtype", (_Dtype,), {}), self

        class Array(_Array):
            def __setstate__(self, state: Sequence[Any]) -> None:
                super().__setstate__(state)
                unpickler.spend(self.value, self.value.nbytes)

        self.names: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): plain,
            ("dnnlib.util", "EasyDict"): plain,
            ("dnnlib.tflib.network", "Network"): kept,
            ("torch_utils.persistence", "_reconstruct_persistent_obj"): lambda meta: kept(meta.get("state")),
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
            ("torch._utils", "_rebuild_tensor_v2"): lambda *given: self.spend(made := _tensor(*given), made.nbytes),
            ("torch.storage", "_load_from_bytes"): lambda data: self.spend(_storage(data), len(data)),
            ("_codecs", "encode"): lambda text, _: self.spend(
                str.encode(text, "latin1"), len(text)
            ),  # bytes, in older pickles
            ("numpy", "dtype"): dtype,
            ("numpy", "ndarray"): Array,
            **{("torch", str(each).removeprefix("torch.")): None for each in DTYPES},
        }
        for core in ("numpy.core.multiarray", "numpy._core.multiarray"):
            self.names[core, "_reconstruct"] = lambda *_: Array()
            self.names[core, "scalar"] = lambda kind, data: _numbers(kind, (), data).item()

    def spend(self, made: Any, size: int) -> Any:
        """What was made, `size` bytes of it counted, as the same bytes may be asked for again and again."""
        self.left -= size
        if self.left < 0:
            raise Refused("its tensors are larger than the file.")
        return made

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.names:
            raise Refused(f"it asks for {module}.{name}, and nothing but tensors, numbers and texts is taken.")
        return self.names[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise Refused("it refers to something outside itself.")


def _storage(data: bytes) -> Any:
    """The numbers of tensors, by torch's own restricted loader."""
    if not data.startswith(TORCH):
        raise Refused("the numbers of a tensor are not as torch writes them.")
    with warnings.catch_warnings(action="ignore"):  # torch's own loader uses what torch deprecates
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _tensor(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
    """A view of the numbers, no larger than they are."""
    if not isinstance(storage, torch.storage.TypedStorage) or storage.dtype not in DTYPES:
        raise Refused("a tensor's numbers are missing.")
    numbers = storage._untyped_storage
    whole = torch.empty(0, dtype=storage.dtype).set_(numbers, 0, (numbers.nbytes() // storage.dtype.itemsize,), (1,))
    if math.prod(size) > len(whole) or min((*size, *stride, offset, 0)) < 0:
        raise Refused("a tensor is larger than its numbers.")
    return torch.as_strided(whole, size, stride, offset).clone()


class _Dtype:
    """An array's kind of numbers: its letter and width, such as ``f4``, and the order of its bytes."""

    def __init__(self, kind: str, *_: Any) -> None:
        if not re.fullmatch(r"[fiub][1248]", kind):
            raise Refused(f"arrays of {kind!r} are not taken.")
        self.kind, self.order = kind, "<"

    def __setstate__(self, state: Sequence[Any]) -> None:
        self.order = ">" if state[1] == ">" else "<"


class _Array:
    """An array, whose numbers come as its state."""

    value: numpy.ndarray[Any, Any] = numpy.zeros(0)

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, kind, fortran, data = state
        self.value = _numbers(kind, shape, data, "F" if fortran else "C")


def _numbers(kind: _Dtype, shape: tuple[int, ...], data: Any, order: Literal["C", "F"] = "C") -> Any:
    """An array of these bytes, in this machine's order."""
    written = data.encode("latin1") if isinstance(data, str) else data
    found = numpy.frombuffer(written, f"{kind.order}{kind.kind}").reshape(shape, order=order)
    return found.astype(found.dtype.newbyteorder("="))
