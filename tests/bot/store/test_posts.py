"""A post is an intent until Slack has it, sent by one worker at a time, and again when it has changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.ports import JobKind
from bot.records import Place, Post, PostKind, PostState
from tests.bot.store.world import LEASE, MINUTE, NOW, World

SECOND = timedelta(seconds=1)


def note(post_id: str = "n-1", incident_id: str | None = None) -> Post:
    return Post(
        post_id=post_id,
        incident_id=incident_id,
        kind=PostKind.NOTE,
        channel_id="C1",
        thread_ts="1.0",
        user_id="U1",
        response_url="https://hooks.example/1",
        text="a line",
    )


async def post_of(world: World, post_id: str) -> Post:
    found = await world.store.posts.get(post_id)
    assert found is not None
    return found


async def test_a_post_is_kept_once(world: World) -> None:
    """It comes back as it was given; the same id again changes nothing and wakes nobody."""
    await world.store.posts.add([note(), note("n-2")], NOW)
    assert await world.wake() == {(JobKind.POST, "n-1"), (JobKind.POST, "n-2")}
    await world.store.posts.add([note()], NOW)
    assert await world.wake() == set()
    assert await post_of(world, "n-1") == note()
    assert await world.store.posts.get("nobody") is None


async def test_one_worker_at_a_time(world: World) -> None:
    """Of ten that claim, one gets it; what it told is not told again."""
    posts = world.store.posts
    await posts.add([note()], NOW)
    claims = await asyncio.gather(*(posts.claim("n-1", NOW, LEASE) for _ in range(10)))
    (claimed,) = [claim for claim in claims if claim is not None]
    assert claimed.attempts == 1
    await posts.posted("n-1", message_ts="2.0", told=claimed.wanted, now=NOW)
    await world.wake()
    assert await posts.claim("n-1", NOW + MINUTE, LEASE) is None
    assert await world.wake() == set()
    told = await post_of(world, "n-1")
    assert (told.state, told.message_ts, told.attempts) == (PostState.POSTED, "2.0", 0)


async def test_the_claim_of_a_dead_worker_ends(world: World) -> None:
    """Whoever finds it claimed looks again when the claim has ended; the attempts tell that one came before."""
    posts = world.store.posts
    await posts.add([note()], NOW)
    await posts.claim("n-1", NOW, LEASE)
    await world.wake()
    assert await posts.claim("n-1", NOW, LEASE) is None
    world.now = NOW + LEASE
    assert await world.wake() == {(JobKind.POST, "n-1")}
    again = await posts.claim("n-1", world.now, LEASE)
    assert again is not None
    assert again.attempts == 2


async def test_a_failure_keeps_its_pause_whoever_asks(world: World) -> None:
    """A change of the card does not break the pause that Slack has asked for."""
    incident = await world.open()
    await world.record(incident)
    card = f"card:{incident.incident_id}"
    posts = world.store.posts
    await posts.claim(card, NOW, LEASE)
    retry_at = NOW + 30 * SECOND
    await posts.failed(card, error="ratelimited", retry_at=retry_at, now=NOW)
    await posts.bump_card(incident.incident_id, NOW)
    await world.wake()
    assert await posts.claim(card, NOW + SECOND, LEASE) is None
    world.now = retry_at
    assert (JobKind.POST, card) in await world.wake()
    again = await posts.claim(card, retry_at, LEASE)
    assert again is not None
    assert (again.wanted, again.error) == (2, "ratelimited")


async def test_what_changed_while_it_was_sent_is_sent_after_it(world: World) -> None:
    """Told is what was wanted at the claim; a newer wish wakes the outbox once more."""
    incident = await world.open()
    await world.record(incident)
    card = f"card:{incident.incident_id}"
    posts = world.store.posts
    claimed = await posts.claim(card, NOW, LEASE)
    assert claimed is not None
    await posts.bump_card(incident.incident_id, NOW)
    await world.wake()
    await posts.posted(card, message_ts="2.0", told=claimed.wanted, now=NOW)
    assert await world.wake() == {(JobKind.POST, card)}
    again = await posts.claim(card, NOW, LEASE)
    assert again is not None
    assert (again.message_ts, again.wanted, again.told) == ("2.0", 2, 1)
    await posts.posted(card, message_ts=None, told=again.wanted, now=NOW)
    assert (await post_of(world, card)).message_ts == "2.0"
    assert await world.wake() == set()


@pytest.mark.parametrize(
    ("place", "kind", "thread_ts"),
    [
        (Place(channel_id="C1"), PostKind.CARD, "2.0"),
        (Place(channel_id="C1"), PostKind.NOTE, None),
        (Place(channel_id="C1", thread_ts="1.0"), PostKind.CARD, "1.0"),
        (Place(channel_id="C2"), PostKind.CARD, None),
    ],
    ids=["a card opens a thread", "a note does not", "one is there", "another channel"],
)
async def test_a_card_opens_its_incidents_thread(
    world: World, place: Place, kind: PostKind, thread_ts: str | None
) -> None:
    """The card of an incident without a thread becomes its place; nothing else does."""
    incident = (await world.join(place=place)).incident
    post = Post(
        post_id="p",
        incident_id=incident.incident_id,
        kind=kind,
        channel_id="C1",
        thread_ts=place.thread_ts,
    )
    await world.store.posts.add([post], NOW)
    await world.store.posts.posted("p", message_ts="2.0", told=1, now=NOW)
    after = await world.store.incidents.get(incident.incident_id)
    assert after is not None
    assert after.place == Place(channel_id=place.channel_id, thread_ts=thread_ts)


async def test_a_dead_post_is_left_alone(world: World) -> None:
    """Refused for good: said once in the story, never claimed and never bumped."""
    incident = await world.open()
    await world.record(incident)
    card = f"card:{incident.incident_id}"
    await world.wake()
    for _ in range(2):
        await world.store.posts.dead(card, error="channel_not_found", now=NOW)
    await world.store.posts.bump_card(incident.incident_id, NOW)
    assert await world.wake() == set()
    assert await world.store.posts.claim(card, NOW, LEASE) is None
    dead = await post_of(world, card)
    assert (dead.state, dead.error, dead.wanted) == (PostState.DEAD, "channel_not_found", 1)
    assert (await world.happened(incident)).count("post given up") == 1


async def test_the_card_is_found(world: World) -> None:
    """By its incident; None before there is one."""
    incident = await world.open()
    assert await world.store.posts.card_of(incident.incident_id) is None
    await world.record(incident)
    card = await world.store.posts.card_of(incident.incident_id)
    assert card is not None
    assert card.post_id == f"card:{incident.incident_id}"
