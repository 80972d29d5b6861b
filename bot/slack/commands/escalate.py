"""``/rca escalate TEAM [DATASET]``: page a team now."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand, escalate
from bot.deps import Deps
from bot.directory import Directory
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incident
from bot.slack.requests import UsageError


async def run(request: CommandRequest, deps: Deps) -> str:
    """Page *TEAM* for the dataset's open incident; the second time, say who did it.

    Raises:
        UsageError: no team named.
    """
    demand(request.actor, Act.ESCALATE)
    if not request.words:
        raise UsageError(f"Say {COMMAND.usage}. Teams: {', '.join(sorted(deps.directory.teams))}.")
    team_id, rest = find_team(request.words, deps.directory)
    incident = await the_incident(request, rest, deps)
    asked = await escalate(incident.incident_id, team_id, request.actor, deps)
    return answers.paging(asked.page, deps.names(), fresh=asked.fresh)


def find_team(words: tuple[str, ...], directory: Directory) -> tuple[str, tuple[str, ...]]:
    """Return the id of the team that *words* begin with, and the words after it.

    A team is called by its id or its name, which may be several words, in any case and with ``-``, ``_`` or a
    space between them; the longest one counts. The first word stands for itself where no team is called so.
    """
    called = {_plain(name): key for key, one in directory.teams.items() for name in (one.name, key)}
    for length in range(len(words), 0, -1):
        team_id = called.get(_plain(" ".join(words[:length])))
        if team_id is not None:
            return team_id, words[length:]
    return words[0], words[1:]


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("-", " ").replace("_", " ").split())


COMMAND: Final = Command(
    verb="escalate", usage="/rca escalate TEAM [DATASET]", help="page a team now", run=run
)
