"""Files on the web. The core's own card names it, so that addresses work whatever else is installed."""
