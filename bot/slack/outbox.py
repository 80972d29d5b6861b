"""The only caller of Slack's chat methods: an intent is a row before it is a message.

``chat.postMessage`` has no idempotency key. So every message carries its row's id as metadata, and an attempt
that is not the first looks for our own message in Slack before it posts again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.clock import Clock
from bot.ports import Again, Job, JobKind
from bot.records import IncidentView, Post, PostKind, PostState
from bot.render import answers
from bot.render.block_kit import RenderedMessage, blocks, mrkdwn
from bot.render.details import details
from bot.render.incident import card
from bot.render.names import Names
from bot.slack.link_back import post_link
from bot.slack.pace import Pace
from bot.slack.refusals import CANNOT_SEE, FOR_GOOD, THREAD_GONE, TOO_MUCH, code_of, retry_after
from bot.store import Store

CLAIM: Final = timedelta(seconds=60)
METADATA: Final = "rca_post"
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=5)
UNSETTLED: Final = timedelta(seconds=5)  # a request whose answer was lost may still be landing
LOOKED_AT: Final = 999  # messages per page; Slack takes no more
PAGES_LOOKED_AT: Final = 3  # with the post itself they fit into a claim, each at its time limit
TRIES: Final = {
    PostKind.EPHEMERAL: 5,  # an answer that comes minutes late answers nobody
    PostKind.REPLY: 5,
    PostKind.LINK: 12,  # with the pauses between them about half an hour; nobody waits for it
}
WORDS_ALONE: Final = 3_900  # characters; docs.slack.dev: keep a text below 4,000

Home = Callable[[str, str], str | None]
"""The channel for incidents of a tenant's dataset, or None."""

log = logging.getLogger(__name__)


class Outbox:
    """Sends posts: each once, at the channel's pace, edited in place afterwards."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        store: Store,
        clock: Clock,
        names: Callable[[], Names],
        home: Home,
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._names = names
        self._home = home
        self._pace = Pace()

    async def tell(self, post_id: str) -> Again | None:
        """Bring one post to what its row wants; see ``Jobs`` for when this is called."""
        now = self._clock()
        waiting = await self._store.posts.get(post_id)
        if waiting is None or waiting.state is PostState.DEAD:
            return None
        later = await self._not_before(waiting, now)
        if later is not None:
            return Again(at=later)
        post = await self._store.posts.claim(post_id, now, CLAIM)
        return None if post is None else await self._try(post, self._send)

    async def _not_before(self, post: Post, now: datetime) -> datetime | None:
        """When the post is looked at again; None for now. Somebody waits for an answer, so that never waits."""
        if post.kind in (PostKind.EPHEMERAL, PostKind.REPLY):
            return None
        if post.kind is PostKind.LINK:
            return await self._after_its_card(post, now)
        if post.channel_id is None:
            return None
        if post.message_ts is not None or post.kind is PostKind.MENTION:
            return self._pace.quiet(post.channel_id, now)
        later = await self._after_its_card(post, now)
        return later or self._pace.slot(post.post_id, post.channel_id, now)

    async def _after_its_card(self, post: Post, now: datetime) -> datetime | None:
        """When a post that needs the card is looked at again; None when the card is there or not needed."""
        above = await self._card_above(post)
        if above is not None and above.state is PostState.INTENT:
            return max(now, self._pace.waiting(above.post_id) or now) + FIRST_PAUSE
        return None

    async def _card_above(self, post: Post) -> Post | None:
        """The card under which details stand, and which wakes them when it is there; or to which a link leads."""
        if post.kind not in (PostKind.DETAILS, PostKind.LINK) or post.incident_id is None:
            return None
        return await self._store.posts.card_of(post.incident_id)

    async def _try(self, post: Post, send: Callable[[Post], Awaitable[None]]) -> Again | None:
        try:
            await send(post)
        except SlackApiError as error:
            code = code_of(error)
            in_words = send == self._send_in_words
            if code in TOO_MUCH and post.kind in (PostKind.CARD, PostKind.DETAILS) and not in_words:
                log.error(  # noqa: TRY400 - Slack's word for it says all; a traceback would add nothing
                    "Slack refused our blocks", extra={"post_id": post.post_id, "error": code}
                )
                return await self._try(post, self._send_in_words)
            return await self._refused(post, error, code)
        except (ClientError, TimeoutError, OSError) as error:
            return await self._unclear(post, f"{type(error).__name__}: no answer")
        return None

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────

    async def _send(self, post: Post) -> None:
        match post.kind:
            case PostKind.CARD | PostKind.DETAILS:
                await self._send_incident(post, in_words=False)
            case PostKind.NOTE | PostKind.MENTION:
                await self._post_or_edit(post, _words(post.text or ""), post.thread_ts)
            case PostKind.EPHEMERAL:
                await self._whisper(post)
            case PostKind.REPLY:
                await self._reply(post)
            case PostKind.LINK:
                await self._link(post)

    async def _send_in_words(self, post: Post) -> None:
        """Blocks that Slack does not take must not cost the message: everything it says is sent as one text."""
        await self._send_incident(post, in_words=True)

    async def _send_incident(self, post: Post, *, in_words: bool) -> None:
        """A card or its details, drawn from the incident as it is now."""
        view = await self._store.incidents.view(post.incident_id or "")
        if view is None:
            await self._store.posts.dead(post.post_id, error="no such incident", now=self._clock())
            return
        draw = card if post.kind is PostKind.CARD else details
        message = draw(view, self._names(), self._clock())
        rendered = _words(mrkdwn(message, WORDS_ALONE)) if in_words else blocks(message)
        await self._post_or_edit(post, rendered, post.thread_ts or _thread_below(view, post))
        if post.kind is PostKind.CARD and post.message_ts is None:
            below = (one for one in view.posts if one.kind is PostKind.DETAILS)
            await self._store.resubmit(
                [Job(kind=JobKind.POST, row_id=one.post_id) for one in below]
            )

    async def _post_or_edit(
        self, post: Post, message: RenderedMessage, thread_ts: str | None
    ) -> None:
        content, ts = _content(message), post.message_ts
        if ts is None and post.attempts > 1:
            ts = await self._find_own(post, thread_ts)
        if ts is None:
            ts = await self._say(post, content, thread_ts)
        else:  # what was found may be from before the incident moved on
            await self._client.chat_update(channel=post.channel_id or "", ts=ts, **content)
        await self._told(post, ts)

    async def _say(self, post: Post, content: Mapping[str, Any], thread_ts: str | None) -> str:
        """Post it; where its thread is gone with the alert's message, in the channel itself."""
        try:
            answer = await self._client.chat_postMessage(
                channel=post.channel_id or "",
                thread_ts=thread_ts,
                metadata={"event_type": METADATA, "event_payload": {"post_id": post.post_id}},
                unfurl_links=False,
                unfurl_media=False,
                **content,
            )
        except SlackApiError as error:
            if thread_ts is None or code_of(error) not in THREAD_GONE:
                raise
            return await self._say(post, content, None)
        return str(answer["ts"])

    async def _find_own(self, post: Post, thread_ts: str | None) -> str | None:
        """Look for the message of an attempt whose answer was lost; None when Slack never got it.

        Where we may not look, the message is posted again: twice is better than never.
        """
        cursor: str | None = None
        for _ in range(PAGES_LOOKED_AT):
            try:
                page = await self._page_of(post.channel_id or "", thread_ts, cursor)
            except SlackApiError as error:
                if code_of(error) not in FOR_GOOD | THREAD_GONE:
                    raise
                log.warning(
                    "our own message could not be looked for",
                    extra={"post_id": post.post_id, "error": code_of(error)},
                )
                return None
            for message in page.get("messages", []):
                if _is_own(message, post.post_id):
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None

    async def _page_of(
        self, channel: str, thread_ts: str | None, cursor: str | None
    ) -> Mapping[str, Any]:
        """One page of a thread, the oldest first, or of a channel, the newest first."""
        asked: dict[str, Any] = {"channel": channel, "limit": LOOKED_AT, "cursor": cursor}
        if thread_ts is None:
            answer = await self._client.conversations_history(**asked, include_all_metadata=True)
        else:
            answer = await self._client.conversations_replies(
                **asked, ts=thread_ts, include_all_metadata=True
            )
        return answer.data if isinstance(answer.data, dict) else {}

    async def _whisper(self, post: Post) -> None:
        """Tell one person in the channel; somebody who only looks into it is told in their direct message."""
        try:
            await self._client.chat_postEphemeral(
                channel=post.channel_id or "",
                user=post.user_id or "",
                text=post.text or "",
                thread_ts=post.thread_ts,
            )
        except SlackApiError as error:
            if code_of(error) not in CANNOT_SEE:
                raise
            await self._client.chat_postMessage(
                channel=post.user_id or "", text=post.text or "", unfurl_links=False
            )
        await self._told(post, None)

    async def _reply(self, post: Post) -> None:
        webhook = AsyncWebhookClient(post.response_url or "")
        answer = await webhook.send(text=post.text or "", response_type="ephemeral")
        if answer.status_code >= 500 or answer.status_code == 429:  # noqa: PLR2004 - HTTP: worth another try
            raise TimeoutError
        await self._told(post, None)

    async def _link(self, post: Post) -> None:
        card = await self._store.posts.card_of(post.incident_id or "")
        if card is None or card.message_ts is None or card.channel_id is None:
            await self._give_up(post, "there is no card to link to")
            return
        found = await self._client.chat_getPermalink(
            channel=card.channel_id, message_ts=card.message_ts
        )
        problem = await post_link(post.response_url or "", str(found["permalink"]), post.text or "")
        if problem:
            await self._give_up(post, problem)
        else:
            await self._told(post, None)

    async def _told(self, post: Post, message_ts: str | None) -> None:
        await self._store.posts.posted(
            post.post_id, message_ts=message_ts, told=post.wanted, now=self._clock()
        )

    # ── what went wrong ──────────────────────────────────────────────────────────────────────────────

    async def _refused(self, post: Post, error: SlackApiError, code: str) -> Again | None:
        """Slack said no: wait as told, or give the post up and say so in the log."""
        now = self._clock()
        if code == "ratelimited":
            until = now + timedelta(seconds=retry_after(error))
            if post.channel_id:
                self._pace.hush(post.channel_id, until)
            return await self._later(post, code, until)
        if code in FOR_GOOD | TOO_MUCH | THREAD_GONE:
            await self._give_up(post, code)
            return None
        return await self._unclear(post, code)

    async def _unclear(self, post: Post, error: str) -> Again | None:
        """Nobody knows whether it landed: try again later, and look before posting."""
        if post.attempts >= TRIES.get(post.kind, post.attempts + 1):
            await self._give_up(post, error)
            return None
        pause = min(FIRST_PAUSE * 2 ** min(post.attempts, 10), LONGEST_PAUSE)
        return await self._later(post, error, self._clock() + max(pause, UNSETTLED))

    async def _later(self, post: Post, error: str, at: datetime) -> Again:
        await self._store.posts.failed(post.post_id, error=error, retry_at=at, now=self._clock())
        return Again(at=at)

    async def _give_up(self, post: Post, error: str) -> None:
        """A card that cannot stand where it belongs is at least spoken of in the tenant's incident channel."""
        log.error("a post was given up", extra={"post_id": post.post_id, "error": error})
        if post.kind is PostKind.CARD and post.incident_id is not None:
            await self._speak_of(post, error)
        await self._store.posts.dead(post.post_id, error=error, now=self._clock())

    async def _speak_of(self, post: Post, error: str) -> None:
        view = await self._store.incidents.view(post.incident_id or "")
        if view is None:
            return
        home = self._home(view.incident.tenant_id, view.incident.dataset)
        if home is None or home == post.channel_id:
            return
        now = self._clock()
        note = Post(
            post_id=f"homeless:{post.post_id}",
            incident_id=post.incident_id,
            kind=PostKind.NOTE,
            channel_id=home,
            text=answers.card_refused(view, self._names(), now, error),
        )
        await self._store.posts.add([note], now)


def _thread_below(view: IncidentView, post: Post) -> str | None:
    """The thread that a card opens, for its details."""
    if post.kind is not PostKind.DETAILS:
        return None
    return next((one.message_ts for one in view.posts if one.kind is PostKind.CARD), None)


def _is_own(message: Mapping[str, Any], post_id: str) -> bool:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return metadata.get("event_type") == METADATA and payload.get("post_id") == post_id


def _words(text: str) -> RenderedMessage:
    return RenderedMessage(text=text, blocks=(), attachments=())


def _content(message: RenderedMessage) -> dict[str, Any]:
    """What both posting and editing send; always all three, so that an edit leaves nothing behind."""
    return {
        "text": message.text,
        "blocks": list(message.blocks),
        "attachments": list(message.attachments),
    }
