"""What the API's description promises."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from tellback.api.schema import describe
from tellback.api.v1 import api

DOCUMENT: dict[str, Any] = describe(api)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


OURS = [(path, method, operation) for path, method, operation in operations() if path.startswith("/api/")]
NAMES = [f"{method} {path}" for path, method, _ in OURS]


@pytest.mark.parametrize(
    ("name", "example"),
    [(name, example) for name, schema in SCHEMAS.items() for example in schema.get("examples", [])],
)
def test_every_example_is_what_its_schema_says(name: str, example: object) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    assert jsonschema_rs.is_valid(schema, example), [str(error) for error in jsonschema_rs.iter_errors(schema, example)]


@pytest.mark.parametrize(("path", "method", "operation"), OURS, ids=NAMES)
def test_every_operation_has_words_a_real_shape_with_an_example_and_its_refusals(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["description"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for reference in re.findall(r"#/components/schemas/(\w+)", str(body)):
        assert SCHEMAS[reference]["examples"], reference
    wanted = {"401", "403", "422", "429", "503"}
    wanted |= {"400", "413", "415"} if body else set()
    wanted |= {"404"} if "{feedback_id}" in path else set()
    assert wanted <= set(operation["responses"])
    for code, response in operation["responses"].items():
        if code >= "400":
            assert set(response["content"]) == {"application/problem+json"}
        elif code != "204":
            (name,) = re.findall(r"#/components/schemas/(\w+)", str(response["content"]["application/json"]))
            assert SCHEMAS[name]["examples"], name


def test_operations_have_names_of_their_own_and_say_which_key_they_need() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    assert {str(operation["security"]) for _, _, operation in operations()} == {"[{'Key': []}]", "[{'Key': []}, {}]"}
    assert DOCUMENT["paths"]["/api/v1/feedback/"]["post"]["security"] == [{"Key": []}, {}]
    assert set(DOCUMENT["components"]["securitySchemes"]) == {"Key"}


def test_a_parameter_is_there_or_not_and_never_null() -> None:
    for _, _, operation in operations():
        for parameter in operation.get("parameters", []):
            assert "null" not in str(parameter["schema"]), parameter["name"]


def test_the_description_is_served_as_it_is_made(db: None, client: Client) -> None:
    served = client.get("/api/openapi.json").json()
    assert served == {**DOCUMENT, "servers": served["servers"]}
