"""The queue: a table of our own on SQLite, PgQueuer's schema on PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_queue"
down_revision = "0002_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Install what the database's own queue needs."""
    if op.get_bind().dialect.name == "sqlite":
        _jobs()
        return
    from bot.jobs import pgqueuer_schema  # noqa: PLC0415 - an extra: SQLite works without it

    pgqueuer_schema.install(op.get_bind())


def downgrade() -> None:
    """Take it away; what waits in it is found again by the sweep."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_table("jobs")
        return
    from bot.jobs import pgqueuer_schema  # noqa: PLC0415 - an extra: SQLite works without it

    pgqueuer_schema.uninstall(op.get_bind())


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("key", sa.Text(), nullable=False, comment="kind:row_id; one job per key"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Text(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("running", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "next_due_us", sa.BigInteger(), nullable=True, comment="submitted again while it ran"
        ),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False, comment="in a row"),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_jobs_due", "jobs", ["lane", "running", "due_us"], unique=False)
