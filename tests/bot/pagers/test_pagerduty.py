"""PagerDuty Events API v2: what we send, and how its answers are read."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from aiohttp import web

from bot.pagers.pagerduty import PagerDutyPager
from bot.ports import Accepted, Refused
from rca.case import Severity

KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class EventsApi:
    """A stand-in for Events API v2 with its documented limits; one open alert per dedup key."""

    alerts: dict[str, int] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)

    async def enqueue(self, request: web.Request, raw: bytes) -> web.Response:
        event = json.loads(raw)
        errors = self._errors(event)
        if request.path != "/v2/enqueue" or errors:
            text = "Event object is invalid"
            return web.json_response(
                {"status": "invalid event", "message": text, "errors": errors}, status=400
            )
        key = event["dedup_key"]
        if event["event_action"] == "resolve":
            self.resolved.append(key)
            self.alerts.pop(key, None)
        else:
            self.alerts[key] = self.alerts.get(key, 0) + 1
        answer = {"status": "success", "message": "Event processed", "dedup_key": key}
        return web.json_response(answer, status=202)

    def _errors(self, event: dict) -> list[str]:
        errors = []
        if len(event.get("routing_key", "")) != 32:
            errors.append("Length of 'routing_key' is incorrect (should be 32 characters)")
        if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
            errors.append("'event_action' is invalid")
        if not 0 < len(event.get("dedup_key", "")) <= 255:
            errors.append("'dedup_key' is too long")
        if event.get("event_action") == "trigger":
            payload = event.get("payload", {})
            if not 0 < len(payload.get("summary", "")) <= 1024:
                errors.append("'payload.summary' is missing or too long")
            if payload.get("severity") not in {"critical", "error", "warning", "info"}:
                errors.append("'payload.severity' is invalid (must be one of the valid values)")
            if not payload.get("source"):
                errors.append("'payload.source' is missing or blank")
        return errors


@pytest.fixture
def api(provider) -> EventsApi:
    made = EventsApi()
    provider.answer = made.enqueue
    return made


@pytest.fixture
def pager(provider, session) -> PagerDutyPager:
    return PagerDutyPager(url=f"{provider.url}/v2/enqueue", routing_key=KEY, session=session)


@pytest.mark.usefixtures("api")
async def test_the_event_is_the_documented_one(pager, provider, order, now):
    """Every field of the order is where PagerDuty shows it."""
    assert await pager.page(order, now) == Accepted(at=now, reference=order.dedup_key)
    assert provider.sent == [
        {
            "routing_key": KEY,
            "event_action": "trigger",
            "dedup_key": "rca:acme:inc-1:infra",
            "client": "rca-bot",
            "client_url": "https://acme.slack.com/archives/C1/p1",
            "links": [{"href": "https://acme.slack.com/archives/C1/p1", "text": "The alert"}],
            "payload": {
                "summary": "shopify_orders: ingestion failure (93%)",
                "source": "rca-bot/acme/shopify_orders",
                "severity": "critical",
                "timestamp": "2026-03-02T07:10:00+00:00",
                "custom_details": {"dataset": "shopify_orders"},
            },
        }
    ]


@pytest.mark.usefixtures("api")
async def test_an_order_without_a_link_sends_none(pager, provider, order, now):
    """No link, no empty link."""
    await pager.page(replace(order, link=None), now)
    assert {"links", "client_url"}.isdisjoint(provider.sent[0])


async def test_ten_orders_are_one_alert_and_a_resolve_closes_it(pager, api, order, now):
    """The stable key makes ten tries one alert, and the same routing key resolves it."""
    for _ in range(10):
        await pager.page(order, now)
    assert list(api.alerts) == [order.dedup_key]
    assert isinstance(await pager.resolve(order, now), Accepted)
    assert api.alerts == {}
    assert api.resolved == [order.dedup_key]


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("severity", "word"),
    [
        (Severity.CRITICAL, "critical"),
        (Severity.ERROR, "error"),
        (Severity.WARNING, "warning"),
        (Severity.INFO, "info"),
    ],
)
async def test_severities(pager, provider, order, now, severity, word):
    """Each severity of ours is one of PagerDuty's four."""
    assert isinstance(await pager.page(replace(order, severity=severity), now), Accepted)
    assert provider.sent[0]["payload"]["severity"] == word


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(("length", "sent"), [(1023, 1023), (1024, 1024), (1025, 1024)])
async def test_a_long_summary_is_cut_and_still_accepted(pager, provider, order, now, length, sent):
    """1024 characters pass as they are; one more is cut, with a mark at the end."""
    outcome = await pager.page(replace(order, summary="x" * length), now)
    summary = provider.sent[0]["payload"]["summary"]
    assert isinstance(outcome, Accepted)
    assert len(summary) == sent
    assert summary.endswith("…") == (length > 1024)


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("char", ["x", "日", "🧨", "\x01", "\ud800"])
async def test_huge_details_stay_below_the_limit_of_an_event(pager, provider, order, now, char):
    """However much evidence there is, and in whatever script, the event stays below PagerDuty's 512 kB."""
    details = {f"{n} {char * 1000}": char * 100_000 for n in range(200)}
    huge = replace(order, details=details, summary=char * 100_000, source=char * 100_000)
    assert isinstance(await pager.page(huge, now), Accepted)
    assert len(provider.bodies[0]) < 512_000


@pytest.mark.usefixtures("api")
async def test_a_400_says_what_pagerduty_says_and_is_final(provider, session, order, now):
    """An invalid event is refused for good, in PagerDuty's own words."""
    pager = PagerDutyPager(url=f"{provider.url}/v2/enqueue", routing_key="short", session=session)
    outcome = await pager.page(order, now)
    assert isinstance(outcome, Refused)
    assert outcome.retry_after is None
    assert "Event object is invalid; Length of 'routing_key' is incorrect" in outcome.reason


@pytest.mark.parametrize(
    "body", ["", "no json", "[1]", '{"errors": "no list"}', '{"message": 3, "errors": [null]}']
)
async def test_an_odd_error_body_is_still_a_refusal(pager, provider, order, now, body):
    """Words that cannot be read take nothing away from the status."""

    async def answer(_: web.Request, __: bytes) -> web.Response:
        return web.Response(status=400, text=body)

    provider.answer = answer
    outcome = await pager.page(order, now)
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("PagerDuty answered 400")


async def test_a_busy_pagerduty_sets_the_pause(pager, provider, order, now):
    """429 with Retry-After is a pause of that length."""

    async def answer(_: web.Request, __: bytes) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "9"})

    provider.answer = answer
    outcome = await pager.page(order, now)
    assert outcome == Refused(reason="PagerDuty answered 429", retry_after=timedelta(seconds=9))


async def test_a_200_from_something_in_between_is_no_acceptance(pager, provider, order, now):
    """Only 202 is PagerDuty's acceptance; a portal's 200 page must not make us say "paged"."""
    provider.status = 200
    outcome = await pager.page(order, now)
    assert isinstance(outcome, Refused)
    assert outcome.retry_after is not None
