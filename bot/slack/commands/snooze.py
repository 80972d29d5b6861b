"""``/rca snooze 2h [DATASET]``: keep quiet for a while."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand, snooze
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incidents
from bot.slack.requests import UsageError, read_span


async def run(request: CommandRequest, deps: Deps) -> str:
    """Snooze whatever is open about the dataset; deadlines move to the end of it.

    Raises:
        UsageError: no length of time, or none we know.
    """
    demand(request.actor, Act.SNOOZE)
    if not request.words:
        raise UsageError(f"Say {COMMAND.usage}.")
    span = read_span(request.words[0])
    found = await the_incidents(request, request.words[1:], deps)
    changes = [await snooze(one.incident_id, request.actor, span, deps) for one in found]
    return answers.snoozed(changes[0].incident)


COMMAND: Final = Command(
    verb="snooze",
    usage="/rca snooze 2h [DATASET]",
    help="keep quiet for a while; deadlines move",
    run=run,
)
