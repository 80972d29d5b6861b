"""A real Bolt app on both transports: what people do reaches it, and what it answers reaches them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.records import SandboxError
from bot.sandbox.server import Sandbox

BUTTONS: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*shopify_orders*"}},
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "incident_ack",
                "text": {"type": "plain_text", "text": "Acknowledge"},
                "value": "inc-1",
            },
            {
                "type": "button",
                "action_id": "incident_escalate:infra",
                "style": "danger",
                "text": {"type": "plain_text", "text": "Page Infra"},
                "value": "inc-1",
                "confirm": {
                    "title": {"type": "plain_text", "text": "Page Infra?"},
                    "text": {"type": "plain_text", "text": "This wakes somebody."},
                    "confirm": {"type": "plain_text", "text": "Page"},
                    "deny": {"type": "plain_text", "text": "No"},
                },
            },
            {
                "type": "overflow",
                "action_id": "incident_snooze",
                "options": [
                    {"text": {"type": "plain_text", "text": "2 hours"}, "value": "2h"},
                    {"text": {"type": "plain_text", "text": "1 day"}, "value": "1d"},
                ],
            },
        ],
    },
]
MODAL: dict[str, Any] = {
    "type": "modal",
    "callback_id": "pick",
    "notify_on_close": True,
    "title": {"type": "plain_text", "text": "Diagnose"},
    "submit": {"type": "plain_text", "text": "Go"},
    "blocks": [
        {
            "type": "input",
            "block_id": "dataset",
            "label": {"type": "plain_text", "text": "Dataset"},
            "element": {"type": "external_select", "action_id": "dataset", "min_query_length": 0},
        },
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "why", "initial_value": "curious"},
        },
    ],
}


def heard_by(app: AsyncApp) -> list[tuple[str, dict[str, Any]]]:
    """Register listeners on *app* that note what they get, and answer as a small bot would."""
    heard: list[tuple[str, dict[str, Any]]] = []

    @app.event("message")
    async def on_message(body: dict[str, Any]) -> None:
        heard.append(("message", body))

    @app.event("app_mention")
    async def on_mention(body: dict[str, Any]) -> None:
        heard.append(("app_mention", body))

    @app.event("app_home_opened")
    async def on_home(body: dict[str, Any]) -> None:
        heard.append(("app_home_opened", body))

    @app.command("/rca")
    async def on_command(ack: Any, body: dict[str, Any], respond: Any, client: Any) -> None:
        heard.append(("command", body))
        if not body["text"]:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)
            return
        await ack(f"Looking into {body['text']}")
        await respond(text="done", blocks=BUTTONS, response_type="in_channel")

    @app.action(re.compile("incident_"))
    async def on_click(ack: Any, body: dict[str, Any], respond: Any) -> None:
        heard.append(("action", body))
        await ack()
        await respond(text="acknowledged by <@U0ALICE>", replace_original=True)

    _hear_views(app, heard)
    return heard


def _hear_views(app: AsyncApp, heard: list[tuple[str, dict[str, Any]]]) -> None:
    @app.options("dataset")
    async def on_options(ack: Any, body: dict[str, Any]) -> None:
        heard.append(("options", body))
        text = {"type": "plain_text", "text": "shopify_orders"}
        await ack(options=[{"text": text, "value": "shopify_orders"}])

    @app.view("pick")
    async def on_submit(ack: Any, body: dict[str, Any]) -> None:
        heard.append(("view", body))
        why = body["view"]["state"]["values"]["why"]["why"]["value"]
        await ack(
            response_action="errors", errors={"why": "too short"}
        ) if why == "x" else await ack()

    @app.view_closed("pick")
    async def on_close(ack: Any, body: dict[str, Any]) -> None:
        heard.append(("view_closed", body))
        await ack()

    @app.shortcut("diagnose_message")
    async def on_shortcut(ack: Any, body: dict[str, Any]) -> None:
        heard.append(("shortcut", body))
        await ack()


@pytest.fixture(params=["http", "socket"])
async def heard(
    request: pytest.FixtureRequest, sandbox: Sandbox, slack: AsyncWebClient
) -> AsyncIterator[list[tuple[str, dict[str, Any]]]]:
    """A running Bolt app, over HTTP and over Socket Mode."""
    app = AsyncApp(client=slack, signing_secret=sandbox.credentials.signing_secret)
    noted = heard_by(app)
    if request.param == "http":
        runner = web.AppRunner(app.web_app("/slack/events"))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sandbox.connect(f"http://127.0.0.1:{runner.addresses[0][1]}")
        yield noted
        await sandbox.settle()
        await runner.cleanup()
        return
    handler = AsyncSocketModeHandler(app, app_token=sandbox.credentials.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt's handler has no types
    await sandbox.sockets.connected()
    yield noted
    await sandbox.settle()
    await handler.close_async()  # type: ignore[no-untyped-call]  # the same


def bodies(heard: list[tuple[str, dict[str, Any]]], kind: str) -> list[dict[str, Any]]:
    return [body for one, body in heard if one == kind]


@pytest.mark.parametrize(("subtype", "user"), [(None, "U0ELEM"), ("bot_message", None)])
async def test_an_alert_of_another_bot_arrives_with_its_ids(
    sandbox: Sandbox,
    heard: list[tuple[str, dict[str, Any]]],
    subtype: str | None,
    user: str | None,
) -> None:
    """Both forms of a bot's message carry bot_id and app_id; only the older one lacks a user."""
    posted = await sandbox.alert(
        "#data-alerts", {"text": "Failure", "blocks": BUTTONS[:1]}, subtype=subtype
    )
    await sandbox.until(lambda: bodies(heard, "message"))
    body = bodies(heard, "message")[0]
    event = body["event"]
    assert body["type"] == "event_callback"
    assert body["authorizations"][0]["user_id"] == "U0RCA"
    assert (event["bot_id"], event["app_id"]) == ("B0ELEM", "A0ELEM")
    assert (event.get("subtype"), event.get("user")) == (subtype, user)
    assert (event["channel"], event["ts"]) == ("C0ALERTS", posted.ts)
    assert event["blocks"][0]["text"] == BUTTONS[0]["text"]


async def test_a_person_s_message_has_no_bot_id(
    sandbox: Sandbox, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """What alice types arrives escaped, as hers."""
    await sandbox.say("alice", "data-alerts", "is a < b & c?")
    event = (await sandbox.until(lambda: bodies(heard, "message")))[0]["event"]
    assert event["user"] == "U0ALICE"
    assert "bot_id" not in event
    assert event["text"] == "is a &lt; b &amp; c?"


async def test_a_message_where_the_bot_is_no_member_is_not_told(
    sandbox: Sandbox, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """Slack tells an app only of channels it is in."""
    await sandbox.say("alice", "general", "lunch?")
    await sandbox.settle()
    assert heard == []


async def test_a_mention_comes_as_two_events_with_two_ids(
    sandbox: Sandbox, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """The same message arrives as message and as app_mention, each under its own event_id."""
    await sandbox.mention("bob", "data-alerts", "shopify_orders")
    await sandbox.until(lambda: bodies(heard, "app_mention"))
    message, mention = bodies(heard, "message")[0], bodies(heard, "app_mention")[0]
    assert message["event_id"] != mention["event_id"]
    assert message["event"]["ts"] == mention["event"]["ts"]
    assert mention["event"]["text"] == "<@U0RCA> shopify_orders"


async def test_a_command_is_answered_to_its_asker_and_then_in_the_channel(
    sandbox: Sandbox, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """The acknowledgement's text is seen by alice only; the response_url's answer by everybody."""
    answer = await sandbox.command("alice", "data-alerts", "/rca shopify_orders")
    assert answer.ok
    assert [one.text for one in sandbox.ephemerals("alice")] == ["Looking into shopify_orders"]
    assert sandbox.ephemerals("bob") == ()
    card = (await sandbox.until(lambda: sandbox.messages("data-alerts")))[0]
    assert card.author.name == "rca"
    body = bodies(heard, "command")[0]
    assert (body["command"], body["text"]) == ("/rca", "shopify_orders")
    assert (body["channel_id"], body["user_name"]) == ("C0ALERTS", "alice")


async def test_a_click_arrives_with_its_message_and_can_replace_it(
    sandbox: Sandbox, slack: AsyncWebClient, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """The action carries value and block, the payload the message; replace_original edits it."""
    await slack.chat_postMessage(channel="C0ALERTS", text="card", blocks=BUTTONS)
    card = sandbox.messages("data-alerts")[0]
    answer = await sandbox.click("alice", card, "incident_ack")
    assert answer is not None
    assert answer.ok
    await sandbox.until(lambda: sandbox.messages("data-alerts")[0].edited_ts)
    body = bodies(heard, "action")[0]
    assert body["actions"][0]["value"] == "inc-1"
    assert body["actions"][0]["block_id"] == card.blocks[1]["block_id"]
    assert body["container"] == {
        "type": "message",
        "message_ts": card.ts,
        "channel_id": "C0ALERTS",
        "is_ephemeral": False,
    }
    assert body["message"]["ts"] == card.ts
    assert sandbox.messages("data-alerts")[0].text == "acknowledged by <@U0ALICE>"


async def test_a_stale_button_can_still_be_clicked(
    sandbox: Sandbox, slack: AsyncWebClient, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """Somebody who still sees the old card clicks what is no longer there."""
    posted = await slack.chat_postMessage(channel="C0ALERTS", text="card", blocks=BUTTONS)
    card = sandbox.messages("data-alerts")[0]
    await slack.chat_update(channel="C0ALERTS", ts=posted["ts"], text="closed", blocks=BUTTONS[:1])
    answer = await sandbox.click("bob", card, "incident_ack")
    assert answer is not None
    assert answer.ok
    assert bodies(heard, "action")[0]["user"]["id"] == "U0BOB"


async def test_a_confirmation_that_is_denied_sends_nothing(
    sandbox: Sandbox, slack: AsyncWebClient, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """No is no; yes is a click."""
    await slack.chat_postMessage(channel="C0ALERTS", text="card", blocks=BUTTONS)
    card = sandbox.messages("data-alerts")[0]
    assert await sandbox.click("alice", card, "incident_escalate:infra", confirm=False) is None
    assert bodies(heard, "action") == []
    assert await sandbox.click("alice", card, "incident_escalate:infra") is not None
    assert len(bodies(heard, "action")) == 1


async def test_a_choice_from_a_menu_carries_its_option(
    sandbox: Sandbox, slack: AsyncWebClient, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """An option that is offered is sent; one that is not is refused here."""
    await slack.chat_postMessage(channel="C0ALERTS", text="card", blocks=BUTTONS)
    card = sandbox.messages("data-alerts")[0]
    await sandbox.click("alice", card, "incident_snooze", choice="1d")
    assert bodies(heard, "action")[0]["actions"][0]["selected_option"]["value"] == "1d"
    with pytest.raises(SandboxError, match="no option"):
        await sandbox.click("alice", card, "incident_snooze", choice="1y")
    with pytest.raises(SandboxError, match="there are: incident_ack"):
        await sandbox.click("alice", card, "incident_nope")


async def test_a_modal_opens_searches_and_is_sent(
    sandbox: Sandbox, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """Options come from the app; an error keeps the modal open; a good answer closes it."""
    await sandbox.command("alice", "data-alerts", "/rca")
    await sandbox.until(lambda: sandbox.modal("alice"))
    options = await sandbox.suggest("alice", "dataset", "shop")
    assert [one["value"] for one in options] == ["shopify_orders"]
    refused = await sandbox.submit("alice", {"dataset": "shopify_orders", "why": "x"})
    assert refused.fields()["errors"] == {"why": "too short"}
    assert sandbox.modal("alice") is not None
    await sandbox.submit("alice", {"dataset": "shopify_orders"})
    assert sandbox.modal("alice") is None
    values = bodies(heard, "view")[-1]["view"]["state"]["values"]
    assert values["dataset"]["dataset"]["selected_option"]["value"] == "shopify_orders"
    assert values["why"]["why"]["value"] == "curious"


async def test_a_cancelled_modal_is_told_when_asked_for(
    sandbox: Sandbox, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """notify_on_close brings view_closed."""
    await sandbox.command("alice", "data-alerts", "/rca")
    await sandbox.until(lambda: sandbox.modal("alice"))
    await sandbox.close_view("alice")
    assert sandbox.modal("alice") is None
    assert len(bodies(heard, "view_closed")) == 1


async def test_a_message_shortcut_carries_the_message(
    sandbox: Sandbox, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """The app gets the alert that bob chose."""
    alert = await sandbox.alert("data-alerts", "Failure: volume")
    answer = await sandbox.shortcut("bob", alert, "diagnose_message")
    assert answer.ok
    assert bodies(heard, "shortcut")[0]["message"]["text"] == "Failure: volume"


async def test_app_home_is_told_and_published(
    sandbox: Sandbox, slack: AsyncWebClient, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """Opening Home is an event; what the app publishes is there."""
    await sandbox.open_home("alice")
    await sandbox.until(lambda: bodies(heard, "app_home_opened"))
    await slack.views_publish(user_id="U0ALICE", view={"type": "home", "blocks": BUTTONS[:1]})
    home = sandbox.home("alice")
    assert home is not None
    assert home.body["blocks"] == BUTTONS[:1]


async def test_a_redelivery_has_the_same_event_id(
    sandbox: Sandbox, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """Bolt hears it twice; only the event_id tells."""
    await sandbox.alert("data-alerts", "Failure")
    await sandbox.redeliver_last()
    await sandbox.until(lambda: len(bodies(heard, "message")) == 2)
    first, second = bodies(heard, "message")
    assert first["event_id"] == second["event_id"]


async def test_the_app_hears_of_its_own_messages_and_bolt_ignores_them(
    sandbox: Sandbox, slack: AsyncWebClient, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    """Slack sends an app its own messages too; no listener runs for them."""
    await slack.chat_postMessage(channel="C0ALERTS", text="mine")
    await sandbox.settle()
    assert len(sandbox.deliveries) == 1
    assert heard == []
    assert sandbox.messages("data-alerts")[0].text == "mine"
    assert sandbox.unexpected == ()


@pytest.mark.parametrize(
    ("action", "title", "problems"),
    [
        ({"response_action": "update", "view": {**MODAL, "callback_id": "next"}}, "next", 0),
        ({"response_action": "push", "view": {**MODAL, "callback_id": "next"}}, "next", 0),
        ({"response_action": "clear"}, None, 0),
        ({"response_action": "update", "view": {"type": "modal"}}, "open", 1),
        ({"response_action": "update"}, "open", 1),
    ],
)
async def test_a_modal_follows_the_answer_to_its_submission(
    sandbox: Sandbox,
    slack: AsyncWebClient,
    action: dict[str, Any],
    title: str | None,
    problems: int,
) -> None:
    """Update, push and clear do what they say; a view that Slack would not show is a problem, not a crash."""
    app = AsyncApp(client=slack, signing_secret=sandbox.credentials.signing_secret)

    @app.command("/rca")
    async def on_command(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        view = {**MODAL, "callback_id": "open"}
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("open")
    async def on_submit(ack: Any) -> None:
        await ack(**action)

    runner = web.AppRunner(app.web_app("/slack/events"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sandbox.connect(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    await sandbox.command("alice", "data-alerts", "/rca")
    await sandbox.until(lambda: sandbox.modal("alice"))
    await sandbox.submit("alice", {"why": "because"})
    shown = sandbox.modal("alice")
    assert (shown.body["callback_id"] if shown else None) == title
    assert len(sandbox.problems) == problems
    await runner.cleanup()


async def test_an_app_that_is_asked_to_connect_anew_does(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    """After a refresh the next command arrives over a new socket."""
    app = AsyncApp(client=slack, signing_secret=sandbox.credentials.signing_secret)
    noted = heard_by(app)
    handler = AsyncSocketModeHandler(
        app, app_token=sandbox.credentials.app_token, ping_interval=0.2
    )
    await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt's handler has no types
    await sandbox.sockets.connected()
    await sandbox.sockets.disconnect()
    await sandbox.until(lambda: len(sandbox.calls("apps.connections.open")) == 2)
    await sandbox.sockets.connected()
    answer = await sandbox.command("alice", "data-alerts", "/rca orders")
    assert answer.ok
    assert len(bodies(noted, "command")) == 1
    await handler.close_async()  # type: ignore[no-untyped-call]  # the same


async def test_what_nobody_looked_at_is_unexpected(sandbox: Sandbox, slack: AsyncWebClient) -> None:
    """A message of the app is unexpected until it is looked at; a refused call stays so."""
    sandbox.sender.line = None  # no app listens here, so nothing of it can be missing
    await slack.chat_postMessage(channel="C0ALERTS", text="card")
    assert list(sandbox.unexpected) == ["nobody looked at: card"]
    sandbox.messages("data-alerts")
    assert list(sandbox.unexpected) == []
    with pytest.raises(SlackApiError):
        await slack.chat_postMessage(channel="C0NONE", text="x")
    assert list(sandbox.unexpected) == ["chat.postMessage was refused: channel_not_found"]
    with pytest.raises(SandboxError, match="channel_not_found"):
        await sandbox.until(lambda: sandbox.messages("general"), within_s=0.01)
