"""How one message reads: by its words alone where they are sure enough, by its words and the encoder otherwise, without what it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.base import ENCODER, Part
from models.encoder import Encoder
from models.intent.answer import Reading
from models.intent.doubt import NEAREST, Around, Doubt, Floats, fast_signals, full_signals, sure_of
from models.intent.examples import ByWords, Examples
from models.intent.logistic import Logistic
from models.intent.meaning import Meaning, neighbours, unit_vectors
from models.intent.negation import refusals, without_refused
from models.intent.tuned import TunedView
from models.intent.vocabulary import Sparse
from models.intent.words import Words


@dataclass(frozen=True)
class Cascade:
    """Both tiers.

    Parameters
    ----------
    encoder, token_weights
        Gives the layers that a text is read through, and what each token of its vocabulary counts, of shape (tokens,).
    words, meaning, logistic, tuned
        The views of a text, the third where rows are few, the fourth where the encoder was fine-tuned.
    doubt
        What their scores are worth.
    examples
        What a text is compared with; knows the intents.
    """

    encoder: Encoder
    token_weights: NDArray[np.float32]
    words: Words
    meaning: Meaning
    logistic: Logistic | None
    tuned: TunedView | None
    doubt: Doubt
    examples: Examples
    _by_words: ByWords = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_words", ByWords(self.examples, self.words.vocabulary))  # now, so that no first request waits for it

    def read(self, texts: Sequence[str]) -> list[Reading | None]:
        """How each readable text reads, without the intents that it refuses; ``None`` if it has no word."""
        readings = self._read_all(texts)
        for place, text in enumerate(texts):
            (refused, rest), whole = refusals(text), readings[place]
            if refused and whole:
                others, *scopes = self._read_all([rest, *(each.scope for each in refused)])
                readings[place] = without_refused(whole, list(zip(refused, scopes, strict=True)), others)
        return readings

    def _read_all(self, texts: Sequence[str]) -> list[Reading | None]:
        """The same, as if no text refused anything."""
        readings: list[Reading | None] = [None] * len(texts)
        hard: dict[int, tuple[Sparse, Floats]] = {}
        for place, text in enumerate(texts):
            sparse = self.words.vocabulary.vector(text)
            if sparse.tokens:
                scores = self.words.scores(sparse)[None].astype(np.float64)
                readings[place] = self._read_fast(sparse, scores)
                if readings[place] is None:
                    hard[place] = sparse, scores
        for place, reading in zip(hard, self._read_full([texts[place] for place in hard], list(hard.values())), strict=True):
            readings[place] = reading
        return readings

    def _read_fast(self, sparse: Sparse, scores: Floats) -> Reading | None:
        """The fast tier's reading, unless it is not sure enough to answer."""
        tier = self.doubt.fast
        probabilities = tier.probabilities([scores[:, :-1]])
        best = int(probabilities[0].argmax())
        signals = fast_signals(scores[:, :-1], scores[:, -1], np.ones(1), probabilities)
        if sure_of(signals, tier.scope)[0] <= self.doubt.handover:
            return None  # even if it were like an example word for word
        cosines = self._by_words.cosines(best, sparse)
        signals[:, NEAREST] = cosines.max(initial=0.0)
        if sure_of(signals, tier.scope)[0] <= self.doubt.handover:
            return None
        return Reading(
            tier=1,
            intents=self.examples.intents,
            probabilities=tier.told(probabilities)[0],
            out_of_scope=float(tier.scope.probability(signals)[0]),
            limits=tier,
            sparse=sparse,
            nearest=partial(self._by_words.nearest, best, cosines),
        )

    def _read_full(self, texts: Sequence[str], by_words: Sequence[tuple[Sparse, Floats]]) -> list[Reading]:
        """The full tier's readings of texts, given the vectors of their words and the scores of these."""
        if not texts:
            return []
        tier = self.doubt.full
        layers = self.encoder.encode_layers(texts, self.token_weights, alone=True)
        vectors = unit_vectors(self.tuned.untuned(layers) if self.tuned else layers)
        cosines = self.meaning.cosines(vectors)
        meaning = self.meaning.scores(vectors, cosines).astype(np.float64)
        words = np.concatenate([scores for _, scores in by_words])
        views = [words[:, :-1], meaning[:, :-1], neighbours(cosines, self.examples.codes, len(self.examples.intents))]
        if self.logistic is not None:
            views.append(self.logistic.scores(vectors).astype(np.float64))
        probabilities = tier.probabilities(views)
        around = Around(self.meaning.typical, self.meaning.crowding)
        outside = tier.scope.probability(full_signals(meaning[:, :-1], meaning[:, -1], cosines, around, probabilities))
        if self.tuned is not None and self.doubt.tuned is not None:
            tier = self.doubt.tuned
            probabilities = tier.probabilities([*views, self.tuned.scores(layers).astype(np.float64)])
        told = tier.told(probabilities)
        return [
            Reading(
                tier=2,
                intents=self.examples.intents,
                probabilities=told[row],
                out_of_scope=float(outside[row]),
                limits=tier,
                sparse=sparse,
                nearest=partial(self.examples.nearest, cosines[row]),
            )
            for row, (sparse, _) in enumerate(by_words)
        ]

    def parts(self) -> dict[str, Part]:
        """What a folder keeps."""
        return {
            "vocabulary.json": self.words.vocabulary.dump(),
            "words.npz": self.words.arrays(),
            "meaning.npz": self.meaning.arrays(),
            "tokens.npz": {"weights": self.token_weights},
            "doubt.json": self.doubt.dump(),
            "examples.json": self.examples.dump(),
            **({"logistic.npz": self.logistic.arrays()} if self.logistic else {}),
            **({"tuned.npz": self.tuned.arrays()} if self.tuned else {}),
            ENCODER: self.encoder,
        }

    @classmethod
    def of(cls, parts: Mapping[str, Part]) -> Self:
        """From what `parts` gave."""
        return cls(
            encoder=parts[ENCODER],
            token_weights=parts["tokens.npz"]["weights"],
            words=Words.restore(parts["vocabulary.json"], parts["words.npz"]),
            meaning=Meaning(**parts["meaning.npz"]),
            logistic=Logistic(**parts["logistic.npz"]) if "logistic.npz" in parts else None,
            tuned=TunedView(**parts["tuned.npz"]) if "tuned.npz" in parts else None,
            doubt=Doubt.restore(parts["doubt.json"]),
            examples=Examples.restore(parts["examples.json"]),
        )
