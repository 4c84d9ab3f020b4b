"""The checks of an architecture."""
