"""Scores by a classifier of the data: is a sample clearly something, is everything there, is it what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.api import DataItems, Evidence, Report, Scores, UsageError, option
from ganzoo_scores.classifier import Trained, trained_classifier

ACCURATE = 0.9  # share of held-out items named rightly, below which a classifier's figures carry a caution
ENOUGH = 500  # held-out items; with fewer its accuracy is known to no better than ±1.3 % at 0.9


@dataclass(frozen=True)
class ByClassifier:
    """What a small classifier, trained on the data set's labels, makes of the samples.

    - ``confident``: share of samples with a label more probable than 0.9; ``confident-real``, of held-out images.
    - ``classes``: labels that at least one confident sample has.
    - ``smallest-share``: share of all samples that the classifier gives the rarest label.
    - ``label-accuracy``: share of samples with the label that was asked for.
    - ``fd-classifier``: Fréchet distance between the samples and the held-out images in the classifier's features.
      Comparable between runs on the same data with as many samples; it is no FID. Smaller is better.
    """

    threshold: float = option(0.9, "probability above which the classifier is confident", low=0, high=1)

    def __call__(self, evidence: Evidence) -> Scores:
        if evidence.dataset is None or evidence.fake.dim() not in (3, 4) or len(evidence.dataset.classes) < 2:
            raise UsageError("The classifier's scores need a data set of images or sounds with labels.")
        classifier = trained_classifier(evidence.dataset, evidence.report)
        _, held_out = evidence.dataset.split()
        held_out = held_out.labelled(evidence.label)
        features, probabilities = classifier.network.judge(evidence.fake)
        real_features, real_probabilities = classifier.network.judge(held_out.gather(torch.arange(len(held_out))))
        named = probabilities.argmax(1)
        values = {
            "confident": self._confident(probabilities).double().mean().item(),
            "confident-real": self._confident(real_probabilities).double().mean().item(),
        }
        shares = torch.bincount(named, minlength=len(evidence.dataset.classes)).double() / len(named)
        if evidence.label is None:
            values["classes"] = float(len(set(named[self._confident(probabilities)].tolist())))
            values["smallest-share"] = shares.min().item()
        if evidence.asked is not None:
            values["label-accuracy"] = (named == evidence.asked).double().mean().item()
        values["fd-classifier"] = frechet_distance(features, real_features)
        named_shares = dict(zip(evidence.dataset.classes, shares.tolist(), strict=True))
        caution = _caution(classifier)
        said = {"caution": caution} if caution else {}
        return Scores(values, reference=len(held_out), classifier=_facts(classifier), shares=named_shares, **said)

    @staticmethod
    def probabilities(dataset: DataItems, images: Tensor, report: Report) -> Tensor:
        """What `Evidence.probabilities` gives: [N, classes] for images [N, C, H, W] or sounds [N, C, L]."""
        return trained_classifier(dataset, report).network.judge(images)[1]

    def _confident(self, probabilities: Tensor) -> Tensor:
        return probabilities.max(1).values > self.threshold


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Squared Fréchet distance of the normal distributions fitted to two clouds [N, D] and [M, D].

    |mean a - mean b|² + trace(A + B - 2 (A^½ B A^½)^½) with covariances A and B, in float64: Dowson and Landau 1982.
    """
    a, b = a.double(), b.double()
    cov_a, cov_b = a.T.cov(), b.T.cov()
    values, vectors = torch.linalg.eigh(cov_a)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    shared = torch.linalg.eigvalsh(root @ cov_b @ root).clamp_min(0).sqrt().sum()
    distance = (a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * shared
    return max(0.0, float(distance))


def _caution(classifier: Trained) -> str:
    """What to bear in mind of its figures; "" for a classifier that can be relied on."""
    faults = []
    if classifier.accuracy < ACCURATE:
        faults.append(f"names only {classifier.accuracy:.1%} of held-out items rightly")
    if classifier.held_out < ENOUGH:
        faults.append(f"was tried on {classifier.held_out:,} held-out items alone")
    return f"the classifier behind these scores {' and '.join(faults)}." if faults else ""


def _facts(classifier: Trained) -> dict[str, object]:
    return {
        "accuracy": classifier.accuracy,
        "training": classifier.training,
        "held_out": classifier.held_out,
        "sha256": classifier.sha256,
    }
