"""What GANs that translate between two domains share. There is nothing to list: `ganzoo.api` has its names."""
