"""How a document is read from outside without work that nobody looks at."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError
from pydantic_core.core_schema import (
    datetime_schema,
    json_or_python_schema,
    no_info_after_validator_function,
    no_info_before_validator_function,
    nullable_schema,
)


@dataclass(frozen=True, slots=True)
class NullAs:
    """Annotation of a field where ``null`` means the same as a missing key: it gives what *empty* makes.

    Looks at a value only once it is read: a validator that comes first would have the whole list under the key made
    into Python objects, to be thrown away. The JSON Schema of the field stays that of its type.
    """

    empty: Callable[[], object]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self._filled, nullable_schema(handler(source)))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        match schema:
            case {"schema": {"schema": own}}:
                return handler(own)
        return handler(schema)

    def _filled(self, value: object) -> object:
        return self.empty() if value is None else value


@dataclass(frozen=True, slots=True)
class InWords:
    """Annotation of an aware time that is never a number: whether it counts seconds or thousandths would be a guess.

    From JSON that is pydantic's strict reading, which costs nothing; what is already read may be a time or its text.
    """

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        aware = datetime_schema(tz_constraint="aware")
        return json_or_python_schema(
            json_schema=datetime_schema(strict=True, tz_constraint="aware"),
            python_schema=no_info_before_validator_function(self._no_number, aware),
        )

    def _no_number(self, value: object) -> object:
        if isinstance(value, int | float):
            raise PydanticKnownError("datetime_type")
        return value


class _Pause:
    """How many read at this moment, and whether the collector was on when the first of them began."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._readers = 0
        self._was_on = False

    def begin(self) -> None:
        with self._lock:
            if self._readers == 0:
                self._was_on = gc.isenabled()
                gc.disable()
            self._readers += 1

    def end(self) -> None:
        with self._lock:
            self._readers -= 1
            if self._readers == 0 and self._was_on:
                gc.enable()


_PAUSE = _Pause()


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Keep the garbage collector away while a document is read.

    All that is read is kept, and looking over a large case again and again takes longer than reading it.
    Whoever finds the collector off leaves it so; of threads that read at once the first turns it off and the last on.
    """
    _PAUSE.begin()
    try:
        yield
    finally:
        _PAUSE.end()
