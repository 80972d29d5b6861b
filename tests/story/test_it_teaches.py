"""People say whether we were right; the card shows it, and the next model is fitted to it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.cli import main
from bot.records import IncidentView, Verdict
from bot.sandbox.records import Message
from bot.sandbox.world import ALERTS, World, reopened, words

NAME = "01_expired_credentials"
DATASET = "shopify_orders"
RIGHT, WRONG = "incident_right", "incident_wrong"


async def said(world: World) -> dict[tuple[str, str], Verdict]:
    """What is kept: verdict by cause and person."""
    view = await world.incident(DATASET)
    return {(one.cause_type, one.by): one.verdict for one in view.answers}


async def click(world: World, who: str, message: Message, action: str) -> None:
    """Press a button of the card and let everything settle."""
    await world.sandbox.click(who, world.card(message), action)
    await world.work()


def seen(world: World, message: Message) -> None:
    """Nothing else was posted."""
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_right(world: World) -> None:
    """One click: kept with the person and the cause, and the card says who marked it."""
    message = await world.alert(NAME)
    await click(world, "alice", message, RIGHT)
    assert await said(world) == {("ingestion_failure", "U0ALICE"): Verdict.RIGHT}
    assert "Ingestion failure marked right by <@U0ALICE>" in words(world.card(message))
    seen(world, message)


async def test_the_same_click_again_changes_nothing(world: World) -> None:
    """The second press is answered, and nothing is kept twice."""
    message = await world.alert(NAME)
    await click(world, "alice", message, RIGHT)
    before = await world.incident(DATASET)
    await click(world, "alice", message, RIGHT)
    after = await world.incident(DATASET)
    assert after.answers == before.answers
    assert after.timeline == before.timeline
    assert "You said so before" in words(world.sandbox.ephemerals("alice")[-1])
    seen(world, message)


async def test_the_last_word_counts(world: World) -> None:
    """Somebody changes their mind; somebody else's word stands beside it."""
    message = await world.alert(NAME)
    await click(world, "alice", message, RIGHT)
    await click(world, "bob", message, RIGHT)
    await click(world, "alice", message, WRONG)
    assert await said(world) == {
        ("ingestion_failure", "U0ALICE"): Verdict.WRONG,
        ("ingestion_failure", "U0BOB"): Verdict.RIGHT,
    }
    assert "/rca cause CAUSE shopify_orders" in words(world.sandbox.ephemerals("alice")[-1])
    seen(world, message)


async def test_something_else(world: World) -> None:
    """Naming the cause that it was marks ours wrong and that one right."""
    message = await world.alert(NAME)
    await world.sandbox.command("alice", ALERTS, f"/rca cause schema_drift {DATASET}")
    await world.work()
    assert await said(world) == {
        ("schema_drift", "U0ALICE"): Verdict.RIGHT,
        ("ingestion_failure", "U0ALICE"): Verdict.WRONG,
    }
    assert "Schema drift marked right by" in words(world.card(message))
    world.sandbox.ephemerals("alice")
    seen(world, message)


async def test_whoever_names_another_cause_takes_the_first_back(world: World) -> None:
    """One person names one cause: the last. What they called wrong stays wrong."""
    message = await world.alert(NAME)
    for typed in ("none", "schema_drift"):
        await world.sandbox.command("alice", ALERTS, f"/rca cause {typed} {DATASET}")
        await world.work()
        world.sandbox.ephemerals("alice")
    await click(world, "alice", message, WRONG)
    assert await said(world) == {
        ("schema_drift", "U0ALICE"): Verdict.RIGHT,
        ("ingestion_failure", "U0ALICE"): Verdict.WRONG,
    }
    await click(world, "alice", message, RIGHT)
    assert await said(world) == {("ingestion_failure", "U0ALICE"): Verdict.RIGHT}
    assert "marked wrong" not in words(world.card(message))
    world.sandbox.ephemerals("alice")
    seen(world, message)


async def test_a_click_after_a_restart(world: World) -> None:
    """The card outlives the bot that posted it: the next one keeps the answer, once."""
    message = await world.alert(NAME)
    await world.jobs.stop()
    async with reopened(world.sandbox, world.settings, world.clock) as again:
        await click(again, "alice", message, RIGHT)
        await click(again, "alice", message, RIGHT)
        assert await said(again) == {("ingestion_failure", "U0ALICE"): Verdict.RIGHT}
        assert "marked right by <@U0ALICE>" in words(again.card(message))
        assert "You said so before" in words(again.sandbox.ephemerals("alice")[-1])
        seen(again, message)


async def test_from_an_alert_to_calibrate(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """What people said in Slack is what ``rca-bot calibrate --answers`` reads, and it says how much is missing."""
    message = await world.alert(NAME)
    await click(world, "alice", message, WRONG)
    await world.sandbox.command("alice", ALERTS, f"/rca cause schema_drift {DATASET}")
    await world.work()
    world.sandbox.ephemerals("alice")
    monkeypatch.setenv("DATABASE_URL", world.settings.database_url.get_secret_value())
    out = tmp_path / "model.json"
    verb = ["calibrate", "--answers", "--out", str(out)]
    assert await asyncio.to_thread(main, verb) == 1
    assert "2 answers to learn from; 20 are needed; nothing was written" in capsys.readouterr().err
    assert not out.exists()
    seen(world, message)


@pytest.mark.parametrize("typed", ["cause", "cause nothing_like_it shopify_orders"])
async def test_a_cause_that_we_do_not_know(world: World, typed: str) -> None:
    """It is refused with the list, and nothing is kept."""
    message = await world.alert(NAME)
    await world.sandbox.command("alice", ALERTS, f"/rca {typed}")
    await world.work()
    assert "transformation_regression" in words(world.sandbox.ephemerals("alice")[-1])
    assert await said(world) == {}
    seen(world, message)


async def test_when_all_is_over(world: World) -> None:
    """A resolved incident can still be marked, by its buttons and by name: then the cause is known best."""
    message = await world.alert(NAME)
    await click(world, "alice", message, "incident_resolve")
    await click(world, "alice", message, RIGHT)
    await world.sandbox.command("bob", ALERTS, f"/rca cause none {DATASET}")
    await world.work()
    assert await said(world) == {
        ("ingestion_failure", "U0ALICE"): Verdict.RIGHT,
        ("none", "U0BOB"): Verdict.RIGHT,
        ("ingestion_failure", "U0BOB"): Verdict.WRONG,
    }
    assert "None of the causes marked right by" in words(world.card(message))
    world.sandbox.ephemerals("bob")
    seen(world, message)


async def test_somebody_who_may_only_look(world: World) -> None:
    """A viewer's word is not kept, and they are told why."""
    message = await world.alert(NAME)
    await click(world, "eve", message, RIGHT)
    assert await said(world) == {}
    assert "may not answer" in words(world.sandbox.ephemerals("eve")[-1])
    seen(world, message)


async def test_what_is_learnt_from(world: World) -> None:
    """Each answer comes with the case that the diagnosis looked at, the oldest first."""
    message = await world.alert(NAME)
    await click(world, "alice", message, WRONG)
    world.sandbox.ephemerals("alice")
    (kept,) = await world.app.store.answers.labelled()
    view = await world.incident(DATASET)
    assert isinstance(view, IncidentView)
    assert kept.answer.cause_type == "ingestion_failure"
    assert kept.case.anomaly.dataset == DATASET
    assert json.loads(kept.case.model_dump_json())["ingestion_jobs"]
    seen(world, message)
