"""What every test may use: databases that are fresh and up to date, and no network beyond this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.engine import create_engine
from bot.store.migrate import upgrade
from tests import postgres

FOLDER = "TESTS_POSTGRES_FOLDER"  # between the workers of one run: where their common server lives
TEMPLATE = "rca_template"
BOTH = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder of the server before any worker starts."""
    if not hasattr(config, "workerinput"):
        postgres.clear_abandoned()
        os.environ[FOLDER] = str(postgres.folder_for_tests())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, if a test needed one."""
    folder = os.environ.get(FOLDER)
    if folder is not None and not hasattr(config, "workerinput"):
        postgres.stop(Path(folder))


# ── no network ────────────────────────────────────────────────────────────────────────────────────────────


class OutsideError(RuntimeError):
    """A test tried to speak to another machine."""


def _refuse_outside(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return
    try:
        inside = ipaddress.ip_address(str(name)).is_loopback or str(name) in ("0.0.0.0", "::")  # noqa: S104 - bound to, not spoken to
    except ValueError:
        inside = False
    if not inside:
        raise OutsideError(f"tests speak to this machine only, not to {name}")


@pytest.fixture(scope="session", autouse=True)
def _only_this_machine() -> Iterator[None]:
    """Refuse every connection, and every look-up of a name, that leads elsewhere."""
    connect, connect_ex, look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            _refuse_outside(address[0])
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        if self.family != socket.AF_UNIX:
            _refuse_outside(address[0])
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        _refuse_outside(host)
        return look_up(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setattr(socket.socket, "connect_ex", guarded_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


# ── databases ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=BOTH)
def backend(request: pytest.FixtureRequest) -> str:
    """The kind of database: a test that uses it, or a fixture built on it, runs on both."""
    return str(request.param)


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest) -> str:
    """The address of a fresh database with all tables, once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue("sqlite_url" if backend == "sqlite" else "postgres_url"))


@pytest.fixture
def empty_database_url(backend: str, request: pytest.FixtureRequest) -> str:
    """The address of a fresh database without tables, once on SQLite and once on PostgreSQL."""
    name = "empty_sqlite_url" if backend == "sqlite" else "empty_postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on ``database_url``."""
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'rca-bot.sqlite3'}"


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    asyncio.run(_upgraded(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh SQLite file with all tables."""
    path = tmp_path / "rca-bot.sqlite3"
    shutil.copy(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def _server_url() -> str:
    """The address of a PostgreSQL: the one that is named in the environment, or one of our own."""
    given = os.environ.get("TEST_POSTGRES_URL")
    return given or postgres.start(Path(os.environ[FOLDER])).url("postgres")


@pytest.fixture(scope="session")
def _template(_server_url: str) -> str:
    """The name of a database with all tables, made by the first worker that needs it."""
    with postgres.locked(Path(os.environ[FOLDER])):
        marker = Path(os.environ[FOLDER]) / "template"
        if not marker.exists():
            _ask(_server_url, f"DROP DATABASE IF EXISTS {TEMPLATE}", f"CREATE DATABASE {TEMPLATE}")
            asyncio.run(_upgraded(_named(_server_url, TEMPLATE)))
            marker.touch()
    return TEMPLATE


@pytest.fixture
def postgres_url(_server_url: str, _template: str) -> Iterator[str]:
    """The address of a fresh PostgreSQL database with all tables."""
    with _database(_server_url, f"TEMPLATE {_template}") as url:
        yield url


@pytest.fixture
def empty_postgres_url(_server_url: str) -> Iterator[str]:
    """The address of a fresh PostgreSQL database without tables."""
    with _database(_server_url, "") as url:
        yield url


class _database:  # noqa: N801 - reads as a verb where it is used
    """Create a database for one test, and drop it whoever still holds a connection."""

    def __init__(self, server_url: str, how: str) -> None:
        self._server_url = server_url
        self._how = how
        self._name = f"rca_{uuid.uuid4().hex}"

    def __enter__(self) -> str:
        _ask(self._server_url, f"CREATE DATABASE {self._name} {self._how}")
        return _named(self._server_url, self._name)

    def __exit__(self, *_: object) -> None:
        _ask(self._server_url, f"DROP DATABASE {self._name} WITH (FORCE)")


def _named(server_url: str, database: str) -> str:
    return make_url(server_url).set(database=database).render_as_string(hide_password=False)


def _ask(url: str, *statements: str) -> None:
    async def ask() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(ask())


async def _upgraded(url: str) -> None:
    engine = create_engine(url)
    try:
        await upgrade(engine)
    finally:
        await engine.dispose()
