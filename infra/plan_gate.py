"""Stops a change that would replace or delete what holds data, before anybody approves it by mistake.

Reads what ``pulumi preview --json --show-sames`` writes, and fails unless the label of a pull request, or the input of
a deployment, says that the loss is meant. What counts as one is in :mod:`infra.safeguards`. Policies are not judged
here: a preview in JSON does not name what they found.
"""

from __future__ import annotations

import argparse
import dataclasses
import enum
import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from infra.safeguards import PROTECTED_COMPONENTS, PROTECTED_KINDS, weakened
from ops.errors import EXIT_DONE, EXIT_REFUSED, EXIT_USAGE

LABEL: Final = "allow-replacement"
# What says the same of a deployment, which has no labels.
DEPLOYMENT_INPUT: Final = "allow_replacement"

# Operations as Pulumi's engine names them (pkg/resource/deploy/step.go).
_DELETES: Final = frozenset({"delete", "delete-replaced", "discard-replaced", "remove-pending-replace"})
_REPLACES: Final = frozenset({"replace", "create-replacement", "read-replacement", "import-replacement"})
_KEEPS: Final = frozenset({"same", "create", "update", "read", "refresh", "discard", "import", "diff"})
# Of those that keep a resource, the ones whose new state is what the program says.
_FOLLOWS_PROGRAM: Final = frozenset({"same", "update"})
# Options of a resource that keep it in AWS, as Pulumi's state names them.
_KEEPING_OPTIONS: Final = ("protect", "retainOnDelete")


class PlanError(ValueError):
    """What was given is not a plan that a preview wrote to its end."""


class Harm(enum.StrEnum):
    """What a step would do to a resource that must stay."""

    DELETED = "deleted"
    REPLACED = "replaced"
    UNPROTECTED = "no longer protected"
    WEAKENED = "less safe"


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a plan.

    ``dropped`` are the options of Pulumi's that kept the resource and no longer would; ``weaker`` are its inputs that
    would keep data less safe; ``reasons`` are the properties that force a replacement.
    """

    operation: str
    urn: str
    was_protected: bool
    dropped: tuple[str, ...] = ()
    weaker: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The resource's type, without those of the components around it."""
        return self._types[-1]

    @property
    def is_guarded(self) -> bool:
        """Whether it must neither go nor be made anew: by its kind, or by the component that it is in."""
        return self.was_protected or self.kind in PROTECTED_KINDS or bool({*self._types} & PROTECTED_COMPONENTS)

    @property
    def _types(self) -> list[str]:
        return self.urn.split("::")[2].split("$")

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.split("::", 3)[3]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a preview found: its steps, and the errors that kept it from finding more."""

    steps: tuple[Step, ...]
    errors: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Loss:
    """A resource that would not stay as safe as it is, and the properties because of which."""

    kind: str
    name: str
    harm: Harm
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        because = f", because of {', '.join(self.reasons)}" if self.reasons else ""
        return _in_one_line(f"{self.name} ({self.kind}) would be {self.harm.value}{because}.")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the gate says of a plan. A label excuses losses; nothing excuses a preview that failed."""

    losses: tuple[Loss, ...]
    errors: tuple[str, ...]
    is_labelled: bool

    @property
    def passes(self) -> bool:
        """Whether the change may go on."""
        return not self.errors and (self.is_labelled or not self.losses)


def read_plan(text: str) -> Plan:
    """Read the output of ``pulumi preview --json``.

    Raises:
        PlanError: it is no such output, or one that ended early.
    """
    try:
        document = json.loads(text, object_pairs_hook=_said_once)
        steps = tuple(_step(each) for each in document["steps"])
        errors = tuple(_errors(document))
    except PlanError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PlanError(f"The plan cannot be read as the output of pulumi preview --json: {error!r}.") from error
    if not steps:
        raise PlanError("The plan has no steps, not even the stack's own: the preview did not run to its end.")
    return Plan(steps, errors)


def read_labels(text: str) -> frozenset[str]:
    """Read the labels of a pull request.

    Raises:
        PlanError: they are no JSON list.
    """
    try:
        labels = json.loads(text)
    except ValueError as error:
        raise PlanError(f"--labels takes a JSON list of names, not {text!r}.") from error
    if not isinstance(labels, list):
        raise PlanError(f"--labels takes a JSON list of names, not {text!r}.")
    return frozenset(map(str, labels))


def judge(plan: Plan, labels: Collection[str] = ()) -> Verdict:
    """Say whether a plan may go on: what it would lose, and whether that was said to be meant."""
    worst: dict[str, Loss] = {}
    for step in plan.steps:
        if (harm := _harm(step)) is not None:
            # A replacement comes in several steps, one of which deletes; it is one loss, named for what it is.
            known = worst.get(step.urn)
            if known is None or harm is Harm.REPLACED:
                reasons = _reasons(step) or (known.reasons if known else ())
                worst[step.urn] = Loss(step.kind, step.name, harm, reasons)
    losses = tuple(sorted(worst.values(), key=lambda loss: (loss.kind, loss.name)))
    return Verdict(losses, plan.errors, LABEL in labels)


def describe(verdict: Verdict) -> str:
    """Say in Markdown what the gate found, for a summary that people read."""
    lines = [f"- {error}" for error in verdict.errors]
    lines += [f"- {loss}" for loss in verdict.losses]
    if verdict.errors:
        heading = "The preview failed; a plan that ends early says nothing about what would be lost."
    elif not verdict.losses:
        heading = (
            "Nothing that holds data or keeps it safe would be replaced, deleted, left unprotected or made less safe."
        )
    elif verdict.is_labelled:
        heading = f"Allowed. This loss is meant, says {LABEL} (a label) or {DEPLOYMENT_INPUT} (of a deployment):"
    else:
        heading = (
            f"Refused. If this loss is meant, somebody else adds the label {LABEL} to the pull request; "
            f"a deployment is started with {DEPLOYMENT_INPUT}:"
        )
    return "\n".join([f"**{heading}**", "", *lines]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the plan in a file, print the verdict, and answer with an exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.plan_gate", description=__doc__)
    parser.add_argument("plan", type=Path, help="file with the output of pulumi preview --json --show-sames")
    parser.add_argument("--labels", default="[]", help="what was said to be meant, as a JSON list of labels")
    given = parser.parse_args(arguments)
    try:
        verdict = judge(read_plan(given.plan.read_text(encoding="utf-8")), read_labels(given.labels))
    except UnicodeDecodeError:
        sys.stderr.write(f"{given.plan} is not UTF-8, as the output of pulumi preview --json is.\n")
        return EXIT_USAGE
    except (PlanError, OSError) as error:
        sys.stderr.write(_in_one_line(str(error)) + "\n")
        return EXIT_USAGE
    sys.stdout.write(describe(verdict))
    return EXIT_DONE if verdict.passes else EXIT_REFUSED


def _step(document: Mapping[str, Any]) -> Step:
    operation, urn = document["op"], document["urn"]
    if operation not in _DELETES | _REPLACES | _KEEPS:
        raise PlanError(f"{operation} is no operation that this gate knows, so it cannot say what would be lost.")
    if not urn.startswith("urn:pulumi:") or urn.count("::") < 3:
        raise PlanError(f"{urn} is no URN.")
    old, new = document.get("oldState") or {}, document.get("newState") or {}
    return Step(
        operation=operation,
        urn=urn,
        was_protected=bool(old.get("protect")),
        dropped=tuple(option for option in _KEEPING_OPTIONS if old.get(option) and not new.get(option)),
        weaker=_weaker(urn.split("::")[2].rpartition("$")[2], operation, old, new),
        reasons=tuple(map(str, document.get("replaceReasons") or ())),
    )


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # JSON keeps the last of two; what the first said must not be lost without a word.
    document = dict(pairs)
    if len(document) < len(pairs):
        raise PlanError("The plan says one thing twice, so it cannot be trusted.")
    return document


def _in_one_line(text: str) -> str:
    # A name from a plan must not add lines to a verdict, nor characters that no terminal can show.
    return " ".join(text.split()).encode("utf-8", "backslashreplace").decode("utf-8")


def _errors(document: Mapping[str, Any]) -> Iterator[str]:
    for diagnostic in document.get("diagnostics") or ():
        if diagnostic.get("severity") == "error":
            yield _in_one_line(str(diagnostic.get("message", "An error without words.")))
    if document.get("maybeCorrupt"):
        yield "The stack's state may be corrupt."


def _harm(step: Step) -> Harm | None:
    if step.is_guarded and step.operation in _DELETES:
        return Harm.DELETED
    if step.is_guarded and step.operation in _REPLACES:
        return Harm.REPLACED
    if step.operation not in _FOLLOWS_PROGRAM:
        return None
    if step.dropped:
        return Harm.UNPROTECTED
    return Harm.WEAKENED if step.weaker else None


def _reasons(step: Step) -> tuple[str, ...]:
    return step.reasons + ((*step.dropped, *step.weaker) if step.operation in _FOLLOWS_PROGRAM else ())


def _weaker(kind: str, operation: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    if operation == "update" and kind in PROTECTED_KINDS and not (old and new):
        return ("an update that the plan does not show",)
    return weakened(kind, old.get("inputs") or {}, new.get("inputs") or {})


if __name__ == "__main__":
    sys.exit(main())
