"""FID and its like, by torch-fidelity's arithmetic on the features of the literature's Inception."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ganzoo.api import (
    DataItems,
    Evidence,
    Items,
    Scores,
    UsageError,
    home,
    load_tensors,
    make_folder,
    need,
    option,
    save_tensors,
    share,
    stream,
)
from ganzoo_fid.dinov2 import dinov2
from ganzoo_fid.extractor import Extractor
from ganzoo_fid.inception import inception
from ganzoo_fid.manifolds import density_coverage

PROTOCOLS = {"fid50k-full": (50_000, "training"), "fid10k-test": (10_000, "test")}  # samples, the data's part
KEPT = 10_000  # features of real images, at the most, that KID, precision and their like look at
BATCH = 64
NEIGHBOURS, DENSE_NEIGHBOURS = 3, 5  # of precision and recall (Kynkäänniemi et al. 2019), of density and coverage
KID_SUBSET, KID_SUBSETS, IS_SPLITS = 1000, 100, 10
ENOUGH = 10_000  # samples; fewer make a Fréchet distance too large, which is said
FEWEST = 2 * DENSE_NEIGHBOURS
VERSION = 1  # of what is cached


@dataclass(frozen=True)
class Canonical:
    """FID, KID, Inception Score, precision and recall by torch-fidelity; density and coverage by ganzoo.

    Figures of the literature are of 50,000 samples and the whole data, `protocol=fid50k-full`. A distance in the
    features of another file of weights, or of DINOv2's, is called ``fd-FILE``, never FID.
    """

    protocol: Literal["samples", "fid50k-full", "fid10k-test"] = option(
        "samples", "samples: as many as --samples, and real ones; else as papers call it"
    )
    resize: Literal["", "legacy", "clean"] = option(
        "",
        "how images come to the network's size: legacy, as TensorFlow's bilinear did; clean, with antialiasing; "
        "default: legacy to Inception's, clean to DINOv2's",
    )
    inception: str = option("", "a file of Inception's weights; default: fetched once, or `ganzoo weights add`")
    dinov2: str = option("", "a file of DINOv2's weights, whose features are looked at in place of Inception's")
    sha256: str = option("", "of the file of weights, which is refused if it has another")

    def __call__(self, evidence: Evidence) -> Scores:
        if evidence.fake.dim() != 4:
            raise UsageError("FID and its like need images.")
        if self.inception and self.dinov2:
            raise UsageError("Give the weights of Inception or of DINOv2, one at a time.")
        network = dinov2(self.dinov2, evidence.report) if self.dinov2 else inception(self.inception, evidence.report)
        if self.sha256 and self.sha256.lower() != network.sha256:
            raise UsageError(f"The SHA-256 of {self.dinov2 or self.inception or network.name} is {network.sha256}.")
        resize = self.resize or ("clean" if self.dinov2 else "legacy")
        real = self._real(evidence, network, resize)
        fake = Features.of(network, self._fake(evidence), resize, evidence.report, "Features of samples")
        if min(real.count, fake.count) < FEWEST:
            raise UsageError(f"FID and its like need {FEWEST} images of each kind at the least, not {fake.count}.")
        values = scores(fake, real)
        if not network.canonical:
            values = {{"fid": "fd", "kid": "kd"}.get(key, key) + f"-{network.name}": v for key, v in values.items()}
        said: dict[str, Any] = {"samples": fake.count, "real": real.count, "resize": resize}
        if self.protocol != "samples":
            said["split"] = PROTOCOLS[self.protocol][1]
        if min(fake.count, real.count) < ENOUGH:
            said["caution"] = (
                f"{'FID' if network.canonical else 'A distance'} of {fake.count:,} samples and {real.count:,} real "
                "images is too large by what chance adds; compare it with those of as many alone."
            )
        said |= {"dinov2" if self.dinov2 else "inception": network.name, "kid_subset": _subset(fake, real)}
        return Scores(values, features=network.name, sha256=network.sha256,
                      neighbours=[NEIGHBOURS, DENSE_NEIGHBOURS], **said)  # fmt: skip

    def _fake(self, evidence: Evidence) -> Iterable[Tensor]:
        if self.protocol == "samples":
            return torch.split(evidence.fake, BATCH)
        if evidence.draw is None:
            raise UsageError(f"{self.protocol} is for models that make images from noise.")
        return evidence.draw(PROTOCOLS[self.protocol][0])

    def _real(self, evidence: Evidence, network: Extractor, resize: str) -> Features:
        """Statistics of the real images, computed once for a data set, its size and the features."""
        data = evidence.dataset
        if self.protocol == "samples" or data is None:
            return Features.of(network, torch.split(evidence.real, BATCH), resize, evidence.report, "Features of data")
        which = PROTOCOLS[self.protocol][1]
        part = data.test if which == "test" else data.training
        if part is None:
            raise UsageError(f"{data.name} has no test part of its own, which {self.protocol} is scored against.")
        part = part.labelled(evidence.label) if evidence.label is not None else part
        file = _file(data, which, evidence.label, network, resize)
        if not file.exists():
            found = Features.of(network, _batches(part), resize, evidence.report, f"Features of {data.name}")
            make_folder(file.parent)
            save_tensors(file, vars(found), {"data": data.name, "part": which, "count": found.count})
        tensors, _ = load_tensors(file)
        return Features(**tensors)


@dataclass(frozen=True)
class Features:
    """What is known of some images' features.

    Attributes:
        number: how many images, int64; mean, covariance: float64 [D], [D, D], of all of them.
        some: the features of those that were kept, float32 [n, D], and logits [n, classes] of as many.
    """

    number: Tensor
    mean: Tensor
    covariance: Tensor
    some: Tensor
    logits: Tensor

    @property
    def count(self) -> int:
        return int(self.number)

    @classmethod
    def of(cls, network: Extractor, batches: Iterable[Tensor], resize: str, report: Any, what: str) -> Features:
        """Of images [B, C, H, W] in [-1, 1], some at a time."""
        count, total, squares = 0, torch.zeros(0), torch.zeros(0)
        kept, logits = list[Tensor](), list[Tensor]()
        for features, verdict in share(lambda images: network(images, resize), batches):
            wide = features.double()
            if not count:
                shift = wide.mean(0)  # so that large means cost no digits
                total, squares = torch.zeros_like(shift), torch.zeros(len(shift), len(shift), dtype=torch.float64)
            wide = wide - shift
            total, squares = total + wide.sum(0), squares + wide.T @ wide
            if count < KEPT:
                kept.append(features[: KEPT - count])
                logits.append(verdict[: KEPT - count])
            count += len(features)
            report(what, count, 0)
        mean = total / count
        covariance = (squares - count * mean[:, None] * mean) / max(1, count - 1)
        return cls(torch.tensor(count), mean + shift, covariance, torch.cat(kept), torch.cat(logits))


def scores(fake: Features, real: Features) -> dict[str, float]:
    """The figures by name; where there are fewer images than features they are still defined."""
    fidelity = {name: need(f"torch_fidelity.metric_{name}", "torch-fidelity", "--metric fid", "fid")
                for name in ("fid", "kid", "isc", "prc")}  # fmt: skip
    a, b = ({"mu": each.mean.numpy(), "sigma": each.covariance.numpy()} for each in (fake, real))
    distance = fidelity["fid"].fid_statistics_to_metric(a, b, False)["frechet_inception_distance"]
    kid = fidelity["kid"].kid_features_to_metric(
        fake.some, real.some, kid_subsets=KID_SUBSETS, kid_subset_size=_subset(fake, real), verbose=False
    )
    classes = {}
    if fake.logits.shape[1]:
        splits = max(1, min(IS_SPLITS, len(fake.logits) // IS_SPLITS))
        found = fidelity["isc"].isc_features_to_metric(fake.logits, splits)
        classes = {"inception-score": found["inception_score_mean"]}
    manifold = fidelity["prc"].prc_features_to_metric(
        fake.some, real.some, prc_neighborhood=NEIGHBOURS, save_cpu_ram=True, verbose=False
    )
    density, coverage = density_coverage(fake.some, real.some, DENSE_NEIGHBOURS)
    return {
        "fid": max(0.0, distance),
        "kid": kid["kernel_inception_distance_mean"],
        **classes,
        "precision": manifold["precision"],
        "recall": manifold["recall"],
        "density": density,
        "coverage": coverage,
    }


def _subset(fake: Features, real: Features) -> int:
    return min(KID_SUBSET, len(fake.some), len(real.some))


def _batches(part: Items) -> Iterator[Tensor]:
    """A part's images in an order of chance, so that those that are kept are of all kinds."""
    order = torch.randperm(len(part), generator=stream("fid", "order"))
    return (part.gather(some) for some in torch.split(order, BATCH))


def _file(data: DataItems, part: str, label: int | None, network: Extractor, resize: str) -> Path:
    key = json.dumps([VERSION, data.fingerprint, data.shape, data.fit, part, label, network.sha256, resize])
    return home() / "statistics" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.safetensors"
