"""Make an Invoke task of a plain function: common options, checked values, an envelope at the end.

How the envelope and the progress are shown is the caller's: this module prints nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from invoke.context import Context
from invoke.exceptions import Exit, ParseError
from invoke.parser.argument import Argument
from invoke.program import Program
from invoke.tasks import Task

from ops import command, redaction
from ops.errors import EXIT_INTERRUPTED, EXIT_UNREACHABLE, EXIT_USAGE, UsageError
from ops.outcome import Envelope

if TYPE_CHECKING:
    from ops.progress import Progress
    from ops.stack import Stack
    from ops.store.snapshot import Snapshot

SNAPSHOTS: Final = Path(".fluxstudio", "snapshots")
COMMON_HELP: Final = {
    "stack": f"Stack to act on; {command.STACK_VARIABLE} when absent, else {command.DEFAULT_STACK}.",
    "json": "Print one JSON object on stdout instead of tables.",
}


LEAST: Final = {"scale": 1}
"""The smallest values of numbers that may not be 0."""
COMMON_DEFAULTS: Final = {"stack": "", "json": False}
_KEYWORD: Final = inspect.Parameter.POSITIONAL_OR_KEYWORD


class Run:
    """One run of a task: the stack it acts on, opened when first used, and the listener for its progress."""

    def __init__(self, stack_name: str, progress: Progress | None) -> None:
        self.stack_name = stack_name
        self.progress = progress

    @functools.cached_property
    def stack(self) -> Stack:
        """The stack; the local one is started when it is not running."""
        from ops.stack import open_stack

        return open_stack(self.stack_name)

    @property
    def opened_stack(self) -> Stack | None:
        """The stack, if the task has used it."""
        return vars(self).get("stack")

    def require_local(self) -> None:
        """Insist that the local stack is meant.

        Raises:
            UsageError: another stack was named.
        """
        if self.stack_name != command.DEFAULT_STACK:
            raise UsageError(
                f"This task acts on the local stack only, and {self.stack_name} was named.",
                where=self.stack_name,
                next_step=f"Give --stack {command.DEFAULT_STACK}.",
            )

    def snapshot(self, given: Path | None) -> Snapshot:
        """Open the snapshot that was named, or the newest one.

        Raises:
            UsageError: there is none.
            CheckFailedError: it is not what was written.
        """
        from ops.store.snapshot import latest_snapshot, open_snapshot

        path = given or latest_snapshot(SNAPSHOTS)
        if path is None:
            raise UsageError(
                f"There is no snapshot in {SNAPSHOTS}.",
                where=str(SNAPSHOTS),
                next_step="Take one with snapshot-source, or name one with --snapshot.",
            )
        return open_snapshot(path)


@dataclasses.dataclass(frozen=True)
class Terminal:
    """How a run is shown: progress while it lasts, the envelope when it is over."""

    progress: Callable[[], AbstractContextManager[Progress | None]]
    show: Callable[[Envelope, bool], None]


class CommandTask(Task[Any]):
    """A task that also takes ``--stack`` and ``--json``, and ends with an exit code, never with a traceback.

    The function's own signature is the list of its options: one without a default must be given, numbers and paths
    are made here, ``id`` may stand without its name, one that is ``()`` may be repeated.
    """

    def __init__(self, body: Callable[..., Any], terminal: Terminal, explained: dict[str, str]) -> None:
        options = list(inspect.signature(body).parameters.values())[1:]
        self.terminal = terminal
        self.numbers = {option.name for option in options if "int" in str(option.annotation)}
        self.paths = {option.name for option in options if "Path" in str(option.annotation)}
        self.required = [option.name for option in options if option.default is option.empty]
        super().__init__(
            body,
            positional=[name for name in self.required if name == "id"],
            iterable=[option.name for option in options if option.default == ()],
            auto_shortflags=False,
            help=COMMON_HELP | {_option(name): text for name, text in explained.items()},
        )

    def argspec(self, body: Callable[..., Any]) -> inspect.Signature:
        """The options of the function, then the two that every task has."""
        signature = super().argspec(body)
        common = [inspect.Parameter(name, _KEYWORD, default=default) for name, default in COMMON_DEFAULTS.items()]
        return signature.replace(parameters=[*signature.parameters.values(), *common])

    def get_arguments(self, *given: Any, **named: Any) -> list[Argument]:
        """The options with their help, which Invoke takes away when it is asked for the first time."""
        explained = dict(self.help)
        try:
            return super().get_arguments(*given, **named)
        finally:
            self.help = explained

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Take numbers as text: Invoke answers a bad one with a traceback, we with a sentence."""
        options = super().arg_opts(name, default, taken_names)
        if name in self.iterable:
            # Invoke takes the kind from the default, and a tuple made of a word is its letters.
            return options | {"kind": list, "default": []}
        return options | {"kind": str} if name in self.numbers else options

    def __call__(self, *_context: Context, stack: str = "", json: bool = False, **options: Any) -> Any:
        """Run the task, show its envelope, and exit with its code unless that is 0."""
        try:
            redaction.log_to(sys.stderr)
            with self.terminal.progress() as progress:
                run = Run(command.stack_name(stack), progress)
                envelope = self._run(run, options)
            # Before the history is kept: whoever interrupts that has the answer already.
            self.terminal.show(envelope, json)
            _keep_history(run, envelope)
        except KeyboardInterrupt:
            raise Exit("Interrupted.", code=EXIT_INTERRUPTED) from None
        if envelope.exit_code:
            raise Exit(code=envelope.exit_code)

    def _run(self, run: Run, options: dict[str, Any]) -> Envelope:
        name = self.name.replace("_", "-")
        return command.run_task(name, run.stack_name, lambda: self.body(run, **self._checked(options)))

    def _checked(self, options: dict[str, Any]) -> dict[str, Any]:
        for name in self.required:
            command.require(f"--{_option(name)}", options[name])
        return {name: self._value(name, value) for name, value in options.items()}

    def _value(self, name: str, value: Any) -> Any:
        if name in self.numbers and isinstance(value, str):
            return command.whole_number(f"--{_option(name)}", value, least=LEAST.get(name, 0))
        return Path(value) if name in self.paths and value else value


def _keep_history(run: Run, envelope: Envelope) -> None:
    if run.opened_stack and envelope.exit_code not in (EXIT_UNREACHABLE, EXIT_INTERRUPTED):
        from ops import run_history

        run_history.keep(run.opened_stack, envelope)


def wrong_usage_exits_with_two(show: Callable[[Envelope, bool], None]) -> None:
    """Make Invoke answer an option it does not know as tasks answer: with 2, and with one object if ``--json`` stands.

    Its own 1 says here that a check failed. Invoke has no setting for this; the method replaced is a documented step
    of its command line.
    """
    parse = Program.parse_tasks

    def parse_tasks(self: Program) -> None:
        try:
            parse(self)
        except ParseError as error:
            if "--json" not in self.argv:
                raise Exit(str(error), code=EXIT_USAGE) from error
            show(_wrong_usage(error), True)
            raise Exit(code=EXIT_USAGE) from error

    Program.parse_tasks = parse_tasks  # type: ignore[method-assign]


def _wrong_usage(error: ParseError) -> Envelope:
    task = (error.context.name if error.context else None) or ""

    def refuse() -> None:
        raise UsageError(str(error), next_step=f"See invoke --help {task}." if task else "See invoke --list.")

    return command.run_task(task, command.stack_name(""), refuse)


def _option(name: str) -> str:
    return name.replace("_", "-")
