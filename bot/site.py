"""The web server's rooms, put together from the parts they need."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.clock import system_clock
from bot.deps import Deps
from bot.flow import Question, answer
from bot.intake.registry import (
    delivery_of,
    enveloped,
    read_pushed,
    read_webhook,
    signature_of,
    webhook_formats,
)
from bot.records import InboxKind, InboxState, Place
from bot.settings import Settings, SlackMode
from bot.store.migrate import current
from bot.version import version
from bot.web import openapi
from bot.web.alerts import AlertsApi
from bot.web.auth import Door
from bot.web.diagnostics import DiagnosticsApi, Found
from bot.web.health import HealthApi
from bot.web.lineage import LineageApi
from bot.web.signed import hooks_of
from bot.web.site import build_site
from bot.web.slack import SlackFront
from rca.case import AnomalyType
from rca.diagnosis import Diagnosis


def site(
    settings: Settings, deps: Deps, engine: AsyncEngine, slack: AsyncApp | None
) -> web.Application:
    """Return the whole HTTP side: Slack in HTTP mode, alerts, diagnostics, health and their description."""
    door = Door(owner_of=deps.store.tokens.owner)
    desk = _Desk(deps=deps)
    rooms = [
        AlertsApi(
            door=door,
            keep=deps.store.inbox.keep,
            read=read_webhook,
            unwrap=enveloped,
            delivery_of=delivery_of,
            refused=deps.store.refusals.count,
            hooks=hooks_of(settings.directory, _secrets(settings), signature_of),
            formats=webhook_formats(),
            clock=deps.clock,
        ).routes(),
        LineageApi(
            door=door,
            keep=deps.store.inbox.keep,
            read=read_webhook,
            pushed=read_pushed,
            refused=deps.store.refusals.count,
            clock=deps.clock,
        ).routes(),
        DiagnosticsApi(
            door=door, find=desk.find, diagnoses=deps.store.signals.list, analyze=desk.analyze
        ).routes(),
        HealthApi(checks={"database": lambda: _database(engine)}).routes(),
        openapi.routes(version()),
    ]
    secret = settings.slack_signing_secret
    if slack is not None and settings.slack_mode is SlackMode.HTTP and secret is not None:
        # Slack signs with the real time, whatever time the flow is told
        front = SlackFront(bolt=slack, signing_secret=secret.get_secret_value(), clock=system_clock)
        rooms.append(front.routes())
    return build_site(*rooms)


def _secrets(settings: Settings) -> Mapping[str, str]:
    return {name: secret.get_secret_value() for name, secret in settings.secrets.items()}


async def _database(engine: AsyncEngine) -> str | None:
    """Readiness: the database answers, and a start has brought it up to date."""
    return None if await current(engine) else "not migrated; run rca-bot migrate"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What the diagnostics API asks of the flow."""

    deps: Deps

    async def find(self, tenant_id: str, text: str) -> Found:
        catalog = await self.deps.catalog(tenant_id)
        dataset = catalog.resolve((text,))
        if dataset is not None:
            return Found(name=dataset.name)
        return Found(name=None, near=catalog.near(text))

    async def analyze(
        self, tenant_id: str, dataset: str, anomaly_type: AnomalyType, by: str
    ) -> Diagnosis:
        """Analyse now; the card goes to the tenant's incident channel unless an incident is open elsewhere."""
        channel = self.deps.directory.incident_channel(tenant_id, dataset)
        question = Question(
            tenant_id=tenant_id,
            dataset=dataset,
            anomaly_type=anomaly_type,
            asked_by=by,
            place=Place(channel_id=channel) if channel else None,
        )
        kept = await self.deps.store.inbox.keep(
            kind=InboxKind.COMMAND,
            sender_id=f"api:{uuid.uuid4()}",
            tenant_id=tenant_id,
            payload={"dataset": dataset, "anomaly_type": anomaly_type, "user": by},
            now=self.deps.clock(),
            state=InboxState.DONE,
        )
        examined, *_ = await answer(question, self.deps, inbox_id=kept.item.inbox_id)
        return examined.diagnosis
