"""Facts about settings: checked at the start, everything wrong named at once, no secret ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.ports import BotError
from bot.settings import LogFormat, Settings, SettingsError, SlackMode, describe

ROOT = Path(__file__).parents[2]
OFF = {"SLACK_MODE": "off"}
CANARIES = {
    "DATABASE_URL": "postgresql://bot:canary-password@db.example/rca",
    "SLACK_BOT_TOKEN": "xoxb-canary-bot",
    "SLACK_APP_TOKEN": "xapp-canary-app",
    "SLACK_SIGNING_SECRET": "canary-signing",
    "PAGERDUTY_KEY_INFRA": "canary-routing",
}
DIRECTORY = """
[teams.infra]
name = "Infra"
pager = "pagerduty"
routing_key_env = "PAGERDUTY_KEY_INFRA"
"""


def problems(env: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env)
    return caught.value.problems


def directory(tmp_path: Path, text: str = DIRECTORY) -> str:
    file = tmp_path / "directory.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_without_slack_nothing_has_to_be_set():
    """The defaults are enough to start without Slack."""
    settings = Settings.from_env(OFF)
    assert settings.slack_mode is SlackMode.OFF
    assert settings.database_url.get_secret_value() == "sqlite:///rca-bot.sqlite3"
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8080)
    assert settings.log_format is LogFormat.JSON
    assert settings.directory.teams == {}
    assert settings.runbook_dir is None


@pytest.mark.parametrize(
    ("mode", "missing"),
    [
        ("socket", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
        ("http", ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]),
        ("", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
    ],
)
def test_each_mode_names_the_secrets_it_lacks(mode: str, missing: list[str]):
    """Socket Mode is the default; a missing or empty secret is named with the mode that needs it."""
    said = problems({"SLACK_MODE": mode, "SLACK_BOT_TOKEN": " "})
    assert [line.partition(":")[0] for line in said] == missing


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "eighty"),
        ("HTTP_PORT", "65536"),
        ("HTTP_PORT", "-1"),
        ("SLACK_API_URL", "slack.com/api"),
        ("PUBLIC_URL", "ftp://x.example"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "sqlite:///"),
        ("RUNBOOK_DIR", "no/such/folder"),
        ("PAGERDUTY_URL", "x"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(name: str, value: str):
    """The message begins with the variable that is wrong, and is the only one."""
    said = problems({**OFF, name: value})
    assert [line.partition(":")[0] for line in said] == [name]


@pytest.mark.parametrize("value", ["0", "1", "65535"])
def test_every_port_is_taken(value: str):
    """Port 0 asks for a free one; the highest is 65535."""
    assert Settings.from_env({**OFF, "HTTP_PORT": value}).http_port == int(value)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///x.db",
        "sqlite+aiosqlite:///x.db",
        "postgres://h/d",
        "postgresql://u:p@h:5432/d",
        "postgresql+asyncpg://u@h/d",
    ],
)
def test_the_two_databases_are_taken_in_their_usual_spellings(url: str):
    """SQLite and PostgreSQL, with or without the driver's name."""
    settings = Settings.from_env({**OFF, "DATABASE_URL": url})
    assert settings.database_url.get_secret_value() == url


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("RCA_HTTP_PORT", "RCA_HTTP_PORT: no such setting; the setting is named HTTP_PORT"),
        ("RCA_DIRECTORY", "RCA_DIRECTORY: no such setting; the setting is named DIRECTORY"),
        ("RCA_COLOUR", "RCA_COLOUR: no such setting"),
    ],
)
def test_a_name_with_our_prefix_that_nobody_reads_stops_the_start(name: str, said: str):
    """Nobody believes in a setting that is not there."""
    assert problems({**OFF, name: "1"}) == (said,)


@pytest.mark.parametrize(
    "name", ["RCA_BOT_SERVICE_HOST", "RCA_BOT_PORT", "RCA_BOT_PORT_8080_TCP_ADDR", "PATH", "RCAX"]
)
def test_other_programs_names_are_left_alone(name: str):
    """Variables that Kubernetes adds for a Service named rca-bot, and everybody else's, are no mistake."""
    assert Settings.from_env({**OFF, name: "x"}).slack_mode is SlackMode.OFF


def test_a_teams_secrets_come_from_the_variables_its_entry_names(tmp_path: Path):
    """The directory names the variable; its value is among the secrets."""
    env = {**OFF, "DIRECTORY": directory(tmp_path), "PAGERDUTY_KEY_INFRA": "r" * 32, "OTHER": "x"}
    settings = Settings.from_env(env)
    assert {n: s.get_secret_value() for n, s in settings.secrets.items()} == {
        "PAGERDUTY_KEY_INFRA": "r" * 32
    }
    assert settings.directory.team("infra") is not None


def test_a_team_may_name_a_variable_with_our_prefix(tmp_path: Path):
    """A variable that the directory asks for has a reader, so its name is no mistake."""
    text = DIRECTORY.replace("PAGERDUTY_KEY_INFRA", "RCA_KEY")
    env = {**OFF, "DIRECTORY": directory(tmp_path, text), "RCA_KEY": "k"}
    assert "RCA_KEY" in Settings.from_env(env).secrets


def test_a_tool_needs_no_secrets_and_everything_else_right(tmp_path: Path):
    """Commands that neither talk to Slack nor page start without secrets, but not with wrong values."""
    settings = Settings.for_tools({"DIRECTORY": directory(tmp_path), "SLACK_MODE": "socket"})
    assert settings.slack_mode is SlackMode.OFF
    assert settings.directory.team("infra") is not None
    with pytest.raises(SettingsError) as caught:
        Settings.for_tools({"HTTP_PORT": "x", "RCA_X": "1"})
    assert len(caught.value.problems) == 2


def test_everything_wrong_is_named_at_once(tmp_path: Path):
    """Values, modes, missing secrets, reserved names and the team's secrets: one message, one BotError."""
    env = {
        "DIRECTORY": directory(tmp_path),
        "HTTP_PORT": "x",
        "RCA_X": "1",
        "SLACK_MODE": "http",
        "LOG_LEVEL": "LOUD",
    }
    named = {line.partition(":")[0] for line in problems(env)}
    assert named == {
        "RCA_X",
        "PAGERDUTY_KEY_INFRA",
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "HTTP_PORT",
        "LOG_LEVEL",
    }


def test_the_directorys_problems_are_among_them(tmp_path: Path):
    """A directory that cannot be used stops the start with its own file and key."""
    path = directory(tmp_path, "[teams.infra]\nname='x'\n")
    said = problems({**OFF, "DIRECTORY": path, "HTTP_PORT": "x"})
    assert said[0] == "DIRECTORY: directory.toml: teams.infra.pager: is missing"
    assert said[1].startswith("HTTP_PORT: ")


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"SLACK_BOT_TOKEN": "xapp-canary", "SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-canary"}, "SLACK_APP_TOKEN"),
    ],
)
def test_tokens_in_each_others_place_are_noticed(env: dict[str, str], name: str):
    """A token of the other kind is named without being shown."""
    (said,) = problems(env)
    assert said.startswith(f"{name}: holds")
    assert "canary" not in said


def test_no_secret_is_ever_printed(tmp_path: Path):
    """repr, str, dumps and errors show none of the secrets, the database's password included."""
    env = {**CANARIES, "DIRECTORY": directory(tmp_path)}
    settings = Settings.from_env(env)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "canary" not in shown
    with pytest.raises(BotError) as caught:
        Settings.from_env({**env, "HTTP_PORT": "x", "SLACK_MODE": "carrier pigeon"})
    assert "canary" not in f"{caught.value!r} {caught.value}"
    wrong_kind = {**env, "DATABASE_URL": "mysql://bot:canary-password@db/rca"}
    assert "canary" not in "\n".join(problems(wrong_kind))


def test_the_settings_page_is_current():
    """docs/settings.md is what bot.settings.describe() writes now."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == describe()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HTTP_PORT", "x", "HTTP_PORT: must be a whole number"),
        ("SLACK_MODE", "sometimes", "SLACK_MODE: must be one of socket, http or off"),
        ("KEEP_FACTS_DAYS", "-1", "KEEP_FACTS_DAYS: must be at least 91"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL: must be sqlite:///FILE or postgresql://"),
    ],
)
def test_a_wrong_value_is_told_plainly(name: str, value: str, said: str) -> None:
    """Whoever set the variable reads what it must be, in no library's words."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"SLACK_MODE": "off", name: value})
    (problem,) = caught.value.problems
    assert problem.startswith(said)
