"""Train, resume, extend."""
