"""What becomes of an inbox row that cannot be handled, and of deadlines when a question came before the alert."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.deps import Deps
from bot.examine import JOINED, alarmed_at
from bot.flow import MAX_FAILURES, handle_inbox
from bot.records import InboxKind, InboxState, Incident, Post, PostKind, TimelineEntry
from bot.testing import FrozenClock
from rca.case import AnomalyType, Case, Dataset
from rca.diagnosis import Diagnosis
from rca.engine import diagnose
from tests.bot.surroundings import NOON, PLACE, deps_of, directory_of, opened

DATASET = "shopify_orders"
DIRECTORY = directory_of(
    {"infra": {}, "data_eng_lead": {}},
    tenants={"acme": {"id": "acme", "name": "Acme", "incident_channel": "C0INCIDENTS"}},
    datasets={DATASET: {"name": DATASET, "tenant": "acme"}},
)
MESSAGE = {
    "ts": "1772452800.000100",
    "text": "late",
    "metadata": {
        "event_type": "rca_alert",
        "event_payload": {"dataset": DATASET, "anomaly_type": "volume_anomaly"},
    },
}
WEBHOOK = {
    "format": "native",
    "body": {"rca": "alert/1", "dataset": DATASET, "anomaly_type": "volume_anomaly"},
}


class DefectError(Exception):
    """A mistake of ours."""


def broken(case: Case) -> Diagnosis:
    """An engine with a mistake in it."""
    raise DefectError(case.case_id)


async def kept(deps: Deps, kind: InboxKind, payload: dict[str, Any]) -> str:
    """Keep a delivery and return its row's id."""
    result = await deps.store.inbox.keep(
        kind=kind, sender_id="1", tenant_id="acme", payload=payload, now=deps.clock()
    )
    return result.item.inbox_id


async def state(deps: Deps, inbox_id: str) -> InboxState:
    """How far a delivery is."""
    item = await deps.store.inbox.get(inbox_id)
    assert item is not None
    return item.state


async def apology(deps: Deps, inbox_id: str) -> Post | None:
    """What was said about a delivery that was given up."""
    return await deps.store.posts.get(f"sorry:{inbox_id}")


@pytest.mark.parametrize(
    ("kind", "payload", "said_as", "channel", "thread"),
    [
        (
            InboxKind.SLACK_MESSAGE,
            {"channel": "C0ALERTS", "message": MESSAGE},
            PostKind.NOTE,
            "C0ALERTS",
            MESSAGE["ts"],
        ),
        (InboxKind.WEBHOOK, WEBHOOK, PostKind.NOTE, "C0INCIDENTS", None),
        (
            InboxKind.COMMAND,
            {"dataset": DATASET, "user": "U0ALICE", "channel": "C0ALERTS", "thread_ts": None},
            PostKind.EPHEMERAL,
            "C0ALERTS",
            None,
        ),
    ],
    ids=["a bot's message", "a webhook", "a question"],
)
async def test_a_mistake_of_ours_is_admitted(
    engine: AsyncEngine,
    kind: InboxKind,
    payload: dict[str, Any],
    said_as: PostKind,
    channel: str,
    thread: str | None,
) -> None:
    """It is tried again a few times; then the row is closed, and whoever waits for an answer is told."""
    deps = replace(deps_of(engine, DIRECTORY), diagnose=broken)
    inbox_id = await kept(deps, kind, payload)
    for _ in range(MAX_FAILURES - 1):
        with pytest.raises(DefectError):
            await handle_inbox(inbox_id, deps)
        assert await apology(deps, inbox_id) is None
    await handle_inbox(inbox_id, deps)
    assert await state(deps, inbox_id) is InboxState.FAILED
    post = await apology(deps, inbox_id)
    assert post is not None
    assert (post.kind, post.channel_id, post.thread_ts) == (said_as, channel, thread)
    assert "look by hand" in (post.text or "")


async def test_a_process_that_dies_is_no_failure(engine: AsyncEngine) -> None:
    """Killed in the middle more often than a row may fail: the alert is diagnosed all the same."""

    class KilledError(BaseException):
        """The process is gone."""

    def dying(case: Case) -> Diagnosis:
        raise KilledError(case.case_id)

    deps = deps_of(engine, DIRECTORY)
    inbox_id = await kept(
        deps, InboxKind.SLACK_MESSAGE, {"channel": "C0ALERTS", "message": MESSAGE}
    )
    for _ in range(MAX_FAILURES * 2):
        with pytest.raises(KilledError):
            await handle_inbox(inbox_id, replace(deps, diagnose=dying))
    await handle_inbox(inbox_id, deps)
    assert await state(deps, inbox_id) is InboxState.DONE
    (incident,) = await deps.store.incidents.find_open("acme", DATASET)
    assert incident.signal_id is not None
    assert incident.alert_count == 1


async def test_a_body_that_its_format_no_longer_reads(engine: AsyncEngine) -> None:
    """A sender's mistake is not tried eight times: it is said at once, with the field's name."""
    deps = deps_of(engine, DIRECTORY)
    payload = {"format": "native", "body": {"rca": "alert/1", "dataset": "<!channel>"}}
    inbox_id = await kept(deps, InboxKind.WEBHOOK, payload)
    await handle_inbox(inbox_id, deps)
    assert await state(deps, inbox_id) is InboxState.FAILED
    post = await apology(deps, inbox_id)
    assert post is not None
    assert "anomaly_type" in (post.text or "")
    assert "<!channel>" not in (post.text or "")


@pytest.mark.parametrize("connection_id", ["c" * 200_001, "c-1"], ids=["unusable", "usable"])
async def test_facts_that_cannot_be_kept_cost_no_alert(
    engine: AsyncEngine, connection_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A sync whose connection has an impossible id is not kept; that it failed is heard all the same."""
    deps = deps_of(engine, DIRECTORY)
    sync = {
        "connection": {"id": connection_id, "name": DATASET},
        "jobId": 7,
        "success": False,
        "startedAt": NOON.isoformat(),
        "finishedAt": NOON.isoformat(),
    }
    inbox_id = await kept(deps, InboxKind.WEBHOOK, {"format": "airbyte", "body": {"data": sync}})
    await handle_inbox(inbox_id, deps)
    assert await state(deps, inbox_id) is InboxState.DONE
    (incident,) = await deps.store.incidents.find_open("acme", DATASET)
    assert incident.signal_id is not None
    refused = "facts of a webhook were not kept" in caplog.text
    assert refused is (connection_id != "c-1")
    assert "ccc" not in caplog.text


async def test_the_engine_works_beside_the_loop(engine: AsyncEngine) -> None:
    """A rich case takes it tenths of a second: Slack is answered meanwhile."""
    threads: list[int] = []

    def heard(case: Case) -> Diagnosis:
        threads.append(threading.get_ident())
        return diagnose(case)

    deps = replace(deps_of(engine, DIRECTORY), diagnose=heard)
    await handle_inbox(await kept(deps, InboxKind.WEBHOOK, WEBHOOK), deps)
    assert threads
    assert threading.get_ident() not in threads


async def test_a_dataset_that_left_the_catalog(engine: AsyncEngine) -> None:
    """Asked about while it was known, gone when it is looked at: the asker gets the near matches."""
    deps = deps_of(engine, DIRECTORY)
    payload = {"dataset": "shopify_order", "user": "U0ALICE", "channel": "C0ALERTS"}
    inbox_id = await kept(deps, InboxKind.COMMAND, payload)
    await handle_inbox(inbox_id, deps)
    post = await apology(deps, inbox_id)
    assert post is not None
    assert post.user_id == "U0ALICE"
    assert DATASET in (post.text or "")


async def test_a_question_does_not_make_tonights_alert_late(engine: AsyncEngine) -> None:
    """Asked at noon, alerted at three: the matrix's half hour counts from then, and its readers find the card."""
    clock = FrozenClock(NOON)
    deps = deps_of(engine, DIRECTORY, clock=clock)
    payload = {"dataset": DATASET, "user": "U0ALICE", "channel": "C0OTHER", "anomaly_type": None}
    asked = {**payload, "anomaly_type": AnomalyType.VOLUME}
    await handle_inbox(await kept(deps, InboxKind.COMMAND, asked), deps)
    clock.advance(timedelta(hours=3))
    alert = {"channel": "C0ALERTS", "message": MESSAGE}
    inbox_id = await kept(deps, InboxKind.SLACK_MESSAGE, alert)
    await handle_inbox(inbox_id, deps)
    (incident,) = await deps.store.incidents.find_open("acme", DATASET)
    view = await deps.store.incidents.view(incident.incident_id)
    assert view is not None
    assert all(one.due_at >= clock() for one in view.deadlines)
    notes = [post for post in view.posts if post.kind is PostKind.NOTE]
    assert [(post.channel_id, post.thread_ts) for post in notes] == [("C0ALERTS", MESSAGE["ts"])]
    assert "<#C0OTHER>" in (notes[0].text or "")


def incident_of(alert_count: int) -> Incident:
    """An incident that was opened at noon."""
    return Incident(
        incident_id="i",
        tenant_id="acme",
        dataset=DATASET,
        anomaly_type=AnomalyType.VOLUME,
        state="open",  # type: ignore[arg-type]  # a StrEnum's value, as a row has it
        severity=None,
        opened_at=NOON,
        detected_at=NOON,
        correlation_id=None,
        place=PLACE,
        alert_count=alert_count,
    )


@pytest.mark.parametrize(
    ("alert_count", "joins", "hours"),
    [(0, (), 0), (1, (), 0), (1, (3,), 3), (2, (3,), 0), (2, (3, 4), 3), (3, (3, 4), 0)],
)
def test_since_when_somebody_waits(alert_count: int, joins: tuple[int, ...], hours: int) -> None:
    """Every alert joined: a question opened it, and the first alert counts; else the opening does."""
    timeline = [
        TimelineEntry(incident_id="i", at=NOON + timedelta(hours=hour), what=JOINED)
        for hour in joins
    ]
    assert alarmed_at(incident_of(alert_count), timeline) == NOON + timedelta(hours=hours)


async def test_an_entry_that_says_nothing_keeps_what_was_collected(engine: AsyncEngine) -> None:
    """A directory's entry corrects what it names and leaves the rest: a merchant-facing dataset stays one."""
    deps = deps_of(engine, DIRECTORY)
    await opened(deps)
    known = Dataset(name=DATASET, merchant_facing=True, connector_id="c-1")
    case = Case.model_validate(
        {
            "case_id": "c",
            "as_of": NOON,
            "anomaly": {
                "tenant_id": "acme",
                "dataset": DATASET,
                "anomaly_type": "other",
                "detected_at": NOON,
            },
            "dataset": known,
        }
    )
    await deps.store.facts.load(case, NOON)
    (found,) = (await deps.catalog("acme")).datasets
    assert found.merchant_facing is True
    assert found.connector_id == "c-1"
