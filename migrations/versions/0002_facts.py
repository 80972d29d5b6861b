"""What is known: facts per tenant and dataset."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_facts"
down_revision = "0001_incidents"
branch_labels = None
depends_on = None

TABLES = (
    "datasets",
    "fact_reads",
    "fact_holes",
    "ingestion_jobs",
    "column_snapshots",
    "dbt_runs",
    "lineages",
    "dq_results",
    "volume_windows",
    "dimension_profiles",
    "segment_profiles",
    "peer_errors",
)


def upgrade() -> None:
    """Create the tables, those that others refer to first."""
    _datasets()
    _fact_reads()
    _fact_holes()
    _ingestion_jobs()
    _column_snapshots()
    _dbt_runs()
    _lineages()
    _dq_results()
    _volume_windows()
    _dimension_profiles()
    _segment_profiles()
    _peer_errors()


def downgrade() -> None:
    """Drop them, in the opposite order."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("entry", sa.JSON(), nullable=False, comment="the catalog's entry"),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_datasets")),
    )


def _fact_reads() -> None:
    op.create_table(
        "fact_reads",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("first_read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "dataset", "fact", name=op.f("pk_fact_reads")),
    )


def _fact_holes() -> None:
    op.create_table(
        "fact_holes",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "dataset", "fact", "position", name=op.f("pk_fact_holes")
        ),
    )


def _ingestion_jobs() -> None:
    op.create_table(
        "ingestion_jobs",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("connector_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("failure_origin", sa.Text(), nullable=True),
        sa.Column("failure_type", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows_synced", sa.BigInteger(), nullable=True),
        sa.Column("bytes_synced", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "connector_id", "id", name=op.f("pk_ingestion_jobs")),
    )
    op.create_index(
        "ix_ingestion_jobs_recent",
        "ingestion_jobs",
        ["tenant_id", "connector_id", "started_at"],
        unique=False,
    )


def _column_snapshots() -> None:
    op.create_table(
        "column_snapshots",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "dataset", "captured_at", name=op.f("pk_column_snapshots")
        ),
    )


def _dbt_runs() -> None:
    op.create_table(
        "dbt_runs",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("dbt_generated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invocation_id", sa.Text(), nullable=False, comment="empty when dbt did not say"),
        sa.Column("command", sa.Text(), nullable=True),
        sa.Column("git_sha", sa.Text(), nullable=True),
        sa.Column("deployed_by", sa.Text(), nullable=True),
        sa.Column("deployed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "dataset", "dbt_generated_at", "invocation_id", name=op.f("pk_dbt_runs")
        ),
    )


def _lineages() -> None:
    op.create_table(
        "lineages",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("lineage", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "dataset", name=op.f("pk_lineages")),
    )


def _dq_results() -> None:
    op.create_table(
        "dq_results",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("context_metadata", sa.JSON(), nullable=True),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "dataset", "id", name=op.f("pk_dq_results")),
    )
    op.create_index("ix_dq_results_correlation_id", "dq_results", ["correlation_id"], unique=False)
    op.create_index(
        "ix_dq_results_recent", "dq_results", ["tenant_id", "dataset", "executed_at"], unique=False
    )


def _volume_windows() -> None:
    op.create_table(
        "volume_windows",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column(
            "read_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="before window_end: counted so far",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "dataset", "window_start", "window_end", name=op.f("pk_volume_windows")
        ),
    )


def _dimension_profiles() -> None:
    op.create_table(
        "dimension_profiles",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("truncated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "read_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="before window_end: counted so far",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "dataset",
            "dimension",
            "window_start",
            "window_end",
            name=op.f("pk_dimension_profiles"),
        ),
    )


def _segment_profiles() -> None:
    op.create_table(
        "segment_profiles",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("dimensions", sa.Text(), nullable=False, comment="their names, as a JSON list"),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column(
            "read_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="before window_end: counted so far",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "dataset",
            "dimensions",
            "window_start",
            "window_end",
            name=op.f("pk_segment_profiles"),
        ),
    )


def _peer_errors() -> None:
    op.create_table(
        "peer_errors",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("peer_tenant_id", sa.Text(), nullable=False),
        sa.Column("connector_id", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "dataset",
            "peer_tenant_id",
            "connector_id",
            "error_code",
            name=op.f("pk_peer_errors"),
        ),
    )
