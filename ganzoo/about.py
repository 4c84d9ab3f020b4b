"""What this package is called and which version of it this is."""

__version__ = "0.1.0"
DISTRIBUTION = "ganzoo"  # what pip calls it: pyproject's `name`, and what plugins depend on
