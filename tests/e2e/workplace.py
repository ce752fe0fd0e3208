"""A working directory in which commands are typed, and what they answer."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LONGEST_COMMAND_SECONDS = 240


@dataclasses.dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def envelope(self) -> dict[str, Any]:
        """The one object on stdout."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    @property
    def result(self) -> dict[str, Any]:
        """What the task found or made."""
        result: dict[str, Any] = self.envelope["result"]
        return result


@dataclasses.dataclass(frozen=True)
class Workplace:
    """A directory in which commands are typed."""

    directory: Path
    inherit_stack: bool = False

    @property
    def state(self) -> Path:
        """What the commands leave behind."""
        return self.directory / ".fluxstudio"

    def run(self, *words: str | Path) -> Done:
        """Type a command and wait for its end."""
        with self.start(*words) as child:
            stdout, stderr = child.communicate(timeout=LONGEST_COMMAND_SECONDS)
        return Done(child.returncode, stdout, stderr)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Type a command and go on; it has a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", "--search-root", str(ROOT), *map(str, words)],
            cwd=self.directory,
            env=_environment(self.inherit_stack),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def _environment(inherit_stack: bool) -> dict[str, str]:
    """The environment without what would point a command at another stack."""
    foreign = ("AWS_", "FLUXSTUDIO_AWS") if inherit_stack else ("AWS_", "FLUXSTUDIO_AWS", "FLUXSTUDIO_STACK")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
