"""The OpenAPI document, from the types of the models' contracts.

BentoML's own cannot be written for types that carry examples, and knows neither our errors nor our pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import models
from serving.answers import Answer, Models, Problem, body_type

_ERRORS = {
    400: "The body is not what was expected; the error names the query and the field.",
    413: "The body or the number of queries is too large.",
    429: "Too many requests are waiting.",
    500: "A bug; the server's log has the details.",
    503: "The model is not loaded.",
}


def document(texts: Mapping[str, str]) -> dict[str, Any]:
    """Describe the routes of some models, and the server's own pages.

    Parameters
    ----------
    texts
        What each model answers, in words, by slug.
    """
    bodies = {slug: body_type(slug) for slug in texts}
    answers = {slug: _answer_type(slug) for slug in texts}
    inputs = [(body, "validation") for body in bodies.values()]
    outputs = [(answer, "serialization") for answer in (*answers.values(), Models, Problem)]
    references, definitions = models_json_schema([*inputs, *outputs], ref_template="#/components/schemas/{model}")  # type: ignore[list-item]
    paths: dict[str, Any] = {}
    for slug, text in texts.items():
        operation = _prediction(slug, text, references[bodies[slug], "validation"], references[answers[slug], "serialization"])
        paths[f"/v1/{slug}"] = {"post": operation}
    listing = _content(references[Models, "serialization"])
    paths["/v1/models"] = {"get": _page("models", "Which version of each model answers, since when, with what figures.", listing)}
    paths["/livez"] = {"get": _page("livez", "The process is alive.", _content({"type": "object"}))}
    ready = _page("readyz", "Every selected model is loaded.", _content({"type": "object"}))
    paths["/readyz"] = {"get": {**ready, "responses": {**ready["responses"], "503": _error(503)}}}
    paths["/metrics"] = {"get": _page("metrics", "Counters and latencies for Prometheus.", {"text/plain": {"schema": {"type": "string"}}})}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Foretell", "version": _version(), "description": "Predictions from a company's own data."},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {"schemas": definitions["$defs"]},
    }


def _answer_type(slug: str) -> type[BaseModel]:
    return cast(type[BaseModel], Answer.__class_getitem__(models.get(slug).contract.prediction))


def _prediction(slug: str, text: str, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    example = {"queries": models.get(slug).contract.query.model_config["json_schema_extra"]["examples"][:1]}
    return {
        "operationId": slug,
        "tags": ["predictions"],
        "summary": text.strip().split("\n")[0],
        "description": text.strip(),
        "requestBody": {"required": True, "content": _content(body, example)},
        "responses": {
            "200": {"description": "One prediction per query, in order.", "content": _content(answer)},
            **{str(status): _error(status) for status in _ERRORS},
        },
    }


def _page(name: str, text: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"operationId": name, "tags": ["server"], "summary": text, "responses": {"200": {"description": text, "content": content}}}


def _content(schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    return {"application/json": {"schema": schema, **({"example": example} if example is not None else {})}}


def _error(status: int) -> dict[str, Any]:
    headers = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}} if status in {429, 503} else {}
    return {
        "description": _ERRORS[status],
        "headers": headers,
        "content": _content({"$ref": "#/components/schemas/Problem"}),
    }


def _version() -> str:
    try:
        return version("foretell")
    except PackageNotFoundError:  # a Bento holds the code without installing it
        return "unknown"
