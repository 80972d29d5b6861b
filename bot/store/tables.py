"""The tables of what happens: from the inbox to the page. Rows are the truth; jobs only point at them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)

from bot.store.columns import Json, KeptText, Serial, UtcDateTime

METADATA: Final = MetaData(
    naming_convention={  # constraints have names, so that a migration can speak of them on both databases
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NEW: Final = text("state = 'new'")

INBOX: Final = Table(
    "inbox",
    METADATA,
    Column("inbox_id", KeptText, primary_key=True),
    Column("kind", KeptText, nullable=False),
    Column("sender_id", KeptText, nullable=False, comment="the sender's own id of this delivery"),
    Column("tenant_id", KeptText, nullable=False),
    Column("payload", Json, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("state", KeptText, nullable=False),
    Column("reason", KeptText),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("closed_at", UtcDateTime),
    # The tenant is part of it: one tenant's delivery never hides another's.
    UniqueConstraint("tenant_id", "kind", "sender_id"),
    Index("ix_inbox_new", "received_at", sqlite_where=NEW, postgresql_where=NEW),
    Index("ix_inbox_reason", "tenant_id", "reason", "received_at"),
)

NOT_RESOLVED: Final = text("state <> 'resolved'")

INCIDENTS: Final = Table(
    "incidents",
    METADATA,
    Column("incident_id", KeptText, primary_key=True),
    Column("tenant_id", KeptText, nullable=False),
    Column("dataset", KeptText, nullable=False),
    Column("anomaly_type", KeptText, nullable=False),
    Column(
        "fingerprint",
        KeptText,
        nullable=False,
        comment="hash of tenant, dataset and anomaly type: an index cannot hold names of any length",
    ),
    Column("state", KeptText, nullable=False),
    Column("severity", KeptText),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("detected_at", UtcDateTime, nullable=False),
    Column("correlation_id", KeptText),
    Column("channel_id", KeptText),
    Column("thread_ts", KeptText),
    Column("signal_id", KeptText, comment="the diagnosis in force"),
    Column("alert_count", Integer, nullable=False),
    Column("acknowledged_by", KeptText),
    Column("acknowledged_at", UtcDateTime),
    Column("resolved_by", KeptText),
    Column("resolved_at", UtcDateTime),
    Column("monitoring_since", UtcDateTime),
    Column("snoozed_until", UtcDateTime),
    Column("title", KeptText),
    Column("alert_url", KeptText),
    Index(
        "uq_incidents_open",
        "fingerprint",
        unique=True,
        sqlite_where=NOT_RESOLVED,
        postgresql_where=NOT_RESOLVED,
    ),
    Index("ix_incidents_recent", "tenant_id", "opened_at"),
    Index("ix_incidents_state", "tenant_id", "state"),
)

ALERTS: Final = Table(
    "alerts",
    METADATA,
    # One row per anomaly that joined an incident; the key makes a repeated job count nothing twice.
    Column("inbox_id", KeptText, primary_key=True),
    Column("position", Integer, primary_key=True, comment="of the anomaly within its delivery"),
    Column("incident_id", KeptText, ForeignKey("incidents.incident_id"), nullable=False),
    Column("opened", Boolean, nullable=False),
    Column("anomaly", Json, nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    Index("ix_alerts_incident_id", "incident_id"),
)

ROOT_CAUSE_SIGNALS: Final = Table(
    "root_cause_signals",
    METADATA,
    # The runbook's own table and columns: its queries run as they are written.
    Column("id", KeptText, primary_key=True),
    Column("tenant_id", KeptText, nullable=False),
    Column("dataset", KeptText, nullable=False),
    Column("anomaly_type", KeptText, nullable=False),
    Column("top_cause_type", KeptText),
    Column("top_confidence", Float, nullable=False),
    Column("hypothesis_count", Integer, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("detected_at", UtcDateTime, nullable=False),
    Column("hypotheses", Json, nullable=False),
    Column("correlation_id", KeptText),
    Column("incident_id", KeptText, ForeignKey("incidents.incident_id"), nullable=False),
    Column("reason", KeptText, nullable=False, comment="why people were told of it, or not"),
    Column("diagnosis", Json, nullable=False),
    Column("case_document", Json, nullable=False, comment="everything the diagnosis looked at"),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_root_cause_signals_recent", "tenant_id", "detected_at"),
    Index("ix_root_cause_signals_incident_id", "incident_id"),
)

ANSWERS: Final = Table(
    "answers",
    METADATA,
    # What people said of a diagnosis, cause by cause; each person's last word.
    Column("signal_id", KeptText, ForeignKey("root_cause_signals.id"), primary_key=True),
    Column("cause_type", KeptText, primary_key=True, comment="none: none of the causes"),
    Column("answered_by", KeptText, primary_key=True),
    Column("incident_id", KeptText, ForeignKey("incidents.incident_id"), nullable=False),
    Column("tenant_id", KeptText, nullable=False),
    Column("verdict", KeptText, nullable=False, comment="right or wrong"),
    Column("answered_at", UtcDateTime, nullable=False),
    Index("ix_answers_incident_id", "incident_id"),
    Index("ix_answers_recent", "answered_at"),
)

PENDING: Final = text("state = 'pending'")

DEADLINES: Final = Table(
    "deadlines",
    METADATA,
    Column("deadline_id", KeptText, primary_key=True),
    Column("incident_id", KeptText, ForeignKey("incidents.incident_id"), nullable=False),
    Column("rule", KeptText, nullable=False),
    Column("team", KeptText, nullable=False),
    Column("reason", KeptText, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("person", KeptText),
    Column("state", KeptText, nullable=False),
    Column("closed_at", UtcDateTime),
    UniqueConstraint("incident_id", "rule", "team"),
    Index("ix_deadlines_due", "due_at", sqlite_where=PENDING, postgresql_where=PENDING),
)

PAGES: Final = Table(
    "pages",
    METADATA,
    Column("page_id", KeptText, primary_key=True),
    Column("incident_id", KeptText, ForeignKey("incidents.incident_id"), nullable=False),
    Column("team", KeptText, nullable=False),
    Column("dedup_key", KeptText, nullable=False),
    Column("reason", KeptText, nullable=False),
    Column("requested_by", KeptText, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("state", KeptText, nullable=False),
    Column("person", KeptText),
    Column("pager", KeptText),
    Column("accepted_at", UtcDateTime),
    Column("reference", KeptText, comment="the provider's own name for the page"),
    Column("url", KeptText),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", KeptText),
    Column("fallback_of", KeptText),
    Column("resolve_wanted", Boolean, nullable=False, server_default=false()),
    Column("claimed_until", UtcDateTime, comment="another worker is at it until then"),
    Column("retry_at", UtcDateTime),
    UniqueConstraint("dedup_key"),
    Index("ix_pages_incident_id", "incident_id"),
    Index("ix_pages_state", "state"),
)

ONE_PER_INCIDENT: Final = text("kind IN ('card', 'details')")
TO_TELL: Final = text("state = 'intent' OR (state = 'posted' AND told < wanted)")

POSTS: Final = Table(
    "posts",
    METADATA,
    Column("post_id", KeptText, primary_key=True),
    Column("incident_id", KeptText, ForeignKey("incidents.incident_id")),
    Column("kind", KeptText, nullable=False),
    Column("channel_id", KeptText),
    Column("thread_ts", KeptText),
    Column("user_id", KeptText),
    Column("response_url", KeptText),
    Column("text", KeptText),
    Column("message_ts", KeptText),
    Column("state", KeptText, nullable=False),
    Column("wanted", Integer, nullable=False, comment="changes people should see"),
    Column("told", Integer, nullable=False, comment="changes that Slack has"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", KeptText),
    Column("created_at", UtcDateTime, nullable=False),
    Column("claimed_until", UtcDateTime, comment="another worker is at it until then"),
    Column("retry_at", UtcDateTime),
    Index(
        "uq_posts_incident_kind",
        "incident_id",
        "kind",
        unique=True,
        sqlite_where=ONE_PER_INCIDENT,
        postgresql_where=ONE_PER_INCIDENT,
    ),
    Index("ix_posts_incident_id", "incident_id"),
    Index("ix_posts_to_tell", "created_at", sqlite_where=TO_TELL, postgresql_where=TO_TELL),
)

TIMELINE: Final = Table(
    "timeline",
    METADATA,
    Column("entry_id", Serial, primary_key=True, autoincrement=True),
    Column("incident_id", KeptText, ForeignKey("incidents.incident_id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("what", KeptText, nullable=False),
    Column("actor", KeptText),
    Column("details", Json, nullable=False),
    Index("ix_timeline_incident_id", "incident_id", "entry_id"),
)

TOKENS: Final = Table(
    "tokens",
    METADATA,
    Column("token_id", KeptText, primary_key=True),
    Column("tenant_id", KeptText, nullable=False),
    Column("role", KeptText, nullable=False),
    Column("name", KeptText, nullable=False),
    Column(
        "secret_hash", KeptText, nullable=False, comment="SHA-256; the secret itself is nowhere"
    ),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("secret_hash"),
)

REFUSALS: Final = Table(
    "refusals",
    METADATA,
    Column("tenant_id", KeptText, primary_key=True),
    Column("format", KeptText, primary_key=True),
    Column("bodies", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("problem", KeptText, nullable=False, comment="why the first was refused; no body"),
)
