"""The tables of what is known: facts per tenant and dataset, as they were last read."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, false

from bot.store.columns import Json, KeptText, UtcDateTime
from bot.store.tables import METADATA

DATASETS: Final = Table(
    "datasets",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("name", KeptText, primary_key=True),
    Column("entry", Json, nullable=False, comment="the catalog's entry"),
    Column("read_at", UtcDateTime, nullable=False),
)

FACT_READS: Final = Table(
    "fact_reads",
    METADATA,
    # When a list of facts was read, even if it was empty: "looked, found none" is not "never looked".
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("fact", KeptText, primary_key=True),
    Column("first_read_at", UtcDateTime, nullable=False),
    Column("last_read_at", UtcDateTime, nullable=False),
)

FACT_HOLES: Final = Table(
    "fact_holes",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("fact", KeptText, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("reason", KeptText, nullable=False),
    Column("noted_at", UtcDateTime, nullable=False),
)

INGESTION_JOBS: Final = Table(
    "ingestion_jobs",
    METADATA,
    # The runbook's own table: read by tenant and connector, newest first.
    Column("tenant_id", KeptText, primary_key=True),
    Column("connector_id", KeptText, primary_key=True),
    Column("id", KeptText, primary_key=True),
    Column("status", KeptText, nullable=False),
    Column("error_code", KeptText),
    Column("error_message", KeptText),
    Column("failure_origin", KeptText),
    Column("failure_type", KeptText),
    Column("attempts", Integer),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("rows_synced", BigInteger),
    Column("bytes_synced", BigInteger),
    Index("ix_ingestion_jobs_recent", "tenant_id", "connector_id", "started_at"),
)

COLUMN_SNAPSHOTS: Final = Table(
    "column_snapshots",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("captured_at", UtcDateTime, primary_key=True),
    Column("columns", Json, nullable=False),
)

DBT_RUNS: Final = Table(
    "dbt_runs",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("dbt_generated_at", UtcDateTime, primary_key=True),
    Column("invocation_id", KeptText, primary_key=True, comment="empty when dbt did not say"),
    Column("command", KeptText),
    Column("git_sha", KeptText),
    Column("deployed_by", KeptText),
    Column("deployed_at", UtcDateTime),
    Column("results", Json, nullable=False),
)

LINEAGES: Final = Table(
    "lineages",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("lineage", Json, nullable=False),
    Column("pushed", Json, comment="edges that were sent to us, beside the graph that was read"),
)

DQ_RESULTS: Final = Table(
    "dq_results",
    METADATA,
    # The runbook's own table: linked to root_cause_signals by correlation_id.
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("id", KeptText, primary_key=True),
    Column("check_id", KeptText, nullable=False),
    Column("status", KeptText, nullable=False),
    Column("severity", KeptText),
    Column("context_metadata", Json),
    Column("executed_at", UtcDateTime, nullable=False),
    Column("correlation_id", KeptText),
    Index("ix_dq_results_recent", "tenant_id", "dataset", "executed_at"),
    Index("ix_dq_results_correlation_id", "correlation_id"),
)

VOLUME_WINDOWS: Final = Table(
    "volume_windows",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("window_start", UtcDateTime, primary_key=True),
    Column("window_end", UtcDateTime, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("read_at", UtcDateTime, nullable=False, comment="before window_end: counted so far"),
)

DIMENSION_PROFILES: Final = Table(
    "dimension_profiles",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("dimension", KeptText, primary_key=True),
    Column("window_start", UtcDateTime, primary_key=True),
    Column("window_end", UtcDateTime, primary_key=True),
    Column("counts", Json, nullable=False),
    Column("truncated", Boolean, nullable=False, server_default=false()),
    Column("read_at", UtcDateTime, nullable=False, comment="before window_end: counted so far"),
)

SEGMENT_PROFILES: Final = Table(
    "segment_profiles",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("dimensions", KeptText, primary_key=True, comment="their names, as a JSON list"),
    Column("window_start", UtcDateTime, primary_key=True),
    Column("window_end", UtcDateTime, primary_key=True),
    Column("rows", Json, nullable=False),
    Column("read_at", UtcDateTime, nullable=False, comment="before window_end: counted so far"),
)

PEER_ERRORS: Final = Table(
    "peer_errors",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    # Names nobody gave are empty: a key cannot be null.
    Column("peer_tenant_id", KeptText, primary_key=True),
    Column("connector_id", KeptText, primary_key=True),
    Column("error_code", KeptText, primary_key=True),
    Column("source_kind", KeptText),
    Column("last_at", UtcDateTime),
)

POLLS: Final = Table(
    "polls",
    METADATA,
    # When each source was asked about each dataset; the lease keeps a second replica from asking too.
    Column("source_id", KeptText, primary_key=True),
    Column("tenant_id", KeptText, primary_key=True),
    Column("dataset", KeptText, primary_key=True),
    Column("next_at", UtcDateTime, nullable=False),
    Column("leased_until", UtcDateTime),
    Column("last_success_at", UtcDateTime),
    Column("last_failure_at", UtcDateTime),
    Column("last_problem", KeptText),
    Column("failures", Integer, nullable=False, server_default="0", comment="in a row"),
    Index("ix_polls_due", "source_id", "next_at"),
)
