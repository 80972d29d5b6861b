"""The OpenAPI 3.1 document of this API, from the models that its endpoints use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from pydantic.json_schema import models_json_schema

from bot.intake.registry import webhook_formats
from bot.web import alerts, diagnostics
from bot.web.alerts import AlertKept
from bot.web.auth import IN_ADDRESS
from bot.web.diagnostics import DEFAULT_LIMIT, MAX_LIMIT, DiagnosesAnswer
from bot.web.errors import ErrorBody
from bot.web.health import Alive, Readiness
from rca.case import AnomalyType
from rca.diagnosis import Diagnosis

PATH: Final = "/openapi.json"

Json = dict[str, Any]

BEARER: Final[list[Json]] = [{"bearer": []}]

_DATASET: Final[Json] = {
    "name": "dataset",
    "in": "path",
    "required": True,
    "description": "The dataset's name, in any case and quoting; near matches are offered.",
    "schema": {"type": "string"},
}


def document(version: str) -> Mapping[str, Any]:
    """Return the document for *version* of the bot."""
    models = (DiagnosesAnswer, Diagnosis, AlertKept, ErrorBody, Alive, Readiness)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "rca-bot", "version": version},
        "paths": {
            diagnostics.PATH: {"get": _recent()},
            f"{diagnostics.PATH}/analyze": {"post": _analyze()},
            alerts.PATH: {"post": _alert()},
            "/healthz": {"get": _health("alive", "The process runs.", "Alive", ())},
            "/readyz": {"get": _health("ready", "It can do its work.", "Readiness", (503,))},
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "address": {
                    "type": "apiKey",
                    "in": "query",
                    "name": IN_ADDRESS,
                    "description": "The same token, for senders that can set no header.",
                },
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization, X-OM-Signature or x-mcd-signature",
                    "description": "The sender's own signature, made with a secret of [webhooks.NAME].",
                },
            },
        },
    }


def routes(version: str) -> tuple[web.RouteDef, ...]:
    """Return what to add to the application."""
    text = json.dumps(document(version), sort_keys=True)

    async def show(request: web.Request) -> web.Response:  # noqa: ARG001 - aiohttp's signature
        return web.Response(text=text, content_type="application/json")

    return (web.get(PATH, show),)


def _recent() -> Json:
    return {
        "operationId": "diagnoses",
        "summary": "The diagnoses of a dataset, newest first.",
        "security": BEARER,
        "parameters": [
            _DATASET,
            _query("active_only", {"type": "boolean", "default": False}),
            _query(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            ),
        ],
        "responses": _answers(200, "DiagnosesAnswer", 400, 401, 403, 404),
    }


def _analyze() -> Json:
    kinds = {"type": "string", "enum": [kind.value for kind in AnomalyType]}
    return {
        "operationId": "analyze",
        "summary": "Run an analysis of a dataset now.",
        "security": BEARER,
        "parameters": [_DATASET, {**_query("anomaly_type", kinds), "required": True}],
        "responses": _answers(200, "Diagnosis", 400, 401, 403, 404),
    }


def _alert() -> Json:
    known = {"type": "string", "examples": list(webhook_formats())}
    name = {"name": "format", "in": "path", "required": True, "schema": known}
    key = {"name": alerts.KEY_HEADER, "in": "header", "schema": {"type": "string"}}
    return {
        "operationId": "alert",
        "summary": "Send an alert; answered once it is kept.",
        "security": [*BEARER, {"address": []}, {"signature": []}],
        "parameters": [name, key],
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "object"}}
                for kind in ("application/json", "application/cloudevents+json")
            },
        },
        "responses": _answers(202, "AlertKept", 400, 401, 403, 404, 408, 413, 415),
    }


def _health(operation: str, summary: str, model: str, others: tuple[int, ...]) -> Json:
    answers = {str(status): _answer(summary, model) for status in (200, *others)}
    return {"operationId": operation, "summary": summary, "responses": answers}


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def _answers(status: int, model: str, *errors: int) -> Json:
    wrong = {str(error): _answer("What is wrong.", "ErrorBody") for error in (*errors, 500)}
    return {str(status): _answer("As asked.", model), **wrong}


def _answer(description: str, model: str) -> Json:
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
