"""The checks of every other kind of plugin."""
