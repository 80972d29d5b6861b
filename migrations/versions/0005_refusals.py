"""Refusals: how many webhook bodies each format refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_refusals"
down_revision = "0004_collecting"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the counts."""
    op.create_table(
        "refusals",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("bodies", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "problem", sa.Text(), nullable=False, comment="why the first was refused; no body"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "format", name=op.f("pk_refusals")),
    )


def downgrade() -> None:
    """Take the counts away; they only count."""
    op.drop_table("refusals")
