"""Pages of jobs become one list: each sync once, and what is missing is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.payloads.airbyte_jobs import Jobs
from bot.sources.airbyte.client import ApiError
from rca.case import IngestionJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Jobs, newest first, and what of them could not be read; ``is_whole``: every page was there."""

    syncs: tuple[IngestionJob, ...]
    lacks: str | None = None
    is_whole: bool = True


async def gathered(
    pages: AsyncIterator[tuple[object, int]],
    read: Callable[[object], Jobs | None],
    key: str,
    what: str,
    since: datetime,
) -> Found:
    """Return every job of the pages, each once; what a later page lacks leaves what the earlier ones said.

    Args:
        pages: the answers, and how many entries a full one has.
        read: what reads one of them.
        key: the name of its list.
        what: what was asked for, in the words of an error.
        since: a page on which everything ended before is the last one that is read.

    Raises:
        ApiError: there was no first page.
    """
    found: dict[tuple[str | None, str], IngestionJob] = {}
    lacks: list[str] = []
    try:
        async for document, size in pages:
            jobs = _read(document, read, key, what)
            if jobs.wrong is not None:
                lacks.append(f"{jobs.unread} of the {what} could not be read, first {jobs.wrong}")
            new = {(s.connector_id, s.id): s for s in jobs.syncs if (s.connector_id, s.id) not in found}  # fmt: skip
            found |= new
            entries = document.get(key) if isinstance(document, Mapping) else ()
            is_last = not isinstance(entries, list) or len(entries) < size
            if is_last or all(_is_before(sync, since) for sync in new.values()):
                return Found(syncs=tuple(found.values()), lacks="; ".join(lacks) or None)
    except ApiError as error:
        if not found:
            raise
        lacks.append(str(error))
    else:
        lacks.append(f"there are more {what} than are read at once")
    return Found(syncs=tuple(found.values()), lacks="; ".join(lacks), is_whole=False)


def _is_before(sync: IngestionJob, since: datetime) -> bool:
    """Whether it is none that was asked for: an older Airbyte knows no ``updatedAtStart`` and sends everything."""
    return sync.finished_at is not None and sync.finished_at < since


def _read(document: object, read: Callable[[object], Jobs | None], key: str, what: str) -> Jobs:
    jobs = read(document)
    if jobs is None:
        raise ApiError(f"asked Airbyte for {what}: the answer has no list named {key}")
    return jobs
