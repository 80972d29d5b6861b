"""The message shortcut "Diagnose this alert": a person points at a message, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.decisions import Actor, demand
from bot.deps import Deps
from bot.intake.registry import recognise_slack
from bot.policy.who_may import Act
from bot.ports import BotError
from bot.records import InboxKind, InboxState
from bot.slack.requests import Heard, UsageError, read_message

CALLBACK: Final = "diagnose_alert"
UNREADABLE: Final = "I cannot read this message as an alert. Ask with /rca DATASET instead."
LOOKING: Final = "Looking into it. The card appears in this message's thread in a moment."
KNOWN: Final = "I have looked at this message already; the answer is in its thread."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """Who pointed at which message, and where."""

    user_id: str
    team_id: str | None
    heard: Heard


def read_shortcut(body: Mapping[str, Any]) -> Pointed:
    """Return what somebody pointed at.

    Raises:
        UsageError: the payload lacks what every message shortcut has.
    """
    try:
        message = {**body["message"], "channel": body["channel"]["id"]}
        heard = read_message({**message, "subtype": None})
        user = body["user"]
        if heard is None:
            raise UsageError(UNREADABLE)
        return Pointed(user_id=str(user["id"]), team_id=user.get("team_id"), heard=heard)
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(UNREADABLE) from error


async def diagnose_message(pointed: Pointed, actor: Actor, deps: Deps) -> str:
    """Keep the message as if it had arrived in a watched channel, and return what the person reads.

    One message is one alert, whether it was heard, pointed at, or both.
    """
    try:
        demand(actor, Act.DIAGNOSE)
    except BotError as error:
        return str(error)
    recognised = recognise_slack(pointed.heard.message)
    if recognised is None or not recognised.alerts:
        return UNREADABLE
    kept = await deps.store.inbox.keep(
        kind=InboxKind.SLACK_MESSAGE,
        sender_id=pointed.heard.sender_id,
        tenant_id=actor.tenant_id,
        payload={"channel": pointed.heard.channel_id, "message": pointed.heard.message},
        now=deps.clock(),
    )
    if kept.fresh:
        return LOOKING
    return KNOWN if kept.item.state is InboxState.DONE else LOOKING
