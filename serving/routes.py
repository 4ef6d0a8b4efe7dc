"""What can be asked over HTTP: a route reads a body, asks, and writes the answer or what is wrong; it never raises."""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from time import thread_time
from types import UnionType
from typing import Annotated, Any, ClassVar, NamedTuple, Union, get_args, get_origin
from urllib.parse import parse_qs
from uuid import uuid4

from pydantic import BaseModel, ValidationError

import models
from models.base import Question
from models.errors import InputError
from serving.answers import Answer, ModelRef, Problem, body_type, question_answer_type, question_example
from serving.champions import NotLoadedError
from serving.complaints import complaint, too_many

logger = logging.getLogger(__name__)

INLINE_SECONDS = 0.005
"""Up to here an answer is worked out on the event loop: handing it to a thread costs more than the others' wait."""

HARMLESS = (
    (b"content-security-policy", b"sandbox; default-src 'none'; style-src 'unsafe-inline'"),
    (b"x-content-type-options", b"nosniff"),
)
"""Text may hold what strangers wrote (log lines, search terms): a browser must not run it as a page of this server."""


Note = Callable[[str, Sequence[Any], Sequence[Any], int], None]


class Reply(NamedTuple):
    """An answer that is ready to be sent."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media_type: bytes = b"application/json"
    queries: int = 0


def problem(status: int, error: str, *, retry_after: int | None = None) -> Reply:
    """An error, in the one shape."""
    headers = ((b"retry-after", str(retry_after).encode()),) if retry_after is not None else ()
    return Reply(status, Problem(error=error).model_dump_json().encode(), headers)


class Route(ABC):
    """One address of the API.

    Parameters
    ----------
    name
        The path below ``/v1/``; also what metrics and logs call it.
    body
        The type of its body.
    """

    methods: ClassVar[Sequence[str]] = ("POST",)

    def __init__(self, name: str, body: type[BaseModel]) -> None:
        self.name = name
        self._body = body
        self._seconds_per_byte = float("inf")

    @abstractmethod
    def _answer(self, request: Any, size: int) -> Reply:
        """Ask, and write the answer; what it raises becomes an error of its kind. The body had `size` bytes."""

    def is_quick(self, body: bytes) -> bool:
        """Whether an answer takes less than `INLINE_SECONDS`, judged by earlier ones; the first is not."""
        return self._seconds_per_byte * len(body) < INLINE_SECONDS

    def respond(self, body: bytes) -> Reply:
        """Read, ask, write."""
        start = thread_time()
        try:
            request = self._body.model_validate_json(body)
        except ValidationError as error:
            return problem(413, many) if (many := too_many(error)) is not None else problem(400, complaint(error, body, self._like()))
        try:
            reply = self._answer(request, len(body))
        except InputError as error:
            return problem(400, str(error))
        except NotLoadedError as error:
            return problem(503, str(error), retry_after=5)
        except Exception:
            return self.failed()
        if reply.status == 200:
            self._learn((thread_time() - start) / max(len(body), 1))
        return reply

    def _like(self) -> str:
        """A body as it should be, for whoever sent something else."""
        return '{"queries": [...]}'

    def _learn(self, seconds_per_byte: float) -> None:
        known = self._seconds_per_byte
        self._seconds_per_byte = seconds_per_byte if known == float("inf") else 0.9 * known + 0.1 * seconds_per_byte

    def failed(self) -> Reply:
        """Log what went wrong, and answer that something did."""
        incident = uuid4().hex[:12]
        logger.exception("%s failed, incident %s", self.name, incident)
        return problem(500, f"{self.name} failed, which is a bug: the server's log has the details under incident {incident}")


class PredictionRoute(Route):
    """``POST /v1/<slug>``: a batch of queries, as many predictions.

    Parameters
    ----------
    slug
        The model's.
    method
        Takes the queries, gives the answer.
    note
        Is told slug, queries, predictions and the bytes of the request, if outcomes of this model may be reported.
    """

    def __init__(self, slug: str, method: Callable[[list[Any]], Answer[Any]], note: Note) -> None:
        super().__init__(slug, body_type(slug))
        self._method, self._note = method, note
        self._wants_feedback = models.get(slug).contract.outcome is not None

    def _answer(self, request: Any, size: int) -> Reply:
        answer = self._method(request.queries)
        if self._wants_feedback:
            self._note(self.name, request.queries, answer.predictions, size)
        return Reply(200, answer.__pydantic_serializer__.to_json(answer), queries=len(request.queries))


class QuestionRoute(Route):
    """``/v1/<slug>/<name>``: something else that a model answers; a request is a JSON body or the parameters of an address.

    Parameters
    ----------
    slug
        The model's.
    question
        One of its contract's.
    ask
        Takes the question's name and the request; gives the model that answered, and what it said.
    """

    methods = ("GET", "HEAD", "POST")

    def __init__(self, slug: str, question: Question, ask: Callable[[str, str, Any], tuple[ModelRef, Any]]) -> None:
        super().__init__(f"{slug}/{question.name}", question.request)
        self._slug, self._question, self._ask = slug, question, ask
        self._envelope = None if isinstance(question.reply, str) else question_answer_type(question.reply)

    def body_of(self, parameters: bytes) -> bytes:
        """The body that says the same as the parameters of an address; what repeats is a list."""
        given = parse_qs(parameters.decode("ascii", "replace"), keep_blank_values=True)
        return json.dumps(
            {name: values if len(values) > 1 or self._is_list(name) else values[0] for name, values in given.items()}
        ).encode()

    def _answer(self, request: Any, size: int) -> Reply:
        model, answer = self._ask(self._slug, self._question.name, request)
        if self._envelope is None:
            return Reply(200, answer.encode(), HARMLESS, media_type=str(self._question.reply).encode())
        return Reply(200, self._envelope(model=model, answer=answer).model_dump_json().encode())

    def _like(self) -> str:
        return json.dumps(question_example(self._question), ensure_ascii=False)

    def _is_list(self, name: str) -> bool:
        field = self._question.request.model_fields.get(name)
        return field is not None and _may_be_list(field.annotation)


def _may_be_list(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    if origin in (Annotated, Union, UnionType):
        return any(map(_may_be_list, get_args(annotation)))
    return origin in (list, tuple, set, frozenset, Sequence)
