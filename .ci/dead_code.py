"""Fail when a function, class, method, property or import is used by nobody, and name it.

Fields and constants are left out on purpose: a document has fields that only its readers elsewhere know, and a
closed enum has members that only data mentions. vulture cannot tell these from dead ones, and naming them all in
a list of exceptions would hide the rest. Unused arguments and local variables are ruff's to find.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from vulture import Vulture

PATHS: Final = ("rca", "runbook", "bot", "migrations", "benchmarks", "tests", ".ci")
LIKELY: Final = 60  # per cent; vulture's own value for names that it does not see used
BY_NAME: Final = frozenset({"variable", "attribute"})

# Called by a framework under this very name.
FRAMEWORKS: Final = (
    "model_config",  # pydantic
    "load_dialect_impl",  # SQLAlchemy's TypeDecorator
    "process_bind_param",
    "process_result_value",
    "cache_ok",
    "upgrade",  # Alembic
    "downgrade",
    "pytest_*",  # pytest
    "test_*",
    "format",  # logging.Formatter
    "do_*",  # ast and HTTP visitors
    "visit_*",
    "add_listener",  # PgQueuer's Driver
    "tm",
)
DECORATORS: Final = (
    "@pytest.*",
    "@field_validator*",
    "@model_validator*",
    "@field_serializer*",
    "@model_serializer*",
    "@computed_field*",
    "@app.*",
    "@bolt.*",
    "@given*",
    "@rule*",
    "@invariant*",
    "@initialize*",
    "@precondition*",
    "@compiles*",
    "@event.*",
    "@overload",
)


def dead() -> list[str]:
    """Return one clickable line for everything that nobody uses."""
    vulture = Vulture(ignore_names=list(FRAMEWORKS), ignore_decorators=list(DECORATORS))
    vulture.scavenge([path for path in PATHS if Path(path).is_dir()])
    return [
        str(item.get_report())
        for item in vulture.get_unused_code(min_confidence=LIKELY)
        if item.typ not in BY_NAME
    ]


def main() -> int:
    """Print what is dead and return the exit code."""
    found = dead()
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
