"""A trained generator to use."""
