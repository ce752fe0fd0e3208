"""The rehearsal: the whole plan on one machine, in a database of its own, with a proof for each step."""
