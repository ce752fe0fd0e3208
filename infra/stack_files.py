"""Configuration of stacks as their files have it, completed with examples of what only an account's owner knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from infra.recording import PULUMI_PROJECT
from infra.settings import EXAMPLES, SettingsError

ROOT: Final = Path(__file__).parents[1]
_PREFIX: Final = f"{PULUMI_PROJECT}:"
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
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(f"{path.name}: it is not YAML: {error}") from error
    config = document.get("config") if isinstance(document, Mapping) else None
    if not isinstance(config, Mapping):
        raise SettingsError(f"{path.name}: it has no config.")
    own = {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}
    return {**EXAMPLES, **{key: value for key, value in own.items() if not _is_sealed(value)}}


def _is_sealed(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == _SEALED
