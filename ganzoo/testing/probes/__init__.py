"""Programs and tiny runs that the checks start and watch."""
