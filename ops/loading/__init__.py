"""How rows get into the database: COPY, bare tables and their rebuilding, convergence, the archive, the ledger."""
