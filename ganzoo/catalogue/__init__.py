"""What the installed plugins offer, each found, loaded and called by itself."""
