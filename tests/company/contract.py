"""Hold requests and answers against an OpenAPI document: what is written there is what is sent."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from settings import ROOT
from tests.company.server import Answer, Call

_ADDRESS = "urn:contract"


class Contract:
    """One document in docs/."""

    def __init__(self, path: Path) -> None:
        self.document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        resource = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self._registry = Registry().with_resource(_ADDRESS, resource)

    def check(self, call: Call, answer: Answer | None = None) -> None:
        """The request, and the answer if there is one, are as the document says.

        Raises:
            AssertionError: Something is not, or the document knows no such request.
        """
        path = self.document["paths"][call.path][call.method.lower()]
        known = [self._resolved(parameter) for parameter in path.get("parameters", ())]
        names = {parameter["name"] for parameter in known if parameter["in"] == "query"}
        assert set(call.query) <= names, f"{call.path}: {set(call.query) - names} is not in the document"
        for parameter in known:
            given = call.query if parameter["in"] == "query" else call.headers
            name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
            assert name in given or not parameter.get("required"), f"{call.path}: {name} is missing"
            if name in given:
                self._fits(given[name], parameter["schema"])
        if "requestBody" in path:
            self._fits(call.json, path["requestBody"]["content"]["application/json"]["schema"])
        else:
            assert not call.body
        if answer is not None:
            self._check_answer(path, answer)

    def _check_answer(self, path: dict[str, Any], answer: Answer) -> None:
        listed = path["responses"]
        found = listed.get(str(answer.status)) or listed[f"{answer.status // 100}XX"]
        content = self._resolved(found).get("content")
        if content is not None:
            self._fits(answer.body, content["application/json"]["schema"])

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: dict[str, Any] = self._registry.resolver().lookup(_ADDRESS + node["$ref"]).contents
        return found

    def _fits(self, value: object, schema: dict[str, Any]) -> None:
        resolver = {"$id": _ADDRESS + "/part", **_absolute(schema)}
        Draft202012Validator(resolver, registry=self._registry, format_checker=FormatChecker()).validate(
            value
        )


def _absolute(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its references pointing into the document."""
    return {
        key: _ADDRESS + value if key == "$ref" else _absolute(value) if isinstance(value, dict) else value
        for key, value in schema.items()
    }


@cache
def quote_contract() -> Contract:
    """What a company's quote service is asked, and answers."""
    return Contract(ROOT / "docs" / "quote-api.yaml")


@cache
def customer_contract() -> Contract:
    """What a company's customer service is asked, and answers."""
    return Contract(ROOT / "docs" / "customer-api.yaml")
