"""A million alike oddities make one finding, with a few examples."""

from __future__ import annotations

from ops.mapping.notes import Notes
from ops.outcome import Severity


def test_alike_notes_are_counted_and_a_few_examples_kept() -> None:
    notes = Notes()
    for number in range(20):
        notes.add("value-replaced", "projects.due_date", f"projects.json#{number}", "values were replaced")

    (finding,) = notes.findings()

    assert finding.what == "projects.due_date: values were replaced (20 times)."
    assert finding.where == "projects.json#0, projects.json#1, projects.json#2, projects.json#3, projects.json#4, ..."
    assert (finding.code, finding.severity) == ("value-replaced", Severity.WARNING)


def test_one_note_is_a_sentence_about_one_time() -> None:
    notes = Notes()
    notes.add("orphan-record", "task_comments", "a.json#0", "records are orphans", next_step="Look.")

    (finding,) = notes.findings()

    assert (finding.what, finding.where, finding.next) == (
        "task_comments: records are orphans (1 time).",
        "a.json#0",
        "Look.",
    )


def test_the_worst_comes_first_and_subjects_are_kept_apart() -> None:
    notes = Notes()
    notes.add("b", "one", "x", "info", severity=Severity.INFO)
    notes.add("a", "two", "x", "warning")
    notes.add("a", "one", "x", "warning")
    notes.add("c", "one", "x", "error", severity=Severity.ERROR)

    assert [(finding.code, finding.what[:3]) for finding in notes.findings()] == [
        ("c", "one"),
        ("a", "one"),
        ("a", "two"),
        ("b", "one"),
    ]
    assert (notes.count("a"), notes.count("a", "two"), notes.count("z")) == (2, 1, 0)
