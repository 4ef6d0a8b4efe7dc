"""Models asked and told on the command line, without a server, by the routes that serve them over HTTP: same checks, same answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from pydantic import BaseModel, Field, create_model

import models
from models.base import Question, Record
from models.environment import Environment
from models.errors import InputError, StoreError
from models.rows import read_rows
from models.rows.formats import open_rows
from models.rows.source import BrokenError
from serving.answers import ModelRef
from serving.intake import EventsRoute, Kept
from serving.online import Replica, Snapshots, is_online
from serving.registry import AnyModel, Registry, Version
from serving.reports import Name
from serving.routes import QuestionRoute, Reply
from serving.store import Store

PORTION = 1_000
"""Events that are stored at a time."""


@dataclass
class Told:
    """What became of the events of a file.

    Parameters
    ----------
    accepted
        How many are new, and kept.
    repeated
        How many were reported before.
    refused
        Why others were not kept, by their place in the file, from 1.
    """

    accepted: int = 0
    repeated: int = 0
    refused: dict[int, str] = field(default_factory=dict)


def ask(slug: str, question: str, settings: Sequence[tuple[str, str]], surroundings: Environment) -> Reply:
    """Ask the champion a further question; of a model that goes on learning, with all stored events.

    Parameters
    ----------
    settings
        Fields of the request; a field that repeats is a list, and what begins with a bracket is JSON.

    Raises
    ------
    InputError
        If there is no such question, or it cannot be asked like this.
    RegistryError, ModelFolderError, StoreError
        If there is no champion, it is not what was registered, or the store cannot be read.
    """
    known = {each.name: each for each in models.get(slug).contract.questions}
    if question not in known:
        raise InputError(f"expected a question that {slug} answers ({', '.join(known) or 'it answers none'}), got {question!r}")

    def answer(_: str, name: str, request: Any) -> tuple[ModelRef, Any]:
        model, version = _current(slug, surroundings)
        return ModelRef(slug=slug, version=version.version), getattr(model, name)(request)

    route = QuestionRoute(slug, known[question], answer)
    given = json.loads(route.body_of(urlencode(settings).encode()))
    body = {name: _parsed(name, value) for name, value in given.items()}
    return _good(route.respond(json.dumps(body).encode()))


def evaluate_policy(slug: str, path: Path, mapping: dict[str, str], settings: dict[str, str], surroundings: Environment) -> BaseModel:
    """Ask the champion what other settings of its decisions would have been worth on a log; as it is with all stored events.

    Parameters
    ----------
    path
        The log: training rows, with what was decided and its propensity.

    Raises
    ------
    InputError
        If the model's decisions cannot be evaluated, the file cannot be read, or there is no such setting.
    RegistryError, ModelFolderError, StoreError
        If there is no champion, it is not what was registered, or the store cannot be read.
    """
    question = _policy_question(models.get(slug))
    if question is None:
        able = ", ".join(each for each in models.MODELS if _policy_question(models.get(each)))
        raise InputError(f"expected a model whose decisions a log can judge ({able}), got {slug}")
    log = list(read_rows(path, models.get(slug).contract.example, mapping))
    if not log:
        raise InputError(f"expected rows in {path.name}, found none")
    model, _ = _current(slug, surroundings)
    reply: BaseModel = getattr(model, question.name)(question.request.model_validate({"log": log, "set": settings}))
    return reply


def _policy_question(kind: type[AnyModel]) -> Question | None:
    return next((each for each in kind.contract.questions if each.name == "evaluate_policy"), None)


def tell(slug: str, path: Path, mapping: dict[str, str], surroundings: Environment) -> Told:
    """Store the events of a file, each with the id in its column ``event_id``, else one that its content gives it.

    So a file that is told twice counts once, and so do two events without ids that are alike.

    Raises
    ------
    InputError
        If the model takes no events, or the file cannot be read as such; events before a broken row are stored.
    StoreError
        If the store cannot be written.
    """
    if not is_online(slug):
        raise InputError(f"expected a model that learns from events, got {slug}")
    store, told, first = Store(surroundings.database_url), Told(), 1
    try:
        route = EventsRoute(slug, store, lambda: _champion(slug, surroundings))
        events = _events(slug, path, mapping)
        while portion := list(islice(events, PORTION)):
            _add(told, _taken(route, portion), first)
            first += len(portion)
    finally:
        store.close()
    return told


def _current(slug: str, surroundings: Environment) -> tuple[AnyModel, Version]:
    """The champion as a server would have it now."""
    registry = Registry(surroundings)
    version = registry.resolve(slug)
    if not is_online(slug):
        return registry.read(version), version
    store = Store(surroundings.database_url)
    try:
        replica = Replica.build(version, registry.read, store, Snapshots(surroundings.home, slug))
        replica.catch_up(store)
    finally:
        store.close()
    return replica.model, version


def _champion(slug: str, surroundings: Environment) -> AnyModel:
    registry = Registry(surroundings)
    return registry.read(registry.resolve(slug))


def _events(slug: str, path: Path, mapping: dict[str, str]) -> Iterator[dict[str, Any]]:
    for row in read_rows(path, _row_type(slug, wrapped=_is_wrapped(path)), mapping):
        values = row.model_dump(mode="json")
        given = values.pop("event_id")
        content = values.get("event", values)
        yield {"event_id": given or _id_of(content), "event": content}


def _row_type(slug: str, *, wrapped: bool) -> type[Record]:
    """An event with its name: in a field beside it, or among its own."""
    event: Any = models.get(slug).contract.event
    fields: dict[str, Any] = {"event_id": (Name | None, Field(default=None, description="Names the event."))}
    if wrapped:
        fields["event"] = (event, Field(description="What happened."))
    base: Any = Record if wrapped else event
    return cast(type[Record], create_model("Event", __base__=base, **fields))


def _is_wrapped(path: Path) -> bool:
    """Whether lines are ``{"event_id": ..., "event": {...}}``, as over HTTP."""
    try:
        with open_rows(path, {}, lambda _: None) as rows:
            return rows.columns is None and "event" in next(rows.numbered, (0, {}))[1]
    except BrokenError:
        return False  # whoever reads it says what is wrong


def _id_of(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _taken(route: EventsRoute, portion: Iterable[dict[str, Any]]) -> dict[str, Any]:
    taken = route.take(json.dumps({"events": list(portion)}).encode())
    reply = taken.reply(taken.future.result()) if isinstance(taken, Kept) else taken
    receipt: dict[str, Any] = json.loads(_good(reply).body)
    return receipt


def _add(told: Told, receipt: dict[str, Any], first: int) -> None:
    told.accepted += receipt["accepted"]
    told.repeated += len(receipt["repeated"])
    told.refused |= {first + each["index"]: each["error"] for each in receipt["refused"]}


def _good(reply: Reply) -> Reply:
    if reply.status == 200:
        return reply
    message = json.loads(reply.body)["error"]
    raise InputError(message) if reply.status < 500 else StoreError(message)


def _parsed(name: str, value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise InputError(f"{name}: expected what begins with a bracket to be JSON, got {value[:60]!r}") from error
