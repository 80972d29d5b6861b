"""What every act of a person needs: who the app is, what it is told by, and the rights that go with it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox import payloads
from bot.sandbox.deliver import Answer, Deliverer, Delivery, DeliveryKind
from bot.sandbox.records import Json, ResponseUrl, User
from bot.sandbox.responses import Responses
from bot.sandbox.rights import Rights, Views
from bot.sandbox.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing somebody did, for the log: ``alert``, ``say``, ``mention``, ``command``, ``click``, ``shortcut``."""

    kind: str
    user: str
    detail: str


class Acting:
    """Base of those who act; ``acts`` lists what was done, oldest first.

    ``problems`` holds what an answer of the app was refused for.
    """

    def __init__(
        self,
        *,
        workspace: Workspace,
        app: User,
        rights: Rights,
        views: Views,
        responses: Responses,
        deliverer: Deliverer,
    ) -> None:
        self.acts: list[Act] = []
        self.problems: list[str] = []
        self.base_url = ""
        self._workspace = workspace
        self._app = app
        self._rights = rights
        self._views = views
        self._responses = responses
        self._deliverer = deliverer

    # ── for those who act ────────────────────────────────────────────────────────────────────────────

    @property
    def _team(self) -> tuple[str, str]:
        return self._workspace.team_id, self._workspace.domain

    def _did(self, kind: str, user: User, detail: str) -> None:
        self.acts.append(Act(kind=kind, user=user.name, detail=detail))

    def _trigger(self, user: User) -> str:
        return self._rights.new_trigger(user, self._workspace.now()).trigger_id

    def _url_of(self, right: ResponseUrl) -> str:
        return f"{self.base_url}/response/{right.key}"

    async def _deliver_event(self, event: Json) -> Answer:
        return await self._deliverer.deliver(self.event_delivery(event))

    def event_delivery(self, event: Json) -> Delivery:
        """Return the delivery that carries *event*, under a new event id."""
        envelope = payloads.event_callback(
            event,
            app=self._app,
            team_id=self._workspace.team_id,
            event_id=self._workspace.new_id("Ev"),
        )
        return Delivery(kind=DeliveryKind.EVENT, payload=envelope)

    async def _interact(self, payload: Json) -> Answer:
        return await self._deliverer.deliver(
            Delivery(kind=DeliveryKind.INTERACTION, payload=payload)
        )
