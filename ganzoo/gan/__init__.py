"""What several architectures share: losses, penalties, layers, the common cases."""
