"""The runbook's API: the diagnoses of a dataset, and an analysis on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Protocol, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.policy.who_may import Act
from bot.web.auth import Caller, Door
from bot.web.body import unkeepable_text
from bot.web.errors import bad_request, not_found
from rca.case import AnomalyType
from rca.diagnosis import Diagnosis
from rca.expected import expected

PATH: Final = "/api/admin/diagnostics/{dataset}"
DEFAULT_LIMIT: Final = 20  # runbook, Useful Queries: "LIMIT 20"
MAX_LIMIT: Final = 200
MAX_NAME_CHARS: Final = 1_000  # as rca.case.Name


Q = TypeVar("Q", bound=BaseModel)


class Query(BaseModel):
    """Parameters of a GET; an unknown one is refused, since a misspelt filter would show too much."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    active_only: bool = False
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT


class AnalyzeQuery(BaseModel):
    """Parameters of an analysis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anomaly_type: AnomalyType


class DiagnosesAnswer(BaseModel):
    """The diagnoses of one dataset, newest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    tenant_id: str
    diagnoses: tuple[Diagnosis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the catalog says to a name: the dataset's own name, or None with the names that look like it."""

    name: str | None
    near: tuple[str, ...] = ()


class FindDataset(Protocol):
    """Asks a tenant's catalog for a dataset, in any case and quoting."""

    async def __call__(self, tenant_id: str, text: str) -> Found:
        """Return what the catalog knows."""


class ListDiagnoses(Protocol):
    """Reads stored diagnoses, newest first."""

    async def __call__(
        self, tenant_id: str, dataset: str, *, active_only: bool, limit: int
    ) -> Sequence[Diagnosis]:
        """Return at most *limit* diagnoses of the tenant's dataset."""


class Analyze(Protocol):
    """Runs one analysis now."""

    async def __call__(
        self, tenant_id: str, dataset: str, anomaly_type: AnomalyType, by: str
    ) -> Diagnosis:
        """Return the diagnosis, recorded and told like every other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticsApi:
    """The two endpoints; the tenant is always the token's own."""

    door: Door
    find: FindDataset
    diagnoses: ListDiagnoses
    analyze: Analyze

    def routes(self) -> tuple[web.RouteDef, ...]:
        """Return what to add to the application."""
        return (
            web.get(PATH, self.recent),
            web.post(f"{PATH}/analyze", self.on_demand),
        )

    async def recent(self, request: web.Request) -> web.Response:
        """``GET /api/admin/diagnostics/{dataset}?active_only=true&limit=20``."""
        owner = await self.door.admit(request, Act.VIEW)
        query = _query(Query, request)
        name = await self._dataset(request, owner)
        diagnoses = await self.diagnoses(
            owner.tenant_id, name, active_only=query.active_only, limit=query.limit
        )
        return _json(
            DiagnosesAnswer(dataset=name, tenant_id=owner.tenant_id, diagnoses=tuple(diagnoses))
        )

    async def on_demand(self, request: web.Request) -> web.Response:
        """``POST /api/admin/diagnostics/{dataset}/analyze?anomaly_type=volume_anomaly``."""
        owner = await self.door.admit(request, Act.DIAGNOSE)
        query = _query(AnalyzeQuery, request)
        name = await self._dataset(request, owner)
        return _json(await self.analyze(owner.tenant_id, name, query.anomaly_type, owner.name))

    async def _dataset(self, request: web.Request, owner: Caller) -> str:
        asked = request.match_info["dataset"]
        if len(asked) > MAX_NAME_CHARS or unkeepable_text(asked):
            raise bad_request("this is not a dataset's name", field="dataset")
        found = await self.find(owner.tenant_id, asked)
        if found.name is None:
            raise not_found(f"There is no dataset named {asked}.", near=found.near)
        return found.name


def _json(document: BaseModel) -> web.Response:
    return web.Response(
        text=document.model_dump_json(by_alias=True), content_type="application/json"
    )


def _query(model: type[Q], request: web.Request) -> Q:
    """The parameters as *model*; the first wrong one is named, with the values it may have."""
    given = request.query
    for name in given:
        if len(given.getall(name)) > 1:
            raise bad_request("given more than once", field=name)
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = str(problem["loc"][0])
        known = model.model_fields.get(field)
        if known is None:
            raise bad_request(
                "no such parameter", field=field, allowed=sorted(model.model_fields)
            ) from None
        allowed = tuple(AnomalyType) if known.annotation is AnomalyType else ()
        raise bad_request(expected(problem), field=field, allowed=allowed) from None
