"""What ganzoo and a plugin promise each other."""
