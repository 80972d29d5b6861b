"""The demo's stage: the real bot over real HTTP, between a stand-in Slack and stand-in pagers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bot.app import App, built, running
from bot.clock import Clock, system_clock
from bot.sandbox.library import Recorded, recorded
from bot.sandbox.server import Sandbox
from bot.settings import Settings

ROUTING_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "INFRA_ROUTING_KEY": "1" * 32,
        "PLATFORM_ROUTING_KEY": "2" * 32,
        "DATA_ENG_LEAD_ROUTING_KEY": "3" * 32,
    }
)
"""PagerDuty's keys have 32 characters; these open nothing but the sandbox."""

SERVICES: Final[Mapping[str, str]] = MappingProxyType(
    {"1" * 32: "Infra", "2" * 32: "Platform", "3" * 32: "Data eng lead"}
)
WEBHOOK_SECRETS: Final[Mapping[str, str]] = MappingProxyType({"data_eng": "sandbox-webhook-secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything the demo and the stories work with."""

    sandbox: Sandbox
    app: App
    library: tuple[Recorded, ...]


def new_sandbox(*, clock: Clock = system_clock, port: int = 0) -> Sandbox:
    """Return a sandbox whose pagers know the demo's teams; it serves while its ``async with`` block lasts."""
    return Sandbox(clock=clock, port=port, services=SERVICES, webhook_secrets=WEBHOOK_SECRETS)


def environment(sandbox: Sandbox, folder: Path, database_url: str) -> dict[str, str]:
    """Return the settings of a bot that lives in *sandbox*, with its directory written into *folder*."""
    text = files("bot.sandbox").joinpath("directory.toml").read_text("utf-8")
    directory = folder / "directory.toml"
    directory.write_text(text.replace("{url}", sandbox.url), "utf-8")
    secrets = sandbox.credentials
    return {
        "DATABASE_URL": database_url,
        "DIRECTORY": str(directory),
        "SLACK_MODE": "http",
        "SLACK_API_URL": sandbox.api_url,
        "SLACK_BOT_TOKEN": secrets.bot_token,
        "SLACK_APP_TOKEN": secrets.app_token,
        "SLACK_SIGNING_SECRET": secrets.signing_secret,
        "HTTP_PORT": "0",
        "LOG_FORMAT": "text",
        "LOG_LEVEL": "WARNING",
        "PAGERDUTY_URL": f"{sandbox.url}/pagerduty",
        "DATA_ENG_WEBHOOK_SECRET": WEBHOOK_SECRETS["data_eng"],
        **ROUTING_KEYS,
    }


@asynccontextmanager
async def staged(
    folder: Path, *, clock: Clock = system_clock, port: int = 0
) -> AsyncIterator[Stage]:
    """Yield a running bot on a fresh SQLite file in *folder*, with the library's facts loaded.

    Args:
        folder: exists, and is the demo's own.
        clock: the bot's and the sandbox's.
        port: of the sandbox and its page; 0 takes a free one.
    """
    async with new_sandbox(clock=clock, port=port) as sandbox:
        url = f"sqlite:///{folder / 'demo.sqlite3'}"
        settings = Settings.from_env(environment(sandbox, folder, url))
        async with built(settings, clock=clock) as app, running(app) as address:
            sandbox.connect(f"{address}/slack/events")
            library = recorded(clock())
            for incident in library:
                await app.store.facts.load(incident.case, clock())
            yield Stage(sandbox=sandbox, app=app, library=library)
