"""`ganzoo bench` measures what it says; how fast is nobody's test."""

from __future__ import annotations

import pytest

import ganzoo

TINY = {"rounds": 1, "steps": 1, "batch_size": 4, "resolution": 32, "width_g": 4, "width_d": 4}


def test_it_times_both(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = ganzoo.bench("dcgan", "digits:images=32", against="plain", **TINY)
    assert result.images_per_second > 0
    assert result.ratio == pytest.approx(result.images_per_second / result.plain_images_per_second)
    assert result.protocol["against"] == "plain"
    assert result.flops_per_image > 0
    assert not list(tmp_path.iterdir())


def test_bad_options_are_said_by_the_contender(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ganzoo.UsageError, match="did you mean hinge"):
        ganzoo.bench("dcgan", "digits:images=32", loss="hing", **TINY)
