"""Settings: addresses, secrets and modes, from the environment; the directory's files are found through them.

The names are plain (``HTTP_PORT``, not ``RCA_HTTP_PORT``): the container or the unit file is ours alone.
The prefix ``RCA_`` is reserved and stops the start, so that nobody believes in a setting that nobody reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)

from bot.directory import Directory, DirectoryError
from bot.ports import BotError
from rca.expected import expected

RESERVED_PREFIX: Final = "RCA_"
# Kubernetes gives every container of a namespace such variables for a Service named rca-bot.
_KUBERNETES: Final = re.compile(r"^RCA_BOT_(SERVICE_(HOST|PORT\w*)|PORT(_\d+_(TCP|UDP)\w*)?)$")
_DATABASES: Final = re.compile(r"^(sqlite(\+aiosqlite)?:///.+|postgres(ql)?(\+asyncpg)?://.+)$")


class SettingsError(BotError):
    """The program cannot start with these settings; ``problems`` names every one."""

    def __init__(self, problems: Iterator[str] | list[str]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"- {problem}" for problem in self.problems)
        super().__init__(f"The settings have problems:\n{lines}")


class SlackMode(StrEnum):
    """How Slack reaches us: through a socket that we open, by HTTP, or not at all."""

    SOCKET = "socket"
    HTTP = "http"
    OFF = "off"


class LogFormat(StrEnum):
    """JSON lines for machines, or text for a terminal."""

    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """The mildest level that is written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def _database(url: SecretStr) -> SecretStr:
    if not _DATABASES.match(url.get_secret_value()):
        raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
    return url


def _folder(path: Path | None) -> Path | None:
    if path is not None and not path.is_dir():
        raise ValueError("no such folder")
    return path


def _file(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise ValueError("no such file")
    return path


HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,2000}$")]


class Settings(BaseModel):
    """Every setting, checked. Frozen; printing it shows no secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: Annotated[SecretStr, AfterValidator(_database)] = Field(
        SecretStr("sqlite:///rca-bot.sqlite3"),
        description="Where everything is kept: sqlite:///FILE (one process) or postgresql://… (any number).",
    )
    directory_path: Path | None = Field(
        None,
        description="The TOML file, or folder of TOML files, that says who is who.",
    )
    runbook_dir: Annotated[Path | None, AfterValidator(_folder)] = Field(
        None, description="Your own runbook pages; without it the shipped ones are used."
    )
    model_path: Annotated[Path | None, AfterValidator(_file)] = Field(
        None,
        description="Weights written by rca-bot calibrate; without it the shipped ones are used.",
    )
    slack_mode: SlackMode = Field(
        SlackMode.SOCKET,
        description="socket (no public address needed), http (scale-out) or off.",
    )
    slack_bot_token: SecretStr | None = Field(
        None, description="Bot token, xoxb-…. Needed unless SLACK_MODE is off."
    )
    slack_app_token: SecretStr | None = Field(
        None, description="App-level token, xapp-…. Needed for SLACK_MODE=socket."
    )
    slack_signing_secret: SecretStr | None = Field(
        None, description="Checks that a request comes from Slack. Needed for SLACK_MODE=http."
    )
    slack_api_url: HttpUrl = Field(
        "https://slack.com/api/",
        description="Slack's Web API; another one only for tests and the demo.",
    )
    http_host: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        "127.0.0.1", description="Address the web server listens on; 0.0.0.0 in a container."
    )
    http_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="Port the web server listens on; 0 takes a free one."
    )
    public_url: HttpUrl | None = Field(
        None, description="Address by which people reach the web server; used for links in cards."
    )
    log_format: LogFormat = Field(LogFormat.JSON, description="json or text.")
    log_level: LogLevel = Field(LogLevel.INFO, description="DEBUG, INFO, WARNING or ERROR.")
    pagerduty_url: HttpUrl = Field(
        "https://events.pagerduty.com/v2/enqueue",
        description="PagerDuty's Events API v2; https://events.eu.pagerduty.com/v2/enqueue for the EU.",
    )
    keep_facts_days: Annotated[int, Field(ge=91, le=36_500)] = Field(
        180,
        description="Facts are removed after this many days; diagnoses look 90 days back.",
    )
    keep_inbox_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        30, description="Deliveries that were dealt with are removed after this many days."
    )
    keep_incidents_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        400,
        description="Resolved incidents and their diagnoses are removed after this many days; labelled ones stay.",
    )
    directory: Directory = Field(default_factory=Directory.empty, exclude=True, repr=False)
    secrets: Mapping[str, SecretStr] = Field(default_factory=dict, exclude=True, repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings, and the directory that they name, from an environment.

        An empty value counts as not given, as in a Compose file with an unset variable.

        Args:
            env: name to text; names we do not know are somebody else's, unless they begin with ``RCA_``.

        Returns:
            The settings, with ``directory`` loaded and ``secrets`` holding what its teams' pagers need, by the
            name of the variable.

        Raises:
            SettingsError: names every wrong value, missing secret, unknown RCA_ name and directory problem.
        """
        given = _given(env)
        directory, problems = _directory(given.get("DIRECTORY"))
        missing = _missing(given, directory) + _slack_problems(given)
        return cls._checked(given, directory, problems + missing)

    @classmethod
    def for_tools(cls, env: Mapping[str, str]) -> Self:
        """Read the settings for a command that neither talks to Slack nor pages: no secret has to be there.

        Everything else is checked as in ``from_env``; ``slack_mode`` is off.

        Raises:
            SettingsError: names every wrong value, unknown RCA_ name and directory problem.
        """
        given = {**_given(env), "SLACK_MODE": SlackMode.OFF}
        directory, problems = _directory(given.get("DIRECTORY"))
        return cls._checked(given, directory, problems)

    @classmethod
    def _checked(cls, given: Mapping[str, str], directory: Directory, known: list[str]) -> Self:
        problems = known + _reserved(given, directory)
        mine = {field: given[name] for field, name in _names().items() if name in given}
        secrets = {n: SecretStr(given[n]) for n in directory.secret_names if n in given}
        try:
            settings = cls.model_validate(
                {**mine, "directory": directory, "secrets": MappingProxyType(secrets)}
            )
        except ValidationError as error:
            raise SettingsError(problems + _described(error)) from None
        if problems:
            raise SettingsError(problems)
        return settings


def _given(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if value.strip()}


_OTHER_NAME: Final = {"directory_path": "DIRECTORY", "model_path": "MODEL"}


def _names() -> dict[str, str]:
    """The environment's name of every field that is read from it: the field's own in capitals, but for two."""
    fields = Settings.model_fields.items()
    return {
        name: _OTHER_NAME.get(name, name.upper()) for name, field in fields if not field.exclude
    }


def _directory(path: str | None) -> tuple[Directory, list[str]]:
    if path is None:
        return Directory.empty(), []
    try:
        return Directory.load(path), []
    except DirectoryError as error:
        return Directory.empty(), [f"DIRECTORY: {problem}" for problem in error.problems]


def _reserved(given: Mapping[str, str], directory: Directory) -> list[str]:
    known = _names().values()
    problems = []
    for name in sorted(given):
        if not name.startswith(RESERVED_PREFIX) or name in directory.secret_names:
            continue
        if not _KUBERNETES.match(name):
            plain = name.removeprefix(RESERVED_PREFIX)
            hint = f"; the setting is named {plain}" if plain in known else ""
            problems.append(f"{name}: no such setting{hint}")
    return problems


def _missing(given: Mapping[str, str], directory: Directory) -> list[str]:
    wanted = (
        (name, team.id)
        for team in directory.teams.values()
        for name in team.secret_names
        if name not in given
    )
    paged = [f"{name}: missing; team {team_id} is paged with it" for name, team_id in wanted]
    read = [
        f"{name}: missing; source {source.id} is read with it"
        for source in directory.sources.values()
        for name in source.secret_names
        if name not in given
    ]
    signed = [
        f"{hook.secret_env}: missing; webhook {hook.id} is signed with it"
        for hook in directory.webhooks.values()
        if hook.secret_env not in given
    ]
    return paged + read + signed


_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    SlackMode.SOCKET: ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"),
    SlackMode.HTTP: ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"),
    SlackMode.OFF: (),
}


def _slack_problems(given: Mapping[str, str]) -> list[str]:
    """What the mode needs, and the two tokens in each other's place, which Slack answers with a riddle."""
    mode = given.get("SLACK_MODE", SlackMode.SOCKET)
    problems = [
        f"{name}: missing; SLACK_MODE={mode} needs it"
        for name in _NEEDED.get(mode, ())
        if name not in given
    ]
    if given.get("SLACK_BOT_TOKEN", "").startswith("xapp-"):
        problems.append(
            "SLACK_BOT_TOKEN: holds an app-level token (xapp-…); the bot's begins with xoxb-"
        )
    if given.get("SLACK_APP_TOKEN", "").startswith("xoxb-"):
        problems.append("SLACK_APP_TOKEN: holds a bot token (xoxb-…); the app's begins with xapp-")
    return problems


def _described(error: ValidationError) -> list[str]:
    names = _names()
    return [
        f"{names.get(str(p['loc'][0]), str(p['loc'][0]))}: {expected(p)}"
        for p in error.errors(include_url=False, include_input=False)
    ]


def describe() -> str:
    """Return docs/settings.md: every setting with its default, as Markdown."""
    rows = [
        f"| `{name}` | {_default(Settings.model_fields[field].default)} | {_text(field)} |"
        for field, name in sorted(_names().items(), key=lambda item: item[1])
    ]
    return "\n".join([_INTRODUCTION, "| name | default | what it is |", "|---|---|---|", *rows, ""])


def _text(field: str) -> str:
    return (Settings.model_fields[field].description or "").replace("|", "\\|")


def _default(value: Any) -> str:  # noqa: ANN401 - a default can be of any field's type
    if value is None:
        return "none"
    return f"`{value.get_secret_value() if isinstance(value, SecretStr) else value}`"


_INTRODUCTION: Final = """\
# Settings

Addresses, secrets and modes come from the environment, under the plain names below.
An empty value counts as not given.
Names that begin with `RCA_` are reserved and stop the start: nobody shall believe in a setting that nobody reads.
Everything wrong is named at once: wrong values, missing secrets, and every problem of the directory.
People, teams, channels and datasets live in the directory (`DIRECTORY`, see `deploy/directory.example.toml`).
A team's secrets are read from the variables that its `routing_key_env` and `secret_env` name.

<!-- Written by bot.settings.describe(); a test says when it is out of date. -->
"""
