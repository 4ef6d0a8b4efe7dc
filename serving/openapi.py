"""The OpenAPI document, from the types of the models' contracts.

BentoML's own cannot be written for types that carry examples, and knows neither our errors nor our pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from inspect import cleandoc
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import models
from models.base import Question, View
from serving.answers import Models, Problem, answer_type, body_type, question_answer_type, question_example
from serving.reports import EventsReceipt, Feedback, FeedbackReceipt, Outcome, events_type
from serving.views import path_of

_ERRORS = {
    400: "The request is not what was expected; the error names the query and the field.",
    413: "The body or the number of queries is too large.",
    429: "Too many requests are waiting.",
    500: "A bug; the server's log has the details.",
    503: "The model is not loaded, or the store cannot be used now: send the same again, with the same ids.",
}
_EVENTS = """Report what happened, for the model to learn from at once.

Answered when it is durable. Each event is judged alone: what is wrong with one does not keep the others. Sending a batch again is
safe, after a 503 too: an event id counts once, for ever."""
_FEEDBACK = """Report what turned out to be true of a prediction, or of several.

Answered when it is durable. Of several outcomes of one prediction the last that occurred stays. An outcome before its prediction, in
the future, or of a prediction that was dropped by age is refused; one whose prediction is not stored yet waits for it."""

_IN, _OUT = "validation", "serialization"

References = Mapping[Any, dict[str, Any]]
"""Where the document describes a type, as it is read and as it is written."""


def document(texts: Mapping[str, str]) -> dict[str, Any]:
    """Describe the routes of some models, and the server's own pages.

    Parameters
    ----------
    texts
        What each model answers, in words, by slug.
    """
    questions = [(slug, question) for slug in texts for question in models.get(slug).contract.questions]
    learning = [slug for slug in texts if models.get(slug).contract.event is not None]
    bodies = [*map(body_type, texts), *(question.request for _, question in questions), *map(events_type, learning), Outcome, Feedback]
    told = [question_answer_type(question.reply) for _, question in questions if not isinstance(question.reply, str)]
    inputs = [(body, _IN) for body in bodies]
    outputs = [(answer, _OUT) for answer in (*map(answer_type, texts), *told, EventsReceipt, FeedbackReceipt, Models, Problem)]
    described, definitions = models_json_schema([*inputs, *outputs], ref_template="#/components/schemas/{model}")  # type: ignore[list-item]
    references: References = described
    paths: dict[str, Any] = {f"/v1/{slug}": {"post": _prediction(slug, text, references)} for slug, text in texts.items()}
    paths |= {f"/v1/{slug}/{question.name}": _question(slug, question, references) for slug, question in questions}
    paths |= {f"/v1/{slug}/events": {"post": _events(slug, references)} for slug in learning}
    paths |= {path_of(slug, "{prediction_id}", view.name): _view(slug, view) for slug in texts for view in models.get(slug).contract.views}
    paths["/v1/feedback"] = {"post": _feedback(references)}
    listing = _content(references[Models, _OUT])
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


def _prediction(slug: str, text: str, references: References) -> dict[str, Any]:
    example = {"queries": models.get(slug).contract.query.model_config["json_schema_extra"]["examples"][:1]}
    operation = _operation(slug, text, "predictions", "One prediction per query, in order.", _content(references[answer_type(slug), _OUT]))
    return operation | {"requestBody": {"required": True, "content": _content(references[body_type(slug), _IN], example)}}


def _events(slug: str, references: References) -> dict[str, Any]:
    event = models.get(slug).contract.event
    example = {"events": [{"event_id": "e-1", "event": cast(Any, event).model_config["json_schema_extra"]["examples"][0]}]}
    operation = _operation(f"{slug}_events", _EVENTS, "reports", "What became of each event.", _content(references[EventsReceipt, _OUT]))
    return operation | {"requestBody": {"required": True, "content": _content(references[events_type(slug), _IN], example)}}


def _feedback(references: References) -> dict[str, Any]:
    example = {"prediction_id": "churn-1-019b1d1c5f4a7c3e9d2b6f0a1e8c7d54", "outcome": True, "occurred_at": "2026-04-01T00:00:00Z"}
    operation = _operation("feedback", _FEEDBACK, "reports", "What became of each outcome.", _content(references[FeedbackReceipt, _OUT]))
    body = {"oneOf": [references[Outcome, _IN], references[Feedback, _IN]]}
    operation["responses"]["404"] = {**_error(400), "description": "No such prediction."}
    return operation | {"requestBody": {"required": True, "content": _content(body, example)}}


def _question(slug: str, question: Question, references: References) -> dict[str, Any]:
    """Asked with a body; and with the parameters of an address, where these can say it all."""
    text = getattr(models.get(slug), question.name).__doc__
    example = question_example(question)
    if isinstance(question.reply, str):
        content: dict[str, Any] = {question.reply: {"schema": {"type": "string"}}}
    else:
        content = _content(references[question_answer_type(question.reply), _OUT])

    def operation(name: str) -> dict[str, Any]:
        return _operation(name, text, "questions", "The answer.", content)

    asked = {"required": True, "content": _content(references[question.request, _IN], example)}
    operations = {"post": operation(f"{slug}_{question.name}") | {"requestBody": asked}}
    parameters = _parameters(question.request, example)
    if parameters is not None:
        operations["get"] = operation(f"get_{slug}_{question.name}") | {"parameters": parameters}
    return operations


def _view(slug: str, view: View[Any]) -> dict[str, Any]:
    content: dict[str, Any] = {view.media_type: {"schema": {"type": "string"}}}
    operation = _operation(f"{slug}_{view.name}", str(view.draw.__doc__), "views", "The picture.", content)
    operation["responses"]["404"] = {**_error(400), "description": "No such prediction is stored."}
    asked = {
        "name": "prediction_id",
        "in": "path",
        "required": True,
        "description": "As the prediction says.",
        "schema": {"type": "string"},
    }
    return {"get": operation | {"parameters": [asked]}}


def _parameters(request: type[BaseModel], example: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The fields as parameters of an address; ``None`` if one of them holds more than words, numbers and lists of these."""
    schema = request.model_json_schema()
    if "$defs" in schema or '"type": "object"' in json.dumps(schema["properties"]):
        return None
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "description": each.get("description", ""), "schema": each}
        | ({"example": example[name]} if name in example else {})
        for name, each in schema["properties"].items()
    ]


def _operation(name: str, text: str, tag: str, gives: str, content: dict[str, Any]) -> dict[str, Any]:
    text = cleandoc(text)
    errors = {str(status): _error(status) for status in _ERRORS}
    return {
        "operationId": name,
        "tags": [tag],
        "summary": text.partition("\n")[0],
        "description": text,
        "responses": {"200": {"description": gives, "content": content}, **errors},
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
