"""Scores of a model against the data it was trained on."""
