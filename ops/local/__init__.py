"""The embedded stack: a real PostgreSQL and an AWS emulator on loopback, behind the same contract as production."""
