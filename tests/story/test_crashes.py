"""The bot is killed between any two of its transactions, again and again: nothing is lost, nothing is told twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.records import PageState
from bot.sandbox.world import ALERTS, World, reopened, words
from bot.settings import Settings
from bot.store.transaction import Database, Writing

NAME = "01_expired_credentials"
DATASET = "shopify_orders"
LIVES = 60  # more than the story has transactions


class KilledError(BaseException):
    """The process is gone; nothing of ours catches this."""


@contextmanager
def dying(after: int, *, committed: bool) -> Iterator[None]:
    """Kill the bot at its transaction number *after*, counted from 1: before it is committed, or just after."""
    count = 0
    whole = Database.writing

    @asynccontextmanager
    async def writing(self: Database) -> AsyncIterator[Writing]:
        nonlocal count
        count += 1
        last = count >= after
        async with whole(self) as transaction:
            yield transaction
            if last and not committed:
                raise KilledError
        if last:
            raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "writing", writing)
        yield


async def live(world: World, life: int, *, committed: bool) -> bool:
    """Start the bot, let it work through half an hour, and say whether it got to the end alive."""
    async with reopened(world.sandbox, world.settings, world.clock) as again:
        try:
            with dying(life, committed=committed):
                for _ in range(4):
                    await again.later(seconds=31)
                    await again.tick()
        except KilledError:
            return False
    return True


def without_infras_key(settings: Settings) -> Settings:
    """The same settings with a routing key for Infra that PagerDuty refuses."""
    unknown = {"INFRA_ROUTING_KEY": SecretStr("too short")}
    return settings.model_copy(update={"secrets": {**settings.secrets, **unknown}})


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "after the commit"])
async def test_killed_at_every_transaction(rough: World, *, committed: bool) -> None:
    """Each life is one transaction longer than the last one: one card, one details reply, one page per team.

    Infra's pager refuses for good, so the user group is mentioned and Infra's next team is paged: also that once.
    """
    message = await rough.sandbox.alert(ALERTS, rough.library[NAME].message)
    world = replace(rough, settings=without_infras_key(rough.settings))
    lives = 0
    for pause in (timedelta(), timedelta(minutes=31)):
        rough.clock.advance(pause)
        for life in range(1, LIVES):
            lives += 1
            if await live(world, life, committed=committed):
                break
    view = await rough.incident(DATASET)
    assert {page.team: page.state for page in view.pages} == {
        "infra": PageState.UNDELIVERED,
        "platform": PageState.ACCEPTED,
    }
    assert [call.service for call in rough.sandbox.phones.calls] == ["Platform"]
    replies = rough.thread(message)
    assert sum("PAGE NOT DELIVERED" in words(one) for one in replies[2:]) == 1
    assert len(replies) == 3
    assert lives > 5
