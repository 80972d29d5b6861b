"""Opens an Airbyte as the directory describes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bot.ports import Source
from bot.sources.airbyte.client import Application, Basic, Client
from bot.sources.airbyte.options import AirbyteOptions, addresses
from bot.sources.airbyte.source import AirbyteSource
from bot.sources.registry import Opening, SourceKind

KIND: Final = "airbyte"


@asynccontextmanager
async def _open(opening: Opening) -> AsyncIterator[Source]:
    options: AirbyteOptions = opening.options
    where = addresses(options.url)
    credentials: Application | Basic | None = None
    if options.client_id_env is not None and options.client_secret_env is not None:
        credentials = Application(
            client_id=opening.secret(options.client_id_env),
            client_secret=opening.secret(options.client_secret_env),
            urls=where.tokens,
        )
    elif options.user is not None and options.password_env is not None:
        credentials = Basic(user=options.user, password=opening.secret(options.password_env))
    client = Client(opening.session, opening.clock, where.shown, credentials, options.timeout_s)
    source = AirbyteSource(opening, options, client)
    try:
        yield source
    finally:
        source.stop()


SOURCE: Final = SourceKind(
    kind=KIND,
    about="Airbyte: syncs with their errors, schedules, changed schemas, disabled connections.",
    options=AirbyteOptions,
    open=_open,
)
