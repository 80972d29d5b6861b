"""``POST /api/v1/lineage``, asked by OpenLineage's own client over real HTTP."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import data_quality_assertions_dataset as dq
from openlineage.client.transport.http import (
    ApiKeyTokenProvider,
    HttpCompression,
    HttpConfig,
    HttpTransport,
)

from bot.directory import Role
from bot.intake.registry import read_pushed, read_webhook
from bot.records import InboxItem, InboxKind, InboxState, Kept
from bot.web.auth import Door
from bot.web.lineage import BATCH_PATH, PATH, LineageApi
from bot.web.site import build_site

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "of-acme"
HEADERS = {"Authorization": f"Bearer {SECRET}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose token it is."""

    tenant_id: str = "acme"
    role: Role = Role.RESPONDER
    name: str = "pipeline"


@dataclass(slots=True)
class Inbox:
    """What was kept and what was refused."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def keep(self, **row: Any) -> Kept:
        """Keep it."""
        self.kept.append(row)
        item = InboxItem(
            inbox_id="i-1",
            sender_id=row["sender_id"],
            kind=InboxKind.WEBHOOK,
            tenant_id=row["tenant_id"],
            payload=row["payload"],
            received_at=row["now"],
            state=InboxState.NEW,
        )
        return Kept(item=item, fresh=True)

    async def count(self, *, problem: str, **_: Any) -> None:
        """Count it."""
        self.refused.append(problem)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def client(inbox: Inbox) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]  # because aiohttp's own request is meant
    async def owner_of(secret: str) -> Owner | None:
        return Owner() if secret == SECRET else None

    api = LineageApi(
        door=Door(owner_of=owner_of),
        keep=inbox.keep,
        read=read_webhook,
        pushed=read_pushed,
        refused=inbox.count,
        clock=lambda: NOON,
    )
    async with TestClient(TestServer(build_site(api.routes()))) as made:
        yield made


def failed_check(state: RunState = RunState.COMPLETE) -> RunEvent:
    """As a producer builds it with the client's own classes."""
    wrong = dq.Assertion(assertion="not_null", success=False, column="total_price")
    table = InputDataset(
        namespace="postgres://db:5432",
        name="shop.public.orders",
        inputFacets={"dataQualityAssertions": dq.DataQualityAssertionsDatasetFacet([wrong])},
    )
    return RunEvent(
        eventType=state,
        eventTime=NOON.isoformat(),
        run=Run(runId="0193d4a1-2c4e-7000-8000-000000000001"),
        job=Job(namespace="shop", name="checks"),
        inputs=[table],
        outputs=[OutputDataset(namespace="postgres://db:5432", name="shop.public.gmv")],
    )


def sender(client: TestClient, compression: HttpCompression | None = None) -> OpenLineageClient:  # type: ignore[type-arg]  # because aiohttp's own request is meant
    config = HttpConfig(
        url=str(client.make_url("/")),
        auth=ApiKeyTokenProvider({"apiKey": SECRET}),
        compression=compression,
    )
    return OpenLineageClient(transport=HttpTransport(config))


@pytest.mark.parametrize("compression", [None, HttpCompression.GZIP])
async def test_the_real_client_is_understood(
    client: TestClient,  # type: ignore[type-arg]  # because aiohttp's own request is meant
    inbox: Inbox,
    compression: HttpCompression | None,
) -> None:
    """With its API key, plain and packed, its event is an alert and holds facts."""
    await asyncio.to_thread(sender(client, compression).emit, failed_check())
    (row,) = inbox.kept
    assert (row["tenant_id"], row["payload"]["format"]) == ("acme", "openlineage")
    (alert,) = read_webhook("openlineage", row["payload"]["body"])
    assert (alert.status, alert.column) == ("firing", "total_price")
    kinds = [set(p.found) for p in read_pushed("openlineage", row["payload"]["body"], NOON)]
    assert kinds == [{"dq_results", "lineage"}, {"lineage"}]


async def test_an_event_that_says_nothing_is_answered_and_not_kept(
    client: TestClient,  # type: ignore[type-arg]  # because aiohttp's own request is meant
    inbox: Inbox,
) -> None:
    """A run that begins repeats everything when it ends."""
    await asyncio.to_thread(sender(client).emit, failed_check(RunState.START))
    assert inbox.kept == []


async def test_a_batch_is_kept_whole(client: TestClient, inbox: Inbox) -> None:  # type: ignore[type-arg]  # because aiohttp's own request is meant
    """Its answer counts the events; a batch with one that cannot be read is refused whole."""
    event = {
        "eventTime": NOON.isoformat(),
        "job": {"namespace": "n", "name": "j"},
        "inputs": [{"namespace": "n", "name": "a"}],
        "outputs": [{"namespace": "n", "name": "b"}],
    }
    async with client.post(BATCH_PATH, json=[event, event], headers=HEADERS) as answer:
        assert answer.status == 200
        assert (await answer.json())["summary"]["successful"] == 2
    assert len(inbox.kept) == 1
    async with client.post(BATCH_PATH, json=[event, {}], headers=HEADERS) as answer:
        assert answer.status == 400
    assert len(inbox.kept) == 1
    assert "events[1].eventTime" in inbox.refused[0]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        (PATH, b"{}", {}, 401),
        (PATH, b"{}", {"Authorization": "Bearer somebody-elses"}, 401),
        (PATH, b"{}", HEADERS, 400),
        (PATH, b"[]", HEADERS, 400),
        (PATH, b"\xff", HEADERS, 400),
        (PATH, b"not packed", HEADERS | {"Content-Encoding": "gzip"}, 400),
        (PATH, zlib.compress(b"{}"), HEADERS | {"Content-Encoding": "deflate"}, 415),
        (BATCH_PATH, b"{}", HEADERS, 400),
        (BATCH_PATH, b'[], "events": 7', HEADERS, 400),
        (PATH, gzip.compress(b" " * 3_000_000), HEADERS | {"Content-Encoding": "gzip"}, 413),
    ],
)
async def test_bad_bodies_are_refused(
    client: TestClient,  # type: ignore[type-arg]  # because aiohttp's own request is meant
    inbox: Inbox,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
) -> None:
    """Nothing is kept, and the answer is a 4xx; a packed body is measured unpacked."""
    async with client.post(path, data=body, headers=headers) as answer:
        assert answer.status == status
        assert json.loads(await answer.text())["error"]
    assert inbox.kept == []
