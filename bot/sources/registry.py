"""Finds the kinds of sources and opens those that the directory names."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError

import bot.sources
from bot.clock import Clock
from bot.directory import Directory, SourceEntry, plain_problem
from bot.ports import BotError, Source

NOT_SOURCES: Final = frozenset({"registry", "dbt_project"})


class Options(BaseModel):
    """Base of what a kind of source reads in its table ``[sources.NAME]``; an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a source is opened with.

    ``options`` are of the kind's own model. ``secrets`` holds the environment's values by the names that the
    entry's ``*_env`` keys give; those that are not set are missing from it.
    """

    source_id: str
    options: Any
    secrets: Mapping[str, str] = field(repr=False)
    session: aiohttp.ClientSession
    directory: Directory
    clock: Clock

    def secret(self, env: str) -> str:
        """Return the value of the environment variable *env*.

        Raises:
            BotError: it is not set.
        """
        value = self.secrets.get(env, "").strip()
        if not value:
            raise BotError(f"sources.{self.source_id}: the environment variable {env} is not set")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind:
    """One kind of source, by the name the directory uses.

    ``open`` gives a source that is closed when its context ends; it raises BotError for what is wrong with the
    options, and asks nobody yet: a source that is down does not keep the bot from starting.
    """

    kind: str
    about: str
    options: type[Options]
    open: Callable[[Opening], AbstractAsyncContextManager[Source]]


@cache
def kinds() -> Mapping[str, SourceKind]:
    """Return every kind of source by its name.

    Raises:
        RuntimeError: a module has no ``SOURCE``, or two carry one name.
    """
    found: dict[str, SourceKind] = {}
    for module in pkgutil.iter_modules(bot.sources.__path__):
        if module.name in NOT_SOURCES:
            continue
        kind = getattr(importlib.import_module(f"bot.sources.{module.name}"), "SOURCE", None)
        if not isinstance(kind, SourceKind):
            raise RuntimeError(f"bot/sources/{module.name} has no SOURCE constant")  # noqa: TRY004 - an absence
        if kind.kind in found:
            raise RuntimeError(f"two sources are named {kind.kind}")
        found[kind.kind] = kind
    return found


@asynccontextmanager
async def open_all(
    directory: Directory,
    secrets: Mapping[str, str],
    session: aiohttp.ClientSession,
    clock: Clock,
) -> AsyncIterator[tuple[Source, ...]]:
    """Yield the directory's sources, in its order.

    Raises:
        BotError: one line per source that cannot be opened as it is written, all at once.
    """
    async with AsyncExitStack() as stack:
        opened: list[Source] = []
        wrong: list[str] = []
        for entry in directory.sources.values():
            try:
                kind, options = read_options(entry)
                opening = Opening(
                    source_id=entry.id,
                    options=options,
                    secrets=secrets,
                    session=session,
                    directory=directory,
                    clock=clock,
                )
                opened.append(await stack.enter_async_context(kind.open(opening)))
            except BotError as error:
                wrong.append(str(error))
        if wrong:
            raise BotError("\n".join(wrong))
        yield tuple(opened)


def read_options(entry: SourceEntry) -> tuple[SourceKind, Options]:
    """Return the kind that *entry* names, and its options.

    Raises:
        BotError: the kind is unknown, or an option is wrong; the text names each by its path.
    """
    kind = kinds().get(entry.kind)
    if kind is None:
        known = ", ".join(sorted(kinds()))
        raise BotError(
            f"sources.{entry.id}.kind: there is no source named {entry.kind!r}; there are {known}"
        )
    try:
        return kind, kind.options.model_validate(entry.options)
    except ValidationError as error:
        raise BotError("\n".join(_described(entry.id, error))) from None


def _described(source_id: str, error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in problem["loc"])
        text = plain_problem(problem)
        yield f"sources.{source_id}{f'.{path}' if path else ''}: {text}"
