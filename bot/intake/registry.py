"""Finds the formats and asks them: whose alert is this, and what does it say?"""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final

import bot.intake
from bot.intake.format import Format, IntakeError, Signed, SlackMessage
from bot.intake.slack_text import read_slack
from bot.intake.words import tidy
from bot.ports import BotError, Pushed
from bot.records import Alert, AlertStatus
from rca.case import Severity

SHARED: Final = frozenset(
    {"document", "format", "registry", "signatures", "slack_text", "words"}
)  # what formats are made of
MAX_ALERTS: Final = (
    200  # from one message; a longer list is a storm that its first 200 already tell
)
MAX_HINTS: Final = 8
MAX_NAME: Final = 500  # characters of a hint, a check's name, a link's text
MAX_TITLE: Final = 300
MAX_MESSAGE: Final = 3_000
MAX_URL: Final = 3_000  # Slack's own limit

log = logging.getLogger(__name__)


class UnknownFormatError(IntakeError):
    """No such format; the text lists those there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Whose alert a message is, and what it says; no alerts when it says nothing to act on."""

    format: str
    alerts: tuple[Alert, ...]


@cache
def formats() -> tuple[Format, ...]:
    """Return every format of this package, by name.

    Raises:
        BotError: as ``collect_formats``.
    """
    found = (each.name for each in pkgutil.iter_modules(bot.intake.__path__))
    return collect_formats(import_module(f"bot.intake.{n}") for n in found if n not in SHARED)


def collect_formats(modules: Iterable[ModuleType]) -> tuple[Format, ...]:
    """Return the ``FORMAT`` of each module, by name.

    Raises:
        BotError: a module without the constant, or two formats with one name.
    """
    found: dict[str, Format] = {}
    for module in modules:
        made = getattr(module, "FORMAT", None)
        if not isinstance(made, Format):
            raise BotError(f"{module.__name__} does not end in FORMAT")
        if made.name in found:
            raise BotError(f"two formats are named {made.name}")
        found[made.name] = made
    return tuple(found[name] for name in sorted(found))


def webhook_formats() -> tuple[str, ...]:
    """Return the names that ``POST /alerts/{format}`` takes."""
    return tuple(each.name for each in formats() if each.from_webhook is not None)


def is_from_a_bot(event: Mapping[str, object]) -> bool:
    """Return whether a Slack message event was posted by an app; people's messages are never read as alerts."""
    by_app = any(isinstance(event.get(key), str) and event[key] for key in ("bot_id", "app_id"))
    return by_app or event.get("subtype") == "bot_message"


def recognise_slack(message: Mapping[str, object]) -> Recognised | None:
    """Return what the first format that knows *message* reads in it, or None when none does.

    Whether a bot or a person wrote it is the caller's question (``is_from_a_bot``). Never raises.
    """
    seen = SlackMessage(raw=message, text=read_slack(message))
    for each in formats():
        if each.from_slack is None:
            continue
        try:
            alerts = each.from_slack(seen)
        except Exception:  # one format's mistake must not keep the others from reading the message
            log.exception("a format failed on a message", extra={"format": each.name})
            continue
        if alerts is not None:
            return Recognised(format=each.name, alerts=_told_once(alerts))
    return None


def read_webhook(format_name: str, payload: object) -> tuple[Alert, ...]:
    """Return the alerts in a webhook's JSON body.

    Raises:
        UnknownFormatError: no format of that name takes webhooks.
        IntakeError: the body is not of that format; names the fields.
    """
    known = {each.name: each.from_webhook for each in formats()}
    read = known.get(format_name)
    if read is None:
        listed = ", ".join(webhook_formats())
        raise UnknownFormatError(
            f"There is no webhook format {tidy(format_name, 60)!r}; known: {listed}."
        )
    if not isinstance(payload, Mapping):
        raise IntakeError("document: must be a JSON object")
    return _told_once(read(payload))


def read_pushed(format_name: str, payload: object, received_at: datetime) -> tuple[Pushed, ...]:
    """Return the facts in a webhook's JSON body; none when its format carries none.

    Raises:
        IntakeError: the body is not of that format; names the fields.
    """
    known = {each.name: each.pushed for each in formats()}
    read = known.get(format_name)
    if read is None or not isinstance(payload, Mapping):
        return ()
    return read(payload, received_at)[:MAX_ALERTS]


def enveloped(
    format_name: str, headers: Mapping[str, str], body: Mapping[str, object]
) -> Mapping[str, object]:
    """Return the body with what its format's sender says in *headers*, which have lower-case names.

    Raises:
        IntakeError: the headers are not what the format needs; names them.
    """
    each = _named(format_name)
    return each.envelope(headers, body) if each and each.envelope else body


def delivery_of(format_name: str, body: Mapping[str, object]) -> str | None:
    """Return the sender's own id of this delivery, or None."""
    each = _named(format_name)
    return each.delivery(body) if each and each.delivery else None


def link_back_of(format_name: str, body: Mapping[str, object]) -> str | None:
    """Return where the sender takes a link to our thread, or None."""
    each = _named(format_name)
    return each.link_back(body) if each and each.link_back else None


def signature_of(format_name: str) -> Signed | None:
    """Return how the format's sender signs, or None when it does not or there is no such format."""
    each = _named(format_name)
    return each.signed if each else None


def _named(name: str) -> Format | None:
    return next((each for each in formats() if each.name == name), None)


_RANK: Final = {severity: rank for rank, severity in enumerate(Severity)}


def _told_once(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """One alert per dataset and kind, the most severe one, which tells how many others it stands for.

    They would join one incident anyway; a message with forty failing tests is diagnosed once per table.
    """
    groups: dict[tuple[object, ...], list[Alert]] = {}
    for alert in alerts:
        clean = _tidied(alert)
        if clean.dataset_hints:
            groups.setdefault((clean.dataset_hints, clean.anomaly_type), []).append(clean)
    return tuple(_spokesman(group) for group in list(groups.values())[:MAX_ALERTS])


def _spokesman(group: list[Alert]) -> Alert:
    firing = [alert for alert in group if alert.status is AlertStatus.FIRING] or group
    worst = max(firing, key=lambda alert: _RANK[alert.severity] if alert.severity else -1)
    others = [alert.check_id or alert.title for alert in firing if alert is not worst]
    if not others:
        return worst
    more = f"And {len(others)} more: {', '.join(dict.fromkeys(others))}"
    return replace(worst, message=tidy("\n".join(filter(None, (worst.message, more))), MAX_MESSAGE))


def _tidied(alert: Alert) -> Alert:
    """Bound every text, so that no sender decides how much we keep or send on."""
    hints = (tidy(hint, MAX_NAME) for hint in alert.dataset_hints)
    url = alert.url if alert.url and alert.url.startswith(("http://", "https://")) else None
    return replace(
        alert,
        dataset_hints=tuple(dict.fromkeys(hint for hint in hints if hint))[:MAX_HINTS],
        title=tidy(alert.title, MAX_TITLE),
        message=_short(alert.message, MAX_MESSAGE),
        metric_name=_short(alert.metric_name, MAX_NAME),
        column=_short(alert.column, MAX_NAME),
        check_id=_short(alert.check_id, MAX_NAME),
        correlation_id=_short(alert.correlation_id, MAX_NAME),
        url=tidy(url, MAX_URL) if url and len(url) <= MAX_URL else None,
    )


def _short(text: str | None, limit: int) -> str | None:
    return tidy(text, limit) or None if text else None
