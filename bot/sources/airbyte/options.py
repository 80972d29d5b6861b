"""What ``[sources.NAME]`` may say for an Airbyte, and which addresses follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from bot.directory import EnvName, Name, Url
from bot.sources.registry import Options

TRY_S: Final = 6.0  # seconds; three tries of it still fit into what one read may take
CLOUD_HOSTS: Final = frozenset({"api.airbyte.com", "cloud.airbyte.com"})


class Api(StrEnum):
    """Which of Airbyte's two APIs is read: only ``config`` says why a sync failed."""

    AUTO = "auto"
    CONFIG = "config"
    PUBLIC = "public"


class AirbyteOptions(Options):
    """Where it is, how we are let in, and what of it is ours; without ``workspace_id`` every workspace we may see.

    ``timeout_s``: how long one question may take.
    """

    url: Url
    api: Api = Api.AUTO
    client_id_env: EnvName | None = None
    client_secret_env: EnvName | None = None
    user: Name | None = None
    password_env: EnvName | None = None
    workspace_id: Name | None = None
    timeout_s: Annotated[float, Field(gt=0, le=10)] = TRY_S

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.client_id_env is None) != (self.client_secret_env is None):
            raise ValueError("client_id_env and client_secret_env need each other")
        if (self.user is None) != (self.password_env is None):
            raise ValueError("user and password_env need each other")
        if self.client_id_env and self.user:
            raise ValueError("either an application (client_id_env) or a user, not both")
        if urlsplit(self.url).username is not None:
            raise ValueError("url must hold no user or password; use user and password_env")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where each API is; ``tokens``: where an application gets a token, tried in this order."""

    shown: str
    config: str
    public: str
    tokens: tuple[str, ...]


def addresses(url: str) -> Addresses:
    """Return the addresses behind *url*: Airbyte Cloud has two hosts, a self-managed Airbyte one."""
    parts = urlsplit(url)
    if parts.hostname in CLOUD_HOSTS:
        public = "https://api.airbyte.com/v1"
        return Addresses(
            shown="https://api.airbyte.com",
            config="https://cloud.airbyte.com/api/v1",
            public=public,
            tokens=(f"{public}/applications/token",),
        )
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    base = base.removesuffix("/api/public/v1").removesuffix("/api/v1").removesuffix("/api")
    config, public = f"{base}/api/v1", f"{base}/api/public/v1"
    return Addresses(
        shown=base,
        config=config,
        public=public,
        tokens=(f"{config}/applications/token", f"{public}/applications/token"),
    )
