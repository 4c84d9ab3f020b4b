"""WAV files (RIFF/WAVE), read and written: whole numbers of 8 to 32 bits, and floats of 32 and 64.

Python's own `wave` refuses floats and what Windows calls "extensible", so the few chunks are read here.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.api import Unreadable

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def read(data: bytes) -> tuple[NDArray[np.float32], int]:
    """A file's bytes -> samples [C, L] in [-1, 1], and how many a second.

    Raises: Unreadable for what is no WAV, is cut short, or holds something else than plain samples.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise Unreadable("is not a WAV file")
    place, form = 12, b""
    while place + 8 <= len(data):
        name, length = data[place : place + 4], struct.unpack_from("<I", data, place + 4)[0]
        chunk = data[place + 8 : place + 8 + length]
        if name == b"fmt ":
            form = chunk
        elif name == b"data":
            if len(form) < 16:
                raise Unreadable("does not say what its samples are")
            if len(chunk) < length and length < 0xFFFFFFF0:  # streams write such a length and leave it
                raise Unreadable("is cut short")
            return _samples(chunk, form)
        place += 8 + length + length % 2
    raise Unreadable("holds no samples")


def _samples(chunk: bytes, form: bytes) -> tuple[NDArray[np.float32], int]:
    kind, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", form)
    if kind == EXTENSIBLE and len(form) >= 26:
        (kind,) = struct.unpack_from("<H", form, 24)
    if channels < 1 or rate < 1 or block != channels * bits // 8:
        raise Unreadable("says nothing sensible of its samples")
    flat: NDArray[Any]
    chunk = chunk[: len(chunk) // block * block]
    if kind == PCM and bits == 8:
        flat = (np.frombuffer(chunk, np.uint8).astype(np.float32) - 128) / 128
    elif kind == PCM and bits in (16, 32):
        flat = np.frombuffer(chunk, f"<i{bits // 8}").astype(np.float32) / 2.0 ** (bits - 1)
    elif kind == PCM and bits == 24:
        low = np.frombuffer(chunk, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(low), 4), np.uint8)
        wide[:, 1:] = low  # the three bytes on top of four, so that the sign is right
        flat = (wide.view("<i4")[:, 0] >> 8).astype(np.float32) / 2.0**23
    elif kind == FLOAT and bits in (32, 64):
        flat = np.frombuffer(chunk, f"<f{bits // 8}").astype(np.float32)
    else:
        raise Unreadable(f"has samples of {bits} bits in the format {kind}; convert it to 16-bit PCM")
    if not flat.size:
        raise Unreadable("holds no samples")
    if not np.isfinite(flat).all():
        raise Unreadable("holds samples that are no numbers")
    return np.ascontiguousarray(flat.reshape(-1, channels).T, np.float32), rate


def write(samples: NDArray[np.float32], rate: int) -> bytes:
    """Samples [C, L] in [-1, 1] (clipped) -> a file's bytes, 16 bits a sample."""
    whole = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").T.tobytes()
    channels = len(samples)
    form = struct.pack("<HHIIHH", PCM, channels, rate, 2 * channels * rate, 2 * channels, 16)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(whole)) + whole
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
