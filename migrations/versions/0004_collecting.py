"""Collecting: when each source was asked about each dataset, and lineage that was sent to us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_collecting"
down_revision = "0003_queue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the polls, and a place for pushed edges beside the graph that was read."""
    op.create_table(
        "polls",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failure_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_problem", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False, comment="in a row"),
        sa.PrimaryKeyConstraint("source_id", "tenant_id", "dataset", name=op.f("pk_polls")),
    )
    op.create_index("ix_polls_due", "polls", ["source_id", "next_at"], unique=False)
    op.add_column(
        "lineages",
        sa.Column(
            "pushed",
            sa.JSON(),
            nullable=True,
            comment="edges that were sent to us, beside the graph that was read",
        ),
    )


def downgrade() -> None:
    """Take both away; what was read stays, and is asked for again from the start."""
    op.drop_column("lineages", "pushed")
    op.drop_index("ix_polls_due", table_name="polls")
    op.drop_table("polls")
