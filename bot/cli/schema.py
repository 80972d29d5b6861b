"""``rca-bot schema case|diagnosis``: the contract, as JSON Schema."""

from __future__ import annotations

import argparse
import json
from typing import Final

from bot.cli.verb import Verb
from rca.case import Case, Document
from rca.diagnosis import Diagnosis

DOCUMENTS: Final[dict[str, type[Document]]] = {"case": Case, "diagnosis": Diagnosis}
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("document", choices=sorted(DOCUMENTS))


def _run(arguments: argparse.Namespace) -> int:
    # a case is read, a diagnosis is written: the mode decides which fields a reader may rely on
    mode: Final = "validation" if arguments.document == "case" else "serialization"
    schema = DOCUMENTS[arguments.document].model_json_schema(by_alias=True, mode=mode)
    print(json.dumps({"$schema": DIALECT, **schema}, indent=2))
    return 0


VERB: Final = Verb(
    name="schema",
    help="print the JSON Schema of a case or a diagnosis",
    declare=_declare,
    run=_run,
)
