"""A signed JSON POST to an address of the team's own, for every service we have no adapter for.

The receiver checks ``X-Rca-Signature: t=<unix seconds>,v1=<hex>``: ``v1`` is the HMAC-SHA256 of ``<t>.<body>``
under the shared secret. The same ``Idempotency-Key`` means the same page.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import quote

import aiohttp

from bot.directory import Team
from bot.pagers.http import Answer, address, post, refusal
from bot.pagers.registry import Means, PagerKind, secret_of
from bot.ports import Accepted, PageOrder, PageOutcome, Refused

SIGNATURE_HEADER: Final = "X-Rca-Signature"
KEY_HEADER: Final = "Idempotency-Key"
PLAIN_IN_KEY: Final = ":/@ -._~"  # what a header may hold as it is; the rest is percent-encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPager:
    """Posts to *url*; any 2xx is an acceptance. The address itself may hold a token, so it is never quoted."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    session: aiohttp.ClientSession = field(repr=False)

    async def page(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Post ``event: page``."""
        return await self._send("page", order, now)

    async def resolve(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Post ``event: resolve`` under the same dedup key."""
        return await self._send("resolve", order, now)

    async def _send(
        self, event: Literal["page", "resolve"], order: PageOrder, now: datetime
    ) -> PageOutcome:
        body = _body(event, order)
        headers = {
            SIGNATURE_HEADER: signature(self.secret, body, now),
            KEY_HEADER: quote(order.dedup_key, safe=PLAIN_IN_KEY, errors="replace"),
        }
        answer = await post(self.session, self.url, body, headers)
        if isinstance(answer, Refused):
            return Refused(reason=f"the webhook {answer.reason}", retry_after=answer.retry_after)
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return _accepted(answer, order, now)
        refused = refusal(answer, now)
        return Refused(reason=f"the webhook {refused.reason}", retry_after=refused.retry_after)


def signature(secret: str, body: bytes, now: datetime) -> str:
    """Return the value of ``X-Rca-Signature`` for *body* sent at *now*."""
    seconds = int(now.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def _body(event: str, order: PageOrder) -> bytes:
    return json.dumps(
        {
            "event": event,
            "dedup_key": order.dedup_key,
            "summary": order.summary,
            "severity": order.severity.value,
            "source": order.source,
            "timestamp": order.timestamp.isoformat(),
            "details": dict(order.details),
            "link": order.link,
        }
    ).encode()


def _accepted(answer: Answer, order: PageOrder, now: datetime) -> Accepted:
    """The receiver may answer ``{"reference": …, "url": …}``; people are then shown where to look."""
    document = answer.document()
    reference, url = document.get("reference"), document.get("url")
    return Accepted(
        at=now,
        reference=reference if isinstance(reference, str) else order.dedup_key,
        url=url if isinstance(url, str) and url.startswith(("https://", "http://")) else None,
    )


def build(team: Team, means: Means) -> WebhookPager:
    """Return the pager of *team*.

    Raises:
        BotError: the address or the secret is missing.
    """
    return WebhookPager(
        url=address(team.url, f"team {team.id}: pager webhook"),
        secret=secret_of(team, means, env=team.secret_env, setting="secret_env"),
        session=means.session,
    )


PAGER: Final = PagerKind(name="webhook", build=build)
