"""What people said of a diagnosis: right, wrong, or which cause it was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_answers"
down_revision = "0005_refusals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "answers",
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("cause_type", sa.Text(), nullable=False, comment="none: none of the causes"),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False, comment="right or wrong"),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incident_id"], name=op.f("fk_answers_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["root_cause_signals.id"], name=op.f("fk_answers_signal_id")
        ),
        sa.PrimaryKeyConstraint("signal_id", "cause_type", "answered_by", name=op.f("pk_answers")),
    )
    op.create_index("ix_answers_incident_id", "answers", ["incident_id"], unique=False)
    op.create_index("ix_answers_recent", "answers", ["answered_at"], unique=False)


def downgrade() -> None:
    """Forget what people said."""
    op.drop_index("ix_answers_recent", table_name="answers")
    op.drop_index("ix_answers_incident_id", table_name="answers")
    op.drop_table("answers")
