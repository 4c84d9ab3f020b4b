"""The training step of every architecture, and a run from its first step to its last."""
