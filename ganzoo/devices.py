"""Which device and arithmetic to train with, and whether the memory will do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ganzoo.errors import GanzooError, UsageError


def pick_device(name: str) -> torch.device:
    """The device that "auto", "cpu", "cuda" or "mps" means here. Raises: UsageError when it is not there."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if there[kind])
    if not there.get(name, False):
        have = ", ".join(kind for kind, present in there.items() if present)
        raise UsageError(f"There is no {name} device here (there is: {have}); `ganzoo doctor` says why.")
    if name == "cuda":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device(name)


def has_native_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 rather than emulates it."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return False


def pick_precision(asked: str, device: torch.device, proven: bool) -> str:
    """ "fp32" or "bf16"; auto takes bf16 where it is native and `proven` for the architecture."""
    if asked == "auto":
        return "bf16" if proven and has_native_bf16(device) else "fp32"
    if asked == "bf16" and device.type == "mps":
        raise UsageError("bf16 training is not supported on mps; use --precision fp32.")
    return asked


@contextmanager
def deterministic(asked: bool) -> Iterator[None]:
    """Where asked, torch takes only algorithms that give the same each time, cuBLAS's matrix products among them.

    Raises: GanzooError for a computation that has none on its device.
    """
    if not asked:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA first multiplies matrices
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        if "use_deterministic_algorithms" not in str(error):
            raise
        what = str(error).split()[0]
        raise GanzooError(
            f"torch has no algorithm for {what} on this device that gives the same each time; leave out "
            "--deterministic, or train on the CPU."
        ) from error
    finally:
        torch.use_deterministic_algorithms(before)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error is a device's or the system's memory running out."""
    text = str(error)
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in text for words in ("out of memory", "can't allocate memory", "not enough memory")
    )
