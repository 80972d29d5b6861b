"""Wakes a team by mentioning its Slack user group in the incident's thread."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from bot.directory import Team
from bot.pagers.registry import AskForMention, Means, PagerKind
from bot.ports import Accepted, BotError, PageOrder, PageOutcome, Refused
from bot.records import PostState

LOOK_AGAIN: Final = timedelta(
    seconds=2
)  # the outbox posts a mention first; it is there or it failed


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMentionPager:
    """Accepted only once Slack has taken the post; until then it asks to be looked at again."""

    usergroup: str
    mention: AskForMention

    async def page(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Ask for the mention, or look how far the one asked for before is."""
        try:
            post = await self.mention(self.usergroup, order)
        except BotError as error:
            return Refused(reason=str(error), retry_after=None)
        match post.state:
            case PostState.POSTED:
                return Accepted(at=now, reference=post.message_ts)
            case PostState.DEAD:
                reason = f"Slack refused the mention: {post.error or 'no reason given'}"
                return Refused(reason=reason, retry_after=None)
            case PostState.INTENT:
                return Refused(reason="Slack has not taken the mention yet", retry_after=LOOK_AGAIN)
            case _:  # pragma: no cover - the states above are all there are
                assert_never(post.state)

    async def resolve(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Do nothing: the card in the same thread turns green, and nobody is mentioned for good news."""
        return Accepted(at=now, reference=order.dedup_key)


def build(team: Team, means: Means) -> SlackMentionPager:
    """Return the pager of *team*.

    Raises:
        BotError: the directory gives the team no user group.
    """
    if not team.usergroup:
        raise BotError(f"team {team.id}: pager slack_mention needs usergroup in the directory")
    return SlackMentionPager(usergroup=team.usergroup, mention=means.mention)


PAGER: Final = PagerKind(name="slack_mention", build=build)
