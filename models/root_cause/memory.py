"""Past incidents whose cause is known: which of them a new one looks like, and what that makes likelier.

An incident is remembered by its signs: which service showed what kind of evidence, and in which messages. Two incidents are alike if the
same services show the same kinds of evidence, in messages that say similar things.

References
----------
Lim et al. (2014), Identifying recurrent and unknown performance issues, ICDM: past issues found again by what they look like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from models.root_cause.events import Incident, RootCauseEvent, Sign
from models.root_cause.resemblance import Resemblance
from models.root_cause.types import Evidence, RootCausePrediction, Suspect
from models.root_cause.window import Array

MOST_INCIDENTS = 1_000
"""Remembered; the oldest are forgotten first."""
LEAST_SIMILARITY = 0.6
MOST_SHOWN = 3
LEAST_PROBABILITY = 0.5
"""A cause is claimed only if it is likelier than all else together."""
SAME_WORDS, OTHER_WORDS = 0.9, 0.5
"""Cosines of templates that count as saying the same, and nothing alike."""

Encode = Callable[[Sequence[str]], Array]


@dataclass(frozen=True)
class Memory:
    """Past incidents with when their cause became known; of two with one id the later, however they come in.

    Parameters
    ----------
    incidents
        By id.
    vectors
        Unit vectors of the templates in them, by template.
    """

    incidents: Mapping[str, tuple[datetime, Incident]] = field(default_factory=dict)
    vectors: Mapping[str, Array] = field(default_factory=dict)

    def after(self, events: Iterable[RootCauseEvent], encode: Encode) -> Memory:
        """With what further events confirm."""
        told = dict(self.incidents)
        for event in events:
            if event.incident is not None and _order(event.at, event.incident) > _order(*told.get(event.incident.id, (event.at, None))):
                told[event.incident.id] = event.at, event.incident
        kept = dict(sorted(told.items(), key=lambda item: _order(*item[1]))[-MOST_INCIDENTS:])
        texts = {sign.template for _, incident in kept.values() for sign in incident.signs if sign.template}
        unknown = sorted(texts - self.vectors.keys())
        vectors = {**self.vectors, **dict(zip(unknown, encode(unknown), strict=True))} if unknown else self.vectors
        return Memory(kept, {text: vectors[text] for text in sorted(texts)})

    def like(self, prediction: RootCausePrediction, encode: Encode) -> tuple[Resemblance, ...]:
        """The past incidents that an answer looks like, the most similar first."""
        signs = signs_of(prediction)
        if not self.incidents or not signs:
            return ()
        texts = sorted({sign.template for sign in signs if sign.template})
        strangers = [text for text in texts if text not in self.vectors]
        vectors = {**self.vectors, **dict(zip(strangers, encode(strangers), strict=True))} if strangers else self.vectors
        scored = [(similarity(signs, incident.signs, vectors), at, incident) for at, incident in self.incidents.values()]
        alike = sorted((one for one in scored if one[0] >= LEAST_SIMILARITY), key=lambda one: (-one[0], one[2].id))
        return tuple(_resemblance(score, incident) for score, _, incident in alike[:MOST_SHOWN])


def signs_of(prediction: RootCausePrediction) -> tuple[Sign, ...]:
    """What was unusual, as an answer tells it."""
    return tuple(
        Sign(service=suspect.service, kind=evidence.kind, template=evidence.template, nats=suspect.parts.get(evidence.kind, 0.0))
        for suspect in prediction.suspects
        for evidence in suspect.evidence
        if evidence.kind in suspect.parts
    )


def similarity(one: Sequence[Sign], other: Sequence[Sign], vectors: Mapping[str, Array]) -> float:
    r"""Half the cosine of the evidence by service and kind, half the share of it that is said in similar words.

    With :math:`w` the square root of a sign's nats, so that one loud sign is not all: :math:`\frac{1}{2} \cos(a, b) + \frac{1}{2} \min(
    \sum_i w_i \max_j c_{ij} / \sum_i w_i, \sum_j w_j \max_i c_{ij} / \sum_j w_j)`.
    """
    left, right = _profile(one), _profile(other)
    norms = float(np.sqrt(sum(v * v for v in left.values()) * sum(v * v for v in right.values())))
    cosine = sum(value * right.get(key, 0.0) for key, value in left.items()) / norms if norms else 0.0
    return min(1.0, (cosine + _said_alike(one, other, vectors)) / 2)


def _profile(signs: Sequence[Sign]) -> dict[tuple[str, str], float]:
    profile: dict[tuple[str, str], float] = {}
    for sign in signs:
        key = sign.service, sign.kind
        profile[key] = profile.get(key, 0.0) + sign.nats**0.5
    return profile


def _said_alike(one: Sequence[Sign], other: Sequence[Sign], vectors: Mapping[str, Array]) -> float:
    left, right = ([sign for sign in signs if sign.template] for signs in (one, other))
    if not left or not right:
        return 1.0 if not left and not right else 0.0
    cosines = np.stack([vectors[sign.template or ""] for sign in left]) @ np.stack([vectors[sign.template or ""] for sign in right]).T
    alike = np.clip((cosines - OTHER_WORDS) / (SAME_WORDS - OTHER_WORDS), 0.0, 1.0)
    weights = [np.sqrt([max(sign.nats, 1e-9) for sign in signs]) for signs in (left, right)]
    return float(min(np.average(alike.max(axis=1), weights=weights[0]), np.average(alike.max(axis=0), weights=weights[1])))


def _order(at: datetime, incident: Incident | None) -> tuple[datetime, str]:
    return at, incident.model_dump_json() if incident is not None else ""


def _resemblance(score: float, incident: Incident) -> Resemblance:
    name = incident.name or incident.id
    title = f" ({incident.title})" if incident.title else ""
    words = f"this looks {score:.2f} like incident {name}{title}, which {incident.service} had caused"
    return Resemblance(incident=name, title=incident.title, service=incident.service, similarity=round(score, 4), words=words)


def with_memory(prediction: RootCausePrediction, alike: Sequence[Resemblance]) -> RootCausePrediction:
    """The answer with the past taken into account: who caused similar incidents is likelier to have caused this one.

    The evidence has one vote, and each similar incident up to one more, the more similar the more of it. Whoever shows no evidence now
    gets none, and what is not enough evidence does not become enough; evidence that the past contradicts may be too little.
    """
    votes = {suspect.service: sum(_vote(one) for one in alike if one.service == suspect.service) for suspect in prediction.suspects}
    total = 1 + sum(votes.values())
    told = [_told(suspect, (suspect.probability + votes[suspect.service]) / total, alike) for suspect in prediction.suspects]
    suspects = tuple(sorted(told, key=lambda suspect: -suspect.probability))
    sure = prediction.root_cause is not None and suspects[0].probability > LEAST_PROBABILITY
    update: dict[str, Any] = {
        "resembles": tuple(alike),
        "suspects": suspects,
        "no_cause_probability": prediction.no_cause_probability / total,
        "verdict": "root_cause" if sure else "insufficient_evidence",
        "root_cause": suspects[0].service if sure else None,
    }
    if prediction.root_cause is not None and not sure:
        update["what_would_help"] = (
            *prediction.what_would_help,
            f"Whether {prediction.root_cause} is to blame this time: {alike[0].words}.",
        )
    return prediction.model_copy(update=update) if alike else prediction


def _vote(one: Resemblance) -> float:
    return (one.similarity - LEAST_SIMILARITY) / (1 - LEAST_SIMILARITY)


def _told(suspect: Suspect, probability: float, alike: Sequence[Resemblance]) -> Suspect:
    """The suspect with its new probability; and with the past as evidence, if it speaks against it."""
    past = [one for one in alike if one.service == suspect.service][:1]
    evidence = tuple(
        Evidence(kind="memory", words=one.words, template=None, lines=(), observed=one.similarity, expected=0.0, first_seen_at=None)
        for one in past
    )
    return suspect.model_copy(update={"probability": min(probability, 1.0), "evidence": suspect.evidence + evidence})
