"""What a command is, and how the words after ``/rca`` find theirs."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.decisions import Actor
from bot.deps import Deps
from bot.records import Incident, Place
from bot.render import answers
from bot.slack import commands
from bot.slack.requests import NoAnswerError

DEFAULT_VERB: Final = "diagnose"
MOST_OPEN: Final = 200  # of one tenant; a longer list is not looked through for a thread


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """A command with everything known about its asker; ``words`` are those after the verb."""

    actor: Actor
    channel_id: str
    thread_ts: str | None
    trigger_id: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One verb of ``/rca``; ``run`` answers within a second or two, with text that only the asker sees.

    Raises of ``run``: any ``BotError``; its text is the answer.
    """

    verb: str
    usage: str
    help: str
    run: Callable[[CommandRequest, Deps], Awaitable[str]]


def find_commands() -> Mapping[str, Command]:
    """Return every command by its verb.

    Raises:
        RuntimeError: a file without a ``COMMAND``, or two with one verb; both are ours to mend.
    """
    found: dict[str, Command] = {}
    for module_info in pkgutil.iter_modules(commands.__path__):
        module = importlib.import_module(f"{commands.__name__}.{module_info.name}")
        command = getattr(module, "COMMAND", None)
        if not isinstance(command, Command) or command.verb in found:
            raise RuntimeError(f"{module.__name__} needs one COMMAND with a verb of its own")
        found[command.verb] = command
    return MappingProxyType(found)


def choose(words: tuple[str, ...], known: Mapping[str, Command]) -> tuple[Command, tuple[str, ...]]:
    """Return the command that *words* name and the words left for it; a dataset's name alone asks for a diagnosis."""
    if not words:
        return known["help"], ()
    verb = words[0].lower()
    if verb in known:
        return known[verb], words[1:]
    return known[DEFAULT_VERB], words


async def the_incidents(
    request: CommandRequest, words: tuple[str, ...], deps: Deps
) -> tuple[Incident, ...]:
    """Return the open incidents that *words* mean: of the named dataset, of this thread, or of the only one there is.

    A dataset may have several, one per kind of anomaly; who speaks of the dataset means all of them. Those that
    an alert raised come first.

    Raises:
        NoAnswerError: none is open, or it is not clear which; the text lists those that are.
    """
    tenant_id = request.actor.tenant_id
    if words:
        found = await _of_dataset(tenant_id, words[0], deps)
    else:
        listed = await deps.store.incidents.list_open(tenant_id, MOST_OPEN)
        found = tuple(one for one in listed if _is_here(one, request)) or listed
        if not found:
            raise NoAnswerError(answers.nothing_open(None, ()))
    if len({incident.dataset for incident in found}) > 1:
        raise NoAnswerError(answers.which_one(found))
    return tuple(sorted(found, key=lambda one: one.alert_count == 0))


async def the_incident(request: CommandRequest, words: tuple[str, ...], deps: Deps) -> Incident:
    """Return the first of ``the_incidents``, for what is done to one of them only.

    Raises:
        NoAnswerError: as there.
    """
    return (await the_incidents(request, words, deps))[0]


async def _of_dataset(tenant_id: str, word: str, deps: Deps) -> tuple[Incident, ...]:
    catalog = await deps.catalog(tenant_id)
    dataset = catalog.resolve((word,))
    name = dataset.name if dataset else word
    found = await deps.store.incidents.find_open(tenant_id, name)
    if not found:
        near = () if dataset else catalog.near(name)
        raise NoAnswerError(answers.nothing_open(name, near))
    return found


def _is_here(incident: Incident, request: CommandRequest) -> bool:
    """Whether it was asked in the incident's own thread."""
    place = Place(channel_id=request.channel_id, thread_ts=request.thread_ts)
    return request.thread_ts is not None and incident.place == place
