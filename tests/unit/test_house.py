"""The rules of the house, held up to every file: how long things may be, who may know whom, what an error must say."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ops import errors

ROOT: Final = Path(__file__).parents[2]
LONGEST_MODULE: Final = 400
LONGEST_FUNCTION: Final = 50
SAYS_NOTHING: Final = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
INFRA_MAY_IMPORT: Final = ("ops.policy", "ops.contract", "ops.signals")
# The commands of delivery end with the exit codes of every command.
INFRA_MAY_IMPORT_TOO: Final = {
    f"infra/{command}.py": ("ops.errors",) for command in ("delivery", "plan_gate", "task_runs")
}
# What each may know of ops; everything may know them.
LEAVES: Final = {
    **dict.fromkeys(("policy", "errors", "files", "foreign_settings"), ()),
    "contract": ("ops.errors", "ops.policy"),
}
ERRORS: Final = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.OperationError)
} - {errors.TornSourceError.__name__}  # its next step is not a keyword


@dataclasses.dataclass(frozen=True)
class Module:
    """A module: its path from the top of the project, its number of lines, and its syntax."""

    name: str
    lines: int
    syntax: ast.Module

    @property
    def imported(self) -> set[str]:
        """Every module it names in an import; of ``from a import b`` both ``a`` and ``a.b``."""
        names: set[str] = set()
        for node in ast.walk(self.syntax):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
        return names

    @property
    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Every call of something by its plain name."""
        for node in ast.walk(self.syntax):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id, node


def read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(path.relative_to(ROOT).as_posix(), len(text.splitlines()), ast.parse(text))


OPS: Final = [read(path) for path in sorted((ROOT / "ops").rglob("*.py"))]
INFRA: Final = [read(path) for path in sorted((ROOT / "infra").rglob("*.py"))]
MODULES: Final = [*OPS, *INFRA, read(ROOT / "tasks.py")]


def knows(module: Module, *packages: str) -> set[str]:
    """What a module imports of some packages."""
    return {name for name in module.imported if name.partition(".")[0] in packages}


def test_a_module_is_short() -> None:
    assert {module.name: module.lines for module in MODULES if module.lines > LONGEST_MODULE} == {}


def test_a_function_fits_a_screen() -> None:
    lengths = {
        f"{module.name}: {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module in MODULES
        for node in ast.walk(module.syntax)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_a_module_is_named_after_what_is_in_it() -> None:
    assert [module.name for module in MODULES if Path(module.name).stem in SAYS_NOTHING] == []


def test_operations_know_neither_the_infrastructure_nor_the_command_line() -> None:
    assert {module.name: found for module in OPS if (found := knows(module, "infra", "tasks"))} == {}


def test_operations_print_nothing_and_ask_nothing() -> None:
    speaking = ("print", "input")

    assert [module.name for module in OPS for name, _ in module.calls if name in speaking] == []


def test_the_infrastructure_takes_three_leaves_of_the_operations_and_no_more() -> None:
    foreign = {
        module.name: {
            name
            for name in knows(module, "ops")
            if name != "ops" and not name.startswith((*INFRA_MAY_IMPORT, *INFRA_MAY_IMPORT_TOO.get(module.name, ())))
        }
        for module in INFRA
    }

    assert {module: names for module, names in foreign.items() if names} == {}


def test_a_leaf_knows_nothing_of_the_tree() -> None:
    by_name = {module.name: module for module in OPS}
    for leaf, allowed in LEAVES.items():
        known = knows(by_name[f"ops/{leaf}.py"], "ops") - {"ops"}
        assert [name for name in known if not name.startswith(allowed)] == [], leaf


def test_every_error_says_what_to_do_next() -> None:
    silent = [
        f"{module.name}:{call.lineno}"
        for module in MODULES
        for name, call in module.calls
        if name in ERRORS and not {"next_step", None} & {word.arg for word in call.keywords}
    ]

    assert silent == []


@pytest.mark.parametrize("part", ["ops", "infra"])
def test_the_architecture_page_knows_every_room_and_no_room_that_is_gone(part: str) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = re.search(rf"## Rooms of `{part}`\n(.*?)\n## ", page, re.DOTALL)
    assert table is not None
    rows = [row.split(" | ")[0] for row in table[1].splitlines() if row.startswith("|")]
    told = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    parts = {path.relative_to(ROOT / part).parts for path in (ROOT / part).rglob("*") if path.suffix in {".py", ".j2"}}
    rooms = {parts[0].removesuffix(".py") if len(parts) == 1 else f"{parts[0]}/" for parts in parts}

    assert sorted(told) == sorted(rooms - {"__init__"})
