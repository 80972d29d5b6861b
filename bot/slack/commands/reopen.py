"""``/rca reopen DATASET``: it was not over after all."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand, reopen
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest
from bot.slack.requests import NoAnswerError, UsageError


async def run(request: CommandRequest, deps: Deps) -> str:
    """Reopen the dataset's newest incident, and say so.

    Raises:
        UsageError: no dataset named.
        NoAnswerError: the dataset has had no incident; with near matches.
    """
    demand(request.actor, Act.RESOLVE)
    if not request.words:
        raise UsageError(f"Say {COMMAND.usage}.")
    tenant_id = request.actor.tenant_id
    catalog = await deps.catalog(tenant_id)
    dataset = catalog.resolve(request.words[:1])
    name = dataset.name if dataset else request.words[0]
    recent = await deps.store.incidents.recent(tenant_id, name, 1)
    if not recent:
        raise NoAnswerError(answers.unknown_dataset(name, catalog.near(name)))
    change = await reopen(recent[0].incident_id, request.actor, deps)
    return answers.reopened(change.incident, changed=change.changed)


COMMAND: Final = Command(
    verb="reopen",
    usage="/rca reopen DATASET",
    help="it was not over after all",
    run=run,
)
