"""The Inception network of FID: its layout is torch-fidelity's, its weights are fetched once, or given."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from ganzoo.api import GanzooError, Pretrained, Report, need, pretrained_tensors
from ganzoo_fid.extractor import Extractor, clean, name_of, pixels, whole_path

SIDE = 299
# Converted from TensorFlow's of 2015-12-05 by the authors of torch-fidelity; pytorch-fid's file holds the same numbers.
WEIGHTS = Pretrained(
    name="inception-2015-12-05",
    address="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    licence="Apache-2.0",
)


class Inception(Extractor):
    """A network of the Inception layout; its logits [B, 1008] are without bias, its features [B, 2048]."""

    @torch.no_grad()
    def __call__(self, images: Tensor, resize: str) -> tuple[Tensor, Tensor]:
        shown = pixels(images)
        shown = clean(shown, SIDE) if resize == "clean" else shown  # torch-fidelity's own layer is the other way
        features, logits = self.network(shown.to(torch.uint8).to(self.device))
        return features.float().cpu(), logits.float().cpu()


def inception(file: str, report: Report) -> Inception:
    """With the weights of a file, or the canonical ones.

    Raises: UsageError when there are none, GanzooError when torch-fidelity is missing or they do not fit.
    """
    return _inception(*whole_path(file, "Inception"), report)


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
    return Inception(WEIGHTS.name if canonical else name_of(file), canonical, sha256, network)
