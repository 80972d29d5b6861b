"""``/rca cause CAUSE|none [DATASET]``: say what it was, so that the next diagnosis is surer for good reason."""

from __future__ import annotations

from typing import Final

from bot.decisions import CAUSES, demand, name_cause
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.ports import BotError
from bot.records import Incident
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incident
from bot.slack.requests import NoAnswerError


async def run(request: CommandRequest, deps: Deps) -> str:
    """Keep what the asker says that the cause was, and return what was kept.

    Raises:
        NoAnswerError: no cause was named, or no incident is meant.
        BotError: the cause is unknown, or the asker may not say.
    """
    demand(request.actor, Act.ANSWER)
    if not request.words:
        raise NoAnswerError(f"Which one? {', '.join(CAUSES)}.")
    cause = request.words[0].casefold()
    incident = await _meant(request, request.words[1:], deps)
    said = await name_cause(incident.incident_id, cause, request.actor, deps)
    return answers.marked(said.causes, said.incident, changed=said.changed)


async def _meant(request: CommandRequest, words: tuple[str, ...], deps: Deps) -> Incident:
    """The open incident that is meant, or the dataset's last one: a cause is often known only when all is over."""
    try:
        return await the_incident(request, words, deps)
    except BotError:
        catalog = await deps.catalog(request.actor.tenant_id)
        dataset = catalog.resolve(words[:1]) if words else None
        name = dataset.name if dataset else "".join(words[:1])
        recent = await deps.store.incidents.recent(request.actor.tenant_id, name, 1)
        if not recent:
            raise
        return recent[0]


COMMAND: Final = Command(
    verb="cause",
    usage="/rca cause CAUSE|none [DATASET]",
    help=f"say what it was: {', '.join(CAUSES)}",
    run=run,
)
