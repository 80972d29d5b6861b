"""A message of ours is seen by whoever waits for it, wherever Slack refuses it."""

from __future__ import annotations

from dataclasses import replace

from bot.records import Post, PostKind, PostState
from bot.sandbox.faults import RateLimited, Unanswered
from bot.sandbox.records import Draft, Message
from bot.sandbox.world import ALERTS, World, buttons, words
from bot.slack import outbox

NAME = "01_expired_credentials"
DATASET = "shopify_orders"


def direct(world: World, user_id: str) -> tuple[Message, ...]:
    """What we said to somebody in their direct message."""
    ims = [one for one in world.sandbox.workspace.channels if one.is_im]
    place = next(one for one in ims if set(one.member_ids) == {user_id, "U0RCA"})
    return world.sandbox.messages(place.channel_id)


async def test_somebody_who_only_looks_into_the_channel(rough: World) -> None:
    """A reader of a public channel, who never joined it, presses a button: the answer comes as a direct message."""
    message = await rough.alert(NAME)
    card = rough.card(message)
    place = rough.sandbox.workspace.channel(ALERTS)
    others = tuple(one for one in place.member_ids if one != "U0EVE")
    rough.sandbox.workspace.add_channel(replace(place, member_ids=others))
    await rough.sandbox.click("eve", card, "incident_escalate:infra")
    await rough.work()
    (said,) = direct(rough, "U0EVE")
    assert "viewer" in words(said)


async def test_an_answer_that_cannot_be_given_is_not_tried_for_ever(rough: World) -> None:
    """Slack has trouble for hours: an answer nobody waits for any more is given up, a card is not."""
    rough.sandbox.faults.add("chat.postEphemeral", RateLimited(retry_after_s=1), times=2)
    rough.sandbox.faults.add("chat.postEphemeral", Unanswered(), times=50)
    await rough.sandbox.mention("alice", ALERTS, "list")
    for _ in range(20):
        await rough.later(minutes=6)
    tried = rough.sandbox.calls("chat.postEphemeral")
    assert len(tried) <= outbox.TRIES[PostKind.REPLY] + 2


async def test_our_card_is_found_below_many_others(rough: World) -> None:
    """The card landed unanswered, then two thousand messages came: it is found on a later page, and not doubled."""
    rough.sandbox.faults.add("chat.postMessage", Unanswered())
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    crowd = rough.sandbox.workspace
    place, bot = crowd.channel(ALERTS), crowd.user("elementary")
    for number in range(1_500):
        crowd.post(place, bot, Draft(text=f"before {number}", thread_ts=message.ts))
    await rough.work()
    for _ in range(4):
        await rough.later(seconds=15)
    ours = [one for one in rough.thread(message) if one.author.user_id == "U0RCA"]
    assert len(ours) == 2
    view = await rough.incident(DATASET)
    assert {post.state for post in view.posts} == {PostState.POSTED}


async def test_where_we_may_not_look_we_post(rough: World) -> None:
    """Not a member of a public channel: a post that went unanswered is posted again, rather than given up."""
    place = rough.sandbox.workspace.channel("general")
    assert "U0RCA" not in place.member_ids
    rough.sandbox.faults.add("chat.postMessage", RateLimited(retry_after_s=1))
    post = Post(post_id="n", incident_id=None, kind=PostKind.NOTE, channel_id="C0GENERAL", text="x")
    await rough.app.store.posts.add([post], rough.clock())
    await rough.work()
    await rough.later(seconds=10)
    assert [one.text for one in rough.sandbox.messages("general")] == ["x"]


async def test_the_alerts_message_is_deleted_before_we_answer(rough: World) -> None:
    """There is no thread any more: the card stands in the channel, and its details below it or beside it."""
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    rough.sandbox.workspace.delete(message)
    await rough.work()
    view = await rough.incident(DATASET)
    assert {post.state for post in view.posts} == {PostState.POSTED}
    assert any(DATASET in words(one) for one in rough.sandbox.messages(ALERTS))


async def test_a_card_with_no_place_is_spoken_of(rough: World) -> None:
    """The alert's channel shut us out: the tenant's incident channel gets the status, and who is next."""
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    place = rough.sandbox.workspace.channel(ALERTS)
    rough.sandbox.workspace.add_channel(replace(place, is_archived=True))
    await rough.work()
    (note,) = rough.sandbox.messages("data-incidents")
    assert DATASET in words(note)
    assert "<#C0ALERTS>" in words(note)
    assert "Infra" in words(note)
    await rough.later(minutes=10)
    assert len(rough.sandbox.messages("data-incidents")) == 1
    assert rough.thread(message) == ()


async def test_details_stand_below_their_card(rough: World) -> None:
    """The card is limited, its details wait for it, however long that takes."""
    rough.sandbox.faults.add("chat.postMessage", RateLimited(retry_after_s=20))
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    for _ in range(8):
        await rough.later(seconds=5)
    card, details = rough.thread(message)
    assert "incident_ack" in buttons(card)
    assert card.ts < details.ts
    looks = rough.sandbox.calls("conversations.replies")
    assert len(looks) == 1
