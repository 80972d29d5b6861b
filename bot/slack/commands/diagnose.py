"""``/rca DATASET [TYPE]``: what most likely broke; the answer is a card in the channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.decisions import demand
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.records import InboxKind, Place
from bot.render import answers
from bot.slack.command import Command, CommandRequest
from bot.slack.requests import NoAnswerError, UsageError, read_anomaly_type
from rca.case import AnomalyType


async def run(request: CommandRequest, deps: Deps) -> str:
    """Keep the question, so that a crash cannot lose it, and say that we look.

    Raises:
        UsageError: no dataset, too many words, or no such anomaly type.
        NoAnswerError: the catalog does not know the dataset; with near matches, and with where the card is that
            an alert about the name opened.
    """
    demand(request.actor, Act.DIAGNOSE)
    if not 1 <= len(request.words) <= 2:  # noqa: PLR2004 - DATASET and TYPE
        raise UsageError(f"Say {COMMAND.usage}.")
    name = request.words[0]
    kind = read_anomaly_type(request.words[1]) if len(request.words) > 1 else None
    catalog = await deps.catalog(request.actor.tenant_id)
    dataset = catalog.resolve((name,))
    if dataset is None:
        raise NoAnswerError(await _unknown(name, kind, catalog.near(name), request, deps))
    await deps.store.inbox.keep(
        kind=InboxKind.COMMAND,
        sender_id=request.trigger_id,
        tenant_id=request.actor.tenant_id,
        payload={
            "dataset": dataset.name,
            "anomaly_type": kind,
            "user": request.actor.user_id,
            "channel": request.channel_id,
            "thread_ts": request.thread_ts,
        },
        now=deps.clock(),
    )
    return await _where(dataset.name, kind, request, deps)


async def _unknown(
    name: str,
    kind: AnomalyType | None,
    near: Sequence[str],
    request: CommandRequest,
    deps: Deps,
) -> str:
    """Which datasets look like it; an alert about the name itself may have opened an incident all the same."""
    open_ones = await deps.store.incidents.find_open(request.actor.tenant_id, name, kind)
    told = [answers.card_elsewhere(incident) for incident in open_ones]
    return "\n".join((answers.unknown_dataset(name, near), *told))


async def _where(name: str, kind: AnomalyType | None, request: CommandRequest, deps: Deps) -> str:
    """Where the answer will be: here, or at the card of what is open already, whose status is told at once."""
    here = Place(channel_id=request.channel_id, thread_ts=request.thread_ts)
    open_ones = await deps.store.incidents.find_open(request.actor.tenant_id, name, kind)
    said = []
    for incident in open_ones:
        view = await deps.store.incidents.view(incident.incident_id)
        if view is not None and incident.place not in (None, here):
            status = answers.status(view, deps.names(), deps.clock())
            said.append(f"{answers.card_elsewhere(incident)}\n{status}")
    return "\n".join(said) or answers.looking(name)


COMMAND: Final = Command(
    verb="diagnose",
    usage="/rca DATASET [TYPE]",
    help="what most likely broke, how sure, and what to do first",
    run=run,
)
