"""Read ``policies/controls.toml``: every security control that was considered, and what became of it."""

from __future__ import annotations

import dataclasses
import enum
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ops import policy

PATH: Final = Path(__file__).with_name("policies") / "controls.toml"


class ControlsError(ValueError):
    """The list of controls is not what it has to be; the message names the control, the key and the accepted form."""


class Scope(enum.Enum):
    """Who keeps a control."""

    STACK = "S"
    ACCOUNT = "A"
    NOBODY = "N"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Control:
    """One control.

    ``also`` are the ids of the same requirement in another framework. A control of the stack says ``how`` it is kept,
    and names the ``rules`` of the policy pack that refuse a stack which does not keep it; ``tests`` prove what a rule
    cannot, as ``<file>::<function>``. Any other control has a ``reason``.
    """

    id: str
    title: str
    scope: Scope
    also: tuple[str, ...] = ()
    how: str = ""
    rules: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    reason: str = ""

    @property
    def family(self) -> str:
        """What the control is about: the id without its number, such as ``RDS``."""
        return self.id.partition(".")[0]

    @property
    def references(self) -> tuple[str, ...]:
        """All ids, as rules refer to them."""
        return (self.id, *self.also)


_TEXTS: Final = ("id", "title", "how", "reason")
_LISTS: Final = ("also", "rules", "tests")
_NEEDED: Final[Mapping[Scope, tuple[str, ...]]] = {
    Scope.STACK: ("title", "how", "rules"),
    Scope.ACCOUNT: ("title", "reason"),
    Scope.NOBODY: ("title", "reason"),
}
_EXCLUDED: Final[Mapping[Scope, tuple[str, ...]]] = {
    Scope.STACK: ("reason",),
    Scope.ACCOUNT: ("how", "rules", "tests"),
    Scope.NOBODY: ("how", "rules", "tests"),
}


def read_controls(path: Path = PATH) -> tuple[Control, ...]:
    """Read all controls, in the order of the file.

    Raises:
        ControlsError: the file is no such list, or a control lacks what its scope asks for.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ControlsError(f"{path.name}: it is not TOML: {error}.") from error
    return parse_controls(document)


def parse_controls(document: Mapping[str, Any]) -> tuple[Control, ...]:
    """Make controls of what a file says.

    Raises:
        ControlsError: it is no list of controls, or a control lacks what its scope asks for.
    """
    written = document.get("control")
    if set(document) != {"control"} or not isinstance(written, list):
        raise ControlsError(
            f"The top level has {', '.join(sorted(document)) or 'nothing'}; it must be [[control]] alone."
        )
    controls = tuple(_control(each) for each in written)
    _refuse_repetition(controls)
    return controls


def _control(written: Any) -> Control:
    if not isinstance(written, Mapping) or not isinstance(id_ := written.get("id"), str) or not id_:
        raise ControlsError(f"id is not set in {written!r}; every control has one, such as RDS.1.")
    for complaint in _complaints(written):
        raise ControlsError(f"{id_}: {complaint}")
    return Control(
        id=id_,
        title=written["title"],
        scope=Scope(written["scope"]),
        # Numbers of the plan stand in ops/policy.py alone.
        how=written.get("how", "").format(policy=policy),
        reason=written.get("reason", ""),
        also=tuple(written.get("also", ())),
        rules=tuple(written.get("rules", ())),
        tests=tuple(written.get("tests", ())),
    )


def _complaints(written: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key} is not known." for key in written if key not in (*_TEXTS, *_LISTS, "scope"))
    for key in _TEXTS:
        if key in written and not _is_text(written[key]):
            yield f"{key} is {written[key]!r}; it must be words."
    for key in _LISTS:
        if key in written and not _is_list_of_texts(written[key]):
            yield f"{key} is {written[key]!r}; it must be a list of different words."
    scopes = [scope.value for scope in Scope]
    if written.get("scope") not in scopes:
        yield f"scope is {written.get('scope')!r}; it must be one of {', '.join(scopes)}."
        return
    scope = Scope(written["scope"])
    yield from (f"{key} is not set; scope {scope.value} needs it." for key in _NEEDED[scope] if key not in written)
    yield from (f"{key} is set; scope {scope.value} has none." for key in _EXCLUDED[scope] if key in written)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() == value != ""


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value)) and len(set(value)) == len(value)


def _refuse_repetition(controls: Sequence[Control]) -> None:
    seen: set[str] = set()
    for control in controls:
        if control.id in seen:
            raise ControlsError(f"{control.id}: it is listed twice; every control is listed once.")
        seen.add(control.id)
