"""From probabilities to an answer: act, ask the customer, or leave it to a human; with reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.intent.doubt import Floats, Tier
from models.intent.records import Candidate, IntentConfig, IntentPrediction, IntentQuery, Neighbour, Route, Slot, Word
from models.intent.vocabulary import Sparse
from models.intent.words import Words

SHOWN_WORDS = 5
ABOUT_AS_PROBABLE = 0.5
"""Share of the greatest probability from which an intent is always asked about."""


@dataclass(frozen=True)
class Reading:
    """What a tier found in one message.

    Parameters
    ----------
    intents, probabilities
        Every intent, and its calibrated probability given that the message is in scope.
    out_of_scope
        Probability that it is not.
    limits
        Which probabilities are enough for the conformal set, and too much for being in scope.
    nearest
        Gives the training examples that are most like the message, at most so many.
    """

    query: IntentQuery
    tier: Literal[1, 2]
    intents: Sequence[str]
    probabilities: Floats
    out_of_scope: float
    limits: Tier
    sparse: Sparse
    nearest: Callable[[int], tuple[Neighbour, ...]]

    @property
    def probability(self) -> float:
        """Of the most probable intent."""
        return float(self.probabilities.max())


def unreadable(route: Route) -> IntentPrediction:
    """The answer to a message without a word."""
    reason = "The message holds no word that could be read."
    return IntentPrediction(answer="human", intent=None, probability=0.0, out_of_scope=1.0, route=route, reason=reason, tier=1)


def worded(reading: Reading, words: Words, config: IntentConfig, route: Route, slots: tuple[Slot, ...]) -> IntentPrediction:
    """The answer, with its reasons."""
    candidates = _conformal_set(reading)
    rejected = reading.out_of_scope >= reading.limits.scope.threshold
    answer = _answer(rejected, len(candidates), config.max_candidates)
    best = int(reading.probabilities.argmax())
    mattering = _words(words.contributions(reading.sparse, best))
    return IntentPrediction(
        answer=answer,
        intent=reading.intents[best],
        probability=float(reading.probabilities[best]),
        candidates=candidates,
        question=_question(candidates) if answer == "ask" else None,
        out_of_scope=reading.out_of_scope,
        route=route,
        reason=_reason(answer, rejected, reading, candidates, mattering),
        nearest=reading.nearest(config.nearest) if config.nearest else (),
        words=mattering,
        slots=slots,
        tier=reading.tier,
    )


def _conformal_set(reading: Reading) -> tuple[Candidate, ...]:
    """Every intent that is probable enough, and in any case the most probable one and what is about as probable.

    Where nearly all messages are clear, sets of one cover what was asked for, of those too that two intents fit.
    """
    p = reading.probabilities
    likely = np.flatnonzero(p >= min(reading.limits.least, ABOUT_AS_PROBABLE * p.max()))
    order = likely[np.argsort(-p[likely], kind="stable")]
    return tuple(Candidate(intent=reading.intents[place], probability=float(p[place])) for place in order.tolist())


def _answer(rejected: bool, n_candidates: int, max_candidates: int) -> Literal["intent", "ask", "human"]:
    if rejected or n_candidates > max_candidates:
        return "human"
    return "intent" if n_candidates == 1 else "ask"


def _question(candidates: Sequence[Candidate]) -> str:
    names = [candidate.intent.replace("_", " ") for candidate in candidates]
    return f"{', '.join(names[:-1])} or {names[-1]}?"


def _words(contributions: dict[str, float]) -> tuple[Word, ...]:
    strongest = sorted(contributions.items(), key=lambda item: (-abs(item[1]), item[0]))[:SHOWN_WORDS]
    return tuple(Word(word=word, contribution=value) for word, value in strongest if value)


def _reason(answer: str, rejected: bool, reading: Reading, candidates: Sequence[Candidate], words: Sequence[Word]) -> str:
    best = candidates[0]
    if rejected:
        return f"No known intent fits, with probability {reading.out_of_scope:.2f}; the nearest is {best.intent}."
    if answer == "human":
        return f"{len(candidates)} intents are too many to ask about; the most probable is {best.intent} at {best.probability:.2f}."
    if answer == "ask":
        return f"{' and '.join(f'{c.intent} ({c.probability:.2f})' for c in candidates)} cannot be told apart."
    speaking = [f"'{word.word}'" for word in words if word.contribution > 0][:3]
    return f"{best.intent} at {best.probability:.2f}" + (f"; {', '.join(speaking)} speak for it." if speaking else ".")
