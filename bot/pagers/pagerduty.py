"""PagerDuty, through its Events API v2: one alert per dedup key, however often it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final, Literal

import aiohttp

from bot.directory import Team
from bot.pagers.http import Answer, address, post, refusal
from bot.pagers.registry import Means, PagerKind, secret_of
from bot.ports import Accepted, PageOrder, PageOutcome, Refused
from rca.case import Severity

CLIENT: Final = "rca-bot"
MAX_SUMMARY_CHARS: Final = 1024  # Events API v2: payload.summary
MAX_DETAILS: Final = 30
MAX_DETAIL_CHARS: Final = (
    1_000  # at 12 bytes a character, JSON's worst, still below the 512 kB of an event
)
MAX_KEY_CHARS: Final = 100

SEVERITY: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "critical",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyPager:
    """Sends to one service of PagerDuty, the one whose routing key the team has."""

    url: str
    routing_key: str = field(repr=False)
    session: aiohttp.ClientSession = field(repr=False)

    async def page(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Trigger the alert behind ``dedup_key``."""
        event = {**self._event("trigger", order), "client": CLIENT, "payload": _payload(order)}
        if order.link:
            event["client_url"] = order.link
            event["links"] = [{"href": order.link, "text": "The alert"}]
        return await self._send(event, now)

    async def resolve(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Resolve it, with the same routing key: PagerDuty drops a resolve by another one."""
        return await self._send(self._event("resolve", order), now)

    def _event(self, action: Literal["trigger", "resolve"], order: PageOrder) -> dict[str, object]:
        return {
            "routing_key": self.routing_key,
            "event_action": action,
            "dedup_key": order.dedup_key,
        }

    async def _send(self, event: Mapping[str, object], now: datetime) -> PageOutcome:
        answer = await post(self.session, self.url, json.dumps(event).encode(), {})
        if isinstance(answer, Refused):
            return Refused(reason=f"PagerDuty {answer.reason}", retry_after=answer.retry_after)
        if answer.status == HTTPStatus.ACCEPTED:
            return Accepted(at=now, reference=str(event["dedup_key"]))
        refused = refusal(answer, now, said=_said(answer), hide=(self.routing_key,))
        return Refused(reason=f"PagerDuty {refused.reason}", retry_after=refused.retry_after)


def _payload(order: PageOrder) -> dict[str, object]:
    details = list(order.details.items())[:MAX_DETAILS]
    return {
        "summary": _cut(order.summary, MAX_SUMMARY_CHARS),
        "source": _cut(order.source, MAX_SUMMARY_CHARS),
        "severity": SEVERITY[order.severity],
        "timestamp": order.timestamp.isoformat(),
        "custom_details": {
            _cut(key, MAX_KEY_CHARS): _cut(value, MAX_DETAIL_CHARS) for key, value in details
        },
    }


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _said(answer: Answer) -> str:
    """PagerDuty's own words: ``{"status", "message", "errors": [...]}``."""
    document = answer.document()
    errors = document.get("errors")
    listed = [str(error) for error in errors] if isinstance(errors, list) else []
    message = document.get("message")
    return "; ".join([*([message] if isinstance(message, str) else []), *listed])


def build(team: Team, means: Means) -> PagerDutyPager:
    """Return the pager of *team*.

    Raises:
        BotError: the routing key is missing from directory or environment, or the address is unusable.
    """
    base = address(means.pagerduty_url, f"team {team.id}: pager pagerduty")
    return PagerDutyPager(
        url=f"{base.rstrip('/')}/v2/enqueue",
        routing_key=secret_of(team, means, env=team.routing_key_env, setting="routing_key_env"),
        session=means.session,
    )


PAGER: Final = PagerKind(name="pagerduty", build=build)
