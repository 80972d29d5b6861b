"""``/rca review [DATASET]``: the runs and results were gone through by hand, and it is still wrong."""

from __future__ import annotations

from typing import Final

from bot.decisions import reviewed
from bot.deps import Deps
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incident


async def run(request: CommandRequest, deps: Deps) -> str:
    """Note the review and look again; without a signal the runbook now escalates."""
    incident = await the_incident(request, request.words, deps)
    await reviewed(incident.incident_id, request.actor, request.trigger_id, deps)
    return answers.looking(incident.dataset)


COMMAND: Final = Command(
    verb="review",
    usage="/rca review [DATASET]",
    help="you looked through it by hand and it is still wrong",
    run=run,
)
