"""Layers and first weights that many GANs share. There is nothing to list: `ganzoo.api` has their names."""
