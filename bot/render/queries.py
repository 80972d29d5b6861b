"""A query to copy: what we know of the incident stands in the places of its parameters. Never run from this text."""

from __future__ import annotations

import re
from typing import Final

from bot.render.text import one_line
from rca.diagnosis import Diagnosis

PARAMETER: Final = re.compile(r"(?<![:\w]):(?P<name>[a-z_]\w*)")
LONGEST: Final = (
    200  # characters of one value; a longer one would have to be cut, and a cut id finds nothing
)


def filled(sql: str, diagnosis: Diagnosis) -> str:
    """Return *sql* with quoted values for the parameters that are known.

    A parameter stays where its value is unknown, or does not read as one line.
    """
    guidance = diagnosis.guidance
    known = {
        "tenant_id": diagnosis.tenant_id,
        "signal_id": diagnosis.signal_id,
        "connector_id": guidance.connector_id if guidance else None,
    }

    def literal(found: re.Match[str]) -> str:
        value = known.get(found["name"])
        if value is None or one_line(value, LONGEST) != value:
            return found[0]
        return "'" + value.replace("'", "''") + "'"

    return PARAMETER.sub(literal, sql)
