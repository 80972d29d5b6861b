"""What was expected of a field that does not fit: pydantic's problem in plain words. Pure.

The words say what a field must be and never what it was: a refused body is not quoted anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails

MAX_PROBLEMS: Final = 10  # named in one refusal; enough to act on
KEY_SHOWN: Final = 100  # characters of a key; keys may come from data, and be of any length
CANNOT_BE_USED: Final = "cannot be used"
TIME: Final = "must be a time with its offset, such as 2026-03-02T07:05:00Z"
WHOLE_NUMBER: Final = "must be a whole number"
NUMBER: Final = "must be a number"
OBJECT: Final = "must be an object with named fields"
LIST: Final = "must be a list"
TRUTH: Final = "must be true or false"
TEXT: Final = "must be text"

WORDS: Final[Mapping[str, str]] = {
    "missing": "missing",
    "json_invalid": "must be JSON; {error}",
    "extra_forbidden": "not a field of this format",
    "none_required": "must be null",
    "string_type": TEXT,
    "string_unicode": TEXT,
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "int_type": WHOLE_NUMBER,
    "int_parsing": WHOLE_NUMBER,
    "int_from_float": WHOLE_NUMBER,
    "int_parsing_size": "must be a smaller number",
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": "must be a finite number",
    "bool_type": TRUTH,
    "bool_parsing": TRUTH,
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be more than {gt}",
    "less_than": "must be less than {lt}",
    "datetime_type": TIME,
    "datetime_parsing": TIME,
    "datetime_from_date_parsing": TIME,
    "datetime_object_invalid": TIME,
    "timezone_aware": TIME,
    "dict_type": OBJECT,
    "mapping_type": OBJECT,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "list_type": LIST,
    "tuple_type": LIST,
    "iterable_type": LIST,
}
"""By pydantic's name of a problem; ``{…}`` stands for what its context says."""

ONE: Final[Mapping[str, str]] = {
    "string_too_short": "must not be empty",
    "too_short": "must have at least one entry",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
"""The same where the least is one, or where there is one choice."""


def expected(problem: ErrorDetails) -> str:
    """Return what the field of *problem* must be, without what it was.

    A validator of ours has said it in its own words; a value with a problem that has no words here cannot be used.
    """
    kind, context = problem["type"], dict(problem.get("ctx", {}))
    if kind in ("value_error", "assertion_error"):
        return problem["msg"].partition(", ")[2] or CANNOT_BE_USED
    is_one = context.get("min_length") == 1 or " or " not in context.get("expected", " or ")
    words = (ONE if is_one else WORDS).get(kind) or WORDS.get(kind, CANNOT_BE_USED)
    return words.format_map(_Said(context))


def refusal(problems: Iterable[ErrorDetails]) -> str:
    """Return one sentence per field that is missing or wrong, each under its path, at most ``MAX_PROBLEMS``."""
    said = list(dict.fromkeys(f"{path_of(p['loc'])}: {expected(p)}" for p in problems))
    more = f"; and {len(said) - MAX_PROBLEMS} more" if len(said) > MAX_PROBLEMS else ""
    return "; ".join(said[:MAX_PROBLEMS]) + more


def path_of(loc: tuple[int | str, ...]) -> str:
    """Return ``alerts[0].labels`` for ``("alerts", 0, "labels")``; the empty path is the document."""
    text = ""
    for part in loc:
        text += (
            f"[{part}]" if isinstance(part, int) else f".{_shown(part)}" if text else _shown(part)
        )
    return text or "document"


def _shown(key: str) -> str:
    """Return a key as words that command no terminal, with a number for what cannot be printed and no long end."""
    head = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode()
        for one in key[:KEY_SHOWN]
    )
    return head if len(key) <= KEY_SHOWN else f"{head}…"


class _Said(dict[str, Any]):
    """A problem's context; choices are listed without pydantic's quotes."""

    def __missing__(self, key: str) -> str:
        return "…"

    def __getitem__(self, key: str) -> object:
        value = super().__getitem__(key)
        return value.replace("'", "") if key.startswith("expected") else value
