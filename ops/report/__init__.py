"""The rehearsal's report: one JSON document for scripts and one self-contained page for people."""

from ops.report.document import write_report

__all__ = ["write_report"]
