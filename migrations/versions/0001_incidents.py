"""What happens: from the inbox to the page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_incidents"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "inbox",
    "incidents",
    "alerts",
    "root_cause_signals",
    "deadlines",
    "pages",
    "posts",
    "timeline",
    "tokens",
)


def upgrade() -> None:
    """Create the tables, those that others refer to first."""
    _inbox()
    _incidents()
    _alerts()
    _root_cause_signals()
    _deadlines()
    _pages()
    _posts()
    _timeline()
    _tokens()


def downgrade() -> None:
    """Drop them, in the opposite order."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("inbox_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "sender_id", sa.Text(), nullable=False, comment="the sender's own id of this delivery"
        ),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_inbox")),
        sa.UniqueConstraint(
            "tenant_id", "kind", "sender_id", name=op.f("uq_inbox_tenant_id_kind_sender_id")
        ),
    )
    op.create_index(
        "ix_inbox_new",
        "inbox",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_index(
        "ix_inbox_reason", "inbox", ["tenant_id", "reason", "received_at"], unique=False
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("anomaly_type", sa.Text(), nullable=False),
        sa.Column(
            "fingerprint",
            sa.Text(),
            nullable=False,
            comment="hash of tenant, dataset and anomaly type: an index cannot hold names of any length",
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("thread_ts", sa.Text(), nullable=True),
        sa.Column("signal_id", sa.Text(), nullable=True, comment="the diagnosis in force"),
        sa.Column("alert_count", sa.Integer(), nullable=False),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("monitoring_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("alert_url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incidents")),
    )
    op.create_index("ix_incidents_recent", "incidents", ["tenant_id", "opened_at"], unique=False)
    op.create_index("ix_incidents_state", "incidents", ["tenant_id", "state"], unique=False)
    op.create_index(
        "uq_incidents_open",
        "incidents",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text("state <> 'resolved'"),
        postgresql_where=sa.text("state <> 'resolved'"),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("inbox_id", sa.Text(), nullable=False),
        sa.Column(
            "position", sa.Integer(), nullable=False, comment="of the anomaly within its delivery"
        ),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("anomaly", sa.JSON(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incident_id"], name=op.f("fk_alerts_incident_id")
        ),
        sa.PrimaryKeyConstraint("inbox_id", "position", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_incident_id", "alerts", ["incident_id"], unique=False)


def _root_cause_signals() -> None:
    op.create_table(
        "root_cause_signals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("anomaly_type", sa.Text(), nullable=False),
        sa.Column("top_cause_type", sa.Text(), nullable=True),
        sa.Column("top_confidence", sa.Float(), nullable=False),
        sa.Column("hypothesis_count", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hypotheses", sa.JSON(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column(
            "reason", sa.Text(), nullable=False, comment="why people were told of it, or not"
        ),
        sa.Column("diagnosis", sa.JSON(), nullable=False),
        sa.Column(
            "case_document", sa.JSON(), nullable=False, comment="everything the diagnosis looked at"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.incident_id"],
            name=op.f("fk_root_cause_signals_incident_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_root_cause_signals")),
    )
    op.create_index(
        "ix_root_cause_signals_incident_id", "root_cause_signals", ["incident_id"], unique=False
    )
    op.create_index(
        "ix_root_cause_signals_recent",
        "root_cause_signals",
        ["tenant_id", "detected_at"],
        unique=False,
    )


def _deadlines() -> None:
    op.create_table(
        "deadlines",
        sa.Column("deadline_id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incident_id"], name=op.f("fk_deadlines_incident_id")
        ),
        sa.PrimaryKeyConstraint("deadline_id", name=op.f("pk_deadlines")),
        sa.UniqueConstraint(
            "incident_id", "rule", "team", name=op.f("uq_deadlines_incident_id_rule_team")
        ),
    )
    op.create_index(
        "ix_deadlines_due",
        "deadlines",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )


def _pages() -> None:
    op.create_table(
        "pages",
        sa.Column("page_id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("pager", sa.Text(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "reference", sa.Text(), nullable=True, comment="the provider's own name for the page"
        ),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("fallback_of", sa.Text(), nullable=True),
        sa.Column("resolve_wanted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "claimed_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="another worker is at it until then",
        ),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incident_id"], name=op.f("fk_pages_incident_id")
        ),
        sa.PrimaryKeyConstraint("page_id", name=op.f("pk_pages")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_pages_dedup_key")),
    )
    op.create_index("ix_pages_incident_id", "pages", ["incident_id"], unique=False)
    op.create_index("ix_pages_state", "pages", ["state"], unique=False)


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("thread_ts", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("response_url", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("message_ts", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False, comment="changes people should see"),
        sa.Column("told", sa.Integer(), nullable=False, comment="changes that Slack has"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "claimed_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="another worker is at it until then",
        ),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incident_id"], name=op.f("fk_posts_incident_id")
        ),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_posts")),
    )
    op.create_index("ix_posts_incident_id", "posts", ["incident_id"], unique=False)
    op.create_index(
        "ix_posts_to_tell",
        "posts",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("state = 'intent' OR (state = 'posted' AND told < wanted)"),
        postgresql_where=sa.text("state = 'intent' OR (state = 'posted' AND told < wanted)"),
    )
    op.create_index(
        "uq_posts_incident_kind",
        "posts",
        ["incident_id", "kind"],
        unique=True,
        sqlite_where=sa.text("kind IN ('card', 'details')"),
        postgresql_where=sa.text("kind IN ('card', 'details')"),
    )


def _timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incident_id"], name=op.f("fk_timeline_incident_id")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_timeline")),
    )
    op.create_index(
        "ix_timeline_incident_id", "timeline", ["incident_id", "entry_id"], unique=False
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "secret_hash",
            sa.Text(),
            nullable=False,
            comment="SHA-256; the secret itself is nowhere",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_tokens_secret_hash")),
    )
