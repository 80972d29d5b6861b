"""What senders' words mean: kinds of anomaly, severities, times and numbers. Pure; unknown words mean None."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Final

from bot.records import AlertStatus
from rca.case import AnomalyType, Severity

MAX_WORDS: Final = 2_000  # characters looked at for a kind
OLDEST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # earlier "times" are a sender's word for none

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NUMBER: Final = re.compile(
    r"^[+-]?(\d{1,40}(,\d{3})*|\d{0,40})(\.\d{1,40})?([eE][+-]?\d{1,3})?\s?%?$"
)
_UNSAFE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

# Looked for in this order; a phrase is words that follow one another.
_KINDS: Final = {
    AnomalyType.FRESHNESS: "freshness, stale, staleness, overdue, outdated",
    AnomalyType.VOLUME: "volume, row count, rowcount, row counts",
    AnomalyType.SCHEMA: "schema, column removed, column added, column missing, missing column, type changed, "
    "column type, column count, column to exist, columns to match",
    AnomalyType.DISTRIBUTION: "dimension, dimensions, distribution, drift, cardinality, skew, column anomalies, "
    "kl divergence, quantile",
}
_PHRASES: Final = tuple((kind, tuple(said.split(", "))) for kind, said in _KINDS.items())
_SEVERITIES: Final = {
    Severity.CRITICAL: "critical crit fatal emergency page p1 sev1 highest blocker",
    Severity.ERROR: "error err fail failed failure high major p2 sev2",
    Severity.WARNING: "warning warn medium moderate minor p3 sev3",
    Severity.INFO: "info information notice low lowest p4 p5 sev4 none ok",
}
_SEVERITY_OF: Final = {
    word: level for level, words in _SEVERITIES.items() for word in words.split()
}

_STATUSES: Final = {
    AlertStatus.FIRING: "firing fail failed failure error errored warn warning triggered alert open opened",
    AlertStatus.RESOLVED: "resolved recovered pass passed ok success succeeded successful closed fixed",
}
_STATUS_OF: Final = {word: status for status, words in _STATUSES.items() for word in words.split()}


def status_of(word: str | None) -> AlertStatus | None:
    """Return whether a sender's word says broken or well again; None for a word we do not know."""
    return _STATUS_OF.get(word.strip().casefold()) if word else None


def kind_of(*texts: str | None) -> AnomalyType | None:
    """Return the kind of anomaly that *texts* speak of: the first text that names one decides.

    ``ElementaryVolumeAnomalies``, ``row_count`` and ``Row count dropped`` all speak of volume.
    """
    for text in texts:
        words = _WORD.findall(text[:MAX_WORDS]) if text else ()
        spoken = f" {' '.join(words).casefold()} "
        for kind, phrases in _PHRASES:
            if any(f" {phrase} " in spoken for phrase in phrases):
                return kind
    return None


def severity_of(word: str | None) -> Severity | None:
    """Return the severity a sender's word stands for; None for a word we do not know."""
    if word is None:
        return None
    spoken = re.sub(r"[\s_-]+", "", word.strip().casefold())
    return _SEVERITY_OF.get(spoken) or (Severity.ERROR if spoken == "runtimeerror" else None)


def number_of(value: object) -> float | None:
    """Return a finite number, also from text such as ``1,203`` or ``12.5 %``; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str):
        if not re.search(r"\d", text[:1000]) or not _NUMBER.match(text[:1000]):
            return None
        text = text.rstrip("% ").replace(",", "")
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def time_of(value: object) -> datetime | None:
    """Return an instant in UTC from RFC 3339 or ``2025-02-03 13:21:07 UTC``.

    None for a time without a zone, before the year 2000, or that is no time: then the caller's own holds.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        text = re.sub(r" ?(UTC|GMT|Z)$", "+00:00", value.strip()[:64])
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
    else:
        return None
    if moment.tzinfo is None or moment.utcoffset() is None:
        return None
    try:
        moment = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return moment if moment >= OLDEST else None


def time_of_ms(value: object) -> datetime | None:
    """Return an instant in UTC from milliseconds since 1970, as a number or as digits; None for anything else."""
    number = number_of(value)
    try:
        moment = datetime.fromtimestamp(number / 1000, UTC) if number is not None else None
    except (OverflowError, OSError, ValueError):
        return None
    return moment if moment is not None and moment >= OLDEST else None


def tidy(text: str, limit: int) -> str:
    """Return *text* without characters that no database stores, at most *limit* long, no spaces around."""
    clean = _UNSAFE.sub("�", text).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"
