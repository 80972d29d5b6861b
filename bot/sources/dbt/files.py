"""Where dbt's artifacts lie: a local folder, or an object store through fsspec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit, urlunsplit

from bot.payloads.dbt_catalog import CATALOG
from bot.payloads.dbt_document import ArtifactError, as_instant
from bot.payloads.dbt_manifest import MANIFEST
from bot.payloads.dbt_runs import RUN_RESULTS, SOURCES
from bot.ports import BotError

ARTIFACTS: Final = (MANIFEST, RUN_RESULTS, CATALOG, SOURCES)
MAX_BYTES: Final = 512 * 1024 * 1024  # of one artifact; manifests of 20,000 models stay below
MOST_FOLDERS: Final = 100  # the last ones by name; more would not be read
LISTED_AGAIN: Final = 3  # of these, the last ones that may still be written to


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One artifact: where, which of the four, and what changes when it is written anew; a higher ``at`` is newer."""

    path: str
    folder: str
    artifact: str
    size: int
    at: float
    stamp: str


class Files(Protocol):
    """Blocking: asked in a thread."""

    place: str

    def list(self) -> tuple[File, ...]:
        """Return every artifact there is. Raises ArtifactError that says why that is unknown."""

    def read(self, file: File) -> bytes:
        """Return the content. Raises ArtifactError."""


def open_files(artifacts: str, folders: str | None, storage: Mapping[str, Any]) -> Files:
    """Return the artifacts at a path or URL; *folders* is a pattern for folders below it with one invocation each.

    Raises:
        BotError: a URL needs fsspec, which is not installed.
    """
    if "://" not in artifacts:
        return LocalFiles(root=Path(artifacts), folders=folders)
    if find_spec("fsspec") is None:
        raise BotError(
            f"reading {without_secrets(artifacts)} needs fsspec: pip install 'rca-bot[object-store]'"
        )
    return StoredFiles(url=artifacts, folders=folders, storage=storage)


@dataclass(slots=True, kw_only=True)
class LocalFiles:
    """A folder, like dbt's target/."""

    root: Path
    folders: str | None
    place: str = field(init=False)

    def __post_init__(self) -> None:
        self.place = str(self.root)

    def list(self) -> tuple[File, ...]:
        """Return every artifact there is."""
        try:
            if not self.root.is_dir():
                raise ArtifactError(f"looked for dbt's artifacts: there is no folder {self.place}")
            folders = [self.root]
            if self.folders:
                below = sorted(one for one in self.root.glob(self.folders) if one.is_dir())
                folders += below[-MOST_FOLDERS:]
            return tuple(
                file
                for folder in folders
                for name in ARTIFACTS
                if (file := self._file(folder, name)) is not None
            )
        except (OSError, ValueError) as error:
            raise ArtifactError(
                f"looked for dbt's artifacts in {self.place}: {_said(error)}"
            ) from None

    @staticmethod
    def _file(folder: Path, name: str) -> File | None:
        path = folder / name
        try:
            state = path.stat()
        except FileNotFoundError:
            return None
        return File(
            path=str(path),
            folder=str(folder),
            artifact=name,
            size=state.st_size,
            at=state.st_mtime,
            stamp=f"{state.st_mtime_ns}:{state.st_size}:{state.st_ino}",
        )

    def read(self, file: File) -> bytes:
        """Return the content."""
        _refuse_big(file)
        try:
            return Path(file.path).read_bytes()
        except OSError as error:
            raise ArtifactError(f"artifact {file.path}: {_said(error)}") from None


@dataclass(slots=True, kw_only=True)
class StoredFiles:
    """A place behind a URL that fsspec knows; credentials are found as its own libraries find them."""

    url: str
    folders: str | None
    storage: Mapping[str, Any] = field(repr=False)
    place: str = field(init=False)
    opened: tuple[Any, str] | None = field(default=None, repr=False)
    listed: dict[str, tuple[File, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.place = without_secrets(self.url)

    def list(self) -> tuple[File, ...]:
        """Return every artifact there is."""
        try:
            system, root = self._open()
            system.invalidate_cache()
            folders = self._folders(system, root)
            again = {root, *folders[-LISTED_AGAIN:]}
            self.listed = {
                folder: self._files(system, folder)
                if folder in again or folder not in self.listed
                else self.listed[folder]
                for folder in folders
            }
        except Exception as error:  # noqa: BLE001 - every store brings its own errors, and none may stop the bot
            raise ArtifactError(
                f"looked for dbt's artifacts in {self.place}: {_said(error)}"
            ) from None
        return tuple(file for of_folder in self.listed.values() for file in of_folder)

    def _folders(self, system: Any, root: str) -> tuple[str, ...]:  # noqa: ANN401 - fsspec's own type
        if not self.folders:
            return (root,)
        below = sorted(system.glob(f"{root}/{self.folders.strip('/')}"))
        return (root, *below[-MOST_FOLDERS:])

    @staticmethod
    def _files(system: Any, folder: str) -> tuple[File, ...]:  # noqa: ANN401 - the same
        try:
            entries = sorted(system.ls(folder, detail=True), key=lambda one: str(one["name"]))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        found = (_stored(str(state["name"]), folder, state) for state in entries)
        return tuple(file for file in found if file is not None)

    def read(self, file: File) -> bytes:
        """Return the content."""
        _refuse_big(file)
        try:
            system, _ = self._open()
            content: bytes = system.cat_file(file.path)
        except Exception as error:  # noqa: BLE001 - as above
            raise ArtifactError(
                f"artifact {file.artifact} of {self.place}: {_said(error)}"
            ) from None
        return content

    def _open(self) -> tuple[Any, str]:
        if self.opened is None:
            from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra; a local folder needs none

            system, root = url_to_fs(self.url, **self.storage)
            self.opened = system, str(root).rstrip("/")
        return self.opened


def _stored(path: str, folder: str, state: Mapping[str, Any]) -> File | None:
    name = path.rpartition("/")[2]
    if name not in ARTIFACTS or state.get("type") == "directory":
        return None
    written = next(
        (
            state[key]
            for key in ("LastModified", "last_modified", "updated", "mtime", "created")
            if state.get(key)
        ),
        0.0,
    )
    size = int(state.get("size") or 0)
    mark = state.get("ETag") or state.get("etag") or state.get("md5Hash") or ""
    return File(
        path=path,
        folder=folder,
        artifact=name,
        size=size,
        at=_seconds(written),
        stamp=f"{written}:{size}:{mark}",
    )


def _seconds(written: object) -> float:
    """Seconds since the epoch; stores say a time, a number or a text."""
    stamp = getattr(written, "timestamp", None)
    if callable(stamp):
        return float(stamp())
    instant = as_instant(written)
    if instant is not None:
        return instant.timestamp()
    return float(written) if isinstance(written, int | float) else 0.0


def _refuse_big(file: File) -> None:
    if file.size > MAX_BYTES:
        raise ArtifactError(
            f"{file.path} has {file.size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read"
        )


def without_secrets(url: str) -> str:
    """Return *url* without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _said(error: Exception) -> str:
    """The kind of error in words; the library's own words may hold a signed address."""
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (FileNotFoundError, "nothing is there"),
        (PermissionError, "reading is not allowed"),
        (TimeoutError, "no answer in time"),
        (ImportError, "the library for this kind of address is not installed"),
    )
    return next((words for kind, words in kinds if isinstance(error, kind)), type(error).__name__)
