"""The API document is easy to read: summaries, tags by resource, and each common error described once."""

import pytest
from drf_spectacular.generators import SchemaGenerator


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture(scope="module")
def operations(document):
    return {(method, path): one for path, methods in document["paths"].items() for method, one in methods.items()}


def test_every_operation_has_a_summary_of_one_line(operations):
    summaries = {key: operation.get("summary", "") for key, operation in operations.items()}
    assert {key: one for key, one in summaries.items() if not 0 < len(one) <= 100 or "\n" in one} == {}


def test_every_tag_is_described_and_used(document, operations):
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for operation in operations.values() for tag in operation["tags"]} == described


def test_an_error_without_anything_special_is_a_reference(document, operations):
    plain = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    written_out = [
        (key, status)
        for key, operation in operations.items()
        for status, answer in operation["responses"].items()
        if status >= "400" and answer.get("content") == plain
    ]
    assert written_out == []
    for operation in operations.values():
        for answer in operation["responses"].values():
            if "$ref" in answer:
                assert answer["$ref"].rpartition("/")[2] in document["components"]["responses"]
