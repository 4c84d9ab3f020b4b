"""What this package is called and which version of it this is."""

__version__ = "0.1.0"
DISTRIBUTION = "ganzoo"  # what pip calls it: pyproject's `name`, and what plugins depend on
ADDRESS = "git+https://github.com/OWNER/ganzoo"  # what pip installs it from; README, notebook and pages say the same
