"""The doctor tries a whole installation over real HTTP, and names what is broken in the order of mending."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.clock import system_clock
from bot.doctor.catalog import examine_catalog
from bot.doctor.examination import Report, _each, examine
from bot.doctor.slack import NEEDED_SCOPES
from bot.ports import Checked
from bot.sandbox.faults import Broken
from bot.sandbox.server import Sandbox
from bot.sandbox.stage import environment, new_sandbox
from bot.settings import Settings
from bot.store.engine import create_engine
from bot.store.migrate import upgrade
from tests.bot.asked import Asked
from tests.bot.surroundings import directory_of

MANIFEST = Path(__file__).parents[3] / "deploy" / "slack" / "manifest.yaml"
DATASET = """
[datasets.shopify_orders]
tenant = "acme"
relation = "raw.orders"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A bot that could be served, in a sandbox."""

    sandbox: Sandbox
    env: Mapping[str, str]
    directory: Path

    def edit(self, old: str, new: str) -> None:
        """Change the directory as a person would."""
        text = self.directory.read_text("utf-8")
        assert old in text
        self.directory.write_text(text.replace(old, new), "utf-8")

    async def examined(self, **env: str) -> Report:
        """What the doctor finds, with some settings given differently."""
        settings = Settings.from_env({**self.env, **env})
        return await examine(settings, system_clock, (), lambda _title, _lines: None)


@pytest.fixture
async def installed(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installed]:
    """The demo's installation, with its database up to date."""
    engine = create_engine(sqlite_url)
    await upgrade(engine)
    await engine.dispose()
    async with new_sandbox() as sandbox:
        env = environment(sandbox, tmp_path, sqlite_url)
        here = Installed(sandbox=sandbox, env=env, directory=tmp_path / "directory.toml")
        here.edit('[tenants.globex]\nname = "Globex"', '[tenants.globex]\nname = "Globex"\n')
        yield here


def problems(report: Report) -> list[str]:
    """What is to be fixed, in order."""
    return [str(line.problem) for line in report.to_fix]


async def test_a_whole_installation(installed: Installed) -> None:
    """Only what the demo really lacks is named: a channel of its second tenant, and datasets."""
    report = await installed.examined(SLACK_MODE="socket")
    assert problems(report) == [
        "webhooks and scans have nowhere to be answered",
        "there is no dataset",
    ]
    tried = [line.what for line in report.lines]
    assert "Slack opens a socket for the app-level token" in tried
    assert "team infra can be paged by pagerduty" in tried
    assert "team data_eng can be paged by webhook" in tried


async def test_it_wakes_nobody_and_posts_nothing(installed: Installed) -> None:
    """An examination can be run at any hour."""
    await installed.examined()
    assert installed.sandbox.messages("data-alerts") == ()
    assert installed.sandbox.phones.calls == ()


async def test_the_wrong_token(installed: Installed) -> None:
    """Slack's own word for it; nothing else of Slack is tried, and the token is not printed."""
    report = await installed.examined(SLACK_BOT_TOKEN="xoxb-wrong-secret")
    assert problems(report)[0] == "Slack answered invalid_auth"
    assert "wrong-secret" not in str(report)
    assert not any("channel" in line.what for line in report.lines if "the bot is in" in line.what)


async def test_a_channel_without_the_bot_and_a_group_that_is_gone(installed: Installed) -> None:
    """Each is named with where the directory says it and with what to do."""
    installed.edit("[channels.C0GLOBEX]", "[channels.C0NOWHERE]")
    installed.edit('usergroup = "S0PLATFORM"', 'usergroup = "S0GONE"')
    report = await installed.examined()
    said = {line.what: line for line in report.to_fix}
    assert said["the bot is in channel C0NOWHERE"].problem == "Slack answered channel_not_found"
    group = said["the user groups of the directory exist"]
    assert group.problem == "teams.platform.usergroup: S0GONE is unknown to Slack"


async def test_a_pager_that_refuses_the_key(installed: Installed) -> None:
    """The team that nobody would wake is named, and the key is not printed."""
    key = "9" * 31
    report = await installed.examined(INFRA_ROUTING_KEY=key)
    line = next(line for line in report.to_fix if "infra" in line.what)
    assert line.fix is not None
    assert "teams.infra" in line.fix
    assert key not in str(report)


async def test_slack_is_down(installed: Installed) -> None:
    """The rest is examined all the same."""
    installed.sandbox.faults.add("auth.test", Broken())
    report = await installed.examined()
    assert any("Slack" in problem for problem in problems(report))
    assert "team infra can be paged by pagerduty" in [line.what for line in report.lines]


async def test_a_database_that_is_empty(installed: Installed, tmp_path: Path) -> None:
    """It is not made by looking at it."""
    file = tmp_path / "new.sqlite3"
    report = await installed.examined(DATABASE_URL=f"sqlite:///{file}")
    assert problems(report)[0] == f"{file} is not there yet"
    assert not file.exists()


async def test_a_team_that_is_woken_by_a_mention(installed: Installed) -> None:
    """While Slack is off nobody can be mentioned, and that is found out now."""
    report = await installed.examined(SLACK_MODE="off")
    said = next(line for line in report.to_fix if "analytics_eng" in line.what)
    assert said.problem == (
        "team analytics_eng: is woken by a mention, and Slack is off or not reached"
    )


async def test_a_team_that_the_shipped_runbook_pages_and_nobody_named(installed: Installed) -> None:
    """It is found out before the night on which its page would wake nobody."""
    installed.edit("[teams.data_eng_lead]", "[teams.data_leads]")
    installed.edit('"data_eng_lead"', '"data_leads"')
    report = await installed.examined()
    said = "the runbook pages team data_eng_lead, which the directory does not name"
    assert [problem for problem in problems(report) if problem.startswith("the runbook")] == [said]


async def test_a_source_that_cannot_be_opened(installed: Installed) -> None:
    """The directory's mistake is said as it would be at the start."""
    installed.edit("[roles]", '[sources.x]\nkind = "nothing"\n\n[roles]')
    report = await installed.examined()
    assert any("sources.x.kind" in problem for problem in problems(report))


async def test_a_dataset_that_nobody_knows(installed: Installed) -> None:
    """No source covers it and nothing was ever sent: every answer would be a row of holes."""
    installed.edit("[roles]", f"{DATASET}\n[roles]")
    report = await installed.examined()
    assert "datasets.shopify_orders: no source knows it and nothing was ever sent about it" in (
        problems(report)
    )


def test_the_scopes_are_the_manifests() -> None:
    """What the doctor demands is what the manifest asks for."""
    lines = MANIFEST.read_text("utf-8").split("bot:\n", 1)[1].split("settings:", 1)[0].splitlines()
    asked = {line.split("- ")[1].split(" #")[0].strip() for line in lines if "- " in line}
    assert asked == set(NEEDED_SCOPES)


@pytest.mark.parametrize(
    ("entry", "stored", "well"),
    [
        ({"connector_id": "c-1"}, frozenset(), True),
        ({}, frozenset({"orders"}), True),
        ({}, frozenset(), False),
        ({"connector_id": "c-1", "dimensions": ["country"]}, frozenset(), False),
        ({"connector_id": "c-1", "dimensions": ["x"], "time_column": "at"}, frozenset(), True),
    ],
)
def test_what_a_dataset_needs(
    entry: Mapping[str, object], stored: frozenset[str], *, well: bool
) -> None:
    """A source that covers it, or facts that were sent; and a time column for what is to be counted."""
    datasets = {"orders": {"name": "orders", "tenant": "acme", **entry}}
    tenants = {"acme": {"id": "acme", "name": "Acme", "incident_channel": "C0"}}
    directory = directory_of({}, datasets=datasets, tenants=tenants)
    found = examine_catalog(directory, (Asked(),), {"acme": stored})
    assert (found == (Checked(what=found[0].what),)) is well


@pytest.mark.parametrize(
    ("entry", "sources", "advice"),
    [
        ({"connector_id": "c-1", "relation": "raw.orders"}, (), "name what you run as a source"),
        ({}, (Asked(),), "give it a connector_id, a relation or a dbt_node"),
        ({"relation": "raw.orders"}, (Asked(),), "compare its relation with what the sources have"),
    ],
)
def test_what_to_do_about_a_dataset_that_nobody_knows(
    entry: Mapping[str, object], sources: tuple[Asked, ...], advice: str
) -> None:
    """Nobody is told to give what already stands there: the advice is the next thing that is missing."""
    datasets = {"orders": {"name": "orders", "tenant": "acme", **entry}}
    tenants = {"acme": {"id": "acme", "name": "Acme", "incident_channel": "C0"}}
    directory = directory_of({}, datasets=datasets, tenants=tenants)
    (found,) = examine_catalog(directory, sources, {})
    assert found.fix is not None
    assert found.fix.startswith(advice)


async def test_a_source_that_fails_is_one_line() -> None:
    """An error of ours in one source's check does not end the examination, and its words are not printed."""

    class Broken(Asked):
        async def check(self) -> tuple[Checked, ...]:
            raise RuntimeError("token=secret")

    lines = await _each((Broken(), Asked(source_id="other", name="Other")), None)
    assert [line.problem for line in lines] == ["Airbyte: RuntimeError", None]
