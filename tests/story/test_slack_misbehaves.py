"""Slack is slow, refuses, or takes a message without answering: one card all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.records import PostState
from bot.sandbox.faults import Broken, Cut, Fault, RateLimited, Unanswered
from bot.sandbox.world import ALERTS, World, reopened, words

NAME = "01_expired_credentials"
DATASET = "shopify_orders"

FAULTS = [
    pytest.param(RateLimited(retry_after_s=7), id="429"),
    pytest.param(Broken(status=500), id="500"),
    pytest.param(Cut(), id="cut before"),
    pytest.param(Unanswered(), id="cut after"),
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_one_card_whatever_slack_does(rough: World, fault: Fault) -> None:
    """The first post fails in each way there is; later there is exactly one card and one details reply."""
    rough.sandbox.faults.add("chat.postMessage", fault)
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    await rough.work()
    for _ in range(6):
        await rough.later(seconds=15)
    replies = rough.thread(message)
    assert len(replies) == 2
    view = await rough.incident(DATASET)
    assert {post.state for post in view.posts} == {PostState.POSTED}


async def test_a_card_that_landed_unanswered_is_found_after_a_restart(rough: World) -> None:
    """Slack took the card, we died before we heard: the next bot finds it by its metadata and posts no second."""
    rough.sandbox.faults.add("chat.postMessage", Unanswered(), times=1)
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    await rough.work()
    async with reopened(rough.sandbox, rough.settings, rough.clock) as again:
        for _ in range(6):
            await again.later(seconds=15)
        assert len(again.thread(message)) == 2


async def test_recorded_but_not_told(rough: World) -> None:
    """We die after the diagnosis is recorded and before anything is posted: the next bot tells it."""
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    rough.sandbox.faults.add("chat.postMessage", Cut(), times=2)
    await rough.work()
    assert rough.thread(message) == ()
    async with reopened(rough.sandbox, rough.settings, rough.clock) as again:
        for _ in range(6):
            await again.later(seconds=15)
        assert len(again.thread(message)) == 2
        assert DATASET in words(again.card(message))


async def test_a_channel_we_were_thrown_out_of(rough: World) -> None:
    """The channel turned private without us: the posts are given up with Slack's reason, the deadline still pages."""
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    place = rough.sandbox.workspace.channel(ALERTS)
    others = tuple(user_id for user_id in place.member_ids if user_id != "U0RCA")
    rough.sandbox.workspace.add_channel(replace(place, is_private=True, member_ids=others))
    await rough.work()
    view = await rough.incident(DATASET)
    here = [post for post in view.posts if post.channel_id == "C0ALERTS"]
    assert {post.state for post in here} == {PostState.DEAD}
    assert {post.error for post in here} <= {"not_in_channel", "channel_not_found"}
    await rough.later(minutes=31)
    assert [call.service for call in rough.sandbox.phones.calls] == ["Infra"]
    rough.thread(message)


async def test_a_card_that_is_found_again_says_what_holds_now(rough: World) -> None:
    """Slack took the card unanswered; Infra is paged before it is found: found, it says so at once."""
    rough.sandbox.faults.add("chat.postMessage", Unanswered(), times=1)
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    await rough.work()
    rough.sandbox.faults.add("conversations.replies", Broken(status=500), times=20)
    await rough.later(minutes=31)
    assert [call.service for call in rough.sandbox.phones.calls] == ["Infra"]
    rough.sandbox.faults.clear()
    for _ in range(8):
        await rough.later(minutes=6)
    assert "Paged Infra" in words(rough.card(message))
