"""The scores' maths against values found another way, in float64, and what `evaluate` makes of runs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from ganzoo_scores import classifier
from ganzoo_scores.classifier import trained_classifier
from ganzoo_scores.classifier_metrics import ByClassifier, frechet_distance
from ganzoo_scores.ms_ssim import Similarity, ms_ssim, scales_of
from ganzoo_scores.nearest_neighbours import NearestTraining, nearest
from ganzoo_scores.swd import SlicedWasserstein
from PIL import Image
from support.command_line import as_json, cli, refusal
from support.runs import At, assert_same_end, interrupt

import ganzoo
from ganzoo import data
from ganzoo.contract.metric import Evidence
from ganzoo.data.dataset import Packed, Part
from ganzoo.errors import UsageError
from ganzoo.files import home
from ganzoo.loop.display import Display
from ganzoo.loop.validation import split_specs
from ganzoo.runs import checkpoint
from ganzoo.runs.per_class import PerClass
from ganzoo.scoring.evaluator import Evaluator, classify, judged_data


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


# ---- Fréchet distance ------------------------------------------------------------------------------------------------


def test_frechet_distance_of_diagonal_normals_is_the_closed_form():
    """Points at ±s along each axis have a diagonal covariance: the distance is |m|² + Σ (s_i - t_i)²."""
    s, t = np.array([1.0, 2.0, 0.5]), np.array([3.0, 0.1, 0.5])
    mean = np.array([0.5, -1.0, 2.0])

    def cloud(scale: np.ndarray) -> np.ndarray:
        points = np.concatenate([np.diag(scale), -np.diag(scale)])
        return points * math.sqrt((len(points) - 1) / 2)  # so that the unbiased variance is scale²

    found = frechet_distance(torch.from_numpy(cloud(s)), torch.from_numpy(cloud(t) + mean))
    assert found == pytest.approx(np.sum(mean**2) + np.sum((s - t) ** 2), rel=1e-10)


def test_frechet_distance_is_the_trace_of_the_products_root():
    """The other route: eigenvalues of the product of the covariances, which is not symmetric, by numpy."""
    generator = np.random.default_rng(0)
    a = generator.normal(size=(60, 5)) @ generator.normal(size=(5, 5))
    b = generator.normal(size=(90, 5)) @ generator.normal(size=(5, 5)) + 1
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    roots = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).real)
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(cov_a) + np.trace(cov_b) - 2 * roots.sum()
    assert frechet_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_a_collapsed_generator_is_finite():
    real = noise(50, 8)
    one = torch.zeros(50, 8)
    expected = real.double().mean(0).square().sum() + real.double().var(0).sum()
    assert frechet_distance(one, real) == pytest.approx(expected.item(), rel=1e-9)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)


# ---- MS-SSIM ---------------------------------------------------------------------------------------------------------


def slow_ms_ssim(a: np.ndarray, b: np.ndarray, scales: int) -> float:
    """One channel [H, W] in [0, 1], place by place, in float64."""
    window = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(window, window) / np.outer(window, window).sum()
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:scales]
    result = 1.0
    for scale, weight in enumerate(weights / weights.sum()):
        if scale:
            a, b = (z.reshape(z.shape[0] // 2, 2, z.shape[1] // 2, 2).mean((1, 3)) for z in (a, b))
        terms = []
        for y in range(a.shape[0] - 10):
            for x in range(a.shape[1] - 10):
                p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
                mp, mq = (window * p).sum(), (window * q).sum()
                vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
                cov = (window * (p - mp) * (q - mq)).sum()
                term = (2 * cov + 9e-4) / (vp + vq + 9e-4)
                if scale == scales - 1:
                    term *= (2 * mp * mq + 1e-4) / (mp**2 + mq**2 + 1e-4)
                terms.append(term)
        result *= max(0.0, np.mean(terms)) ** weight
    return result


def test_ms_ssim_is_that_of_a_plain_loop():
    a, b = noise(2, 3, 44, 48), noise(2, 3, 44, 48, seed=1)
    b = 0.7 * a + 0.3 * b  # alike enough that no term is cut off at 0
    assert scales_of(a) == 3
    found = ms_ssim(a, b)
    for n in range(2):
        pairs = [(a[n, c].double().numpy() / 2 + 0.5, b[n, c].double().numpy() / 2 + 0.5) for c in range(3)]
        assert found[n].item() == pytest.approx(np.mean([slow_ms_ssim(p, q, 3) for p, q in pairs]), rel=1e-4)


def test_ms_ssim_of_one_image_many_times_is_1_and_less_with_variety():
    one = noise(1, 1, 16, 16).expand(20, 1, 16, 16)
    values = Similarity()(Evidence(noise(20, 1, 16, 16, seed=2), one))
    assert values["ms-ssim"] == pytest.approx(1, abs=1e-5)
    assert values["ms-ssim-real"] < 0.3
    assert values.protocol == {"scales": 1, "pairs": 10}
    with pytest.raises(UsageError, match="images of 11 pixels"):
        Similarity()(Evidence(noise(4, 1, 8, 8), noise(4, 1, 8, 8)))


def test_scales_are_as_many_as_hold_the_window():
    assert [scales_of(torch.zeros(1, 1, side, side)) for side in (10, 11, 28, 32, 64, 128, 256, 512)] == [
        0, 1, 2, 2, 3, 4, 5, 5,
    ]  # fmt: skip


# ---- sliced Wasserstein distance -------------------------------------------------------------------------------------


def test_swd_of_one_level_is_that_of_sorted_projections():
    """A 16-pixel image has one level; all of it again in numpy and float64, but for the random places."""
    from ganzoo_scores.swd import _descriptors

    from ganzoo.contract.randomness import stream

    real, fake = noise(6, 2, 16, 16), noise(6, 2, 16, 16, seed=3) ** 3
    found = SlicedWasserstein(patches=5, directions=9)(Evidence(real, fake, seed=4))["swd-16"]
    random = stream(4, "patches", 16)
    top, left = (torch.randint(10, (30,), generator=random).tolist() for _ in range(2))
    axes = torch.randn(9, 98, generator=stream(4, "directions")).double().numpy()
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    clouds = []
    for images in (real, fake):
        whole = images.double().numpy()
        patches = np.stack([whole[i // 5, :, top[i] : top[i] + 7, left[i] : left[i] + 7] for i in range(30)])
        patches = patches - patches.mean((0, 2, 3), keepdims=True)
        patches /= patches.std((0, 2, 3), keepdims=True)
        clouds.append(patches.transpose(0, 2, 3, 1).reshape(30, -1))
    projected = [np.sort(axes @ cloud.T, axis=1) for cloud in clouds]
    assert found == pytest.approx(1000 * np.abs(projected[0] - projected[1]).mean(), rel=1e-5)
    assert _descriptors(real, 5, 4).numpy() == pytest.approx(clouds[0], abs=1e-5)


# ---- nearest training images -----------------------------------------------------------------------------------------


def part_of(images: torch.Tensor, labels: torch.Tensor | None = None) -> Part:
    """A part of a data set in memory, from bytes [N, H, W, C]."""
    return Part(Packed(images, torch.device("cpu")), torch.arange(len(images)), labels)


def bytes_of(count: int, side: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, side, side, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_the_nearest_are_those_of_all_distances(monkeypatch):
    monkeypatch.setattr("ganzoo_scores.nearest_neighbours.PIECE", 7)
    training, queries = part_of(bytes_of(30)), noise(4, 1, 8, 8)
    everything = training.gather(torch.arange(30)).double().numpy().reshape(30, -1)
    each = queries.double().numpy().reshape(4, -1)
    expected = np.sqrt(((each[:, None] - everything[None]) ** 2).mean(2))
    distances, places = nearest(queries, training, 3)
    assert distances.numpy() == pytest.approx(np.sort(expected, 1)[:, :3], rel=1e-4)
    assert (places.numpy() == np.argsort(expected, 1)[:, :3]).all()


def test_a_copying_generator_is_found_out(tmp_path, digits):
    training, held_out = digits.split()
    places = torch.tensor([3, 50, 90])
    copies, strangers = training.gather(places), held_out.gather(torch.arange(3))
    values = NearestTraining()(Evidence(strangers, copies, dataset=digits, folder=tmp_path))
    assert values["nearest"] == pytest.approx(0, abs=1e-3)
    assert values["nearest-real"] > 0.1
    assert values.protocol == {"searched": 300, "held_out": 60, "side": 16}
    with Image.open(tmp_path / "nearest.png") as picture:
        assert picture.size == (6 * 18 + 2, 3 * 18 + 2)
        rows = np.asarray(picture).astype(int)
    for row in range(3):  # each sample, and beside it the image that it copies
        sample, beside = (rows[2 + 18 * row :, 2 + 18 * column :][:16, :16] for column in (0, 1))
        assert (sample == beside).all()


# ---- the classifier --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.prepare("digits:images=360", resolution=(16, 16), channels=1)


@pytest.fixture(scope="module")
def judged(digits) -> classifier.Trained:
    return trained_classifier(digits)


def test_the_split_is_the_same_each_time_and_nothing_is_in_both(digits):
    (training, held_out), (again, _) = digits.split(), digits.split()
    assert (len(training), len(held_out)) == (300, 60)
    assert torch.equal(training.gather(torch.arange(300)), again.gather(torch.arange(300)))
    every = torch.cat([part.gather(torch.arange(len(part))) for part in (training, held_out)]).flatten(1)
    whole = digits.parts["train"].gather(torch.arange(360)).flatten(1)
    assert sorted(map(tuple, every.tolist())) == sorted(map(tuple, whole.tolist()))
    ones = training.labelled(1)
    assert 0 < len(ones) < 300
    assert set(ones.labels.tolist()) == {1}


def test_it_learns_the_labels(digits, judged):
    _, held_out = digits.split()
    images = held_out.gather(torch.arange(60))
    features, probabilities = judged.network.judge(images)
    right = (probabilities.argmax(1) == held_out.labels).double().mean().item()
    assert judged.accuracy == right > 0.9
    assert features.shape == (60, 128)
    assert (judged.training, judged.held_out) == (300, 60)


def test_it_is_kept_and_made_alike(digits, judged, monkeypatch):
    def refuse(*_):
        raise AssertionError("it is trained again")

    with monkeypatch.context() as patch:
        patch.setattr(classifier, "_train", refuse)
        assert trained_classifier(digits).sha256 == judged.sha256
    monkeypatch.setattr(classifier, "EPOCHS", 2)
    monkeypatch.setattr(classifier, "_file", lambda _: home() / "classifiers" / "short.safetensors")
    sums = set()
    for seed in range(2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        sums.add(trained_classifier(digits).sha256)
        assert torch.equal(torch.get_rng_state(), before), "the shared stream is left alone"
        (home() / "classifiers" / "short.safetensors").unlink()
    assert len(sums) == 1


def test_another_size_or_other_data_has_its_own(digits):
    others = [
        data.prepare("digits:images=360", resolution=(20, 20), channels=1),
        data.prepare("digits:images=360", resolution=(16, 16), channels=3),
        data.prepare("digits:images=360,seed=1", resolution=(16, 16), channels=1),
    ]
    assert len({classifier._file(each) for each in [digits, *others]}) == 4


@pytest.mark.parametrize(("side", "seen"), [(8, 32), (9, 26), (16, 32), (17, 16), (20, 20), (28, 28), (64, 32)])
def test_small_images_are_enlarged_and_large_ones_averaged(side, seen):
    network = classifier.Classifier((1, side, side), 3).eval()
    plain = torch.full((2, 1, side, side), 0.25)
    assert network.look(plain).shape == (2, 1, seen, seen)
    torch.testing.assert_close(network.look(plain), plain[:, :, :1, :1].expand(2, 1, seen, seen))
    assert network(plain).shape == (2, 3)


def test_scores_of_real_images_and_of_a_collapsed_generator(digits, judged):
    _, held_out = digits.split()
    real = held_out.gather(torch.arange(60))
    good = ByClassifier()(Evidence(real, real, asked=held_out.labels, dataset=digits))
    assert good["label-accuracy"] == pytest.approx(judged.accuracy)
    assert good["confident"] == good["confident-real"]
    assert good["fd-classifier"] == pytest.approx(0, abs=1e-3)
    assert good["classes"] == 10
    assert good.protocol["classifier"]["sha256"] == judged.sha256
    assert sum(good.protocol["shares"].values()) == pytest.approx(1)
    _, probabilities = judged.network.judge(real)
    clearest = real[probabilities.max(1).values.argmax()]
    bad = ByClassifier()(Evidence(real, clearest.expand(20, 1, 16, 16), dataset=digits))
    assert (bad["classes"], bad["smallest-share"]) == (1, 0)
    assert bad["fd-classifier"] > 10
    assert "label-accuracy" not in bad
    doubtful = ByClassifier(threshold=1.0)(Evidence(real, real, dataset=digits))
    assert (doubtful["confident"], doubtful["classes"]) == (0, 0)


def test_a_metric_may_ask_the_classifier(digits, judged):
    _, held_out = digits.split()
    images = held_out.gather(torch.arange(len(held_out)))
    evidence = Evidence(images, images, dataset=digits, classify=classify)
    assert torch.equal(evidence.probabilities(images), judged.network.judge(images)[1])
    with pytest.raises(UsageError, match="A classifier needs a data set of images with labels"):
        Evidence(images, images).probabilities(images)


def test_a_metric_is_told_the_latents(finished):
    model = ganzoo.load(finished.path)
    evidence, _ = Evaluator(["swd"], samples=8).evidence(model, judged_data(model.header.data, "run"))
    assert evidence.z.shape == (8, model.architecture.latent_dim)
    assert torch.equal(model.generate(evidence.z), evidence.fake)


def test_a_model_of_one_label_is_compared_with_that_label(digits):
    _, held_out = digits.split()
    threes = held_out.labelled(3)
    images = threes.gather(torch.arange(len(threes)))
    asked = torch.full((len(threes),), 3)
    values = ByClassifier()(Evidence(images, images, asked=asked, dataset=digits, label=3))
    assert values["fd-classifier"] == pytest.approx(0, abs=1e-3)
    assert "classes" not in values
    assert values.protocol["reference"] == len(threes)


def test_sounds_are_judged_by_their_spectrograms():
    time = torch.arange(4096) / 8000
    sounds = torch.stack([torch.sin(2 * torch.pi * 1000 * time), torch.zeros(4096)])[:, None]
    pictures = classifier.spectrograms(sounds)
    assert pictures.shape[:3] == (2, 1, 128)
    assert pictures[0, 0].mean(1).argmax() == 1000 * classifier.WINDOW // 8000 - 1
    assert pictures[0, 0, :, 10].max().item() == pytest.approx(1, abs=1e-3)
    assert pictures[1].eq(-1).all()
    network = classifier.Classifier((1, 4096), 8).eval()
    assert network.look(sounds).shape == (2, 1, 64, 32)
    assert network(sounds).shape == (2, 8)
    with pytest.raises(UsageError, match="sounds of 256 samples or more"):
        classifier.Classifier((1, 255), 8)


def test_the_classifier_learns_the_kinds_of_tones(monkeypatch):
    monkeypatch.setattr(classifier, "EPOCHS", 8)
    tones = data.prepare("tones:images=360,length=1024")
    held_out = tones.split()[1]
    sounds = held_out.gather(torch.arange(len(held_out)))
    values = ByClassifier()(Evidence(sounds, sounds, asked=held_out.labels, dataset=tones))
    assert values["label-accuracy"] > 0.5, "an eighth of them by chance"
    assert values["fd-classifier"] == pytest.approx(0, abs=1e-3)


def test_noise_is_nothing_certain(judged):
    """What an untrained generator makes; a classifier that learned labels alone calls it one of them."""
    generator = torch.Generator().manual_seed(2)
    for coarse in (4, 16):
        cloud = torch.randn(40, 1, coarse, coarse, generator=generator)
        images = torch.nn.functional.interpolate(cloud, size=16, mode="bilinear").clamp(-1, 1)
        _, probabilities = judged.network.judge(images)
        assert (probabilities.max(1).values > 0.9).float().mean() < 0.1


def test_what_cannot_be_judged_is_said():
    with pytest.raises(UsageError, match="need a data set of images or sounds with labels"):
        ByClassifier()(Evidence(noise(4, 1, 8, 8), noise(4, 1, 8, 8)))
    with pytest.raises(UsageError, match="need a data set of images"):
        NearestTraining()(Evidence(noise(4, 2), noise(4, 2)))
    with pytest.raises(UsageError, match="images of 8 pixels or more"):
        classifier.Classifier((1, 6, 8), 2)


# ---- runs ------------------------------------------------------------------------------------------------------------


def values_of(scores: list[dict]) -> dict[str, float]:
    return {score["name"]: score["value"] for score in scores if score["protocol"]["label"] is None}


def test_a_run_is_scored_and_the_scores_are_kept(train):
    run = train()
    scores = ganzoo.evaluate(run, samples=20)
    assert {"confident", "classes", "smallest-share", "fd-classifier", "nearest", "nearest-real"} == set(
        values_of(scores)
    ) - {"confident-real"}
    assert "label-accuracy" not in values_of(scores), "no label was asked for"
    protocol = scores[0]["protocol"]
    assert (protocol["samples"], protocol["real"], protocol["split"], protocol["seed"]) == (20, 20, "training", 0)
    assert (protocol["weights"], protocol["step"], protocol["model"]) == ("averaged", 4, "model.safetensors")
    assert (run.path / "nearest.png").exists()
    [row] = run.scores()
    assert (row["step"], row["images"], row["training"]) == (4, 64, False)
    assert row["metrics"] == scores
    printed = as_json(cli("evaluate", run.path / "model.safetensors", "--samples", "20", "--json"))
    assert printed["metrics"] == scores
    raw = train(out="raw", ema=0)
    assert ganzoo.evaluate(raw, ["nearest"], samples=5)[0]["protocol"]["weights"] == "raw"


def test_what_a_metric_prints_is_not_among_the_scores(train, monkeypatch):
    score = NearestTraining.__call__
    monkeypatch.setattr(NearestTraining, "__call__", lambda self, evidence: print("looking") or score(self, evidence))
    done = cli("evaluate", train().path, "--metric", "nearest", "--samples", "5", "--json")
    assert [each["name"] for each in as_json(done)["metrics"]] == ["nearest", "nearest-real"]
    assert "looking" in done.stderr


def test_a_model_is_compared_with_other_data(train):
    """More samples than it was trained on; what is said of training images is left out."""
    run = train(data="tiny:images=16")
    assert ganzoo.evaluate(run, ["classifier"], samples=40)[0]["protocol"]["samples"] == 16
    scores = ganzoo.evaluate(run, samples=40, against="tiny:images=60,seed=1")
    assert {score["protocol"]["metric"] for score in scores} == {"classifier"}
    protocol = scores[0]["protocol"]
    assert (protocol["data"], protocol["fingerprint"]) == ("tiny:images=60,seed=1", "tiny:60:1")
    assert (protocol["samples"], protocol["real"]) == (40, 40)
    printed = cli("evaluate", run.path, "--samples", "40", "--against", "tiny:images=60,seed=1")
    assert "40 samples against 40 items of tiny:images=60,seed=1" in printed.stdout
    with pytest.raises(UsageError, match="of the data that the model was trained on"):
        ganzoo.evaluate(run, ["nearest"], against="tiny:images=60,seed=1")
    with pytest.raises(UsageError, match="digits is not like tiny:images=16, which the model was trained on"):
        ganzoo.evaluate(run, against="digits")


def test_a_conditional_model_is_asked_for_labels(train):
    run = train(architecture="cgan", data="digits:images=360", resolution=16, channels=1, batch_size=8, steps=2)
    values = values_of(ganzoo.evaluate(run, ["classifier"], samples=40))
    assert 0 <= values["label-accuracy"] < 0.7, "it has hardly been trained"


def test_a_folder_of_models_is_scored_as_one_and_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = ganzoo.train_per_class("tinygan", "tiny", steps=2, samples=4, device="cpu", display=Display())
    scores = ganzoo.evaluate(whole, ["classifier"], samples=20)
    labels = [score["protocol"]["label"] for score in scores if score["name"] == "label-accuracy"]
    assert labels == [None, "even", "odd"]
    accuracy = [score["value"] for score in scores if score["name"] == "label-accuracy"]
    assert accuracy[0] == pytest.approx(sum(accuracy[1:]) / 2)
    assert [score["protocol"]["samples"] for score in scores if score["name"] == "confident"] == [20, 10, 10]
    assert scores[0]["protocol"]["model"] == "2 models"
    result = cli("evaluate", whole.path, "--metric", "classifier", "--samples", "20")
    assert result.exit_code == 0, result.output
    assert "odd" in result.stdout
    unfinished = PerClass(Path("none"), whole.header)
    Path("none").mkdir()
    (Path("none") / "classes.json").write_bytes((whole.path / "classes.json").read_bytes())
    with pytest.raises(UsageError, match="has no model of even yet"):
        ganzoo.evaluate(unfinished)


# ---- while training --------------------------------------------------------------------------------------------------


def test_scoring_changes_nothing_and_is_what_evaluate_says(train):
    plain = train(out="plain", steps=6)
    scored = train(out="scored", steps=6, evaluate_every=32, keep_best="fd-classifier", evaluate="classifier,nearest")
    ours, theirs = (checkpoint.load(run.checkpoints()[-1])[0] for run in (plain, scored))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    rows = [row for row in scored.scores() if row["training"]]
    assert [row["step"] for row in rows] == [2, 4, 6]
    logged = [row for row in scored.metrics() if "score/fd-classifier" in row]
    assert [row["step"] for row in logged] == [2, 4, 6]
    assert not any("loss/D" in row for row in logged)
    final = ganzoo.evaluate(scored, ["classifier", "nearest"])
    assert rows[-1]["metrics"] == final
    series = [values_of(row["metrics"])["fd-classifier"] for row in rows]
    best = checkpoint.read_facts(scored.best_file)
    assert (best["score"]["name"], best["score"]["value"], best["score"]["better"]) == (
        "fd-classifier", min(series), "smaller",
    )  # fmt: skip
    assert best["step"] == [2, 4, 6][series.index(min(series))]
    again = values_of(ganzoo.evaluate(scored.best_file, ["classifier"]))
    assert again["fd-classifier"] == min(series)
    assert ganzoo.load(scored.best_file).sample(2).shape == (2, 3, 8, 8)


def test_resumed_it_keeps_the_same_scores_and_the_same_best(train):
    given = {"steps": 6, "evaluate_every": 32, "keep_best": "fd-classifier", "checkpoint_every": 3}
    undisturbed = train(out="undisturbed", **given)
    with pytest.raises(ganzoo.Stopped):
        train(out="stopped", **given, display=At(5, interrupt))
    for file in ganzoo.Run.open("stopped").checkpoints()[1:]:
        file.unlink()  # as if it had been killed after step 5, before its checkpoint
    resumed = ganzoo.resume("stopped", display=Display())
    assert_same_end(resumed, undisturbed)
    assert list(resumed.scores()) == list(undisturbed.scores())
    (a, a_facts), (b, b_facts) = (checkpoint.load(run.best_file) for run in (resumed, undisturbed))
    assert all(torch.equal(a[name], b[name]) for name in b)
    assert {**a_facts, "run": ""} == {**b_facts, "run": ""}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--keep-best", "swd"], "need --evaluate-every: say after how many images"),
        (["--evaluate", "nearest"], "need --evaluate-every"),
        (["--evaluate-every", "32", "--keep-best", "nearest"], "nearest is not a score that tells the better model"),
        (["--evaluate-every", "32", "--evaluate", "nearst"], "did you mean nearest?"),
        (["--evaluate-every", "32", "--keep-best", "label-accuracy"], "label-accuracy is no score of such a model"),
        (["--evaluate-every", "32", "--evaluate", "swd"], "needs images of 16 pixels"),
    ],
)
def test_what_cannot_be_scored_is_said_before_training(words, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert line in refusal(cli("train", "tinygan", "tiny", "--steps", "2", "--device", "cpu", *words))
    assert not Path("runs").exists()


def test_metrics_with_options_are_told_apart():
    assert split_specs("swd:patches=4,directions=8,classifier") == ["swd:patches=4,directions=8", "classifier"]
    assert split_specs("classifier,swd:patches=4") == ["classifier", "swd:patches=4"]
    assert split_specs("") == []
