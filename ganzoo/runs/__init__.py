"""Run folders and model files: what is on disk, read and written."""
