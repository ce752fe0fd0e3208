"""The rehearsal's report: one JSON document for scripts and one self-contained page for people."""

from ops.report.document import prepare_directory, write_report

__all__ = ["prepare_directory", "write_report"]
