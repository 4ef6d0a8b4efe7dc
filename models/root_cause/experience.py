"""What a model has been told since its training, and what it makes of that in an answer: mutes, and causes that were confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np

from models.feedback import Observed
from models.root_cause.events import ConfirmedCause, Incident, RootCauseEvent
from models.root_cause.memory import Encode, Memory, signs_of, with_memory
from models.root_cause.muting import Mutes
from models.root_cause.types import RootCauseConfig, RootCausePrediction, RootCauseQuery


@dataclass(frozen=True)
class Experience:
    """A value: what is learned makes another one, so that answers in other threads go on with the one they began with.

    Parameters
    ----------
    mutes, memory
        What was muted, and past incidents.
    """

    mutes: Mutes = field(default_factory=Mutes)
    memory: Memory = field(default_factory=Memory)

    def after(self, events: Iterable[RootCauseEvent], encode: Encode) -> Experience:
        """With what further events say, in whatever order and however often."""
        told = list(events)
        return Experience(self.mutes.after(told), self.memory.after(told, encode))

    def without(self, person: str) -> Experience:
        """The same, naming a person no more."""
        return Experience(self.mutes.without(person), self.memory)

    def applied(self, prediction: RootCausePrediction, config: RootCauseConfig, encode: Encode) -> RootCausePrediction:
        """An answer with muted alerts marked, similar incidents shown and their causes likelier."""
        lasting = timedelta(days=config.mute_lasts_days)
        alerts = tuple(self.mutes.judge(alert, config.mute_days, lasting) for alert in prediction.alerts)
        return with_memory(prediction.model_copy(update={"alerts": alerts}), self.memory.like(prediction, encode))

    def state(self) -> dict[str, Any]:
        """As parts to save."""
        texts = list(self.memory.vectors)
        vectors = np.stack([self.memory.vectors[text] for text in texts]) if texts else np.zeros((0, 0), dtype=np.float32)
        mutes = {name: [[mute[0].isoformat(), *mute[1:]] for mute in getattr(self.mutes, name)] for name in ("mutes", "undone")}
        incidents = [[at.isoformat(), incident.model_dump(mode="json")] for at, incident in self.memory.incidents.values()]
        return {"experience.json": {**mutes, "incidents": incidents, "texts": texts}, "experience.npz": {"vectors": vectors}}

    @classmethod
    def restored(cls, parts: Mapping[str, Any]) -> Self:
        """Take back what `state` gave."""
        told, vectors = parts["experience.json"], parts["experience.npz"]["vectors"]
        mutes = {name: tuple((datetime.fromisoformat(at), *rest) for at, *rest in told[name]) for name in ("mutes", "undone")}
        past = [(datetime.fromisoformat(at), Incident.model_validate(incident)) for at, incident in told["incidents"]]
        memory = Memory({incident.id: (at, incident) for at, incident in past}, dict(zip(told["texts"], vectors, strict=True)))
        return cls(Mutes(**mutes), memory)


def confirmed(observed: Observed[RootCauseQuery, RootCausePrediction]) -> RootCauseEvent | None:
    """The event that a reported cause is; ``None`` if the answer showed nothing unusual to remember the incident by."""
    cause = observed.outcome if isinstance(observed.outcome, ConfirmedCause) else ConfirmedCause(service=observed.outcome)
    signs = signs_of(observed.prediction)
    if not signs or observed.prediction.prediction_id is None:
        return None
    known = {"service": cause.service, "title": cause.title, "name": cause.incident, "signs": signs}
    incident = Incident(id=observed.prediction.prediction_id, **known)
    return RootCauseEvent(action="confirm", at=observed.occurred_at, incident=incident)
