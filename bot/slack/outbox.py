"""The only caller of Slack's chat methods: an intent is a row before it is a message.

``chat.postMessage`` has no idempotency key. So every message carries its row's id as metadata, and an attempt
that is not the first looks for our own message in Slack before it posts again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.clock import Clock
from bot.ports import Again
from bot.records import Post, PostKind, PostState
from bot.render.block_kit import RenderedMessage, blocks
from bot.render.details import details
from bot.render.incident import card
from bot.render.names import Names
from bot.store import Store

CLAIM: Final = timedelta(seconds=60)
METADATA: Final = "rca_post"
BURST: Final = 4  # messages a channel takes at once before its pace is kept
PACE: Final = timedelta(
    seconds=1
)  # docs.slack.dev, rate limits: about one message per second per channel
CARD_PAUSE: Final = timedelta(milliseconds=300)  # about what Slack takes for the card
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=5)
UNSETTLED: Final = timedelta(seconds=5)  # a request whose answer was lost may still be landing
FOR_GOOD: Final = frozenset(
    {
        "channel_not_found", "not_in_channel", "is_archived", "message_not_found", "cant_update_message",
        "user_not_in_channel", "no_text", "restricted_action", "missing_scope", "edit_window_closed",
    }
)  # fmt: skip
TOO_MUCH: Final = frozenset(
    {"invalid_blocks", "msg_blocks_too_long", "msg_too_long", "invalid_attachments"}
)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pace:
    """A token bucket per channel, and the instant before which Slack told us to be quiet.

    Source: the generic cell rate algorithm (ITU-T I.371): ``spent_until`` is when the channel's pace would be
    kept again if nothing more were posted; it may lie at most a burst ahead.
    """

    spent_until: dict[str, datetime] = field(default_factory=dict)
    quiet_until: dict[str, datetime] = field(default_factory=dict)

    def next_slot(self, channel_id: str, now: datetime) -> datetime | None:
        """Return when *channel_id* may be posted to, or None for now, which is then taken."""
        quiet = self.quiet_until.get(channel_id, now)
        if quiet > now:
            return quiet
        spent_until = max(self.spent_until.get(channel_id, now), now)
        allowed_at = spent_until - PACE * (BURST - 1)
        if allowed_at > now:
            return allowed_at
        self.spent_until[channel_id] = spent_until + PACE
        return None


class Outbox:
    """Sends posts: each once, at the channel's pace, edited in place afterwards."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        store: Store,
        clock: Clock,
        names: Callable[[], Names],
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._names = names
        self._pace = _Pace()

    async def tell(self, post_id: str) -> Again | None:
        """Bring one post to what its row wants; see ``Jobs`` for when this is called."""
        now = self._clock()
        waiting = await self._store.posts.get(post_id)
        if waiting is None or waiting.state is PostState.DEAD:
            return None
        if waiting.channel_id and waiting.message_ts is None:
            slot = self._pace.next_slot(waiting.channel_id, now)
            if slot is not None:
                return Again(at=slot)
        post = await self._store.posts.claim(post_id, now, CLAIM)
        if post is None:
            return None
        try:
            return await self._send(post)
        except SlackApiError as error:
            return await self._refused(post, error)
        except (ClientError, TimeoutError, OSError) as error:
            return await self._unclear(post, f"{type(error).__name__}: no answer from Slack")

    async def _send(self, post: Post) -> Again | None:
        match post.kind:
            case PostKind.CARD | PostKind.DETAILS:
                return await self._send_incident(post)
            case PostKind.NOTE | PostKind.MENTION:
                message = RenderedMessage(text=post.text or "", blocks=(), attachments=())
                await self._post_or_edit(post, message, post.thread_ts)
            case PostKind.EPHEMERAL:
                await self._client.chat_postEphemeral(
                    channel=post.channel_id or "",
                    user=post.user_id or "",
                    text=post.text or "",
                    thread_ts=post.thread_ts,
                )
                await self._told(post, None)
            case PostKind.REPLY:
                await self._reply(post)
        return None

    async def _send_incident(self, post: Post) -> Again | None:
        """A card or its details, drawn from the incident as it is now."""
        view = await self._store.incidents.view(post.incident_id or "")
        if view is None:
            await self._store.posts.dead(post.post_id, error="no such incident", now=self._clock())
            return None
        thread_ts = post.thread_ts
        if post.kind is PostKind.DETAILS and post.message_ts is None:
            above = next((p for p in view.posts if p.kind is PostKind.CARD), None)
            thread_ts = thread_ts or (above.message_ts if above else None)
            if above is not None and above.state is PostState.INTENT:  # it stands above its details
                at = self._clock() + CARD_PAUSE
                await self._store.posts.failed(
                    post.post_id, error="waits for the card", retry_at=at, now=self._clock()
                )
                return Again(at=at)
        draw = card if post.kind is PostKind.CARD else details
        rendered = blocks(draw(view, self._names(), self._clock()))
        await self._post_or_edit(post, rendered, thread_ts)
        return None

    async def _post_or_edit(
        self, post: Post, message: RenderedMessage, thread_ts: str | None
    ) -> None:
        content = _content(message)
        if post.message_ts is not None:
            await self._edit(post, content)
            await self._told(post, post.message_ts)
            return
        ts = await self._find_own(post, thread_ts) if post.attempts > 1 else None
        if ts is None:
            answer = await self._client.chat_postMessage(
                channel=post.channel_id or "",
                thread_ts=thread_ts,
                metadata={
                    "event_type": METADATA,
                    "event_payload": {"post_id": post.post_id},
                },
                unfurl_links=False,
                unfurl_media=False,
                **content,
            )
            ts = str(answer["ts"])
        await self._told(post, ts)

    async def _edit(self, post: Post, content: Mapping[str, Any]) -> None:
        await self._client.chat_update(
            channel=post.channel_id or "", ts=post.message_ts or "", **content
        )

    async def _find_own(self, post: Post, thread_ts: str | None) -> str | None:
        """Look for the message of an attempt whose answer was lost; None when Slack never got it."""
        channel = post.channel_id or ""
        if thread_ts is not None:
            answer = await self._client.conversations_replies(
                channel=channel, ts=thread_ts, include_all_metadata=True, limit=200
            )
        else:
            answer = await self._client.conversations_history(
                channel=channel, include_all_metadata=True, limit=200
            )
        found: list[dict[str, Any]] = answer.get("messages", [])
        for message in found:
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == METADATA and payload.get("post_id") == post.post_id:
                return str(message["ts"])
        return None

    async def _reply(self, post: Post) -> None:
        webhook = AsyncWebhookClient(post.response_url or "")
        answer = await webhook.send(text=post.text or "", response_type="ephemeral")
        if answer.status_code >= 500:  # noqa: PLR2004 - HTTP: the server's fault, worth another try
            raise TimeoutError
        await self._told(post, None)

    async def _told(self, post: Post, message_ts: str | None) -> None:
        await self._store.posts.posted(
            post.post_id, message_ts=message_ts, told=post.wanted, now=self._clock()
        )

    async def _refused(self, post: Post, error: SlackApiError) -> Again | None:
        """Slack said no: wait as told, simplify, or give the post up and say so in the log."""
        code = str(error.response.get("error", "")) or str(error.response.status_code)
        now = self._clock()
        if code == "ratelimited" or error.response.status_code == 429:  # noqa: PLR2004 - HTTP: too many requests
            pause = timedelta(seconds=_retry_after(error))
            if post.channel_id:
                self._pace.quiet_until[post.channel_id] = now + pause
            return await self._later(post, "ratelimited", now + pause)
        if code in TOO_MUCH and post.kind in (PostKind.CARD, PostKind.DETAILS):
            log.error("Slack refused our blocks", extra={"post_id": post.post_id, "error": code})
            return await self._plainly(post)
        if code in FOR_GOOD or code in TOO_MUCH:
            log.error("a post was given up", extra={"post_id": post.post_id, "error": code})
            await self._store.posts.dead(post.post_id, error=code, now=now)
            return None
        return await self._unclear(post, code)

    async def _plainly(self, post: Post) -> Again | None:
        """Blocks that Slack does not take must not cost the message: its text alone is sent."""
        view = await self._store.incidents.view(post.incident_id or "")
        if view is None:
            return None
        draw = card if post.kind is PostKind.CARD else details
        rendered = blocks(draw(view, self._names(), self._clock()))
        plain = RenderedMessage(text=rendered.text, blocks=(), attachments=())
        try:
            await self._post_or_edit(post, plain, post.thread_ts)
        except SlackApiError as error:
            code = str(error.response.get("error", ""))
            await self._store.posts.dead(post.post_id, error=code, now=self._clock())
        return None

    async def _unclear(self, post: Post, error: str) -> Again:
        """Nobody knows whether it landed: try again later, and look before posting."""
        pause = min(FIRST_PAUSE * 2 ** min(post.attempts, 10), LONGEST_PAUSE)
        return await self._later(post, error, self._clock() + max(pause, UNSETTLED))

    async def _later(self, post: Post, error: str, at: datetime) -> Again:
        await self._store.posts.failed(post.post_id, error=error, retry_at=at, now=self._clock())
        return Again(at=at)


def _content(message: RenderedMessage) -> dict[str, Any]:
    """What both posting and editing send; always all three, so that an edit leaves nothing behind."""
    return {
        "text": message.text,
        "blocks": list(message.blocks),
        "attachments": list(message.attachments),
    }


def _retry_after(error: SlackApiError) -> float:
    try:
        return max(1.0, float(error.response.headers.get("Retry-After", "30")))
    except ValueError:
        return 30.0
