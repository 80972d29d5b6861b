"""Socket Mode: the app connects to us, we send envelopes and wait for their acknowledgements."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any, Final

from aiohttp import WSMsgType, web

from bot.sandbox.deliver import ACK_WITHIN, NO_ANSWER, Answer, Attempt, Delivery
from bot.sandbox.records import SlackRefusedError
from bot.sandbox.wire import parse_json

MAX_SOCKETS: Final = 10  # Slack: connections per app


class SocketLine:
    """The open sockets of the app; each envelope goes to one of them, in turn."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._sockets: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._serial = count(1)
        self._connected = asyncio.Event()
        self._tickets: set[str] = set()

    def new_ticket(self) -> str:
        """Return the right to open one socket."""
        ticket = f"ticket-{next(self._serial)}"
        self._tickets.add(ticket)
        return ticket

    async def connected(self) -> None:
        """Wait until the app has connected."""
        await self._connected.wait()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one socket until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="apps.connections.open hands out tickets")
        if len(self._sockets) >= MAX_SOCKETS:
            return web.Response(status=429, text="too many sockets")
        socket = web.WebSocketResponse()
        if not socket.can_prepare(request).ok:
            return web.Response(status=426, text="a WebSocket is expected here")
        await socket.prepare(request)
        self._tickets.discard(ticket)
        self._sockets.append(socket)
        await socket.send_str(json.dumps(self._hello()))
        self._connected.set()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            self._sockets.remove(socket)
            if not self._sockets:
                self._connected.clear()
        return socket

    async def send(self, delivery: Delivery, attempt: Attempt) -> Answer:
        """Send one envelope and return its acknowledgement."""
        if not self._sockets:
            return Answer(status=NO_ANSWER)
        number = next(self._serial)
        envelope_id = f"envelope-{number}"
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = future
        socket = self._sockets[number % len(self._sockets)]
        try:
            await socket.send_str(json.dumps(_envelope(envelope_id, delivery, attempt)))
            body = await asyncio.wait_for(future, ACK_WITHIN.total_seconds())
        except (TimeoutError, ConnectionError):
            return Answer(status=NO_ANSWER)
        finally:
            del self._waiting[envelope_id]
        return Answer(status=200, body=body)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the app to connect anew, as Slack does every few hours, and close the sockets."""
        for socket in tuple(self._sockets):
            notice = {"type": "disconnect", "reason": reason, "debug_info": {}}
            await socket.send_str(json.dumps(notice))
            await socket.close()

    async def close(self) -> None:
        """Close the sockets without a word."""
        for socket in tuple(self._sockets):
            await socket.close()

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self._sockets),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "sandbox", "approximate_connection_time": 18060},
        }

    def _acknowledged(self, text: str) -> None:
        try:
            message = parse_json(text, "invalid_json")
        except SlackRefusedError:
            return
        if not isinstance(message, dict):
            return
        future = self._waiting.get(str(message.get("envelope_id")))
        if future is not None and not future.done():
            future.set_result(_body(message.get("payload")))


def _envelope(envelope_id: str, delivery: Delivery, attempt: Attempt) -> dict[str, Any]:
    envelope: dict[str, Any] = {
        "envelope_id": envelope_id,
        "type": delivery.kind.value,
        "payload": dict(delivery.payload),
        "accepts_response_payload": not delivery.is_event,
    }
    if delivery.is_event:
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason or ""}
    return envelope


def _body(payload: object) -> str:
    if payload is None or payload == {}:
        return ""
    return payload if isinstance(payload, str) else json.dumps(payload)
