"""Only well-formed requests signed by Slack reach Bolt; everything else is a clean 4xx."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from bot.web.site import build_site
from bot.web.slack import PATH, SlackFront

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
SECRET = "signing-secret"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

EVENT = {
    "type": "event_callback",
    "team_id": "T1",
    "api_app_id": "A1",
    "event_id": "Ev1",
    "event_time": 1772435400,
    "authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}],
    "event": {
        "type": "message",
        "channel": "C1",
        "bot_id": "B2",
        "ts": "1772435400.000100",
        "text": "ščž — failed",
    },
}
COMMAND = {
    "command": "/rca",
    "text": "shopify_orders",
    "user_id": "U1",
    "team_id": "T1",
    "channel_id": "C1",
    "trigger_id": "1.2.x",
    "response_url": "https://hooks.slack.com/commands/1",
}
CLICK = {
    "type": "block_actions",
    "team": {"id": "T1", "domain": "acme"},
    "user": {"id": "U1", "team_id": "T1"},
    "channel": {"id": "C1", "name": "data-alerts"},
    "container": {"type": "message", "message_ts": "1.1", "channel_id": "C1"},
    "trigger_id": "1.2.x",
    "response_url": "https://hooks.slack.com/actions/1",
    "actions": [{"action_id": "ack", "block_id": "b", "type": "button", "value": "inc-1"}],
}


@dataclass
class Slack:
    """The app behind the front, and what reached its listeners."""

    client: TestClient
    reached: list[tuple[str, Any]] = field(default_factory=list)

    async def send(self, body: bytes, content_type: str = JSON, **changes: Any):
        """Send a signed request; *changes* replace ``timestamp``, ``signature`` or add ``headers``."""
        timestamp = str(changes.get("timestamp", int(NOW.timestamp())))
        signature = changes.get("signature", sign(body, timestamp))
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature,
            **changes.get("headers", {}),
        }
        headers = {name: value for name, value in headers.items() if value is not None}
        return await self.client.post(PATH, data=body, headers=headers)


def sign(body: bytes, timestamp: str, secret: str = SECRET) -> str:
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


async def authorize() -> AuthorizeResult:
    return AuthorizeResult(
        enterprise_id=None, team_id="T1", bot_user_id="UBOT", bot_id="B1", bot_token="xoxb-1"
    )


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    bolt = AsyncApp(authorize=authorize, signing_secret=SECRET, request_verification_enabled=False)
    front = SlackFront(bolt=bolt, signing_secret=SECRET, clock=lambda: NOW)
    async with TestClient(TestServer(build_site(front.routes()))) as client:
        made = Slack(client=client)

        @bolt.event("message")
        async def heard(event: dict) -> None:
            made.reached.append(("message", event.get("text")))

        @bolt.command("/rca")
        async def asked(ack: AsyncAck, command: dict) -> None:
            made.reached.append(("command", command.get("text")))
            await ack("Analyzing")

        @bolt.action("ack")
        async def clicked(ack: AsyncAck, action: dict) -> None:
            made.reached.append(("action", action.get("value")))
            await ack()

        yield made


async def test_an_event_reaches_its_listener(slack):
    """A signed message event is answered 200 and heard with its exact text."""
    answer = await slack.send(json.dumps(EVENT, ensure_ascii=False).encode())
    assert answer.status == 200
    assert slack.reached == [("message", "ščž — failed")]


async def test_a_command_is_answered(slack):
    """The listener's ack is the body of the answer."""
    answer = await slack.send(urlencode(COMMAND).encode(), FORM)
    assert (answer.status, await answer.text()) == (200, "Analyzing")
    assert slack.reached == [("command", "shopify_orders")]


async def test_a_click_reaches_its_listener(slack):
    """Interactions come as JSON within a form."""
    answer = await slack.send(urlencode({"payload": json.dumps(CLICK)}).encode(), FORM)
    assert answer.status == 200
    assert slack.reached == [("action", "inc-1")]


async def test_slacks_first_request_is_answered(slack):
    """The challenge of url_verification comes back."""
    body = json.dumps({"type": "url_verification", "challenge": "c-1", "token": "t"}).encode()
    answer = await slack.send(body)
    assert answer.status == 200
    assert "c-1" in await answer.text()


@pytest.mark.parametrize(("age_s", "status"), [(-301, 401), (-300, 200), (300, 200), (301, 401)])
async def test_the_window_is_five_minutes(slack, age_s, status):
    """Exactly 300 s off is accepted, a second more is a replay, in both directions."""
    answer = await slack.send(json.dumps(EVENT).encode(), timestamp=int(NOW.timestamp()) + age_s)
    assert answer.status == status
    assert len(slack.reached) == (1 if status == 200 else 0)


@pytest.mark.parametrize(
    "timestamp", ["", "abc", "1e9", "-5", "1772435400.5", "9" * 13, "0x10", "17724 35400"]
)
async def test_a_time_that_is_none_is_a_400(slack, timestamp):
    """What is not a number of seconds is refused by name."""
    answer = await slack.send(json.dumps(EVENT).encode(), timestamp=timestamp)
    assert answer.status == 400
    assert (await answer.json())["field"] == "X-Slack-Request-Timestamp"
    assert slack.reached == []


@pytest.mark.parametrize("zero", [0x0660, 0xFF10, 0x0966], ids=hex)
async def test_digits_of_other_scripts_are_no_time(slack, zero):
    """Python would read them as a number; Slack does not send them."""
    digits = "".join(chr(zero + int(digit)) for digit in str(int(NOW.timestamp())))
    answer = await slack.send(b"{}", timestamp=digits)
    assert answer.status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": ""},
        {"signature": "v0="},
        {"signature": "v0=" + "0" * 64},
        {"signature": sign(b"{}", str(int(NOW.timestamp())), "another")},
        {"signature": "v1" + sign(b"{}", str(int(NOW.timestamp())))[2:]},
        {"signature": "ščž"},
        {"headers": {"X-Slack-Signature": None}},
        {"headers": {"X-Slack-Request-Timestamp": None}},
    ],
)
async def test_what_slack_has_not_signed_is_a_401(slack, changes):
    """A missing, foreign or garbled signature never reaches Bolt."""
    answer = await slack.send(b"{}", **changes)
    assert answer.status == 401
    assert slack.reached == []


async def test_the_signature_covers_every_byte(slack):
    """One byte more than was signed is a 401."""
    body = json.dumps(EVENT).encode()
    answer = await slack.send(body + b" ", signature=sign(body, str(int(NOW.timestamp()))))
    assert answer.status == 401


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "multipart/form-data; boundary=x", 415),
        (b"{}", "", 415),
        (b"\xff\xfe", JSON, 400),
        (b"text=\xff", FORM, 400),
        (b"text=%FF", FORM, 400),
        (b"", JSON, 400),
        (b"", FORM, 400),
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b"null", JSON, 400),
        (b"{", FORM, 400),
        (b"payload=", FORM, 400),
        (b"payload=%7B", FORM, 400),
        (b"payload=[]", FORM, 400),
        (b"a&" * 2000, FORM, 400),
        (b"&".join(b"a=1" for _ in range(1001)), FORM, 400),
        (b"command=/rca&text=%00", FORM, 400),
        (b'{"event": 5}', JSON, 400),
        (b'{"event": null}', JSON, 400),
        (b'{"type": "block_actions", "actions": [{}]}', JSON, 400),
        (b'{"view": null}', JSON, 400),
        (b'{"type": "block_actions", "actions": []}', JSON, 400),
        (b'{"event": []}', JSON, 400),
        (b'{"team": 5}', JSON, 400),
        (b'{"user": []}', JSON, 400),
        (b'{"authorizations": [5]}', JSON, 400),
        (b'{"authorizations": {}}', JSON, 400),
        (b'{"type": "block_actions", "actions": ["x"]}', JSON, 400),
        (b'{"type": "view_submission", "view": "x"}', JSON, 400),
        (b'{"type": 5}', JSON, 400),
        (b"[" * 50_000, JSON, 400),
        (b'{"a": "' + b"x" * 1024 * 1024 + b'"}', JSON, 413),
    ],
)
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_what_slack_does_not_send_is_a_4xx(slack, body, content_type, status):
    """Signed or not, a body of the wrong type, encoding, size or shape never reaches Bolt."""
    answer = await slack.send(body, content_type)
    assert answer.status == status
    assert (await answer.json())["error"]
    assert slack.reached == []


async def test_an_odd_charset_does_not_matter(slack):
    """The body is read as UTF-8, whatever the header claims."""
    answer = await slack.send(json.dumps(EVENT).encode(), "application/json; charset=klingon")
    assert answer.status == 200


async def test_unsigned_headers_cannot_steer_bolt(slack):
    """Bolt has headers that make it skip its answer; they are not handed on."""
    headers = {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "asked"}
    answer = await slack.send(urlencode(COMMAND).encode(), FORM, headers=headers)
    assert (answer.status, await answer.text()) == (200, "Analyzing")


async def test_only_post_is_taken(slack):
    """405 with what is allowed, as JSON."""
    answer = await slack.client.get(PATH)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert (await answer.json())["error"] == "method_not_allowed"


def test_our_signature_check_is_slacks_own():
    """Slack's SDK makes the same signature for the same body and time."""
    mine = sign(b'{"a": 1}', "1772435400")
    assert (
        SignatureVerifier(SECRET).generate_signature(timestamp="1772435400", body=b'{"a": 1}')
        == mine
    )


KEYS = [
    "type", "event", "team", "user", "channel", "actions", "view", "authorizations", "command",
    "team_id", "message", "enterprise", "response_urls", "is_ext_shared_channel", "callback_id",
    "payload", "id", "subtype", "bot_id", "user_id", "challenge", "ssl_check", "state", "container",
]  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(
        ["event_callback", "message", "block_actions", "view_submission", "url_verification",
         "shortcut", "message_action", "block_suggestion", "function_executed", "/rca", "ack"]
    )
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8)


VIEW = {
    "type": "view_submission",
    "team": {"id": "T1", "domain": "acme"},
    "user": {"id": "U1", "team_id": "T1"},
    "view": {"id": "V1", "type": "modal", "callback_id": "snooze", "state": {"values": {}}},
    "response_urls": [],
}
SHORTCUT = {
    "type": "message_action",
    "callback_id": "diagnose",
    "team": {"id": "T1", "domain": "acme"},
    "user": {"id": "U1"},
    "channel": {"id": "C1"},
    "message": {"ts": "1.1", "text": "failed", "bot_id": "B2"},
    "trigger_id": "1.2.x",
}


def paths(value: Any, so_far: tuple = ()) -> list[tuple]:
    """Every place in a document, the document itself aside."""
    inside = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    return [
        path for key, inner in inside for path in [(*so_far, key), *paths(inner, (*so_far, key))]
    ]


@st.composite
def spoiled(draw) -> dict[str, Any]:
    """A genuine request with one to three places replaced by something else, or removed."""
    document = json.loads(json.dumps(draw(st.sampled_from([EVENT, CLICK, VIEW, SHORTCUT]))))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(paths(document) or [("x",)]))
        place = document
        for step in way:
            place = place[step]
        if draw(st.booleans()) and last in place if isinstance(place, dict) else False:
            del place[last]
        else:
            place[last] = draw(VALUES)
    return document


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(spoiled())
async def test_a_spoiled_request_does_not_make_a_500(slack, body):
    """A genuine request of Slack's with any part replaced or missing is Bolt's answer, or a 4xx."""
    text = json.dumps(body)
    if body.get("type") == "event_callback":
        answer = await slack.send(text.encode())
    else:
        answer = await slack.send(f"payload={quote(text)}".encode(), FORM)
    assert answer.status < 500, (answer.status, body)


@pytest.mark.parametrize("genuine", [CLICK, VIEW, SHORTCUT], ids=lambda one: one["type"])
async def test_what_slack_does_send_is_let_through(slack, genuine):
    """Each kind of interaction reaches Bolt, which says itself whether it has a listener."""
    answer = await slack.send(urlencode({"payload": json.dumps(genuine)}).encode(), FORM)
    assert answer.status == (200 if genuine is CLICK else 404)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(BODIES, st.booleans())
async def test_no_signed_json_makes_a_500(slack, body, as_form):
    """Even with the right signature, no shape of JSON breaks us: Bolt's answer, or a 4xx."""
    text = json.dumps(body)
    if as_form:
        answer = await slack.send(f"payload={quote(text)}".encode(), FORM)
    else:
        answer = await slack.send(text.encode())
    assert answer.status < 500, (answer.status, body)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=300), st.sampled_from([JSON, FORM, "text/plain", ""]), st.booleans())
async def test_no_bytes_make_a_500(slack, body, content_type, signed):
    """Any bytes, signed or not, are a clean answer below 500."""
    changes = {} if signed else {"signature": "v0=0"}
    answer = await slack.send(body, content_type, **changes)
    assert answer.status < 500
    assert signed or answer.status >= 400
