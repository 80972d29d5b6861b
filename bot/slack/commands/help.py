"""``/rca help``: what can be asked."""

from __future__ import annotations

from typing import Final

from bot.deps import Deps
from bot.render import answers
from bot.slack.command import Command, CommandRequest, find_commands


async def run(request: CommandRequest, deps: Deps) -> str:
    """Return one line per command; ``/rca help VERB`` returns that command's alone."""
    del deps
    known = find_commands()
    wanted = [known[word.lower()] for word in request.words[:1] if word.lower() in known]
    chosen = wanted or [known[verb] for verb in sorted(known)]
    return answers.usage([(command.usage, command.help) for command in chosen])


COMMAND: Final = Command(verb="help", usage="/rca help [VERB]", help="what you can ask", run=run)
