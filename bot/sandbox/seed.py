"""The workspace that the demo and most tests start with."""

from __future__ import annotations

from typing import Final

from bot.clock import Clock
from bot.sandbox.records import Channel, User, UserGroup
from bot.sandbox.workspace import Workspace

TEAM_ID: Final = "T0SANDBOX"

ALICE: Final = User(
    user_id="U0ALICE",
    name="alice",
    real_name="Alice Osei",
    email="alice@acme.example",
    timezone="Europe/Berlin",
)
BOB: Final = User(
    user_id="U0BOB",
    name="bob",
    real_name="Bob Lindqvist",
    email="bob@acme.example",
    timezone="America/New_York",
)
DANA: Final = User(
    user_id="U0DANA",
    name="dana",
    real_name="Dana Whitfield",
    email="dana@acme.example",
    timezone="Europe/London",
)
EVE: Final = User(
    user_id="U0EVE",
    name="eve",
    real_name="Eve Okafor",
    email="eve@acme.example",
    timezone="Asia/Kolkata",
)
RCA: Final = User(user_id="U0RCA", name="rca", real_name="rca-bot", bot_id="B0RCA", app_id="A0RCA")
ELEMENTARY: Final = User(
    user_id="U0ELEM", name="elementary", real_name="Elementary", bot_id="B0ELEM", app_id="A0ELEM"
)
AIRBYTE: Final = User(
    user_id="U0AIRBYTE", name="airbyte", real_name="Airbyte", bot_id="B0AIRBYTE", app_id="A0AIRBYTE"
)
SLACKBOT: Final = User(user_id="USLACKBOT", name="slackbot", real_name="Slackbot")

PEOPLE: Final = (ALICE, BOB, DANA, EVE)
BOTS: Final = (RCA, ELEMENTARY, AIRBYTE)

_ACME: Final = tuple(one.user_id for one in (*PEOPLE, *BOTS))

GROUPS: Final = (
    UserGroup(group_id="S0INFRA", handle="infra", name="Infra", member_ids=("U0BOB",)),
    UserGroup(group_id="S0PLATFORM", handle="platform", name="Platform", member_ids=("U0BOB",)),
    UserGroup(group_id="S0DATAENG", handle="data-eng", name="Data eng", member_ids=("U0ALICE",)),
    UserGroup(
        group_id="S0DATALEAD", handle="data-eng-lead", name="Data eng lead", member_ids=("U0DANA",)
    ),
    UserGroup(
        group_id="S0ANALYTICS",
        handle="analytics-eng",
        name="Analytics eng",
        member_ids=("U0DANA", "U0ALICE"),
    ),
    UserGroup(
        group_id="S0STORE", handle="storefront-platform", name="Storefront platform", member_ids=()
    ),
)

CHANNELS: Final = (
    Channel(
        channel_id="C0ALERTS",
        name="data-alerts",
        member_ids=_ACME,
        topic="Where the data-quality tools report",
    ),
    Channel(
        channel_id="C0INCIDENTS",
        name="data-incidents",
        member_ids=_ACME,
        topic="Open data incidents",
    ),
    Channel(channel_id="C0GLOBEX", name="globex-alerts", member_ids=("U0DANA", "U0RCA", "U0ELEM")),
    Channel(
        channel_id="C0PRIVATE", name="data-leads", member_ids=("U0DANA", "U0ALICE"), is_private=True
    ),
    Channel(channel_id="C0GENERAL", name="general", member_ids=("U0ALICE", "U0BOB", "U0DANA")),
)


def default_workspace(clock: Clock) -> Workspace:
    """Return a workspace with four people, three bots, the runbook's teams as groups, and five channels."""
    return Workspace(
        team_id=TEAM_ID,
        domain="acme-sandbox",
        clock=clock,
        users=(*PEOPLE, *BOTS, SLACKBOT),
        groups=GROUPS,
        channels=CHANNELS,
    )
