"""What people in the sample company are called, and what they write. All invented; all domains are reserved ones."""

from __future__ import annotations

import unicodedata

from ops.sample_store.chance import Chance

GIVEN_NAMES = (
    *("Ada", "Björn", "Carmen", "Dara", "Émile", "Femi", "Greta", "Hana", "Ibrahim", "Jörg", "Kaya", "Lior"),
    *("Malika", "Nuno", "Oisín", "Priya", "Quentin", "Rosa", "Søren", "Tove", "Uma", "Vera", "Wen", "Zoë"),
)
FAMILY_NAMES = (
    *("Brightwater", "Cadenza", "Drumlin", "Eastbrook", "Fermata", "Glissando", "Hollowell", "Ironwood"),
    *("Júnípero", "Kettledrum", "Lindgrove", "Müllerton", "Northfold", "O'Marsh", "Pärnwald", "Quickstep"),
)
NAMES_IN_OTHER_SCRIPTS = ("李 雷", "山田", "Ольга Примерова", "مثال اسم", "Νίκη Δείγμα", "예시 이름")
MAIL_DOMAINS = ("drumline.example.test", "northside.test", "studio.example", "Brass.Example.Test")

TEAM_NAMES = (
    *("Drumline Design", "Northside Band", "R&B Section", "O'Marsh <Percussion>", "Colour Guard", "Étude Staff"),
    *("Stage & Props", "打楽器チーム", 'The "A" Line', "Visual/Drill", "Brass ♯1", "Winter Guard"),
)
PROJECT_NAMES = (
    *("Spring Show & Tour", "Indoor Season", "Finals <2025>", "Backdrop/Props refit", "R&B Halftime", "Été Brass"),
    *("O'Marsh Memorial Concert", 'Uniforms "Nightfall"', "Parade\\Field rewrite", "Drill `Act II`", "雪の行進"),
    *("Percussion Ensemble", "Homecoming", "Winter Tour", "Visual Identity", "Staging Study"),
)
VERBS = ("Sketch", "Review", "Approve", "Rework", "Order", "Rehearse", "Photograph", "Measure", "Paint", "Book")
THINGS = (
    *("A/B variants", "the backdrop", "props & flags", "the drill book", "page 12", "uniform samples", "storyboard"),
    *('"Act I" staging', "percussion score", "the bus", "colour proofs", "<ramp> drawings", "guard's silks"),
)
MILESTONES = (
    "Concept signed off",
    "First run-through",
    "Drill complete",
    "Props & sets delivered",
    "Premiere",
    "Review",
)
OPENINGS = (
    "Hi all,",
    "Quick one:",
    "FYI",
    "@all",
    "Morning!",
    "Re:",
    "Update —",
    "Ça y est:",
    "OK 👍",
    "Draft <b>v2</b>:",
)
CLOSINGS = (
    *("thoughts?", "please look before Friday.", "thanks & see you at 5.", "done ✅", "not sure about this…", "🎺🥁"),
    *('it\'s "final" now.', "path is C:\\props\\new", "see https://files.example.test/a?b=1&c=2", "weiß jemand mehr?"),
)
FILE_STEMS = (
    *("floor plan", "Übung", "score_v2", "drill-book", "Entwürfe für März", "invoice", "スケッチ", "stage photo (1)"),
    *("été", "run_through", "props&flags", "colour proof"),
)

# Dates the application's non-strict ISO 8601 check lets through (format document, 1.3.3).
LENIENT_DATES = (
    *("2025", "2025-10", "2025-W44", "2025-W44-4", "2025-303", "20251030", "2025-10-30T10", "2025-10-30T10:30"),
    *("2025-10-30 10:30", "2025-02-30", "2025-10-30T24:00", "2025-10-30T10:30:00,5Z", "2025-10-30T10:30:00+05"),
    *("+2025-10-30", ""),
)

# Text that a database cannot hold as it is, or that is easily mistaken (format document, 1.0).
NUL_TEXT = "pasted from the old tool:\x00 end"
LONE_SURROGATE_TEXT = "cut after sixteen \ud83d"
CONTROL_TEXT = "tab\there, bell\x07, escape\x1b[0m, form\ffeed, back\bspace, line\r\nend, delete\x7f, separator\u2028."


def full_name(chance: Chance) -> str:
    """Draw a person's name; a few are in other scripts."""
    if chance.one_in(12):
        return chance.choose(NAMES_IN_OTHER_SCRIPTS)
    return f"{chance.choose(GIVEN_NAMES)} {chance.choose(FAMILY_NAMES)}"


def mailbox(name: str) -> str:
    """Make the local part of an address of a name: plain ASCII, the apostrophe kept."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return ".".join(plain.lower().split()) or "member"


def task_title(chance: Chance) -> str:
    """Draw the title of a task as its author typed it."""
    return f"{chance.choose(VERBS)} {chance.choose(THINGS)}"


def sentence(chance: Chance) -> str:
    """Draw one message as its author typed it."""
    return f"{chance.choose(OPENINGS)} {task_title(chance).lower()} — {chance.choose(CLOSINGS)}"


def paragraph(chance: Chance, sentences: int) -> str:
    """Draw several sentences on lines of their own."""
    return "\n".join(sentence(chance) for _ in range(sentences))
