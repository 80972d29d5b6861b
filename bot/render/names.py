"""How teams and people are called in messages; made from the directory, held by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from bot.render.message import Code, Group, Person, Span
from bot.render.text import is_user_id

_PAGERS: Final = {"pagerduty": "PagerDuty", "slack_mention": "Slack", "log": "the log"}
"""How people call a pager, by its id; any other is called by its id in words."""


class CalledTeam(Protocol):
    """What a message needs of a team's entry in the directory."""

    @property
    def name(self) -> str:
        """Display name."""

    @property
    def usergroup(self) -> str | None:
        """Slack user group id."""

    @property
    def pager(self) -> str:
        """Id of its pager."""


class CalledPerson(Protocol):
    """What a message needs of a person's entry in the directory."""

    @property
    def slack(self) -> str:
        """Slack user id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamName:
    """How one team is called and reached: Slack user group id and the pager's name as people say it."""

    name: str
    usergroup: str | None = None
    pager: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Team id to its names, and a person's address in the data (an e-mail) to their Slack id."""

    teams: Mapping[str, TeamName] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)

    def team(self, team_id: str) -> str:
        """Return the display name; of an unknown team its id in words (``data_eng_lead``: "Data eng lead")."""
        known = self.teams.get(team_id)
        if known:
            return known.name
        words = " ".join(team_id.replace("_", " ").split())
        return words[:1].upper() + words[1:] or "nobody in particular"

    def pager(self, team_id: str) -> str | None:
        """Return the name of the service that wakes this team, if the directory says one."""
        known = self.teams.get(team_id)
        return known.pager if known else None

    def group(self, team_id: str) -> Span:
        """Return the team's user group, to mention it; its name in words when it has none."""
        known = self.teams.get(team_id)
        if known and known.usergroup:
            return Group(usergroup_id=known.usergroup, name=known.name)
        return self.team(team_id)

    def person(self, address: str) -> Span:
        """Return whoever data calls *address*: a person of the directory, else the address as a value."""
        slack_id = self.people.get(address)
        return Person(slack_id=slack_id) if slack_id else Code(text=address)

    def actor(self, recorded: str | None) -> Span:
        """Return who did something, from our own records: a Slack user id, or the name of one of us."""
        if recorded is None:
            return "somebody"
        return Person(slack_id=recorded) if is_user_id(recorded) else self.person(recorded)


def pager_name(pager: str) -> str:
    """Return how people call a pager: ``pagerduty`` is "PagerDuty"."""
    return _PAGERS.get(pager, " ".join(pager.replace("_", " ").split()))


def names_of(teams: Mapping[str, CalledTeam], people: Mapping[str, CalledPerson]) -> Names:
    """Return the names of a directory's teams (by id) and people (by e-mail)."""
    return Names(
        teams={
            team_id: TeamName(
                name=team.name, usergroup=team.usergroup, pager=pager_name(team.pager)
            )
            for team_id, team in teams.items()
        },
        people={email: person.slack for email, person in people.items()},
    )
