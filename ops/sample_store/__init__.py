"""Make a FluxStudio file store out of nothing, and go on writing it as the running application does.

It writes what the application's own programs would have written, of every age and in every shape (sections 1, 3 and 4
of the format document), so that anyone can try every command without real data. It shares no code with the reader of
stores: a misunderstanding must not be able to cancel itself out.
"""

from __future__ import annotations

from ops.sample_store.application import StoreChanges, go_on_writing
from ops.sample_store.damage import DAMAGES
from ops.sample_store.store import StoreSummary, write_store

__all__ = ["DAMAGES", "StoreChanges", "StoreSummary", "go_on_writing", "write_store"]
