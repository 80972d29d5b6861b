"""Our own format, for senders that nobody has written one for.

As a webhook: one document, or ``{"rca": "alert/1", "alerts": [{...}, ...]}``. In Slack either way works:
the message's metadata (``event_type`` "rca_alert", the document as ``event_payload``), which people do not
see, or the document in the message as a code block that begins with ``{"rca": "alert/1"``.

    {"rca": "alert/1", "dataset": "shopify_orders", "anomaly_type": "volume_anomaly",
     "detected_at": "2026-03-02T07:05:00Z", "severity": "error", "title": "Row count of shopify_orders",
     "metric": {"name": "row_count", "observed": 1203, "expected": 9800, "lower": 9100, "upper": 10500}}

Only ``rca``, ``dataset`` and ``anomaly_type`` are needed. Unknown keys are refused: a misspelt one would be
lost silently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.intake.document import read_document
from bot.intake.format import Format, IntakeError, SlackMessage
from bot.intake.slack_text import code_of
from bot.records import Alert

NAME: Final = "native"
EVENT_TYPE: Final = "rca_alert"
MAX_DOCUMENT: Final = 50_000  # characters of a document in a message; Slack's text ends at 40,000

_OURS: Final = re.compile(r'^\{\s*"rca"\s*:\s*"alert/1"')


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return the document's alerts.

    Raises:
        IntakeError: not a document of this format; names the fields.
    """
    return read_document(body, NAME)


def from_slack(message: SlackMessage) -> tuple[Alert, ...] | None:
    """Return the alerts of a message that carries a document, or None when there is none that can be read."""
    for document in _documents(message):
        try:
            return from_webhook(document)
        except IntakeError:
            continue
    return None


def _documents(message: SlackMessage) -> Iterator[Mapping[str, object]]:
    metadata = message.raw.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("event_type") == EVENT_TYPE:
        payload = metadata.get("event_payload")
        if isinstance(payload, Mapping):
            yield {"rca": "alert/1", **payload}
    for paragraph in message.text.paragraphs:
        text = code_of(paragraph)
        if _OURS.match(text) and len(text) <= MAX_DOCUMENT:
            yield from _parsed(text)


def _parsed(text: str) -> Iterator[Mapping[str, object]]:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(document, dict):
        yield document


FORMAT: Final = Format(
    name=NAME,
    about="Our own: a JSON document as a webhook, as a Slack message's metadata, or in a code block.",
    from_slack=from_slack,
    from_webhook=from_webhook,
)
