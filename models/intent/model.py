"""Intent answers what a customer wants, and says so when it does not know.

Two tiers. The fast one is a linear support vector machine over words and pieces of words, and answers by itself where its margins, its
probability and the nearest example make it sure enough that its mistakes cost at most `accuracy_loss`. Otherwise views through the layers
of a sentence encoder are added to it: kernel ridge regression, near training texts and, where rows are few, logistic regression; and, if
asked for, upper layers of the encoder that are tuned to these intents. An intent's name is learned from as one more row. Probabilities are
calibrated, candidates are a conformal set, and being out of scope is learned by hiding intents from models and asking these about them,
so also where no out-of-scope row was given; such rows are learned as what they are besides. What a message refuses ("do not cancel
my order") is found by its grammar, in English, and not acted on.

When not to trust it: the encoder reads English; other languages are answered by their words alone, more or less, so give enough examples
of each. Coverage and probabilities hold for messages like the training rows: after a new product, a new intent or another channel, look
again. Identical rows count once, so probabilities do not know how frequent an intent is beyond its distinct texts. What a customer wants
beside the main thing is not told, and of two things joined by "or" mostly one. A fact denied ("I have not lost my card") is read almost as
if it were said.

References
----------
Joachims (1998), Text categorization with support vector machines.
Rifkin and Klautau (2004), In defense of one-vs-all classification.
Reimers and Gurevych (2019), Sentence-BERT.
Guo et al. (2017), On calibration of modern neural networks.
Sadinle, Lei and Wasserman (2019), Least ambiguous set-valued classifiers with bounded error levels.
Larson et al. (2019), An evaluation dataset for intent classification and out-of-scope prediction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from models.base import ENCODER, Contract, Model, Part, Question
from models.encoder import Encoder, default_encoder
from models.errors import InputError
from models.intent.answer import Reading, unreadable, worded
from models.intent.conversation import DialogueReply, DialogueRequest
from models.intent.dialogue import Plan, converse, required_slots
from models.intent.doubt import NEAREST, Around, Doubt, Floats, fast_signals, full_signals, sure_of
from models.intent.examples import ByWords, Examples
from models.intent.logistic import Logistic
from models.intent.meaning import Meaning, neighbours, token_weights, unit_vectors
from models.intent.negation import refusals, without_refused
from models.intent.records import OUT_OF_SCOPE, IntentConfig, IntentExample, IntentPrediction, IntentQuery, Route, Slot
from models.intent.routing import Router, route_by_intent
from models.intent.slots import SlotTagger, Tagged, slots_of
from models.intent.text import readable
from models.intent.tuned import TunedView
from models.intent.vocabulary import Sparse, Vocabulary
from models.intent.words import Words

if TYPE_CHECKING:
    from models.intent.finetuning import FineTuned


class Intent(Model[IntentConfig, IntentQuery, IntentExample, IntentPrediction]):
    """Intent of a message, with calibrated doubt.

    Attributes
    ----------
    intents_ : tuple of str
        Sorted by name.
    token_weights_
        What each token of the encoder's vocabulary counts, of shape (tokens,).
    words_, meaning_, logistic_, tuned_, doubt_
        The views of a text, the third where rows are few, the fourth where the encoder was fine-tuned; and what their scores are worth.
    overlaps_ : list of dict
        Pairs of intents that the model confuses in cross-validation, the worst first.
    figures_ : dict of str to float
        What cross-validation measured: accuracy of both tiers and together, the hand-over, and the share that the fast tier answers.
    timings_ : dict of str to float
        Seconds that parts of fitting took; not saved, since the same model may take longer the next time.

    References
    ----------
    See the module.
    """

    contract = Contract(
        slug="intent",
        config=IntentConfig,
        query=IntentQuery,
        example=IntentExample,
        prediction=IntentPrediction,
        outcome=str,
        questions=(Question("dialogue", DialogueRequest, DialogueReply),),
    )

    def fit(self, examples: Iterable[IntentExample]) -> Self:
        """Learn from messages of known intent.

        Raises
        ------
        InputError
            If there is no message with an intent and a word in it.
        """
        from models.intent.fitting import learn  # scikit-learn stays out of a process that only serves
        from models.intent.judging import Settings
        from models.intent.overlap import overlaps
        from models.intent.sampling import distinct, name_of

        rows = list(examples)
        texts, labels = distinct(rows, self.config.max_rows, self.config.seed)
        intents = tuple(sorted({*labels} - {OUT_OF_SCOPE}))
        if not intents:
            raise InputError("expected messages with an intent and at least one word, got none")
        self.encoder_: Encoder = default_encoder()
        place = {intent: code for code, intent in enumerate(intents)} | {OUT_OF_SCOPE: -1}
        names = {intent: name for intent in intents if (name := name_of(intent))}
        texts, labels, judged = [*texts, *names.values()], [*labels, *names], np.arange(len(texts) + len(names)) < len(texts)
        codes = np.array([place[label] for label in labels], dtype=np.intp)
        config = self.config
        settings = Settings(config.folds, config.coverage, config.accuracy_loss, config.false_rejection_rate)
        self.token_weights_ = token_weights(self.encoder_.tokens(texts), self.encoder_.n_tokens)
        layers = self.encoder_.encode_layers(texts, self.token_weights_)
        tuned = self._fine_tuned(texts, layers, codes, len(intents), judged)
        vectors, held_out = unit_vectors(layers), tuned.held_out if tuned else None
        learned = learn(Vocabulary.of(texts), texts, vectors, codes, len(intents), judged, config.seed, settings, held_out)
        shown = [texts[row] for row in learned.landmarks]
        self.logistic_ = learned.logistic
        self._assemble(intents, learned.words, learned.meaning, learned.doubt, Examples(shown, codes[learned.landmarks], intents))
        self.tagger_ = SlotTagger.fit([Tagged(row.text, row.intent, [(s.slot, s.start, s.end) for s in row.slots]) for row in rows])
        self.required_ = required_slots(rows)
        inside = np.flatnonzero((codes >= 0) & judged)
        self.overlaps_ = overlaps(intents, codes[inside], learned.out_of_fold, [texts[row] for row in inside])
        self.figures_ = learned.figures | (tuned.figures if tuned else {})
        return self

    def _fine_tuned(
        self, texts: Sequence[str], layers: NDArray[np.float32], codes: NDArray[np.intp], n_intents: int, judged: NDArray[np.bool_]
    ) -> FineTuned | None:
        """The encoder tuned to the intents, if that was asked for."""
        self.tuned_: TunedView | None = None
        self.timings_: dict[str, float] = {}
        if not self.config.finetune_minutes:
            return None
        from models.intent.finetuning import fine_tune

        vectors = layers[:, -self.encoder_.dimension :]
        minutes, seed = self.config.finetune_minutes, self.config.seed
        tuned = fine_tune(minutes, self.encoder_, texts, self.token_weights_, vectors, codes, n_intents, judged, seed)
        self.encoder_, self.tuned_, self.timings_ = tuned.encoder, tuned.view, {"finetune_seconds": tuned.seconds}
        return tuned

    def _assemble(self, intents: Sequence[str], words: Words, meaning: Meaning, doubt: Doubt, examples: Examples) -> None:
        self.intents_ = tuple(intents)
        self.words_, self.meaning_, self.doubt_, self.examples_ = words, meaning, doubt, examples
        self._around = Around(meaning.typical, meaning.crowding)
        self._by_words = ByWords(examples, words.vocabulary)
        self._router = Router(self.config.routing, self.intents_) if self.config.routing else None

    def predict(self, queries: Sequence[IntentQuery]) -> list[IntentPrediction]:
        """What each customer wants, in order."""
        self._require_fitted()
        texts = [readable(query.text) for query in queries]
        readings = self._read(texts)
        for place, text in enumerate(texts):
            (refused, rest), whole = refusals(text), readings[place]
            if refused and whole:
                others, *scopes = self._read([rest, *(each.scope for each in refused)])
                readings[place] = without_refused(whole, list(zip(refused, scopes, strict=True)), others)
        return [self._answer(query, reading) for query, reading in zip(queries, readings, strict=True)]

    def _read(self, texts: Sequence[str]) -> list[Reading | None]:
        """How each readable text reads; none if it has no word."""
        readings: list[Reading | None] = [None] * len(texts)
        hard: dict[int, tuple[Sparse, Floats]] = {}
        for place, text in enumerate(texts):
            sparse = self.words_.vocabulary.vector(text)
            if sparse.tokens:
                scores = self.words_.scores(sparse)[None].astype(np.float64)
                readings[place] = self._read_fast(sparse, scores)
                if readings[place] is None:
                    hard[place] = sparse, scores
        for place, reading in zip(hard, self._read_full([texts[place] for place in hard], list(hard.values())), strict=True):
            readings[place] = reading
        return readings

    def _answer(self, query: IntentQuery, reading: Reading | None) -> IntentPrediction:
        if reading is None:
            return self._unreadable(query)
        if self._router is None:
            route = route_by_intent(reading.intent, reading.probability, reading.out_of_scope)
        else:
            route = self._router.route(reading.probabilities, reading.out_of_scope, query.at, query.busy)
        slots = slots_of(query.text, reading.intent, query.at, self.tagger_)
        return worded(reading, self.words_, self.config, route, slots)

    def _unreadable(self, query: IntentQuery) -> IntentPrediction:
        nothing = np.full(len(self.intents_), 1 / len(self.intents_))
        route = self._router.route(nothing, 1.0, query.at, query.busy) if self._router else route_by_intent("", 0.0, 1.0)
        return unreadable(route)

    def dialogue(self, request: DialogueRequest) -> DialogueReply:
        """The next turn of a dialogue that fills in what an intent requires.

        Raises
        ------
        InputError
            If the state is not one that this model gave.
        """
        self._require_fitted()
        required = self.required_ if self.config.required_slots is None else self.config.required_slots
        plan = Plan(frozenset(self.intents_), required, self.config.prompts, self.config.confirm)
        return converse(plan, self, request)

    def read(self, request: DialogueRequest) -> IntentPrediction:
        """What one message of a dialogue says by itself."""
        return self.predict([IntentQuery(text=request.text, at=request.at, busy=request.busy)])[0]

    def slots(self, text: str, intent: str, at: datetime | None) -> Sequence[Slot]:
        """The slots of a message, if it is about an intent."""
        return slots_of(text, intent, at, self.tagger_)

    def route(self, intent: str, request: DialogueRequest) -> Route:
        """Who should act on an intent that is settled."""
        if self._router is None:
            return route_by_intent(intent, 1.0, 0.0)
        sure = np.array([float(intent == known) for known in self.intents_])
        return self._router.route(sure, 0.0, request.at, request.busy)

    def _read_fast(self, sparse: Sparse, scores: Floats) -> Reading | None:
        """The fast tier's reading, unless it is not sure enough to answer."""
        tier = self.doubt_.fast
        probabilities = tier.probabilities([scores[:, :-1]])
        best = int(probabilities[0].argmax())
        signals = fast_signals(scores[:, :-1], scores[:, -1], np.ones(1), probabilities)
        if sure_of(signals, tier.scope)[0] <= self.doubt_.handover:
            return None  # even if it were like an example word for word
        cosines = self._by_words.cosines(best, sparse)
        signals[:, NEAREST] = cosines.max(initial=0.0)
        if sure_of(signals, tier.scope)[0] <= self.doubt_.handover:
            return None
        return Reading(
            tier=1,
            intents=self.intents_,
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
        tier = self.doubt_.full
        layers = self.encoder_.encode_layers(texts, self.token_weights_, alone=True)
        vectors = unit_vectors(self.tuned_.untuned(layers) if self.tuned_ else layers)
        cosines = self.meaning_.cosines(vectors)
        meaning = self.meaning_.scores(vectors, cosines).astype(np.float64)
        words = np.concatenate([scores for _, scores in by_words])
        views = [words[:, :-1], meaning[:, :-1], neighbours(cosines, self.examples_.codes, len(self.intents_))]
        if self.logistic_ is not None:
            views.append(self.logistic_.scores(vectors).astype(np.float64))
        probabilities = tier.probabilities(views)
        outside = tier.scope.probability(full_signals(meaning[:, :-1], meaning[:, -1], cosines, self._around, probabilities))
        if self.tuned_ is not None and self.doubt_.tuned is not None:
            tier = self.doubt_.tuned
            probabilities = tier.probabilities([*views, self.tuned_.scores(layers).astype(np.float64)])
        told = tier.told(probabilities)
        return [
            Reading(
                tier=2,
                intents=self.intents_,
                probabilities=told[row],
                out_of_scope=float(outside[row]),
                limits=tier,
                sparse=sparse,
                nearest=partial(self.examples_.nearest, cosines[row]),
            )
            for row, (sparse, _) in enumerate(by_words)
        ]

    def _state(self) -> dict[str, Part]:
        return {
            "vocabulary.json": self.words_.vocabulary.dump(),
            "words.npz": self.words_.arrays(),
            "meaning.npz": self.meaning_.arrays(),
            "tokens.npz": {"weights": self.token_weights_},
            "doubt.json": self.doubt_.dump(),
            "examples.json": self.examples_.dump(),
            "training.json": {"overlaps": self.overlaps_, "figures": self.figures_, "required": self.required_},
            **({"logistic.npz": self.logistic_.arrays()} if self.logistic_ else {}),
            **({"tuned.npz": self.tuned_.arrays()} if self.tuned_ else {}),
            **(self.tagger_.parts() if self.tagger_ else {}),
            ENCODER: self.encoder_,
        }

    def _restore(self, parts: Mapping[str, Part]) -> None:
        self.encoder_, self.token_weights_ = parts[ENCODER], parts["tokens.npz"]["weights"]
        self.tagger_ = SlotTagger.of(parts)
        self.logistic_ = Logistic(**parts["logistic.npz"]) if "logistic.npz" in parts else None
        self.tuned_ = TunedView(**parts["tuned.npz"]) if "tuned.npz" in parts else None
        words, examples = Words.restore(parts["vocabulary.json"], parts["words.npz"]), Examples.restore(parts["examples.json"])
        self._assemble(examples.intents, words, Meaning(**parts["meaning.npz"]), Doubt.restore(parts["doubt.json"]), examples)
        training = parts["training.json"]
        self.overlaps_, self.figures_, self.required_ = training["overlaps"], training["figures"], training["required"]
        self.timings_ = {}
