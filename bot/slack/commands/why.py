"""``/rca why [N] [DATASET]``: what a hypothesis rests on, and what speaks against it."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render.block_kit import mrkdwn
from bot.render.why import no_such_rank, why
from bot.slack.command import Command, CommandRequest, the_incident
from bot.slack.requests import NoAnswerError

MOST_DIGITS: Final = 3  # of a hypothesis' number; anything longer is a name


async def run(request: CommandRequest, deps: Deps) -> str:
    """Return why the N-th hypothesis of the dataset's open incident, or its first, is as sure as it is.

    Raises:
        NoAnswerError: nothing is open, it has not been diagnosed yet, or there is no such hypothesis.
    """
    demand(request.actor, Act.VIEW)
    rank, rest = read_rank(request.words)
    incident = await the_incident(request, rest, deps)
    view = await deps.store.incidents.view(incident.incident_id)
    if view is None or view.diagnosis is None:
        raise NoAnswerError("It has not been diagnosed yet.")
    message = why(view.diagnosis, rank)
    if message is None:
        raise NoAnswerError(no_such_rank(view.diagnosis, rank))
    return mrkdwn(message)


def read_rank(words: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """Return the number that *words* begin with, or 1, and the words after it."""
    first = words[0] if words else ""
    if first.isascii() and first.isdigit() and len(first) <= MOST_DIGITS:
        return int(first), words[1:]
    return 1, words


COMMAND: Final = Command(
    verb="why",
    usage="/rca why [N] [DATASET]",
    help="what a hypothesis rests on, and what speaks against it",
    run=run,
)
