"""FID and its like: the arithmetic against torch-fidelity's and NumPy's, and the way there with a stand-in of the same
layout as the canonical weights, which cannot be fetched here."""

from __future__ import annotations

import numpy
import pytest
import torch
from ganzoo_fid.manifolds import density_coverage
from ganzoo_scores.classifier_metrics import frechet_distance

from ganzoo.errors import UsageError

fidelity = pytest.importorskip("torch_fidelity", reason="needs the extra fid")


def clouds(fake: int, real: int, features: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(count, features, generator=random) for count in (fake, real))
    return a @ torch.diag(torch.linspace(0.2, 2, features)) + 0.3, b


def features_of(cloud: torch.Tensor):
    from ganzoo_fid.metric import Features

    def network(images, resize):
        return images.flatten(1), images.flatten(1)

    return Features.of(network, cloud[:, :, None, None].split(7), "legacy", lambda *_: None, "")


@pytest.mark.parametrize(("count", "features"), [(20, 64), (100, 64), (876, 32), (2000, 16)])
def test_scores_are_torch_fidelitys_on_fixed_features(count, features):
    """With fewer images than features too, whose covariances are degenerate."""
    from ganzoo_fid.metric import scores
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    fake, real = clouds(count, count + 13, features)
    ours = scores(features_of(fake), features_of(real))
    stats = [fid_features_to_statistics(each.double()) for each in (fake, real)]
    fid = fid_statistics_to_metric(*stats, False)["frechet_inception_distance"]
    assert ours["fid"] == pytest.approx(fid, rel=1e-6)
    assert frechet_distance(fake, real) == pytest.approx(fid, rel=1e-4), "the one of fd-classifier is the same quantity"
    subset = min(1000, count)
    kid = kid_features_to_metric(fake, real, kid_subsets=100, kid_subset_size=subset, verbose=False)
    assert ours["kid"] == kid["kernel_inception_distance_mean"]
    splits = max(1, min(10, count // 10))
    assert ours["inception-score"] == isc_features_to_metric(fake, splits)["inception_score_mean"]
    manifold = prc_features_to_metric(fake, real, prc_neighborhood=3, save_cpu_ram=False, verbose=False)
    assert (ours["precision"], ours["recall"]) == (manifold["precision"], manifold["recall"])
    assert all(numpy.isfinite(value) for value in ours.values())


def test_features_that_do_not_vary_have_a_distance():
    from ganzoo_fid.metric import scores

    still = torch.ones(20, 8)
    assert scores(features_of(still), features_of(still + 1))["fid"] == pytest.approx(8.0)


def test_density_and_coverage_against_numpy():
    fake, real = clouds(150, 120, 6, seed=3)
    a, b = (each.double().numpy() for each in (fake, real))
    apart = numpy.sqrt(((b[:, None] - b[None]) ** 2).sum(2))
    radius = numpy.sort(apart, axis=1)[:, 5]  # the nearest is the image itself
    across = numpy.sqrt(((a[:, None] - b[None]) ** 2).sum(2))  # [fake, real]
    density = (across < radius).sum() / (5 * len(a))
    coverage = (across.min(0) < radius).mean()
    assert density_coverage(fake, real, 5) == pytest.approx((density, coverage))
    assert 0 < coverage < 1


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    """A file of weights of the same layout as the canonical ones, drawn at random."""
    from torch_fidelity import feature_extractor_inceptionv3 as layout

    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        patch.setattr(layout, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(layout.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = layout.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    file = tmp_path_factory.mktemp("weights") / "Stand In.pth"
    torch.save(network.state_dict(), file)
    return file


def test_another_files_distance_is_no_fid(finished_copy, stand_in, tmp_path):
    """The whole way: features, scores, their protocol; few images are cautioned about."""
    from ganzoo_fid.metric import Canonical

    from ganzoo import evaluate

    found = {each["name"]: each for each in evaluate(finished_copy, [f"fid:inception={stand_in}"], samples=12)}
    assert {*found} == {f"{name}-stand-in" for name in
                        ("fd", "kd", "inception-score", "precision", "recall", "density", "coverage")}  # fmt: skip
    protocol = found["fd-stand-in"]["protocol"]
    assert (protocol["resize"], protocol["samples"], protocol["features"]) == ("legacy", 12, "stand-in")
    assert "too large by what chance adds" in protocol["caution"]
    with pytest.raises(UsageError, match="no test part of its own"):
        evaluate(finished_copy, [f"fid:inception={stand_in},protocol=fid10k-test"], samples=12)
    assert Canonical().protocol == "samples"


def test_weights_that_are_none_are_refused(finished_copy, tmp_path):
    from ganzoo import evaluate
    from ganzoo.errors import GanzooError

    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(GanzooError, match=r"other\.pth has no weights of FID's Inception"):
        evaluate(finished_copy, [f"fid:inception={tmp_path / 'other.pth'}"], samples=12)
    with pytest.raises(UsageError, match="There is no file"):
        evaluate(finished_copy, ["fid:inception=nowhere.pth"], samples=12)


def test_it_is_left_out_unless_it_is_named(finished):
    from ganzoo.scoring.evaluator import Evaluator

    assert "fid" not in Evaluator().metrics
    assert "fid" in Evaluator(["fid"]).metrics
