"""Sheets, plots and movies of samples."""
