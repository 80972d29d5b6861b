"""A mention counts as a page only once Slack has it."""

from datetime import timedelta

import pytest

from bot.directory import Team
from bot.pagers.registry import Means, build
from bot.pagers.slack_mention import SlackMentionPager
from bot.ports import Accepted, BotError, Refused
from bot.records import Post, PostKind, PostState


def post_in(state: PostState, error: str | None = None) -> Post:
    return Post(
        post_id="m",
        incident_id="inc-1",
        kind=PostKind.MENTION,
        channel_id="C1",
        message_ts="17.5" if state is PostState.POSTED else None,
        state=state,
        error=error,
    )


@pytest.mark.parametrize(
    ("post", "reason", "pause"),
    [
        (
            post_in(PostState.INTENT),
            "Slack has not taken the mention yet",
            timedelta(seconds=2),
        ),
        (
            post_in(PostState.DEAD, "not_in_channel"),
            "Slack refused the mention: not_in_channel",
            None,
        ),
        (post_in(PostState.DEAD), "Slack refused the mention: no reason given", None),
    ],
)
async def test_a_mention_that_is_not_there_is_no_page(order, now, post, reason, pause):
    """While Slack has not taken it we look again; once Slack refused it we stop."""

    async def mention(_: str, __: object) -> Post:
        return post

    outcome = await SlackMentionPager(usergroup="S1", mention=mention).page(order, now)
    assert outcome == Refused(reason=reason, retry_after=pause)


async def test_a_posted_mention_is_a_page(order, now):
    """The user group asked for is the team's, and the post's ts is the reference."""
    asked = []

    async def mention(usergroup: str, for_order: object) -> Post:
        asked.append((usergroup, for_order))
        return post_in(PostState.POSTED)

    pager = SlackMentionPager(usergroup="S1", mention=mention)
    assert await pager.page(order, now) == Accepted(at=now, reference="17.5")
    assert asked == [("S1", order)]


async def test_nowhere_to_post_is_a_refusal(order, now):
    """An incident without a channel cannot be mentioned anywhere; the reason is the flow's own sentence."""

    async def mention(_: str, __: object) -> Post:
        raise BotError("the incident has no channel")

    outcome = await SlackMentionPager(usergroup="S1", mention=mention).page(order, now)
    assert outcome == Refused(reason="the incident has no channel", retry_after=None)


async def test_good_news_mentions_nobody(order, now):
    """A resolve posts nothing."""

    async def mention(_: str, __: object) -> Post:
        raise AssertionError("nobody is mentioned for good news")

    pager = SlackMentionPager(usergroup="S1", mention=mention)
    assert isinstance(await pager.resolve(order, now), Accepted)


async def test_a_team_without_a_user_group_is_refused(session):
    """The text names the team and the missing setting."""

    async def mention(_: str, __: object) -> Post:
        return post_in(PostState.POSTED)

    team = Team(id="infra", name="Infra", pager="slack_mention")
    with pytest.raises(BotError, match=r"team infra: .*usergroup"):
        build(team, Means(session=session, secrets={}, mention=mention))
