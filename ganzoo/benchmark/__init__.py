"""How fast an architecture trains here."""
