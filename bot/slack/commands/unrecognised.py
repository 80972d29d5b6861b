"""``/rca unrecognised``: messages of other bots that no format knew, and webhooks that one refused."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest

NEWEST: Final = 5


async def run(request: CommandRequest, deps: Deps) -> str:
    """Return how many alerts were left alone because no format knew them, and what webhooks were refused."""
    demand(request.actor, Act.VIEW)
    tenant_id = request.actor.tenant_id
    count = await deps.store.inbox.count_unrecognised(tenant_id)
    newest = await deps.store.inbox.unrecognised(tenant_id, NEWEST)
    refused = await deps.store.refusals.list(tenant_id)
    return answers.unrecognised(count, newest, refused)


COMMAND: Final = Command(
    verb="unrecognised", usage="/rca unrecognised", help="alerts that no format knew", run=run
)
