"""From probabilities to an answer: act, ask the customer, or leave it to a human; with reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np

from models.intent.doubt import Floats, Tier
from models.intent.records import LIKELY, Candidate, IntentConfig, IntentPrediction, Neighbour, Route, Slot, Word
from models.intent.vocabulary import Sparse
from models.intent.words import Words

SHOWN_WORDS = 5
ABOUT_AS_PROBABLE = 0.5
"""Share of the greatest probability from which an intent is always asked about."""

MEANT = 0.75
"""Probability that a message means the refusal that it is heard to make. An assumption: four in ten thousand training rows of Banking77,
CLINC150, SNIPS and Bitext are heard to refuse their own intent, and how often customers refuse one nobody has counted. It says three times
as often."""


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
    refused
        Intents that the message says it does not want, each with the words that say so.
    """

    tier: Literal[1, 2]
    intents: Sequence[str]
    probabilities: Floats
    out_of_scope: float
    limits: Tier
    sparse: Sparse
    nearest: Callable[[int], tuple[Neighbour, ...]]
    refused: tuple[tuple[str, str], ...] = ()

    @cached_property
    def best(self) -> int:
        """The place of the most probable intent."""
        return int(self.probabilities.argmax())

    @property
    def intent(self) -> str:
        """The most probable intent."""
        return self.intents[self.best]

    @property
    def probability(self) -> float:
        """Of the most probable intent."""
        return float(self.probabilities[self.best])

    @property
    def rejected(self) -> bool:
        """Whether no known intent fits. What is left after a refusal is nothing that the threshold was fitted to."""
        return self.out_of_scope >= (LIKELY if self.refused else self.limits.scope.threshold)

    @property
    def clear(self) -> bool:
        """Whether it can be acted on."""
        return not self.rejected and len(self.candidates) == 1

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every intent that is probable enough, and in any case the most probable one and what is about as probable.

        Where nearly all messages are clear, sets of one cover what was asked for, of those too that two intents fit.
        """
        p = self.probabilities
        likely = np.flatnonzero(p >= min(self.limits.least, ABOUT_AS_PROBABLE * p.max()))
        order = likely[np.argsort(-p[likely], kind="stable")]
        return tuple(Candidate(intent=self.intents[place], probability=float(p[place])) for place in order.tolist())

    def refusing(self, struck: Mapping[int, str], *, says_more: bool) -> Self:
        """The same if the message refuses intents, each in so many words, and says more than that or does not.

        If it does, the probability of what it refuses is that of no known intent. If it does not, the refusal may be misheard, and then it
        asks for what it seems to refuse: so that stays its most probable intent, if it is in scope at all.
        """
        places, p = list(struck), self.probabilities
        others = np.where(np.isin(np.arange(len(p)), places), 0.0, p)
        outside = float(p[places].sum()) if says_more else MEANT
        return replace(
            self,
            probabilities=others / others.sum() if says_more and others.any() else p,
            out_of_scope=1 - (1 - self.out_of_scope) * (1 - outside),
            refused=tuple((self.intents[place], words) for place, words in struck.items()),
        )


def unreadable(route: Route) -> IntentPrediction:
    """The answer to a message without a word."""
    reason = "The message holds no word that could be read."
    return IntentPrediction(answer="human", intent=None, probability=0.0, out_of_scope=1.0, route=route, reason=reason, tier=1)


def worded(reading: Reading, words: Words, config: IntentConfig, route: Route, slots: tuple[Slot, ...]) -> IntentPrediction:
    """The answer, with its reasons."""
    answer = _answer(reading, config.max_candidates)
    mattering = _words(words.contributions(reading.sparse, reading.best))
    return IntentPrediction(
        answer=answer,
        intent=reading.intent,
        probability=reading.probability,
        candidates=reading.candidates,
        question=_question(reading.candidates) if answer == "ask" else None,
        out_of_scope=reading.out_of_scope,
        refused=tuple(intent for intent, _ in reading.refused),
        route=route,
        reason=_reason(answer, reading, mattering),
        nearest=reading.nearest(config.nearest) if config.nearest else (),
        words=mattering,
        slots=slots,
        tier=reading.tier,
    )


def _answer(reading: Reading, max_candidates: int) -> Literal["intent", "ask", "human"]:
    if reading.clear:
        return "intent"
    return "human" if reading.rejected or len(reading.candidates) > max_candidates else "ask"


def _question(candidates: Sequence[Candidate]) -> str:
    names = [candidate.intent.replace("_", " ") for candidate in candidates]
    return f"{', '.join(names[:-1])} or {names[-1]}?"


def _words(contributions: dict[str, float]) -> tuple[Word, ...]:
    strongest = sorted(contributions.items(), key=lambda item: (-abs(item[1]), item[0]))[:SHOWN_WORDS]
    return tuple(Word(word=word, contribution=value) for word, value in strongest if value)


def _reason(answer: str, reading: Reading, words: Sequence[Word]) -> str:
    why, refused = _why(answer, reading, words), " and ".join(f"{intent} ('{said}')" for intent, said in reading.refused)
    return f"The message refuses {refused}. {why}" if refused else why


def _why(answer: str, reading: Reading, words: Sequence[Word]) -> str:
    best, n_candidates = f"{reading.intent} at {reading.probability:.2f}", len(reading.candidates)
    if reading.rejected and reading.refused:
        return f"It says nothing else that is known, with probability {reading.out_of_scope:.2f}."
    if reading.rejected:
        return f"No known intent fits, with probability {reading.out_of_scope:.2f}; the nearest is {reading.intent}."
    if answer == "human":
        return f"{n_candidates} intents are too many to ask about; the most probable is {best}."
    if answer == "ask":
        return f"{' and '.join(f'{c.intent} ({c.probability:.2f})' for c in reading.candidates)} cannot be told apart."
    speaking = [f"'{word.word}'" for word in words if word.contribution > 0][:3]
    return best + (f"; {', '.join(speaking)} speak for it." if speaking else ".")
