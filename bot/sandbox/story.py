"""The demo's story: an alert arrives, the card answers, somebody escalates, the pager rings, it is resolved."""

from __future__ import annotations

import asyncio
import html
import re
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule

from bot.records import IncidentView
from bot.render.incident import card
from bot.render.plain import text as plain
from bot.sandbox.library import Recorded
from bot.sandbox.pager import PhoneCall
from bot.sandbox.records import Message
from bot.sandbox.seed import PEOPLE
from bot.sandbox.stage import Stage, staged

ALERTS: Final = "data-alerts"
BETWEEN_ALERTS_S: Final = 6.0  # long enough to read one card before the next alert
POSTED_BY: Final = {
    "airbyte": "airbyte"
}  # every other format is posted by one bot: a name is all they differ in
DATASET: Final = "shopify_orders"


async def post(stage: Stage, incident: Recorded) -> Message:
    """Let the incident's alert arrive in #data-alerts, as its tool's bot posts it."""
    bot = POSTED_BY.get(incident.format, "elementary")
    return await stage.sandbox.alert(ALERTS, incident.message, bot=bot)


async def play_in_browser(folder: Path, *, port: int, open_page: bool) -> None:
    """Serve the workspace's page until interrupted; alerts arrive one after the other."""
    console = Console()
    async with staged(folder, port=port) as stage:
        page = stage.sandbox.page_url
        console.print(
            Panel(
                f"A Slack-like workspace is open at [bold]{page}[/bold]\n\n"
                f"1. Alerts arrive in #{ALERTS}; each is answered in its thread.\n"
                f"2. Type [bold]/rca {DATASET}[/bold] and read the card.\n"
                "3. Click an Escalate button and watch the page arrive on the right.\n"
                "4. Acknowledge, then resolve.\n\n"
                "Press Ctrl-C to end.",
                title="rca-bot demo",
            )
        )
        if open_page:
            await asyncio.to_thread(webbrowser.open, page)
        await _arrive(stage)
        await asyncio.Event().wait()


async def _arrive(stage: Stage) -> None:
    for incident in stage.library:
        await post(stage, incident)
        await asyncio.sleep(BETWEEN_ALERTS_S)


async def play_in_terminal(folder: Path) -> None:
    """Tell the same story here, each step done for real and printed as it happened."""
    console = Console()
    async with staged(folder) as stage:
        teller = _Teller(stage, console)
        await teller.alerts_arrive()
        await teller.somebody_asks()
        await teller.somebody_escalates()
        await teller.it_ends()
    console.print(Rule("what next"))
    console.print(
        "[bold]rca-bot demo --no-open[/bold]  the same in a page, at an address it prints\n"
        "[bold]rca-bot runbook show[/bold]    what the bot obeys\n"
        "[bold]README.md[/bold]               run it for real"
    )


class _Teller:
    """Does one step after the other and prints what came of it."""

    def __init__(self, stage: Stage, console: Console) -> None:
        self._stage = stage
        self._console = console

    async def alerts_arrive(self) -> None:
        """Every recorded alert, and the card that answers it."""
        for incident in self._stage.library:
            name = incident.case.anomaly.dataset
            self._console.print(Rule(f"an alert about {name} arrives in #{ALERTS}"))
            await post(self._stage, incident)
            await self._show(name, lambda view: bool(view.posts and view.posts[0].message_ts))

    async def somebody_asks(self) -> None:
        """``/rca shopify_orders``, and what only the asker reads."""
        self._say(f"alice types /rca {DATASET}")
        answer = await self._stage.sandbox.command("alice", ALERTS, f"/rca {DATASET}")
        self._console.print(_readable(str(answer.fields().get("text", ""))), markup=False)

    async def somebody_escalates(self) -> None:
        """A click on Escalate, and the page that rings at the stand-in provider."""
        sandbox = self._stage.sandbox
        message = await self._card_message()
        self._say("alice clicks Escalate, and confirms")
        action = next(a for a in _actions(message) if a.startswith("incident_escalate:"))
        await sandbox.click("alice", message, action)
        call = await sandbox.until(self._ringing)
        self._console.print(Panel(call.summary, title=f"{call.service} is paged"))
        await self._show(DATASET, lambda view: any(page.accepted_at for page in view.pages))

    async def it_ends(self) -> None:
        """Acknowledge and resolve; the card follows, and the page is closed at the provider."""
        for action, done in (("incident_ack", "acknowledges"), ("incident_resolve", "resolves")):
            self._say(f"alice {done} it")
            await self._stage.sandbox.click("alice", await self._card_message(), action)
        await self._show(DATASET, lambda view: not view.incident.is_open)

    def _ringing(self) -> PhoneCall | None:
        mine = [call for call in self._stage.sandbox.phones.calls if DATASET in call.summary]
        return mine[-1] if mine else None

    async def _card_message(self) -> Message:
        view = await self._view(DATASET)
        posted = view.posts[0]
        channel = self._stage.sandbox.workspace.channel(posted.channel_id or "")
        return self._stage.sandbox.workspace.message(channel, posted.message_ts or "")

    async def _view(self, dataset: str) -> IncidentView:
        store = self._stage.app.store
        recent = await store.incidents.recent("acme", dataset, 1)
        view = await store.incidents.view(recent[0].incident_id) if recent else None
        if view is None:
            raise LookupError(f"no incident of {dataset}")
        return view

    async def _show(self, dataset: str, ready: Callable[[IncidentView], bool]) -> None:
        """Print the card once it is as *ready* wants it."""
        async with asyncio.timeout(20):
            while True:
                try:
                    view = await self._view(dataset)
                except LookupError:
                    view = None
                if view is not None and ready(view):
                    break
                await asyncio.sleep(0.05)
        deps = self._stage.app.deps
        shown = _named(plain(card(view, deps.names(), deps.clock())))
        self._console.print(Panel(shown), markup=False)

    def _say(self, words: str) -> None:
        self._console.print(Rule(words))


def _readable(markup: str) -> str:
    """Slack's own tokens as a terminal shows them: a date by its fallback, a channel as this one."""
    plain_dates = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", markup)
    return html.unescape(re.sub(r"<#[A-Z0-9]+(?:\|[^>]*)?>", f"#{ALERTS}", plain_dates))


def _named(text: str) -> str:
    """People by the names that Slack would show for their ids."""
    for person in PEOPLE:
        text = text.replace(f"@{person.user_id}", f"@{person.name}")
    return text


def _actions(message: Message) -> list[str]:
    return [
        str(element["action_id"])
        for block in message.all_blocks()
        if block.get("type") == "actions"
        for element in block["elements"]
    ]
