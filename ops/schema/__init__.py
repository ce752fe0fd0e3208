"""The parts of the migration runner."""
