"""Configuration of stacks as their files have it, completed with examples of what only an account's owner knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from infra.recording import PULUMI_PROJECT
from infra.settings import EXAMPLES, SettingsError

ROOT: Final = Path(__file__).parents[1]
_PREFIX: Final = f"{PULUMI_PROJECT}:"
_LIKE_OURS: Final = "fluxstudio"
# What stands in a file instead of a value that only the secrets provider can read.
_SEALED: Final = frozenset({"secure"})


def stack_names(root: Path = ROOT) -> list[str]:
    """Give the stacks that have a file."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml"))


def stack_configuration(stack: str, root: Path = ROOT) -> dict[str, Any]:
    """Give what ``Pulumi.<stack>.yaml`` configures, without the project's prefix.

    Raises:
        SettingsError: there is no such file, or it is none that Pulumi would read.
    """
    if stack not in stack_names(root):
        raise SettingsError(f"stack: there is no Pulumi.{stack}.yaml. Stacks are {', '.join(stack_names(root))}.")
    path = root / f"Pulumi.{stack}.yaml"
    document = _read(path)
    config = document.get("config") if isinstance(document, Mapping) else None
    if not isinstance(config, Mapping):
        raise SettingsError(f"{path.name}: it has no config.")
    if nobodys := [key for key in config if not _is_somebodys(key)]:
        raise SettingsError(f"{path.name}: {nobodys[0]!r} is nobody's setting; ours begin with {_PREFIX}.")
    own = {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}
    return {**EXAMPLES, **{key: value for key, value in own.items() if not _is_sealed(value)}}


def _read(path: Path) -> Any:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_SaidOnce)  # noqa: S506 - it is a safe loader
        json.dumps(document, default=str, skipkeys=True)  # what holds itself is refused here
        return document
    except yaml.YAMLError as error:
        raise SettingsError(f"{path.name}: it is not YAML: {error}") from error
    except (ValueError, RecursionError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else "a value in it cannot be read"
        raise SettingsError(f"{path.name}: {reason}.") from error


def _is_somebodys(key: Any) -> bool:
    """Tell whether a key is one of ours or of a package; one that looks like ours and is not is a slip of the pen."""
    return isinstance(key, str) and (key.startswith(_PREFIX) or (":" in key and not key.startswith(_LIKE_OURS)))


class _SaidOnce(yaml.SafeLoader):  # type: ignore[misc]
    """Refuses a key that is given twice, as Pulumi does; YAML would silently take the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := next((key for position, key in enumerate(keys) if key in keys[:position]), None):
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _is_sealed(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == _SEALED
