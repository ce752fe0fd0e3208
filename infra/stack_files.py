"""Configuration of stacks as their files have it, completed with examples of what only an account's owner knows.

A file is read as Pulumi reads it: a value that is neither a list nor an object is the text that was written, so that
``2026.10`` stays a tag and an account's leading zero stays a digit; and what the project says is secret is encrypted.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from infra.accepted import NAME, is_name
from infra.configuration import SettingsError, quoted, refuse, shortened
from infra.naming import PULUMI_PROJECT
from infra.settings import EXAMPLES

ROOT: Final = Path(__file__).parents[1]
_PREFIX: Final = f"{PULUMI_PROJECT}:"
_LIKE_OURS: Final = "fluxstudio"
# What stands in a file instead of a value that only the secrets provider can read.
_SEALED: Final = frozenset({"secure"})
# An owner may seal what identifies the account or a person; a preview then shows an example, or does without.
_MAY_BE_SEALED: Final = frozenset({*EXAMPLES, "alertEmails"})
_WHOLE_NUMBER: Final = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
_TEXT: Final = "tag:yaml.org,2002:str"
_AS_WRITTEN: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "int", "timestamp"))
# YAML can say a great deal by repeating what was said; no setting has that many parts, or parts within parts.
_MOST_PARTS: Final = 1_000
_DEEPEST: Final = 8
# Everything that PyYAML lets through from Python when a value is not of the kind that its tag says.
_UNREADABLE: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def stack_names(root: Path = ROOT) -> list[str]:
    """Give the stacks that have a file."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml"))


def stack_configuration(stack: str, root: Path = ROOT) -> dict[str, Any]:
    """Give what ``Pulumi.<stack>.yaml`` configures, without the project's prefix.

    Raises:
        SettingsError: there is no such file, it is none that Pulumi would read, or it shows what it should hide.
    """
    if not is_name(stack):
        refuse("stack", stack, NAME)
    if stack not in stack_names(root):
        raise SettingsError(f"stack: there is no Pulumi.{stack}.yaml. Stacks are {', '.join(stack_names(root))}.")
    path = root / f"Pulumi.{stack}.yaml"
    config = _config(path)
    if nobodys := [key for key in config if not _is_somebodys(key)]:
        key = shortened(repr(nobodys[0]))
        raise SettingsError(f"{path.name}: {key} is nobody's setting; ours begin with {_PREFIX}.")
    own = {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}
    for key, value in own.items():
        _refuse_what_pulumi_would(stack, key, value)
    return {**EXAMPLES, **{key: _opened(value) for key, value in own.items() if not _is_sealed(value)}}


@functools.cache
def secret_keys() -> frozenset[str]:
    """Give the keys that the project says are secret."""
    schema = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    return frozenset(key for key, each in schema.items() if each.get("secret"))


def _refuse_what_pulumi_would(stack: str, key: str, value: Any) -> None:
    command = f"pulumi config set{' --secret' if key in secret_keys() else ''} --stack {stack} {shortened(key)}"
    if key in secret_keys() and not _is_sealed(value):
        raise SettingsError(
            f"{key}: what Pulumi.{stack}.yaml sets is not encrypted, and it must be, because it is secret. "
            f"Take the line out, and run `{command}`."
        )
    if value is None:
        raise SettingsError(f"{shortened(key)}: nothing is set. Take the line out, or set a value: `{command}`.")
    if key not in _MAY_BE_SEALED and _holds_sealed(value):
        raise SettingsError(
            f"{shortened(key)}: its value in Pulumi.{stack}.yaml is encrypted, so nobody can review it. It is no "
            f"secret: take the line out, and run `{command}`."
        )
    if not _is_plain(value):
        refuse(key, value, "text in quotes, or a list or an object of such texts")


def _config(path: Path) -> dict[Any, Any]:
    try:
        config = _parse(path.read_text(encoding="utf-8"))
        for value in (config or {}).values():
            _refuse_endless(value)
    except OSError as error:
        raise SettingsError(f"{path.name}: it cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path.name}: it is not YAML: {error}.") from error
    except _UNREADABLE as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else "a value in it cannot be read"
        raise SettingsError(f"{path.name}: {reason}.") from error
    if config is None:
        raise SettingsError(f"{path.name}: it has no config.")
    return config


def _parse(text: str) -> dict[Any, Any] | None:
    loader = _SaidOnce(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        written = _written(loader, root)
        document = loader.construct_document(root)
        config = document.get("config") if isinstance(document, dict) else None
        return {**config, **written} if isinstance(config, dict) else None
    finally:
        loader.dispose()


def _written(loader: _SaidOnce, root: Any) -> dict[Any, Any]:
    """Give what is written for every value of the configuration that is neither a list nor an object, nor quoted."""
    found = {}
    for config in (value for key, value in _pairs(root) if key.value == "config"):
        for key, value in _pairs(config):
            if value.tag in _AS_WRITTEN:
                value.tag = _TEXT
                found[loader.construct_object(key, deep=True)] = _as_written(value.value)
    return found


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _as_written(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text


def _refuse_endless(value: Any) -> None:
    rest = [(value, 0)]
    parts = 0
    while rest:
        part, depth = rest.pop()
        parts += 1
        if parts > _MOST_PARTS or depth > _DEEPEST:
            raise ValueError
        inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        rest.extend((each, depth + 1) for each in inside)


def _is_somebodys(key: Any) -> bool:
    """Tell whether a key is one of ours or of a package; one that looks like ours and is not is a slip of the pen."""
    return isinstance(key, str) and (key.startswith(_PREFIX) or (":" in key and not key.startswith(_LIKE_OURS)))


class _SaidOnce(yaml.SafeLoader):  # type: ignore[misc]
    """Refuses a key that is given twice, as Pulumi does; YAML would silently take the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        if isinstance(node, yaml.MappingNode):
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            if twice := next((key for position, key in enumerate(keys) if key in keys[:position]), None):
                problem = f"{quoted(twice)} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_mapping(node, deep)


def _is_sealed(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == _SEALED and isinstance(value["secure"], str)


def _holds_sealed(value: Any) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return _is_sealed(value) or any(_holds_sealed(each) for each in inside)


def _opened(value: Any) -> Any:
    """Put the example of an address where one is sealed: nothing else may be that is made of parts."""
    if isinstance(value, dict):
        return {key: EXAMPLES["alertEmail"] if _is_sealed(each) else each for key, each in value.items()}
    return value


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, str | bool | int | float)
