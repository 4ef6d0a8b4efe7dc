"""Further questions to a model: read from a body or an address, answered with the model's name, refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.base import Question
from models.errors import InputError
from serving.answers import ModelRef
from serving.champions import NotLoadedError
from serving.routes import QuestionRoute
from tests.test_serving import client, home, sample  # noqa: F401 - fixtures


class Weighing(BaseModel):
    """What to weigh."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"fruit": ["apple"], "at": "2026-01-01T00:00:00Z"}]})

    fruit: list[str] = Field(description="Which.")
    at: AwareDatetime | None = Field(default=None, description="When.")
    grams: int = Field(default=100, ge=1, description="Each.")


class Weight(BaseModel):
    """What it weighs."""

    grams: int


def route(answer: Callable[[Weighing], Any], reply: type[BaseModel] | str = Weight) -> QuestionRoute:
    def ask(slug: str, question: str, request: Any) -> tuple[ModelRef, Any]:
        assert question == "weigh"
        return ModelRef(slug=slug, version="7"), answer(request)

    return QuestionRoute("scales", Question("weigh", Weighing, reply), ask)


def raising(error: Exception) -> Callable[[Weighing], Weight]:
    def answer(request: Weighing) -> Weight:
        raise error

    return answer


def error_of(reply: Any) -> str:
    (error,) = json.loads(reply.body).values()
    return str(error)


def test_an_answer_names_the_model_that_gave_it() -> None:
    reply = route(lambda request: Weight(grams=request.grams * len(request.fruit))).respond(b'{"fruit": ["apple", "pear"]}')
    assert (reply.status, json.loads(reply.body)) == (200, {"model": {"slug": "scales", "version": "7"}, "answer": {"grams": 200}})


def test_text_is_sent_as_it_is_and_cannot_run_as_a_page() -> None:
    reply = route(lambda _: "<svg>ß</svg>", "image/svg+xml").respond(b'{"fruit": []}')
    assert (reply.status, reply.body.decode(), reply.media_type) == (200, "<svg>ß</svg>", b"image/svg+xml")
    assert b"sandbox" in dict(reply.headers)[b"content-security-policy"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (b"fruit=apple", Weighing(fruit=["apple"])),
        (b"fruit=apple&fruit=p%C3%A4r&grams=5", Weighing(fruit=["apple", "pär"], grams=5)),
        (b"fruit=&at=2026-01-01T00:00:00%2B00:00", Weighing(fruit=[""], at=datetime(2026, 1, 1, tzinfo=UTC))),
    ],
)
def test_the_parameters_of_an_address_are_a_request(address: bytes, expected: Weighing) -> None:
    heard: list[Weighing] = []

    def answer(request: Weighing) -> Weight:
        heard.append(request)
        return Weight(grams=0)

    asked = route(answer)
    assert asked.respond(asked.body_of(address)).status == 200
    assert heard == [expected]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (b"", "fruit: expected a value, got none"),
        (b"fruit=a&grams=1&grams=2", "grams: expected a whole number, got"),
        (b"fruit=a&grams=heavy", 'grams: expected a whole number, got "heavy"'),
        (b"fruit=a&colour=red", 'colour: expected no such field, got "red"'),
        (b"fruit=a&at=2026-01-01T00:00:00", "at: expected a time with its zone"),
    ],
)
def test_wrong_parameters_are_400_and_named(address: bytes, message: str) -> None:
    asked = route(lambda _: Weight(grams=0))
    reply = asked.respond(asked.body_of(address))
    assert reply.status == 400
    assert message in error_of(reply)


def test_a_body_that_is_no_json_is_shown_one_that_is() -> None:
    assert '{"fruit": ["apple"]' in error_of(route(lambda _: Weight(grams=0)).respond(b"{"))


def test_what_a_model_refuses_is_400_what_is_not_loaded_503_and_a_bug_500() -> None:
    refused = route(raising(InputError("expected ripe fruit, got green"))).respond(b'{"fruit": []}')
    assert (refused.status, error_of(refused)) == (400, "expected ripe fruit, got green")
    missing = route(raising(NotLoadedError("scales is not loaded"))).respond(b'{"fruit": []}')
    assert (missing.status, dict(missing.headers)[b"retry-after"]) == (503, b"5")
    broken = route(lambda _: Weight.model_validate({})).respond(
        b'{"fruit": []}'
    )  # a wrong value inside the model is no fault of the request
    assert (broken.status, "which is a bug" in error_of(broken)) == (500, True)


def test_a_slow_question_is_not_asked_on_the_event_loop() -> None:
    asked = route(lambda _: Weight(grams=sum(range(2_000_000))))
    quick = route(lambda _: Weight(grams=0))
    for each in (asked, quick):
        assert not each.is_quick(b'{"fruit": []}')
        each.respond(b'{"fruit": []}')
    assert not asked.is_quick(b'{"fruit": []}')
    assert quick.is_quick(b'{"fruit": []}')


def test_over_http_both_ways_of_asking_get_the_models_own_answer(client: httpx.Client) -> None:  # noqa: F811
    before = sample(client.get("/metrics").text, 'foretell_requests_total{model="interest_graph/related",status="200"}')
    got = client.get("/v1/interest_graph/related", params={"topic": "jazz", "k": 2})
    posted = client.post("/v1/interest_graph/related", json={"topic": "jazz", "k": 2})
    assert (got.status_code, posted.json()) == (200, got.json())
    assert got.json()["model"] == {"slug": "interest_graph", "version": "1"}
    assert got.json()["answer"]["known"]
    assert [related["topic"] for related in got.json()["answer"]["related"]] == ["topic0", "topic1"]
    assert client.head("/v1/interest_graph/related", params={"topic": "jazz"}).content == b""
    after = sample(client.get("/metrics").text, 'foretell_requests_total{model="interest_graph/related",status="200"}')
    assert after - before == 3


def test_over_http_what_is_wrong_is_said_in_one_sentence(client: httpx.Client) -> None:  # noqa: F811
    wrong = client.get("/v1/interest_graph/related", params={"topic": "jazz", "k": 0})
    assert (wrong.status_code, "k: expected at least 1, got" in wrong.json()["error"]) == (400, True)
    unknown = client.get("/v1/interest_graph/relatives")
    assert unknown.status_code == 404
    assert (
        "expected one of /v1/interest_graph, /v1/interest_graph/related, /v1/interest_graph/events, got /v1/interest_graph/relatives"
        in unknown.json()["error"]
    )
    method = client.put("/v1/interest_graph/related")
    assert (method.status_code, method.headers["allow"]) == (405, "GET, HEAD, POST")


def test_the_openapi_document_shows_both_ways_with_examples_that_work(client: httpx.Client) -> None:  # noqa: F811
    document = client.get("/docs.json").json()
    path = document["paths"]["/v1/interest_graph/related"]
    example = path["post"]["requestBody"]["content"]["application/json"]["example"]
    assert client.post("/v1/interest_graph/related", json=example).status_code == 200
    parameters = {parameter["name"]: parameter["example"] for parameter in path["get"]["parameters"]}
    assert parameters == example
    assert client.get("/v1/interest_graph/related", params=parameters).status_code == 200
    assert path["get"]["operationId"] != path["post"]["operationId"]
