"""The same kind of source failing on other connections, for "across multiple tenants". Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.payloads.airbyte_connections import Connection
from bot.payloads.airbyte_jobs import BROKEN, OPEN, as_known
from bot.ports import Ask
from rca.case import IngestionJob, PeerError

PEER_AGE: Final = timedelta(days=1)  # ours: an older failure says nothing about the source today


def peers(
    ask: Ask,
    connections: Mapping[str, Connection],
    jobs: Mapping[str, Mapping[str, IngestionJob]],
    tenants: Mapping[str, str],
) -> tuple[PeerError, ...]:
    """Return the other connections of the same kind of source whose last sync failed with a known reason.

    Args:
        ask: the dataset and the instant.
        connections: by id, in lower case.
        jobs: the latest ones, by connection and id.
        tenants: whose each connection is, by id; one that nobody claims counts as the asker's own, so that it
            never makes a failure look as if it touched more tenants.
    """
    own = (ask.dataset.connector_id or "").casefold()
    mine = connections.get(own)
    if mine is None or mine.source_kind is None:
        return ()
    alike = (key for key, one in connections.items() if one.source_kind == mine.source_kind)
    return tuple(
        _errors(ask, mine.source_kind, (key for key in alike if key != own), jobs, tenants)
    )


def _errors(
    ask: Ask,
    kind: str,
    others: Iterator[str],
    jobs: Mapping[str, Mapping[str, IngestionJob]],
    tenants: Mapping[str, str],
) -> Iterator[PeerError]:
    for key in others:
        last = _last(jobs.get(key, {}), ask.as_of)
        if last is None or last.status not in BROKEN or last.error_code is None:
            continue
        tenant_id = tenants.get(key, ask.tenant_id)
        is_own = tenant_id == ask.tenant_id
        yield PeerError(
            tenant_id=tenant_id if is_own else _veiled(tenant_id),
            connector_id=last.connector_id if is_own else None,
            source_kind=kind,
            error_code=last.error_code,
            last_at=last.finished_at or last.started_at,
        )


def _last(jobs: Mapping[str, IngestionJob], as_of: datetime) -> IngestionJob | None:
    """The last sync that had ended at *as_of*, within the age that counts."""
    known = (as_known(job, as_of) for job in jobs.values())
    over = [job for job in known if job is not None and job.status not in OPEN]
    last = max(over, key=lambda job: (job.started_at, job.id), default=None)
    return last if last is not None and last.started_at >= as_of - PEER_AGE else None


def _veiled(tenant_id: str) -> str:
    """Another tenant is counted, never named: what is kept of it is seen by this one."""
    return f"another tenant ({hashlib.blake2b(tenant_id.encode(), digest_size=4).hexdigest()})"
