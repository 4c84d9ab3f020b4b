"""The Inception network of FID: its layout is torch-fidelity's, its weights are fetched once, or given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo.api import GanzooError, Pretrained, Report, UsageError, need, pretrained_tensors

SIDE = 299
# Converted from TensorFlow's of 2015-12-05 by the authors of torch-fidelity; pytorch-fid's file holds the same numbers.
WEIGHTS = Pretrained(
    name="inception-2015-12-05",
    address="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    licence="Apache-2.0",
)


@dataclass(frozen=True)
class Inception:
    """A network of the Inception layout.

    Attributes:
        name: of its features; canonical: whether its weights are those that FID is defined by.
        sha256: of the weights' file.
    """

    name: str
    canonical: bool
    sha256: str
    network: Any

    @torch.no_grad()
    def __call__(self, images: Tensor, resize: str) -> tuple[Tensor, Tensor]:
        """Features [B, 2048] and logits without bias [B, 1008] of images [B, C, H, W] in [-1, 1], on the CPU."""
        pixels = ((images.float() + 1) * 127.5).round().clamp(0, 255)
        pixels = pixels[:, :3] if pixels.shape[1] >= 3 else pixels[:, :1].expand(-1, 3, -1, -1)
        if resize == "clean" and pixels.shape[2:] != (SIDE, SIDE):
            pixels = interpolate(pixels, (SIDE, SIDE), mode="bicubic", antialias=True).round().clamp(0, 255)
        device = next(self.network.parameters()).device
        features, logits = self.network(pixels.to(torch.uint8).to(device))
        return features.float().cpu(), logits.float().cpu()


def inception(file: str, report: Report) -> Inception:
    """With the weights of a file, or the canonical ones.

    Raises: UsageError when there are none, GanzooError when torch-fidelity is missing or they do not fit.
    """
    place = str(Path(file).expanduser().absolute()) if file else ""
    if place and not Path(place).is_file():
        raise UsageError(f"There is no file {file} of Inception's weights.")
    return _inception(place, Path(place).stat().st_mtime if place else 0.0, report)


@cache
def _inception(file: str, _changed: float, report: Report) -> Inception:
    layout = need("torch_fidelity.feature_extractor_inceptionv3", "torch-fidelity", "--metric fid", "fid")
    tensors, sha256 = pretrained_tensors(WEIGHTS, file or None, report)
    canonical = sha256 == WEIGHTS.sha256
    with TemporaryDirectory() as scratch:
        # torch-fidelity unpickles what it is given: it gets tensors that were read without running anything.
        safe = Path(scratch) / "inception.pth"
        torch.save(tensors, safe)
        try:
            network = layout.FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(safe)
            )
        except (RuntimeError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise GanzooError(f"{file or WEIGHTS.name} has no weights of FID's Inception: {reason}") from error
    network = network.to("cuda" if torch.cuda.is_available() else "cpu")
    name = WEIGHTS.name if canonical else re.sub(r"[^a-z0-9]+", "-", Path(file).stem.lower()).strip("-")
    return Inception(name, canonical, sha256, network)
