"""What clients report: events that happened, and outcomes of predictions. Answered when it is durable, each item judged alone."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

import models
from models.base import OnlineModel
from models.masking import masked_values
from serving.complaints import complaint, complaint_about, too_many
from serving.personal import without_personal_data
from serving.prediction_ids import read_prediction_id
from serving.reports import EventsReceipt, Feedback, FeedbackReceipt, Outcome, Refused, events_type
from serving.routes import Reply, Route, problem
from serving.store import NewEvent, NewFeedback, Status, Store

CLOCKS_DIFFER = timedelta(minutes=1)
"""An outcome this much before its prediction counts as at the same instant; what is this much ahead of our clock is not from the future."""

T = TypeVar("T")

Refusals = dict[int, str]
"""Why an item cannot be kept, by its place."""


@dataclass(frozen=True)
class Kept(Generic[T]):
    """Items on their way to the disk.

    Parameters
    ----------
    future
        What the store says of them, once they are durable.
    reply
        Makes the answer of it.
    """

    future: Future[T]
    reply: Callable[[T], Reply]


class IntakeRoute(Route, ABC):
    """A route whose answer waits for the disk."""

    def take(self, body: bytes) -> Reply | Kept[Any]:
        """Read a body, and have what is right in it stored."""
        try:
            return self._take(body)
        except Exception:
            return self.failed()

    @abstractmethod
    def _take(self, body: bytes) -> Reply | Kept[Any]: ...

    def _answer(self, request: Any, size: int) -> Reply:
        raise NotImplementedError("reports are taken, not answered at once")


class EventsRoute(IntakeRoute):
    """``POST /v1/<slug>/events``: what happened.

    Parameters
    ----------
    slug
        The model's.
    store
        Where events are kept.
    model
        The model that answers now, if one is loaded: it may refuse events that the contract allows.
    """

    def __init__(self, slug: str, store: Store, model: Callable[[], Any]) -> None:
        super().__init__(f"{slug}/events", events_type(slug))
        self._slug, self._store, self._model = slug, store, model
        event = models.get(slug).contract.event
        self._subject = event.subject if event is not None else None

    def _take(self, body: bytes) -> Reply | Kept[Any]:
        items = _items(body, self._body, "events", self._like())
        if isinstance(items, Reply):
            return items
        model, refused, places, new = self._model(), dict[int, str](), list[int](), list[NewEvent]()
        now = datetime.now(UTC)
        for place, item in enumerate(items):
            try:
                event = item if isinstance(item, str) else self._kept(item, model, now)
            except ValidationError as error:
                event = f"event, as it would be kept: {complaint_about(error, item.event.model_dump(mode='json'))}"
            if isinstance(event, str):
                refused[place] = event
            else:
                places.append(place)
                new.append(event)
        return Kept(self._store.appending(self._slug, new), lambda told: self._reply(places, told, refused))

    def _kept(self, item: Any, model: Any, now: datetime) -> NewEvent | str:
        event = without_personal_data(item.event, self._subject)
        for name in event.past:  # only here: what is replayed must not depend on a clock
            if (ahead := _ahead(f"event.{name}", getattr(event, name), now)) is not None:
                return ahead
        if isinstance(model, OnlineModel) and (why := model.refusal(event)) is not None:
            return why
        subject = getattr(event, self._subject) if self._subject is not None else None
        body = event.model_dump_json()
        type(event).model_validate_json(body)  # what is acknowledged must be readable: JSON has no infinity, for one
        return NewEvent(item.event_id, subject, body)

    def _reply(self, places: Sequence[int], told: Sequence[bool], refused: Refusals) -> Reply:
        repeated = [place for place, is_new in zip(places, told, strict=True) if not is_new]
        return _receipt(EventsReceipt(accepted=len(places) - len(repeated), repeated=repeated, refused=_refused(refused)))

    def _like(self) -> str:
        return '{"events": [{"event_id": "...", "event": {...}}]}'


class FeedbackRoute(IntakeRoute):
    """``POST /v1/feedback``: what turned out to be true of predictions.

    Parameters
    ----------
    store
        Where outcomes are kept.
    window
        Age of a prediction at which its outcome is of no use any more, because the prediction was dropped. ``None``: never.
    """

    def __init__(self, store: Store, window: timedelta | None) -> None:
        super().__init__("feedback", Feedback)
        self._store, self._window = store, window
        types = {slug: models.get(slug).contract.outcome for slug in models.MODELS}
        self._outcomes: Mapping[str, TypeAdapter[Any]] = {slug: TypeAdapter(each) for slug, each in types.items() if each is not None}

    def _take(self, body: bytes) -> Reply | Kept[Any]:
        alone = _is_alone(body)
        items = _items(b'{"feedback":[' + body + b"]}" if alone else body, self._body, "feedback", self._like())
        if isinstance(items, Reply):
            return items
        now = datetime.now(UTC)
        judged = [item if isinstance(item, str) else self._judged(item, now) for item in items]
        refused = {place: each for place, each in enumerate(judged) if isinstance(each, str)}
        new = [each for each in judged if not isinstance(each, str)]
        if alone and refused:
            return problem(400, refused[0])
        places = [place for place in range(len(items)) if place not in refused]
        return Kept(self._store.reporting(new), lambda told: self._reply(places, told, refused, alone=alone))

    def _judged(self, item: Outcome, now: datetime) -> NewFeedback | str:
        named = read_prediction_id(item.prediction_id)
        if named is None or named.slug not in self._outcomes:
            return f"prediction_id: {_UNKNOWN}, got {item.prediction_id[:80]!r}"
        slug, predicted_at = named.slug, named.predicted_at
        try:
            outcome = self._outcomes[slug].validate_python(item.outcome)
        except ValidationError as error:
            return complaint_about(error, item.outcome, "outcome")
        if item.occurred_at < predicted_at - CLOCKS_DIFFER:
            return (
                f"occurred_at: expected an instant after the prediction's, {predicted_at.isoformat()}, got {item.occurred_at.isoformat()}"
            )
        if (ahead := _ahead("occurred_at", item.occurred_at, now)) is not None:
            return ahead
        if self._window is not None and now - predicted_at > self._window:
            return f"prediction_id: expected a prediction of the last {self._window.days} days, this one has been dropped since"
        kept = json.dumps(masked_values(self._outcomes[slug].dump_python(outcome, mode="json")), ensure_ascii=False)
        return NewFeedback(item.prediction_id, slug, predicted_at, kept, max(item.occurred_at, predicted_at))

    def _reply(self, places: Sequence[int], told: Sequence[Status], refused: Refusals, *, alone: bool) -> Reply:
        statuses: list[Any] = ["refused"] * (len(places) + len(refused))
        for place, status in zip(places, told, strict=True):
            statuses[place] = status
            if status == "unknown":
                statuses[place], refused[place] = "refused", f"prediction_id: {_UNKNOWN}"
        if alone and refused:
            return problem(404, refused[0])
        accepted = sum(status in {"stored", "pending", "corrected"} for status in statuses)
        return _receipt(FeedbackReceipt(accepted=accepted, statuses=statuses, refused=_refused(refused)))

    def _like(self) -> str:
        return '{"prediction_id": "...", "outcome": ..., "occurred_at": "..."}, or several in {"feedback": [...]}'


def _ahead(name: str, instant: datetime | None, now: datetime) -> str | None:
    """Whether an instant is in the future, as a complaint."""
    if instant is None or instant <= now + CLOCKS_DIFFER:
        return None
    return f"{name}: expected an instant before now, {now.isoformat()}, got {instant.isoformat()}"


_UNKNOWN = "expected the id of a prediction that this service has made, of a model that wants feedback"


def _items(body: bytes, kind: type[BaseModel], name: str, like: str) -> list[Any] | Reply:
    """What is in a body, one by one: as the type says, or why it is not so."""
    try:
        return list(getattr(kind.model_validate_json(body), name))
    except ValidationError as error:
        if (many := too_many(error)) is not None:
            return problem(413, many)
        sent = _read(body)
        items = sent.get(name) if isinstance(sent, dict) else None
        if not isinstance(items, list) or len(sent) > 1:
            return problem(400, complaint(error, body, like))
        return _one_by_one(items, kind, name)


def _one_by_one(sent: list[Any], kind: type[BaseModel], name: str) -> list[Any]:
    items: list[Any] = []
    for each in sent:
        try:
            items += getattr(kind.model_validate_json(json.dumps({name: [each]})), name)
        except ValidationError as error:
            items.append(_complaint_about_one(error, {name: [each]}, name))
    return items


def _complaint_about_one(error: ValidationError, sent: Any, name: str) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":  # half a surrogate pair, say, or a number of a thousand digits
        return f"the item: expected JSON that every program can read, got something else: {first['ctx']['error'].partition(' at line')[0]}"
    return complaint_about(error, sent).replace(f"{name}[0].", "").replace(f"{name}[0]", "the item")


def _is_alone(body: bytes) -> bool:
    """Whether this is one outcome instead of several."""
    sent = _read(body)
    return isinstance(sent, dict) and "feedback" not in sent


def _read(body: bytes) -> Any:
    """JSON as Python reads it, which is less strict than pydantic; ``None`` for what is none, or nested too deep."""
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        return None


def _refused(refused: Refusals) -> list[Refused]:
    return [Refused(index=place, error=error) for place, error in sorted(refused.items())]


def _receipt(receipt: BaseModel) -> Reply:
    return Reply(200, receipt.model_dump_json().encode())
