"""The page: a strict policy, nothing from elsewhere, and every act done as a person of the workspace."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import Sandbox

PAGE_FILES = (
    "index.html",
    "app.js",
    "blocks.js",
    "dialogs.js",
    "dom.js",
    "messages.js",
    "mrkdwn.js",
    "style.css",
    "icon.svg",
)
BUTTON = {
    "type": "actions",
    "elements": [
        {"type": "button", "action_id": "ok", "text": {"type": "plain_text", "text": "OK"}}
    ],
}


@pytest.fixture
async def browser(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that stands where a browser does."""
    async with aiohttp.ClientSession(sandbox.url) as session:
        yield session


async def do(browser: aiohttp.ClientSession, act: str, **body: Any) -> tuple[int, dict[str, Any]]:
    async with browser.post(f"/ui/{act}", json={"as": "U0ALICE", **body}) as response:
        return response.status, await response.json()


async def state(browser: aiohttp.ClientSession, reader: str = "U0ALICE") -> dict[str, Any]:
    async with browser.get("/ui/state", params={"as": reader}) as response:
        assert response.status == 200
        shown: dict[str, Any] = await response.json()
        return shown


@pytest.mark.parametrize("name", ["", *PAGE_FILES])
async def test_each_file_is_served_under_a_strict_policy(
    browser: aiohttp.ClientSession, name: str
) -> None:
    """Nothing may come from elsewhere, and nothing is guessed about types."""
    async with browser.get(f"/ui/{name}") as response:
        assert response.status == 200
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert await response.text()


@pytest.mark.parametrize("name", PAGE_FILES)
def test_no_file_names_another_place_or_writes_markup(name: str) -> None:
    """No external address, no markup from strings, no inline script or style."""
    text = files("bot.sandbox").joinpath("page", name).read_text("utf-8")
    outside = re.findall(r"https?://[^\s\"']+", text.replace("http://www.w3.org/2000/svg", ""))
    assert outside == []
    for banned in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert banned not in text
    if name == "index.html":
        assert re.findall(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon\w+=", text) == []


def test_all_page_files_are_named_here() -> None:
    """A new file of the page comes under the same checks."""
    there = {one.name for one in files("bot.sandbox").joinpath("page").iterdir()}
    assert there == set(PAGE_FILES)


@pytest.mark.parametrize("path", ["/", "/ui"])
async def test_the_root_leads_to_the_page(browser: aiohttp.ClientSession, path: str) -> None:
    """Whoever opens the bare address sees the workspace."""
    async with browser.get(path) as response:
        assert str(response.url).endswith("/ui/")


async def test_a_permalink_leads_to_its_message(
    browser: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """Channel and number go into the fragment; anything else is not found."""
    async with browser.get("/archives/C0ALERTS/p123", allow_redirects=False) as response:
        assert response.headers["Location"] == "/ui/#C0ALERTS/p123"
    async with browser.get("/archives/C0ALERTS/p%0D%0A", allow_redirects=False) as response:
        assert response.status == 404
    assert sandbox.unexpected == ()


async def test_a_reader_sees_only_what_is_theirs(
    browser: aiohttp.ClientSession, sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    """Bob has not the leads' channel, nor what alice alone was told."""
    await slack.chat_postEphemeral(channel="C0ALERTS", user="U0ALICE", text="psst")
    await sandbox.say("dana", "data-leads", "budget")
    alice, bob = await state(browser), await state(browser, "U0BOB")
    assert [one["text"] for one in alice["messages"]["C0ALERTS"]] == ["psst"]
    assert alice["messages"]["C0ALERTS"][0]["only_you"]
    assert "budget" in json.dumps(alice)
    assert bob["messages"]["C0ALERTS"] == []
    assert "budget" not in json.dumps(bob)
    sandbox.ephemerals("alice")


async def test_no_secret_reaches_the_page(
    browser: aiohttp.ClientSession, sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    """Tokens, signing secret, routing keys and response URLs stay on the server."""
    await slack.chat_postMessage(channel="C0ALERTS", text="card", blocks=[BUTTON])
    await sandbox.command("alice", "data-alerts", "/rca list")
    event = {"dedup_key": "k", "summary": "late", "severity": "error"}
    sandbox.phones.trigger("pagerduty", "Infra", event)
    text = json.dumps(await state(browser))
    secrets = sandbox.credentials
    hidden = (
        secrets.bot_token,
        secrets.app_token,
        secrets.signing_secret,
        "a" * 32,
        "webhook-secret",
        "/response/",
    )
    assert [one for one in hidden if one in text] == []
    assert "late" in text
    sandbox.messages("data-alerts")


async def test_what_is_typed_becomes_message_mention_or_command(
    browser: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """The first sign decides; the thread is kept."""
    await do(browser, "send", channel="C0ALERTS", text="hello")
    parent = sandbox.messages("data-alerts")[0]
    await do(browser, "send", channel="C0ALERTS", text="@rca orders", thread_ts=parent.ts)
    status, answer = await do(browser, "send", channel="C0ALERTS", text="/rca orders")
    assert [one.kind for one in sandbox.acts] == ["say", "mention", "command"]
    assert sandbox.messages("data-alerts", parent.ts)[0].text == "<@U0RCA> orders"
    assert (status, answer["acknowledged"]) == (200, False)


async def test_a_click_reaches_only_what_is_there(
    browser: aiohttp.ClientSession, sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    """The right action is sent; a wrong one, a gone message and a strange channel are refused in words."""
    posted = await slack.chat_postMessage(channel="C0ALERTS", text="card", blocks=[BUTTON])
    ts = posted["ts"]
    assert (await do(browser, "click", channel="C0ALERTS", ts=ts, action_id="ok"))[0] == 200
    assert sandbox.deliveries[-1].payload["actions"][0]["action_id"] == "ok"
    for channel, at, action in [
        ("C0ALERTS", ts, "nope"),
        ("C0ALERTS", "1.0", "ok"),
        ("C0GLOBEX", ts, "ok"),
        ("C0NONE", ts, "ok"),
    ]:
        status, answer = await do(browser, "click", channel=channel, ts=at, action_id=action)
        assert (status, bool(answer["error"])) == (400, True)
    sandbox.messages("data-alerts")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
async def test_another_site_cannot_act(
    browser: aiohttp.ClientSession, sandbox: Sandbox, headers: dict[str, str], status: int
) -> None:
    """Host, origin and type must be the page's own; what is refused changed nothing."""
    body = json.dumps({"as": "U0ALICE", "channel": "C0ALERTS", "text": "hi"})
    sent = {"Content-Type": "application/json", **headers}
    async with browser.post("/ui/send", data=body, headers=sent) as response:
        assert response.status == status
    assert len(sandbox.messages("data-alerts")) == (1 if status == 200 else 0)


@pytest.mark.parametrize("who", ["U0RCA", "elementary", "U0NONE", ""])
async def test_only_people_can_be_played(browser: aiohttp.ClientSession, who: str) -> None:
    """Bots and strangers are refused."""
    body = {"as": who, "channel": "C0ALERTS", "text": "hi"}
    async with browser.post("/ui/send", json=body) as response:
        assert response.status == 400
    async with browser.get("/ui/state", params={"as": who}) as response:
        assert response.status == 404


async def test_a_change_is_announced(browser: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """The stream sends a new revision after something was said."""
    async with browser.get("/ui/events") as stream:
        assert stream.content_type == "text/event-stream"
        first = (await stream.content.readuntil(b"\n\n")).decode()
        await sandbox.say("bob", "data-alerts", "hello")
        second = (await stream.content.readuntil(b"\n\n")).decode()
    assert int(first.removeprefix("data: ")) < int(second.removeprefix("data: "))


async def test_an_offer_is_shown_and_taken(
    browser: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """The demo's own buttons and links are there and work."""
    sandbox.links["Operator page"] = "http://127.0.0.1/admin/diagnostics"
    sandbox.offers["Send an alert"] = lambda: sandbox.alert("data-alerts", "Failure")
    shown = await state(browser)
    assert shown["offers"] == ["Send an alert"]
    assert shown["links"][0]["title"] == "Operator page"
    assert (await do(browser, "offer", title="Send an alert"))[0] == 200
    assert sandbox.messages("data-alerts")[0].text == "Failure"
    assert (await do(browser, "offer", title="Send money"))[0] == 400


async def test_the_checklist_ticks_itself_off(
    browser: aiohttp.ClientSession, sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    """Each step is done by what really happened, and not before."""

    async def done() -> list[bool]:
        return [one["done"] for one in (await state(browser))["steps"]]

    assert await done() == [False] * 6
    await sandbox.alert("data-alerts", "Failure")
    await do(browser, "send", channel="C0ALERTS", text="/rca list")
    assert await done() == [True, False, False, False, False, False]
    await do(browser, "send", channel="C0ALERTS", text="/rca shopify_orders")
    elements = [
        {**BUTTON["elements"][0], "action_id": name}  # type: ignore[dict-item]  # the one element is a dict
        for name in ("incident_escalate:infra", "incident_ack", "incident_resolve")
    ]
    block = {"type": "actions", "elements": elements}
    posted = await slack.chat_postMessage(channel="C0ALERTS", text="card", blocks=[block])
    await do(browser, "click", channel="C0ALERTS", ts=posted["ts"], action_id="incident_ack")
    assert await done() == [True, True, False, False, True, False]
    await do(
        browser, "click", channel="C0ALERTS", ts=posted["ts"], action_id="incident_escalate:infra"
    )
    sandbox.phones.trigger("pagerduty", "Infra", {"dedup_key": "k"})
    await do(browser, "send", channel="C0ALERTS", text="/rca resolve")
    assert await done() == [True] * 6
    sandbox.messages("data-alerts")


@pytest.mark.parametrize(
    ("filename", "kind", "disposition"),
    [
        ("chart.png", "image/png", None),
        ("chart.svg", "image/svg+xml", None),
        ("page.html", "application/octet-stream", "attachment"),
    ],
)
async def test_an_uploaded_file_cannot_act(
    browser: aiohttp.ClientSession,
    slack: AsyncWebClient,
    filename: str,
    kind: str,
    disposition: str | None,
) -> None:
    """Pictures are shown without scripts, anything else is only downloaded."""
    await slack.files_upload_v2(channel="C0ALERTS", content=b"<svg/>", filename=filename)
    file = (await state(browser))["messages"]["C0ALERTS"][0]["files"][0]
    async with browser.get(f"/ui/files/{file['id']}") as response:
        assert response.content_type == kind
        assert response.headers.get("Content-Disposition") == disposition
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "sandbox" in response.headers["Content-Security-Policy"]
