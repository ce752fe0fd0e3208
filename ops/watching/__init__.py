"""What is watched: metrics, when they are wrong, and who is told. :mod:`ops.signals` gathers it."""
