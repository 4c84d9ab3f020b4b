"""How long a training is where nobody says it, and what is said of one that is too short to learn."""

from __future__ import annotations

import pytest
from support.command_line import cli

from ganzoo.contract.settings import DEFAULT_EPOCHS, DEFAULT_IMAGES
from ganzoo.plan.plan import plan_run


@pytest.mark.parametrize(
    ("architecture", "data", "given", "length", "said"),
    [
        ("dcgan", "anime", {}, {"epochs": DEFAULT_EPOCHS}, False),
        ("dcgan", "anime:images=300", {}, {"images": 25_600}, True),  # what its card says
        ("dcgan", "anime:images=300", {"preset": "small"}, {"images": 25_600}, True),
        ("dcgan", "anime:images=300", {"epochs": 20}, {"epochs": 20}, False),
        ("dcgan", "digits", {"label": "3"}, {"images": 25_600}, True),  # of 8,192 digits a tenth
        ("dcgan", "digits", {"per_class": True}, {"images": 25_600}, True),  # as for one label
        ("fastgan", "anime:images=300", {}, {"images": DEFAULT_IMAGES}, True),  # whose card says nothing
        ("cyclegan", "anime-hair:images=300", {}, {"epochs": 200}, False),  # its author's own
        ("cyclegan", "anime-hair:images=300", {"preset": "small"}, {"images": 12_000}, False),
        ("tinygan", "tiny", {}, {"epochs": DEFAULT_EPOCHS}, False),
    ],
)
def test_a_small_data_set_is_trained_on_for_images_and_not_for_epochs(architecture, data, given, length, said):
    plan = plan_run(architecture, data, **given)
    assert [dict(stage.length) for stage in plan.stages] == [length]
    assert any("so it trains for" in note for note in plan.notes) == said


def test_what_is_too_short_to_learn_is_said_with_what_to_type(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def said(*words):
        output = cli("train", *words, "--resolution", "32", "--device", "cpu", "--dry-run").output
        return " ".join(output.split())

    assert (
        "This draws 640 images in all, and dcgan was seen to need 25,600 until what it makes is recognisable; "
        "--images 25600 trains for that many."
        in said("dcgan", "anime:images=64", "--preset", "small", "--epochs", "10")
    )
    assert "This draws 4,800 images in all" in said(  # five turns of the critic a step, each of 32
        "wgan-gp", "digits:images=64", "--preset", "small", "--n-critic", "5", "--steps", "30"
    )
    assert "This draws" not in said("dcgan", "anime:images=64", "--preset", "small", "--images", "40000")
    assert "10 epochs are 640 images here, so it trains for 25,600;" in said("dcgan", "anime:images=64")
