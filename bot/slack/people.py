"""Who belongs to which Slack user group: read from Slack now and then, asked in memory."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)


class People:
    """The members of the user groups that roles are given to; empty until the first refresh."""

    def __init__(self) -> None:
        self._groups: dict[str, tuple[str, ...]] = {}

    def groups_of(self, user_id: str) -> tuple[str, ...]:
        """Return the ids of the user groups *user_id* is in, as of the last refresh."""
        return self._groups.get(user_id, ())

    async def refresh(self, client: AsyncWebClient) -> None:
        """Read all user groups anew; when Slack refuses or is away, what was known stays."""
        try:
            answer = await client.usergroups_list(include_users=True)
        except (SlackApiError, ClientError, TimeoutError) as error:
            log.warning("user groups could not be read", extra={"error": str(error)[:200]})
            return
        groups: dict[str, tuple[str, ...]] = {}
        listed: list[dict[str, Any]] = answer.get("usergroups", [])
        for group in listed:
            for user_id in group.get("users", []):
                groups[user_id] = (*groups.get(user_id, ()), group["id"])
        self._groups = groups
