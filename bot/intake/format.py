"""What a format is: how somebody's alerts read, in Slack and as a webhook's body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.intake.slack_text import SlackText
from bot.ports import BotError, Pushed
from bot.records import Alert
from rca.expected import refusal


class IntakeError(BotError):
    """A payload that its format cannot read; the text names each field that is missing or wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMessage:
    """A message as Slack delivered it, and what it says."""

    raw: Mapping[str, object]
    text: SlackText


FromSlack = Callable[[SlackMessage], tuple[Alert, ...] | None]
FromWebhook = Callable[[Mapping[str, object]], tuple[Alert, ...]]
PushedFacts = Callable[[Mapping[str, object], datetime], tuple[Pushed, ...]]
Signed = Callable[[Mapping[str, str], bytes, str], bool]
Envelope = Callable[[Mapping[str, str], Mapping[str, object]], Mapping[str, object]]
FromBody = Callable[[Mapping[str, object]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One sender's way to say that data is wrong.

    ``from_slack`` returns None when the message is not of this format, and no alerts when it is but says
    nothing to act on; it never raises. ``from_webhook`` raises IntakeError for a body it cannot read.
    Either is None when the sender has no such way. ``pushed`` reads the facts that a webhook's body carries beside
    or instead of an alert, given when it was received. ``signed`` checks the sender's own signature: headers by
    their lower-case names, the raw body, the secret; it compares in constant time and never raises.
    ``envelope`` puts what a sender says in headers into the body, before anything else reads it.
    ``delivery`` returns the sender's own id of a delivery, the same when it is sent again. ``link_back`` returns the
    address at which the sender takes a link to our thread, checked to be the sender's own. Both return None for
    a body without it, and never raise.
    """

    name: str
    about: str
    from_slack: FromSlack | None = None
    from_webhook: FromWebhook | None = None
    pushed: PushedFacts | None = None
    signed: Signed | None = None
    envelope: Envelope | None = None
    delivery: FromBody | None = None
    link_back: FromBody | None = None


class Payload(BaseModel):
    """Base of other people's payloads: frozen, and what we do not know is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


P = TypeVar("P", bound=BaseModel)


def parse(model: type[P], body: Mapping[str, object]) -> P:
    """Read *body* as *model*.

    Raises:
        IntakeError: names every missing or wrong field by its path.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
    raise IntakeError(refusal(problems))
