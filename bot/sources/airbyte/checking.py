"""What ``rca-bot doctor`` tries of an Airbyte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.ports import Checked
from bot.sources.airbyte.client import ApiError
from bot.sources.airbyte.view import View

MOST_NAMED: Final = 5
LET_IN: Final = "check url, client_id_env and client_secret_env, and the application's roles"
SEE_ERRORS: Final = (
    "without it, failed syncs have no reason: give the application's user the role workspace reader, or add "
    "Airbyte's webhook, which carries the error"
)


async def checked(
    name: str, views: Sequence[View], connection_ids: frozenset[str]
) -> tuple[Checked, ...]:
    """Return one line per thing that was tried: each API, then whether the directory's connections are there."""
    lines: list[Checked] = []
    for view in views:
        which = "Config API" if view.api.tells_errors else "public API"
        what = f"{name}: the {which} is open to us"
        try:
            known = await view.connections()
        except ApiError as error:
            fix = SEE_ERRORS if error.refused and len(views) > 1 else LET_IN
            lines.append(Checked(what=what, problem=str(error), fix=fix))
            continue
        lines.append(Checked(what=what))
        lines.append(_connections(name, connection_ids - set(known)))
        break
    return tuple(lines)


def _connections(name: str, missing: frozenset[str]) -> Checked:
    what = f"{name}: it has the connections that the directory names"
    if not missing:
        return Checked(what=what)
    named = ", ".join(sorted(missing)[:MOST_NAMED])
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return Checked(
        what=what,
        problem=f"it has none of these: {named}{more}",
        fix="correct connector_id of the datasets, or let the application see their workspace",
    )
