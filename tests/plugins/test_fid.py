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


def dino_weights(width: int = 128, depth: int = 2, side: int = 16) -> dict[str, torch.Tensor]:
    """Tensors of the layout of the authors' files, drawn at random, by their names."""
    shapes = {"cls_token": (1, 1, width), "mask_token": (1, width), "pos_embed": (1, 1 + side**2, width)}
    shapes |= {"patch_embed.proj.weight": (width, 3, 14, 14), "patch_embed.proj.bias": (width,)}
    for block in range(depth):
        for name, rows, columns in (
            ("attn.qkv", 3 * width, width), ("attn.proj", width, width), ("mlp.fc1", 4 * width, width),
            ("mlp.fc2", width, 4 * width),
        ):  # fmt: skip
            shapes |= {f"blocks.{block}.{name}.weight": (rows, columns), f"blocks.{block}.{name}.bias": (rows,)}
        for name in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias", "ls1.gamma", "ls2.gamma"):
            shapes[f"blocks.{block}.{name}"] = (width,)
    shapes |= {"norm.weight": (width,), "norm.bias": (width,)}
    random = torch.Generator().manual_seed(0)
    return {name: 0.2 * torch.randn(shape, generator=random) for name, shape in shapes.items()}


def test_dinov2_is_torchvisions_transformer_with_scales():
    """torchvision's has no scales: here they are multiplied into the layers before them."""
    from functools import partial

    from ganzoo_fid.dinov2 import DINOv2
    from torchvision.models import VisionTransformer

    weights, norm = dino_weights(), partial(torch.nn.LayerNorm, eps=1e-6)
    other = VisionTransformer(224, 14, 2, 2, 128, 512, norm_layer=norm).eval()
    named = {"class_token": weights["cls_token"], "encoder.pos_embedding": weights["pos_embed"]}
    named |= {f"conv_proj.{each}": weights[f"patch_embed.proj.{each}"] for each in ("weight", "bias")}
    for each in ("weight", "bias"):
        named[f"encoder.ln.{each}"] = weights[f"norm.{each}"]
        for block in range(2):
            ours, theirs = f"blocks.{block}", f"encoder.layers.encoder_layer_{block}"
            for number in (1, 2):
                named[f"{theirs}.ln_{number}.{each}"] = weights[f"{ours}.norm{number}.{each}"]
            scales = [weights[f"{ours}.ls{number}.gamma"] for number in (1, 2)]
            scales = [scale[:, None] if each == "weight" else scale for scale in scales]
            named[f"{theirs}.self_attention.in_proj_{each}"] = weights[f"{ours}.attn.qkv.{each}"]
            named[f"{theirs}.self_attention.out_proj.{each}"] = scales[0] * weights[f"{ours}.attn.proj.{each}"]
            named[f"{theirs}.mlp.0.{each}"] = weights[f"{ours}.mlp.fc1.{each}"]
            named[f"{theirs}.mlp.3.{each}"] = scales[1] * weights[f"{ours}.mlp.fc2.{each}"]
    other.heads = torch.nn.Identity()
    other.load_state_dict(named)
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(DINOv2.of(weights)(images), other(images), atol=1e-4)


def test_dinov2s_positions_on_another_grid():
    """The authors' files have 37x37, an image of 224x224 has 16x16: a ramp stays one, but for the filter's waves."""
    from ganzoo_fid.dinov2 import DINOv2

    network = DINOv2(64, 0, 14, 37)
    assert network.positions(37, 37) is network.pos_embed
    rows = torch.arange(37.0).view(37, 1).expand(37, 37)
    network.pos_embed.data[0, 1:] = rows.reshape(-1, 1)
    found = network.positions(16, 16)[0, 1:, 0].view(16, 16)
    step = 37 / 16.1
    assert torch.allclose(found[2:14], ((torch.arange(2, 14) + 0.5) * step - 0.5)[:, None].expand(-1, 16), atol=0.1)


def test_distances_in_dinov2s_features(finished_copy, tmp_path):
    from ganzoo import evaluate
    from ganzoo.errors import GanzooError

    file = tmp_path / "dinov2_vits14.pth"
    torch.save(dino_weights(64, 1, 3), file)
    found = {each["name"]: each for each in evaluate(finished_copy, [f"fid:dinov2={file}"], samples=12)}
    assert {*found} == {f"{name}-dinov2-vits14" for name in ("fd", "kd", "precision", "recall", "density", "coverage")}
    protocol = found["fd-dinov2-vits14"]["protocol"]
    assert (protocol["resize"], protocol["features"]) == ("clean", "dinov2-vits14")
    assert protocol["caution"].startswith("A distance of 12 samples")
    hashed = f"fid:dinov2={file},sha256={protocol['sha256']},resize=legacy"
    (again, *_) = evaluate(finished_copy, [hashed], samples=12)
    assert again["protocol"]["resize"] == "legacy"
    assert again["value"] != found["fd-dinov2-vits14"]["value"]
    with pytest.raises(UsageError, match=r"The SHA-256 of .*dinov2_vits14\.pth is "):
        evaluate(finished_copy, [f"fid:dinov2={file},sha256=00"], samples=12)
    with pytest.raises(UsageError, match="one at a time"):
        evaluate(finished_copy, [f"fid:dinov2={file},inception={file}"], samples=12)
    torch.save({"patch_embed.proj.weight": torch.zeros(64, 3, 14, 14)}, file)
    with pytest.raises(GanzooError, match=r"dinov2_vits14\.pth has no weights of a DINOv2"):
        evaluate(finished_copy, [f"fid:dinov2={file}"], samples=12)
