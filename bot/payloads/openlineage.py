"""Reads OpenLineage events: which checks ran, which columns a dataset has, and what is made of what.

Only what is over is read: a run that has begun repeats everything when it ends. Facets that are not known here, or not
of the shape that their specification gives them, are passed over: a producer may send any.

Source: the OpenLineage specification, object model 2-0-2 and the facets' own versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from bot.payloads.checks import FAILED, MAX_ID, PASSED, WARNING, outcome_of
from rca.case import Column, ColumnSnapshot, DqResult, Lineage

TOOL: Final = "openlineage"
OVER: Final = frozenset({"COMPLETE", "FAIL", "ABORT"})
MAX_DATASETS: Final = 500  # of one event, on one side
MAX_CHECKS: Final = 500  # of one dataset in one event
MAX_FIELDS: Final = 2_000  # columns of one dataset
MAX_EVENTS: Final = 200  # of one batch

DBT_NODE: Final = re.compile(r"^(?:model|seed|snapshot)\.[^.]+\.[^.]+(?:\.v\d+)?$")


def _mapping(value: object) -> object:
    return value if isinstance(value, Mapping) else {}


Name = Annotated[str, Field(min_length=1, max_length=500)]
Facets = Annotated[Mapping[str, Any], BeforeValidator(_mapping)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class OlDataset(_Part):
    """A dataset as an event names it."""

    namespace: Name
    name: Name
    facets: Facets = Field(default_factory=dict)
    read_facets: Facets = Field(default_factory=dict, alias="inputFacets")

    @property
    def node(self) -> str:
        """Its name in a lineage."""
        return self.name.casefold()

    @property
    def hints(self) -> tuple[str, ...]:
        """What the catalog may call it."""
        return (self.name, f"{self.namespace}/{self.name}")


class _Job(_Part):
    namespace: Name
    name: Name
    facets: Facets = Field(default_factory=dict)


class _Run(_Part):
    run_id: Name = Field(alias="runId")
    facets: Facets = Field(default_factory=dict)


Datasets = Annotated[tuple[OlDataset, ...], BeforeValidator(lambda value: value or ())]


class Event(_Part):
    """One event: of a run, of a job without a run, or of a dataset alone."""

    at: AwareDatetime = Field(alias="eventTime")
    kind: str | None = Field(None, alias="eventType")
    run: _Run | None = None
    job: _Job | None = None
    dataset: OlDataset | None = None
    inputs: Datasets = Field((), max_length=MAX_DATASETS)
    outputs: Datasets = Field((), max_length=MAX_DATASETS)

    @property
    def is_over(self) -> bool:
        """Whether this is a run's end, or no run's event at all."""
        return self.run is None or (self.kind or "").upper() in OVER

    @property
    def job_type(self) -> str:
        """``MODEL``, ``TEST``, ``SQL``, …; empty when it is not told."""
        told = facet(self.job.facets, "jobType").get("jobType") if self.job else None
        return told.upper() if isinstance(told, str) else ""

    @property
    def made(self) -> tuple[OlDataset, ...]:
        """What the job writes; the table in which a test leaves its failed rows is nobody's dataset."""
        return () if self.job_type == "TEST" else self.outputs

    @property
    def correlation_id(self) -> str | None:
        """The invocation of dbt, by which its own artifacts are linked too; else the run."""
        if self.run is None:
            return None
        told = facet(self.run.facets, "dbt_run").get("invocation_id")
        return told[:MAX_ID] if isinstance(told, str) and told else self.run.run_id

    @property
    def error(self) -> str | None:
        """What the run says went wrong."""
        told = facet(self.run.facets, "errorMessage").get("message") if self.run else None
        return told if isinstance(told, str) else None


class Batch(_Part):
    """Several events in one request."""

    events: tuple[Event, ...] = Field(max_length=MAX_EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OlCheck:
    """One check on one dataset."""

    dataset: OlDataset
    check_id: str
    kind: str | None
    column: str | None
    outcome: str
    severity: str | None
    said: Mapping[str, object]


def facet(facets: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return one facet; empty when it is missing or no object."""
    found = facets.get(name)
    return found if isinstance(found, Mapping) else {}


def read_events(body: Mapping[str, object]) -> tuple[Event, ...]:
    """Return the events of *body*: one, or a batch under the key ``events``.

    Raises:
        pydantic.ValidationError: not OpenLineage; the error names the fields.
    """
    return Batch.model_validate(body).events if "events" in body else (Event.model_validate(body),)


def checks_of(event: Event) -> Iterator[OlCheck]:
    """Yield the outcome of every check that a finished run tells of."""
    if event.run is None or not event.is_over:
        return
    for dataset in (*event.inputs, *event.made):
        for facets in (dataset.facets, dataset.read_facets):
            for said in _objects(facet(facets, "dataQualityAssertions").get("assertions")):
                if (check := _assertion(said, dataset, event)) is not None:
                    yield check
    subjects = event.inputs or event.made
    if len(subjects) == 1:  # with more, nobody says which of them a test is about
        for said in _objects(facet(event.run.facets, "test").get("tests")):
            if (check := _test(said, subjects[0])) is not None:
                yield check


def _objects(value: object) -> list[Mapping[str, Any]]:
    found = value[:MAX_CHECKS] if isinstance(value, list) else []
    return [one for one in found if isinstance(one, Mapping)]


def _assertion(said: Mapping[str, Any], dataset: OlDataset, event: Event) -> OlCheck | None:
    kind, column, success = _text(said, "assertion"), _text(said, "column"), said.get("success")
    if kind is None or not isinstance(success, bool):
        return None
    severity = _text(said, "severity")
    warns = (severity or "").casefold() in ("warn", "warning")
    told = event.job.name if event.job and event.job.name.startswith("test.") else None
    own = f"{kind}.{column}" if column else kind
    return OlCheck(
        dataset=dataset,
        check_id=(_text(said, "name") or told or own)[:MAX_ID],
        kind=kind,
        column=column,
        outcome=PASSED if success else WARNING if warns else FAILED,
        severity=severity,
        said={} if success or event.error is None else {"message": event.error[:MAX_ID]},
    )


def _test(said: Mapping[str, Any], dataset: OlDataset) -> OlCheck | None:
    name = _text(said, "name")
    if name is None:
        return None
    return OlCheck(
        dataset=dataset,
        check_id=name,
        kind=_text(said, "type"),
        column=_text(said, "column"),
        outcome=outcome_of(_text(said, "status")),
        severity=_text(said, "severity"),
        said={},
    )


def _text(said: Mapping[str, Any], key: str) -> str | None:
    value = said.get(key)
    return value[:MAX_ID] if isinstance(value, str) and value else None


def dq_result(check: OlCheck, event: Event, at: datetime) -> DqResult:
    """Return the check's outcome as it is kept."""
    run_id = event.run.run_id if event.run else ""
    name = f"{check.check_id}:{check.column or ''}"
    said = {"tool": TOOL, "kind": check.kind, "column": check.column, **check.said}
    return DqResult(
        id=f"{run_id}:{name}"[-MAX_ID:],
        check_id=check.check_id,
        status=check.outcome,
        severity=check.severity,
        context_metadata={key: value for key, value in said.items() if value is not None},
        executed_at=at,
        correlation_id=event.correlation_id,
    )


def snapshot_of(dataset: OlDataset, at: datetime) -> ColumnSnapshot | None:
    """Return the dataset's columns; None where some have no type: then they are documentation, and not all of them."""
    fields = facet(dataset.facets, "schema").get("fields")
    if not isinstance(fields, list) or not 0 < len(fields) <= MAX_FIELDS:
        return None
    columns: list[Column] = []
    for one in fields:
        name = _text(one, "name") if isinstance(one, Mapping) else None
        kind = _text(one, "type") if isinstance(one, Mapping) else None
        if name is None or kind is None:
            return None
        columns.append(Column(name=name, type=kind))
    return ColumnSnapshot(captured_at=at, columns=tuple(columns))


def edges_of(event: Event) -> Lineage | None:
    """Return what the event's job makes of what; None when it says nothing of it.

    A relation's node is its name in lower case. Where the job is dbt's own node, it stands between what it reads
    and what it writes, so that dbt's results are found on the way.
    """
    inputs = tuple(dict.fromkeys(one.node for one in event.inputs))
    made = tuple(one for one in event.made if one.node not in inputs)
    if not made or event.job is None:
        return None
    node = event.job.name if DBT_NODE.match(event.job.name) else None
    parents = {one.node: (node,) if node else inputs for one in made}
    if node and inputs:
        parents[node] = inputs
    used = {node or one.node: columns for one in made if (columns := _columns_used(one))}
    return Lineage(
        parents={child: above for child, above in parents.items() if above},
        columns_used=used or None,
    )


def _columns_used(dataset: OlDataset) -> tuple[str, ...]:
    fields = facet(dataset.facets, "columnLineage").get("fields")
    if not isinstance(fields, Mapping):
        return ()
    read = [
        f"{name.casefold()}.{column}"
        for one in list(fields.values())[:MAX_FIELDS]
        if isinstance(one, Mapping)
        for source in _objects(one.get("inputFields"))
        if (name := _text(source, "name")) and (column := _text(source, "field"))
    ]
    return tuple(dict.fromkeys(read))[:MAX_FIELDS]
