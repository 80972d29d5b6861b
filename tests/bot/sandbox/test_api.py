"""The Web API through the real client: what it stores, and what it refuses by which name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.api import BOT_SCOPES
from bot.sandbox.server import Credentials, Sandbox

Call = Callable[[AsyncWebClient], Awaitable[Any]]


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


VIEW = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "t"},
    "blocks": [section("x")],
}


async def refusal(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_message_is_posted_answered_and_read_back(slack: AsyncWebClient) -> None:
    """History and replies give back text, blocks with ids, and metadata only when asked for."""
    metadata = {"event_type": "rca_card", "event_payload": {"incident_id": "i1"}}
    posted = await slack.chat_postMessage(
        channel="#data-alerts", text="card", blocks=[section("x")], metadata=metadata
    )
    await slack.chat_postMessage(channel="C0ALERTS", text="details", thread_ts=posted["ts"])
    plain = await slack.conversations_history(channel="C0ALERTS")
    assert [one["text"] for one in plain["messages"]] == ["card"]
    assert plain["messages"][0]["reply_count"] == 1
    assert plain["messages"][0]["blocks"][0]["block_id"]
    assert "metadata" not in plain["messages"][0]
    full = await slack.conversations_replies(
        channel="C0ALERTS", ts=posted["ts"], include_all_metadata=True
    )
    assert [one["text"] for one in full["messages"]] == ["card", "details"]
    assert full["messages"][0]["metadata"] == metadata
    assert full["messages"][1]["parent_user_id"] == "U0RCA"


async def test_an_update_keeps_the_parts_that_are_not_sent(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    """Text alone leaves the blocks; an empty list takes them away."""
    posted = await slack.chat_postMessage(channel="C0ALERTS", text="a", blocks=[section("x")])
    await slack.chat_update(channel="C0ALERTS", ts=posted["ts"], text="b")
    assert [len(one.blocks) for one in sandbox.messages("data-alerts")] == [1]
    await slack.chat_update(channel="C0ALERTS", ts=posted["ts"], text="c", blocks=[])
    changed = sandbox.messages("data-alerts")[0]
    assert (changed.text, changed.blocks) == ("c", ())
    assert changed.edited_ts is not None


async def test_paging_through_history_sees_each_message_once(slack: AsyncWebClient) -> None:
    """Limit and cursor cut the list without loss; oldest leaves out its own instant."""
    stamps = [
        (await slack.chat_postMessage(channel="C0ALERTS", text=f"m{n}"))["ts"] for n in range(5)
    ]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await slack.conversations_history(channel="C0ALERTS", limit=2, cursor=cursor)
        seen += [one["ts"] for one in page["messages"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert seen == stamps[::-1]
    since = await slack.conversations_history(channel="C0ALERTS", oldest=stamps[3])
    assert [one["ts"] for one in since["messages"]] == stamps[4:]
    including = await slack.conversations_history(
        channel="C0ALERTS", oldest=stamps[3], inclusive=True
    )
    assert [one["ts"] for one in including["messages"]] == stamps[:2:-1]


async def test_messages_of_one_instant_get_rising_ts() -> None:
    """A clock that stands still does not make two messages one."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    async with Sandbox(clock=lambda: noon) as sandbox:
        client = AsyncWebClient(token="xoxb-sandbox", base_url=sandbox.api_url)
        first = await client.chat_postMessage(channel="C0ALERTS", text="1")
        second = await client.chat_postMessage(channel="C0ALERTS", text="2")
    assert float(first["ts"]) == noon.timestamp()
    assert float(second["ts"]) > float(first["ts"])


async def test_an_ephemeral_is_seen_by_one_and_in_no_history(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    """Only its reader has it, and it cannot be updated by ts."""
    told = await slack.chat_postEphemeral(channel="C0ALERTS", user="U0BOB", text="psst")
    assert [one.text for one in sandbox.ephemerals("bob")] == ["psst"]
    assert sandbox.ephemerals("alice") == ()
    assert (await slack.conversations_history(channel="C0ALERTS"))["messages"] == []
    change = slack.chat_update(channel="C0ALERTS", ts=told["message_ts"], text="x")
    assert await refusal(change) == "message_not_found"


async def test_people_groups_and_channels_are_listed(slack: AsyncWebClient) -> None:
    """Everything the bot looks up by name or mail is there."""
    assert (await slack.auth_test())["user_id"] == "U0RCA"
    assert (await slack.api_test())["ok"]
    users = await slack.users_list()
    assert {"alice", "bob", "dana", "elementary", "airbyte"} <= {
        one["name"] for one in users["members"]
    }
    assert (await slack.users_lookupByEmail(email="dana@acme.example"))["user"]["id"] == "U0DANA"
    assert (await slack.users_info(user="U0ELEM"))["user"]["is_bot"]
    groups = await slack.usergroups_list(include_users=True)
    assert {one["handle"]: one["users"] for one in groups["usergroups"]}["infra"] == ["U0BOB"]
    assert (await slack.usergroups_users_list(usergroup="S0INFRA"))["users"] == ["U0BOB"]
    channels = await slack.conversations_list()
    names = [one["name"] for one in channels["channels"]]
    assert "data-alerts" in names
    assert "data-leads" not in names
    assert (await slack.conversations_info(channel="C0ALERTS"))["channel"]["is_member"]
    assert "U0RCA" in (await slack.conversations_members(channel="C0ALERTS"))["members"]
    assert (await slack.conversations_join(channel="C0GENERAL"))["channel"]["is_member"]


async def test_a_message_to_a_person_lands_in_their_direct_message(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    """Posting to a user id and opening the conversation give one channel."""
    opened = await slack.conversations_open(users="U0DANA")
    posted = await slack.chat_postMessage(channel="U0DANA", text="hello")
    assert posted["channel"] == opened["channel"]["id"]
    assert [one.text for one in sandbox.messages(posted["channel"])] == ["hello"]


async def test_a_file_is_uploaded_into_a_thread(sandbox: Sandbox, slack: AsyncWebClient) -> None:
    """The client's three steps end in a reply that carries the file's bytes."""
    posted = await slack.chat_postMessage(channel="C0ALERTS", text="card")
    await slack.files_upload_v2(
        channel="C0ALERTS",
        thread_ts=posted["ts"],
        content=b"\x89PNG",
        filename="drift.png",
        title="Drift of country",
        initial_comment="chart",
    )
    reply = sandbox.messages("data-alerts", posted["ts"])[0]
    assert reply.text == "chart"
    assert (reply.files[0].title, reply.files[0].content) == ("Drift of country", b"\x89PNG")
    assert reply.files[0].mimetype == "image/png"


async def test_a_permalink_leads_to_the_message(sandbox: Sandbox, slack: AsyncWebClient) -> None:
    """It has the shape of Slack's."""
    posted = await slack.chat_postMessage(channel="C0ALERTS", text="card")
    link = await slack.chat_getPermalink(channel="C0ALERTS", message_ts=posted["ts"])
    number = posted["ts"].replace(".", "")
    assert link["permalink"] == f"{sandbox.url}/archives/C0ALERTS/p{number}"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda c: c.chat_postMessage(channel="C0NONE", text="x"), "channel_not_found"),
        (lambda c: c.chat_postMessage(channel="C0PRIVATE", text="x"), "channel_not_found"),
        (
            lambda c: c.api_call("chat.postMessage", json={"channel": "C0ALERTS", "text": " "}),
            "no_text",
        ),
        (lambda c: c.chat_postMessage(channel="C0ALERTS", text="x" * 40_001), "msg_too_long"),
        (
            lambda c: c.chat_postMessage(channel="C0ALERTS", text="x", blocks="{"),
            "invalid_blocks_format",
        ),
        (
            lambda c: c.chat_postMessage(
                channel="C0ALERTS", text="x", blocks=[section("y" * 3_001)]
            ),
            "invalid_blocks",
        ),
        (
            lambda c: c.chat_postMessage(
                channel="C0ALERTS", text="x", attachments=[{"blocks": [section("y" * 3_001)]}]
            ),
            "invalid_blocks",
        ),
        (
            lambda c: c.chat_postMessage(
                channel="C0ALERTS", text="x", blocks=[section("y" * 2_900) for _ in range(5)]
            ),
            "msg_blocks_too_long",
        ),
        (
            lambda c: c.chat_postMessage(channel="C0ALERTS", text="x", thread_ts="1.000001"),
            "invalid_thread_ts",
        ),
        (
            lambda c: c.chat_postMessage(
                channel="C0ALERTS", text="x", metadata={"event_type": "a"}
            ),
            "invalid_metadata_format",
        ),
        (lambda c: c.chat_update(channel="C0ALERTS", ts="1.0", text="x"), "message_not_found"),
        (lambda c: c.chat_delete(channel="C0ALERTS", ts="1.0"), "message_not_found"),
        (
            lambda c: c.chat_postEphemeral(channel="C0GLOBEX", user="U0BOB", text="x"),
            "user_not_in_channel",
        ),
        (lambda c: c.conversations_history(channel="C0GENERAL"), "not_in_channel"),
        (
            lambda c: c.conversations_history(channel="C0ALERTS", cursor="bmV4dDp4"),
            "invalid_cursor",
        ),
        (lambda c: c.conversations_replies(channel="C0ALERTS", ts="1.0"), "thread_not_found"),
        (lambda c: c.users_info(user="U0NONE"), "user_not_found"),
        (lambda c: c.users_lookupByEmail(email="x@acme.example"), "users_not_found"),
        (lambda c: c.usergroups_users_list(usergroup="S0NONE"), "no_such_subteam"),
        (
            lambda c: c.views_open(trigger_id="t", view=VIEW),
            "invalid_trigger_id",
        ),
        (
            lambda c: c.views_open(trigger_id="t", view={"type": "home", "blocks": []}),
            "invalid_arguments",
        ),
        (lambda c: c.views_open(trigger_id="t", view={"type": "modal"}), "invalid_arguments"),
        (lambda c: c.views_update(view_id="V1", view={"type": "home", "blocks": []}), "not_found"),
        (lambda c: c.api_call("chat.shout"), "unknown_method"),
        (lambda c: c.apps_connections_open(app_token=c.token), "not_allowed_token_type"),
    ],
)
async def test_a_call_is_refused_by_slack_s_own_name(
    slack: AsyncWebClient, call: Call, error: str
) -> None:
    """Each mistake gets the error that Slack has for it."""
    assert await refusal(call(slack)) == error


async def test_only_own_messages_can_be_changed(sandbox: Sandbox, slack: AsyncWebClient) -> None:
    """An alert of another bot is not ours to edit or delete."""
    alert = await sandbox.alert("data-alerts", "Failure")
    change = slack.chat_update(channel="C0ALERTS", ts=alert.ts, text="x")
    assert await refusal(change) == "cant_update_message"
    assert (
        await refusal(slack.chat_delete(channel="C0ALERTS", ts=alert.ts)) == "cant_delete_message"
    )


@pytest.mark.parametrize(("length", "taken"), [(4_000, True), (4_001, False)])
async def test_an_update_takes_less_text_than_a_post(
    slack: AsyncWebClient, length: int, *, taken: bool
) -> None:
    """chat.update counts the bytes of its text up to 4,000."""
    posted = await slack.chat_postMessage(channel="C0ALERTS", text="x" * 40_000)
    change = slack.chat_update(channel="C0ALERTS", ts=posted["ts"], text="y" * length)
    if taken:
        assert (await change)["ok"]
    else:
        assert await refusal(change) == "msg_too_long"


@pytest.mark.parametrize(("token", "error"), [(None, "not_authed"), ("xoxb-wrong", "invalid_auth")])
async def test_a_call_without_the_right_token_is_refused(
    sandbox: Sandbox, token: str | None, error: str
) -> None:
    """No token and a wrong token are different refusals."""
    client = AsyncWebClient(token=token, base_url=sandbox.api_url)
    assert await refusal(client.auth_test()) == error


async def test_a_missing_scope_is_named() -> None:
    """The answer says which scope is needed and which there are."""
    scopes = Credentials(bot_scopes=BOT_SCOPES - {"chat:write.public", "files:write"})
    async with Sandbox(credentials=scopes) as sandbox:
        client = AsyncWebClient(token="xoxb-sandbox", base_url=sandbox.api_url)
        with pytest.raises(SlackApiError) as caught:
            await client.files_getUploadURLExternal(filename="a.png", length=1)
        assert caught.value.response["error"] == "missing_scope"
        assert caught.value.response["needed"] == "files:write"
        public = client.chat_postMessage(channel="C0GENERAL", text="x")
        assert await refusal(public) == "not_in_channel"


@pytest.mark.parametrize(
    ("age", "error"),
    [(timedelta(seconds=3), None), (timedelta(seconds=3, microseconds=1), "expired_trigger_id")],
)
async def test_a_trigger_lives_three_seconds_and_opens_once(
    age: timedelta, error: str | None
) -> None:
    """After three seconds, and after its first use, a trigger opens nothing."""
    now = [datetime(2026, 3, 2, 12, tzinfo=UTC)]
    async with Sandbox(clock=lambda: now[0]) as sandbox:
        await sandbox.command("alice", "data-alerts", "/rca")
        trigger = sandbox.deliveries[-1].payload["trigger_id"]
        client = AsyncWebClient(token="xoxb-sandbox", base_url=sandbox.api_url)
        now[0] += age
        opening = client.views_open(trigger_id=trigger, view=VIEW)
        if error is not None:
            assert await refusal(opening) == error
            return
        assert (await opening)["view"]["id"]
        again = client.views_open(trigger_id=trigger, view=VIEW)
        assert await refusal(again) == "exchanged_trigger_id"


async def test_a_view_that_changed_meanwhile_is_not_overwritten(slack: AsyncWebClient) -> None:
    """A hash that is no longer the view's is a conflict."""
    view = {"type": "home", "blocks": [section("x")]}
    published = (await slack.views_publish(user_id="U0ALICE", view=view))["view"]
    updated = await slack.views_update(view_id=published["id"], view=view, hash=published["hash"])
    assert updated["view"]["hash"] != published["hash"]
    late = slack.views_update(view_id=published["id"], view=view, hash=published["hash"])
    assert await refusal(late) == "hash_conflict"


async def response_url(sandbox: Sandbox) -> str:
    await sandbox.command("alice", "data-alerts", "/rca x")
    return str(sandbox.deliveries[-1].payload["response_url"])


async def test_a_response_url_takes_five_answers() -> None:
    """The sixth is refused; before that answers go to the asker, replace each other, or vanish."""
    async with Sandbox() as sandbox:
        hook = AsyncWebhookClient(await response_url(sandbox))
        assert (await hook.send(text="one")).body == "ok"
        await hook.send(text="two", replace_original=True)
        assert [one.text for one in sandbox.ephemerals("alice")][1:] == ["two"]
        await hook.send(text="three", response_type="in_channel")
        assert [one.text for one in sandbox.messages("data-alerts")] == ["three"]
        await hook.send(text="", delete_original=True)
        assert len(sandbox.ephemerals("alice")) == 1
        assert (await hook.send(text="five")).status_code == 200
        last = await hook.send(text="six")
        assert (last.status_code, "used_url" in last.body) == (404, True)


@pytest.mark.parametrize(("minutes", "status"), [(30, 200), (31, 404)])
async def test_a_response_url_lives_thirty_minutes(minutes: int, status: int) -> None:
    """After half an hour nobody is answered."""
    now = [datetime(2026, 3, 2, 12, tzinfo=UTC)]
    async with Sandbox(clock=lambda: now[0]) as sandbox:
        hook = AsyncWebhookClient(await response_url(sandbox))
        now[0] += timedelta(minutes=minutes)
        assert (await hook.send(text="late")).status_code == status


async def test_a_reaction_is_put_once(sandbox: Sandbox, slack: AsyncWebClient) -> None:
    """The same emoji of the same user a second time is refused."""
    alert = await sandbox.alert("data-alerts", "Failure")
    await slack.reactions_add(channel="C0ALERTS", timestamp=alert.ts, name="eyes")
    assert sandbox.messages("data-alerts")[0].reactions == {"eyes": ("U0RCA",)}
    again = slack.reactions_add(channel="C0ALERTS", timestamp=alert.ts, name="eyes")
    assert await refusal(again) == "already_reacted"
