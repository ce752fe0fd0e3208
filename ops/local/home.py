"""Where the local PostgreSQL's files live, and programs that the server's account can reach.

An ordinary user's are in the state directory. PostgreSQL does not run as root, so for root the server runs under
another account, which may not enter the state directory nor, perhaps, the checkout; its files then have a directory of
their own.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from ops.local.processes import ServerAccount, server_account
from ops.local.state import translate_disk_errors
from ops.programs import PostgresPrograms

# A socket's path must fit sun_path, 104 bytes on the strictest system (PostgreSQL manual, "unix_socket_directories").
_LONGEST_SOCKET_DIRECTORY: Final = 104 - len("/.s.PGSQL.65535") - 1
_PREFIX: Final = "fluxstudio-"
# Survives a restart of the machine, unlike the directory for temporary files; the name below it is random and 0700.
_SHARED: Final = Path("/var/tmp")  # noqa: S108
_OWNER_NAME: Final = "state-directory"
_QUESTION_SECONDS: Final = 30


def make_home(local_directory: Path) -> tuple[Path, Path]:
    """Choose where PostgreSQL's files and its socket live; gives both directories."""
    if os.geteuid() == 0:
        home = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_SHARED if os.access(_SHARED, os.W_OK) else None))
    else:
        home = local_directory / "postgres"
    prepare_home(home, local_directory)
    socket_directory = home / "run"
    if len(os.fsencode(socket_directory)) > _LONGEST_SOCKET_DIRECTORY:
        socket_directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
    return home, socket_directory


def prepare_home(home: Path, local_directory: Path) -> None:
    """Make the home directory, note whose it is, and give it to the server's account.

    Raises:
        OperationError: it cannot be written.
    """
    with translate_disk_errors(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / _OWNER_NAME).write_bytes(os.fsencode(local_directory))
        account = server_account(home)
        if account.differs:
            shutil.chown(home, account.user_id, account.group_id)


def find_homes(local_directory: Path) -> list[Path]:
    """Find all places where homes were made for a state directory, also those no state records any more."""
    homes = [local_directory / "postgres"]
    if os.geteuid() == 0:
        homes += [home for home in _SHARED.glob(f"{_PREFIX}*") if _belongs_to(home, local_directory)]
    return homes


def delete(path: Path) -> None:
    """Delete a directory and all in it, if it is there."""
    if path.exists():
        shutil.rmtree(path)


def runnable_programs(programs: PostgresPrograms, home: Path, account: ServerAccount) -> PostgresPrograms:
    """Give programs the account can run: these, or a copy in ``home`` when it cannot reach them.

    Raises:
        OperationError: the disk has no room for the copy.
    """
    if not account.differs or _can_run(programs, account):
        return programs
    prefix = programs.directory.parent
    target = home / f"programs-{programs.version}"
    if not target.exists():
        with translate_disk_errors(home):
            _copy_programs(prefix, target)
    return PostgresPrograms(target / prefix.parent.name / prefix.name / "bin")


def _belongs_to(home: Path, local_directory: Path) -> bool:
    try:
        return (home / _OWNER_NAME).read_bytes() == os.fsencode(local_directory)
    except OSError:
        return False


def _can_run(programs: PostgresPrograms, account: ServerAccount) -> bool:
    try:
        answer = subprocess.run(
            [programs.path("postgres"), "--version"],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_QUESTION_SECONDS,
            cwd="/",
            env=dict(programs.environment()),
            **account.process_options(),
        )
    except (PermissionError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _copy_programs(prefix: Path, target: Path) -> None:
    # The wheel's programs find their libraries beside the package, so the copy keeps that distance.
    aside = target.with_name(f"new-{secrets.token_hex(4)}")
    package = aside / prefix.parent.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(prefix / part, package / prefix.name / part, symlinks=True)
    libraries = prefix.parent.with_name(prefix.parent.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, aside / libraries.name, symlinks=True)
    _let_everyone_run(aside)
    aside.rename(target)


def _let_everyone_run(directory: Path) -> None:
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
