"""The OpenAPI document describes what is there, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.web import openapi


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere():
    """No dangling schema."""
    document = openapi.document("1.2.3")
    found = set(references(document))
    assert found
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert isinstance(place, dict)


async def test_every_route_is_described_and_every_description_is_a_route(client):
    """The served document and the router agree, path by path and method by method."""
    served = await (await client.get("/openapi.json")).json()
    described = {
        (method.upper(), path) for path, item in served["paths"].items() for method in item
    }
    routed = {
        (route.method, route.resource.canonical)
        for route in client.app.router.routes()
        if route.method not in {"HEAD", "*"} and route.resource.canonical != "/openapi.json"
    }
    assert described == routed
    assert served["openapi"].startswith("3.1")
    assert served["info"]["version"] == "1.2.3"


@pytest.mark.parametrize("path", ["/api/admin/diagnostics/{dataset}/analyze", "/alerts/{format}"])
def test_path_parameters_are_declared(path):
    """Each placeholder of a path is a required parameter."""
    operation = openapi.document("1")["paths"][path]["post"]
    names = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
    assert names == set(re.findall(r"{(\w+)}", path))
    assert operation["security"][0] == {"bearer": []}


def test_the_documents_keys_are_the_contracts():
    """A reader of the schema finds the runbook's keys: from, not from_."""
    schemas = openapi.document("1")["components"]["schemas"]
    assert {"from", "to", "column", "change"} <= set(schemas["ColumnChange"]["properties"])
