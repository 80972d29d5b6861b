"""The only writer of Slack's markup, and of numbers and spans of time as people read them.

Everything that comes from data goes through ``escape`` or ``code``; tokens in angle brackets are written here
and nowhere else, from ids whose shape is checked, so no data can write a mention.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Final
from urllib.parse import quote

from rca.case import in_utc

LINK_MAX: Final = 3_000  # characters; Slack's limit for a button's url, used for every link
CUT_NOTE_ROOM: Final = 40  # characters kept free for "… (1,234,567 more characters)"
LINE_MAX: Final = 6_000  # characters of one value that are looked at; twice what any block can show

# Control characters, line separators, marks of direction, letters without width or look and lone surrogates: none can
# be shown, some make a text look like another one, the last cannot be sent at all. The two joiners (U+200C, U+200D)
# stay: Persian, Hindi and emoji are written with them.
_UNSHOWABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ATOM: Final = re.compile(r"<[^<>]*>|&(?:amp|lt|gt);|.", re.DOTALL)
_USER_ID: Final = re.compile(r"[UW][A-Z0-9]{2,30}")
_GROUP_ID: Final = re.compile(r"S[A-Z0-9]{2,30}")
_CHANNEL_ID: Final = re.compile(r"[CG][A-Z0-9]{2,30}")
_SAFE_URL: Final = re.compile(r"https?://[^\s/]", re.IGNORECASE)

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400


def clean(text: str) -> str:
    """Return *text* without characters that cannot be shown or sent; lines stay lines."""
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text).replace("\t", " ")


def one_line(text: str, limit: int = LINE_MAX) -> str:
    """Return *text* on one line, at most *limit* characters of it, saying how many are missing."""
    return shorten(
        " ".join(clean(text[: limit * 2]).split()), limit, missing=max(0, len(text) - limit * 2)
    )


def size(text: str) -> int:
    """Return the length in UTF-16 units, the widest way in which Slack may count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, limit: int, *, missing: int = 0) -> str:
    """Cut words (not markup) to *limit* and say how much is gone.

    Args:
        text: words without markup.
        limit: longest result, in UTF-16 units.
        missing: characters that were already left out before.
    """
    if size(text) <= limit and not missing:
        return text
    room = limit - CUT_NOTE_ROOM
    if room <= 0:
        return text[: max(0, (limit - 1) // 2)] + "…" if size(text) > limit else text
    kept = _head(list(text), room)
    gone = len(text) - len(kept) + missing
    return f"{kept.rstrip()} … ({number(gone)} more characters)" if gone else text


def escape(text: str) -> str:
    """Return *text* as words in Slack's markup: nothing in it can be a token, a mention or a code span."""
    harmless = clean(text).replace("`", "'")
    return harmless.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def words(text: str) -> str:
    """Return one of our own spans of words, escaped, on one line; what data put into it cannot begin a new line."""
    return escape(text.replace("\n", " ") if len(text) <= LINE_MAX else one_line(text))


def plain(text: str, limit: int) -> str:
    """Return *text* for a plain-text field (header, button), where Slack reads no markup."""
    harmless = re.sub(
        r"<(?=[!@#])", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", one_line(text, LINE_MAX)
    )
    return shorten(harmless, limit) or "-"


def code(text: str) -> str:
    """Return *text* as a code span on one line; backticks become apostrophes."""
    return f"`{escape(one_line(text)) or '(empty)'}`"


def code_block(text: str, limit: int) -> str:
    """Return *text* as a fenced block of at most *limit* characters, cut at a character and saying so."""
    fence = "```"
    body = escape(clean(text[: limit * 2]).strip("\n")) or "(empty)"
    left_out = max(0, len(text) - limit * 2)
    return f"{fence}\n{clip(body, limit - 8, missing=left_out)}\n{fence}"


def strong(text: str) -> str:
    """Return *text* in bold; a star inside would end it, so it becomes a dot."""
    words = escape(one_line(text)).replace("*", "·")
    return f"*{words}*" if words else ""


def link(url: str, label: str) -> str:
    """Return a link, or only its label when *url* is not a web address that Slack would take."""
    words = escape(one_line(label)) or "link"
    if not _SAFE_URL.match(url) or len(url) > LINK_MAX:
        return words
    address = quote(clean(url), safe=":/?#[]@!$&'()*+,;=%~-._")
    return f"<{address.replace('&', '&amp;')}|{words.replace('|', '¦')}>"


def when(at: datetime) -> str:
    """Return a date token that each reader sees in their own time zone; UTC where tokens are not read.

    Raises:
        ValueError: *at* has no time zone.
    """
    return f"<!date^{int(_utc(at).timestamp())}^{{date_short_pretty}} {{time}}|{iso(at)}>"


def iso(at: datetime) -> str:
    """Return *at* as ``2026-03-02 07:10 UTC``.

    Raises:
        ValueError: *at* has no time zone.
    """
    return f"{_utc(at):%Y-%m-%d %H:%M} UTC"


def is_user_id(text: str) -> bool:
    """Whether *text* has the shape of a Slack user id."""
    return _USER_ID.fullmatch(text) is not None


def mention_user(slack_id: str) -> str:
    """Return a mention of one person; anything that is not a user id is shown as a value."""
    return f"<@{slack_id}>" if is_user_id(slack_id) else code(slack_id)


def mention_group(usergroup_id: str, name: str = "") -> str:
    """Return a mention of a user group; anything that is not a group id is shown as words."""
    if _GROUP_ID.fullmatch(usergroup_id):
        return f"<!subteam^{usergroup_id}>"
    return escape(one_line(name)) or code(usergroup_id)


def mention_channel(channel_id: str) -> str:
    """Return a link to a channel, which Slack shows by its name; anything that is no channel id is shown as a value."""
    return f"<#{channel_id}>" if _CHANNEL_ID.fullmatch(channel_id) else code(channel_id)


def clip(markup: str, limit: int, *, missing: int = 0) -> str:
    """Cut Slack markup to *limit*, never inside a token or an entity, and say how much is gone.

    Args:
        markup: already escaped.
        limit: longest result, in UTF-16 units; at least 50.
        missing: characters that were already left out before.
    """
    if size(markup) <= limit and not missing:
        return markup
    atoms = _ATOM.findall(markup)
    kept = _head(atoms, limit - CUT_NOTE_ROOM)
    gone = len(atoms) - len(_ATOM.findall(kept)) + missing
    closed = kept + "`" if kept.count("`") % 2 else kept
    return f"{closed} … ({number(gone)} more characters)"


def number(value: float) -> str:
    """Return ``9,800`` or ``12.3``: whole numbers whole, others with three digits that count."""
    if not math.isfinite(value):
        return "not a number"
    if float(value).is_integer() or abs(value) >= 1000:  # noqa: PLR2004 - from here on a fraction says nothing
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3g}"  # noqa: PLR2004 - longer than any count
    return f"{value:.3g}"


def percent(share: float) -> str:
    """Return a share in [0, 1] as ``93 %``; what is not certain is never shown as 0 or 100."""
    if 0 < share < 0.01:  # noqa: PLR2004 - one percent
        return "<1 %"
    if 0.99 < share < 1:  # noqa: PLR2004 - ninety-nine percent
        return ">99 %"
    return f"{number(round(share * 100))} %"


def duration(seconds: float) -> str:
    """Return a span of time by its two largest units: ``2 h 5 min``, ``45 s``, ``3 d``."""
    if not math.isfinite(seconds):
        return "not known"
    left = round(abs(seconds))
    if left < MINUTE_S:
        return f"{number(round(seconds, 1))} s"
    units = (("d", DAY_S), ("h", HOUR_S), ("min", MINUTE_S), ("s", 1))
    start = next(i for i, (_, unit_s) in enumerate(units) if left >= unit_s)
    words = []
    for name, unit_s in units[start : start + 2]:
        count, left = divmod(left, unit_s)
        if count:
            words.append(f"{number(count)} {name}")
    return ("-" if seconds < 0 else "") + " ".join(words)


def count_of(count: int, singular: str, plural: str | None = None) -> str:
    """Return ``1 alert`` or ``3 alerts``."""
    return f"{number(count)} {singular if count == 1 else plural or singular + 's'}"


def _head(atoms: list[str], room: int) -> str:
    kept, used = [], 0
    for atom in atoms:
        used += size(atom)
        if used > room:
            break
        kept.append(atom)
    return "".join(kept)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"a time needs its zone, got {at!r}")
    return in_utc(at)
