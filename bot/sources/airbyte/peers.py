"""The same kind of source failing on other connections, for "across multiple tenants". Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.payloads.airbyte_connections import Connection
from bot.payloads.airbyte_jobs import BROKEN
from bot.ports import Ask
from rca.case import ErrorCode, IngestionJob, PeerError

PEER_AGE: Final = timedelta(days=1)  # ours: an older failure says nothing about the source today


def peers(
    ask: Ask,
    connections: Mapping[str, Connection],
    jobs: Mapping[str, Mapping[str, IngestionJob]],
    tenants: Mapping[str, str],
) -> tuple[PeerError, ...]:
    """Return who else has a connection of the same kind of source whose last sync failed with a known reason.

    One entry per tenant and code, the newest: how many connections fail alike says nothing more.

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
    newest: dict[tuple[str, ErrorCode], tuple[datetime, IngestionJob]] = {}
    for key, one in connections.items():
        if key == own or one.source_kind != mine.source_kind:
            continue
        ended = _last(jobs.get(key, {}).values(), ask.as_of)
        if ended is None or ended[1].status not in BROKEN or ended[1].error_code is None:
            continue
        failing = (tenants.get(key, ask.tenant_id), ended[1].error_code)
        if failing not in newest or newest[failing][0] < ended[0]:
            newest[failing] = ended
    return tuple(_error(ask, mine.source_kind, who, *last) for (who, _), last in newest.items())


def _last(jobs: Iterable[IngestionJob], as_of: datetime) -> tuple[datetime, IngestionJob] | None:
    """The last sync that had ended at *as_of*, within the age that counts, and when it ended.

    A plain loop: it runs over every sync of a day for each dataset that is read.
    """
    last: IngestionJob | None = None
    ended = earliest = as_of - PEER_AGE
    for job in jobs:
        end = job.finished_at
        if end is None or not earliest <= end <= as_of:
            continue
        if last is None or job.started_at > last.started_at:
            last, ended = job, end
    return (ended, last) if last is not None else None


def _error(ask: Ask, kind: str, tenant_id: str, ended: datetime, failed: IngestionJob) -> PeerError:
    is_own = tenant_id == ask.tenant_id
    return PeerError(
        tenant_id=tenant_id if is_own else _veiled(tenant_id),
        connector_id=failed.connector_id if is_own else None,
        source_kind=kind,
        error_code=failed.error_code,
        last_at=ended,
    )


def _veiled(tenant_id: str) -> str:
    """Another tenant is counted, never named: what is kept of it is seen by this one."""
    return f"another tenant ({hashlib.blake2b(tenant_id.encode(), digest_size=4).hexdigest()})"
