"""The HTTP side on loopback, with its parts in memory: two tenants, three roles."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.directory import Role
from bot.intake.signatures import signed_by_hex
from bot.ports import BotError
from bot.records import InboxItem, InboxKind, Kept
from bot.web import openapi
from bot.web.alerts import AlertsApi
from bot.web.auth import Door
from bot.web.diagnostics import DiagnosticsApi, Found
from bot.web.health import HealthApi
from bot.web.signed import Hook, Hooks, Signer
from bot.web.site import build_site
from rca.case import AnomalyType
from rca.diagnosis import Band, Diagnosis

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    tenant_id: str
    role: Role
    name: str


OWNERS = {
    "rca_acme_responder": Owner(tenant_id="acme", role=Role.RESPONDER, name="ci"),
    "rca_acme_viewer": Owner(tenant_id="acme", role=Role.VIEWER, name="wall"),
    "rca_acme_admin": Owner(tenant_id="acme", role=Role.ADMIN, name="root"),
    "rca_globex_responder": Owner(tenant_id="globex", role=Role.RESPONDER, name="ci"),
}

DATASETS = {"acme": ("shopify_orders", "a/b c"), "globex": ("globex_sales",)}


def _signed(headers: Mapping[str, str], raw: bytes, secret: str) -> bool:
    return signed_by_hex(headers, raw, secret, header="x-signature")


SIGNERS = tuple(
    Hook(signer=Signer(name=f"webhook {tenant}", tenant_id=tenant), secret=secret, signed=_signed)
    for tenant, secret in (("acme", "acme-secret"), ("globex", "globex-secret"))
)


def diagnosis(
    tenant_id: str,
    dataset: str,
    signal_id: str = "s-1",
    anomaly_type: AnomalyType = AnomalyType.VOLUME,
    *,
    is_active: bool = True,
) -> Diagnosis:
    return Diagnosis(
        signal_id=signal_id,
        case_id="c-1",
        tenant_id=tenant_id,
        dataset=dataset,
        anomaly_type=anomaly_type,
        detected_at=NOW,
        as_of=NOW,
        is_active=is_active,
        band=Band.MANUAL,
    )


@dataclass
class World:
    """What the endpoints are given, in memory; records what was asked of it."""

    kept: dict[str, InboxItem] = field(default_factory=dict)
    analyzed: list[tuple[str, str, AnomalyType, str]] = field(default_factory=list)
    secrets_asked: list[str] = field(default_factory=list)
    stored: list[Diagnosis] = field(default_factory=list)
    checks: dict[str, str | Exception | None] = field(default_factory=dict)
    refusals: list[tuple[str, str, str, datetime]] = field(default_factory=list)
    broken: Exception | None = None
    at: datetime = NOW

    async def owner_of(self, secret: str) -> Owner | None:
        self.secrets_asked.append(secret)
        return OWNERS.get(secret)

    async def find(self, tenant_id: str, text: str) -> Found:
        names = DATASETS[tenant_id]
        if text.casefold() in names:
            return Found(name=text.casefold())
        return Found(name=None, near=tuple(get_close_matches(text, names)))

    async def diagnoses(
        self, tenant_id: str, dataset: str, *, active_only: bool, limit: int
    ) -> list[Diagnosis]:
        if self.broken:
            raise self.broken
        mine = [
            one
            for one in self.stored
            if (one.tenant_id, one.dataset) == (tenant_id, dataset)
            and (one.is_active or not active_only)
        ]
        return mine[:limit]

    async def analyze(
        self, tenant_id: str, dataset: str, anomaly_type: AnomalyType, by: str
    ) -> Diagnosis:
        self.analyzed.append((tenant_id, dataset, anomaly_type, by))
        return diagnosis(tenant_id, dataset, anomaly_type=anomaly_type)

    async def keep(
        self,
        *,
        kind: InboxKind,
        sender_id: str,
        tenant_id: str,
        payload: Mapping[str, Any],
        now: datetime,
    ) -> Kept:
        fresh = sender_id not in self.kept
        item = self.kept.setdefault(
            sender_id,
            InboxItem(
                inbox_id=f"in-{len(self.kept) + 1}",
                kind=kind,
                sender_id=sender_id,
                tenant_id=tenant_id,
                payload=payload,
                received_at=now,
            ),
        )
        return Kept(item=item, fresh=fresh)

    def read(self, name: str, payload: Mapping[str, Any]) -> object:
        if not isinstance(payload.get("dataset"), str):
            raise BotError(f"{name}: dataset: a text is needed")
        return payload

    def unwrap(
        self, name: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        told = headers.get("x-dataset")
        return {**body, "dataset": told} if name == "native" and told else body

    async def refused(
        self, *, tenant_id: str, format_name: str, problem: str, now: datetime
    ) -> None:
        self.refusals.append((tenant_id, format_name, problem, now))

    def check(self, name: str):
        async def look() -> str | None:
            outcome = self.checks[name]
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return look


@pytest.fixture
def world() -> World:
    return World(checks={"database": None, "migrations": None})


@pytest.fixture
async def client(world: World) -> AsyncIterator[TestClient]:
    door = Door(owner_of=world.owner_of)
    site = build_site(
        DiagnosticsApi(
            door=door, find=world.find, diagnoses=world.diagnoses, analyze=world.analyze
        ).routes(),
        AlertsApi(
            door=door,
            keep=world.keep,
            read=world.read,
            unwrap=world.unwrap,
            delivery_of=lambda _, body: body.get("delivery"),
            refused=world.refused,
            hooks=Hooks(by_format={"signed": SIGNERS}),
            formats=("native", "alertmanager", "signed"),
            clock=lambda: world.at,
        ).routes(),
        HealthApi(checks={name: world.check(name) for name in world.checks}).routes(),
        openapi.routes("1.2.3"),
    )
    async with TestClient(TestServer(site)) as made:
        yield made
