"""Buttons of the card: what each one does, and what the person who pressed it reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from bot.decisions import Actor, acknowledge, escalate, mark, resolve
from bot.deps import Deps
from bot.ports import BotError
from bot.records import InboxKind, InboxState, Post, PostKind, Verdict
from bot.render import answers
from bot.render.text import escape
from bot.slack.requests import Click

Press = Callable[[Click, Actor, Deps], Awaitable[str | None]]


async def _ack(click: Click, actor: Actor, deps: Deps) -> str | None:
    change = await acknowledge(click.incident_id, actor, deps)
    return None if change.changed else answers.acknowledged(change.incident, changed=False)


async def _resolve(click: Click, actor: Actor, deps: Deps) -> str | None:
    change = await resolve(click.incident_id, actor, deps)
    return None if change.changed else answers.resolved(change.incident, changed=False)


async def _escalate(click: Click, actor: Actor, deps: Deps) -> str | None:
    asked = await escalate(click.incident_id, click.team or "", actor, deps)
    return None if asked.fresh else answers.paging(asked.page, deps.names(), fresh=False)


async def _right(click: Click, actor: Actor, deps: Deps) -> str | None:
    said = await mark(click.incident_id, Verdict.RIGHT, actor, deps)
    return None if said.changed else answers.marked(said.causes, said.incident, changed=False)


async def _wrong(click: Click, actor: Actor, deps: Deps) -> str | None:
    said = await mark(click.incident_id, Verdict.WRONG, actor, deps)
    return answers.marked(said.causes, said.incident, changed=said.changed)


PRESSES: Final[Mapping[str, Press]] = MappingProxyType(
    {
        "incident_ack": _ack,
        "incident_resolve": _resolve,
        "incident_escalate": _escalate,
        "incident_right": _right,
        "incident_wrong": _wrong,
    }
)
"""By the button's ``action_id``, without what follows its colon. The card's edit is the answer to a first press."""


async def press(click: Click, actor: Actor, deps: Deps) -> None:
    """Do what the button says; a press that changes nothing is answered, never ignored.

    It is done before its delivery is noted: whoever dies in between is asked again, and every decision changes
    nothing the second time. The note keeps a repeated delivery from being answered twice.
    """
    do = PRESSES.get(click.action)
    try:
        text = await do(click, actor, deps) if do else "I do not know this button any more."
    except BotError as error:
        text = escape(str(error))
    kept = await deps.store.inbox.keep(
        kind=InboxKind.ACTION,
        sender_id=f"{click.sender_id}:{click.action}",
        tenant_id=actor.tenant_id,
        payload={"action": click.action, "incident": click.incident_id, "user": click.user_id},
        now=deps.clock(),
        state=InboxState.DONE,
    )
    if text and kept.fresh:
        await whisper(text, click, deps)


async def whisper(text: str, click: Click, deps: Deps) -> None:
    """Answer only the person who pressed, in the place where they did; once per press."""
    await deps.store.posts.add(
        [
            Post(
                post_id=f"whisper:{click.sender_id}:{click.action}",
                incident_id=None,
                kind=PostKind.EPHEMERAL,
                channel_id=click.channel_id,
                thread_ts=click.thread_ts,
                user_id=click.user_id,
                text=text,
            )
        ],
        deps.clock(),
    )
