"""Sheets of samples."""
