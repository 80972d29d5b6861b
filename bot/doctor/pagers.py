"""Pagers: does each team's service take what we send? Tried with the end of a page that never began.

No service wakes anybody for the resolve of an unknown page, and each checks the key or the signature first;
PagerDuty refuses a key of the wrong form, but may take a well-formed one that belongs to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from bot.directory import Team
from bot.pagers.registry import Means, build
from bot.ports import BotError, Checked, PageOrder, Refused
from rca.case import Severity

KEY: Final = "rca-bot-doctor"
MENTION: Final = "slack_mention"
NO_SLACK: Final = "is woken by a mention, and Slack is off or not reached"
CONNECT_SLACK: Final = "connect Slack first, or give the team another pager"


async def examine_pagers(
    teams: Iterable[Team], means: Means, now: datetime, *, slack: bool
) -> tuple[Checked, ...]:
    """Return one line per team; a team whose secret is missing is left to the settings. Never raises.

    Args:
        teams: who can be paged.
        means: what pagers work with.
        now: what the examination's page is dated with.
        slack: whether Slack is reached at all; without it nobody can be mentioned.
    """
    ready = [t for t in teams if all(means.secrets.get(name) for name in t.secret_names)]
    return tuple([await _examine(team, means, now, slack=slack) for team in ready])


async def _examine(team: Team, means: Means, now: datetime, *, slack: bool) -> Checked:
    what = f"team {team.id} can be paged by {team.pager}"
    if team.pager == MENTION and not slack:
        return Checked(what=what, problem=f"team {team.id}: {NO_SLACK}", fix=CONNECT_SLACK)
    try:
        pager = build(team, means)
    except BotError as error:
        return Checked(what=what, problem=str(error), fix="correct the team in the directory")
    order = PageOrder(
        dedup_key=f"{KEY}:{team.id}",
        summary="rca-bot doctor looks whether pages arrive; nothing is wrong",
        severity=Severity.INFO,
        source="rca-bot",
        timestamp=now,
        details={},
    )
    outcome = await pager.resolve(order, now)
    if isinstance(outcome, Refused):
        fix = f"check the address and the key of teams.{team.id}; until then nobody there is woken"
        return Checked(what=what, problem=outcome.reason, fix=fix)
    return Checked(what=what)
