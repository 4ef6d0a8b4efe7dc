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
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from models.base import Contract, Model, Part, Question
from models.encoder import default_encoder
from models.errors import InputError
from models.intent.answer import Reading, unreadable, worded
from models.intent.cascade import Cascade
from models.intent.conversation import DialogueReply, DialogueRequest
from models.intent.dialogue import Plan, converse, required_slots
from models.intent.examples import Examples
from models.intent.meaning import token_weights, unit_vectors
from models.intent.records import OUT_OF_SCOPE, IntentConfig, IntentExample, IntentPrediction, IntentQuery, Route, Slot
from models.intent.routing import Router, route_by_intent
from models.intent.slots import SlotTagger, Tagged, slots_of
from models.intent.text import readable
from models.intent.vocabulary import Vocabulary

if TYPE_CHECKING:
    from models.intent.finetuning import FineTuned
    from models.intent.fitting import Learned


class Intent(Model[IntentConfig, IntentQuery, IntentExample, IntentPrediction]):
    """Intent of a message, with calibrated doubt.

    Attributes
    ----------
    intents_ : tuple of str
        Sorted by name.
    cascade_ : Cascade
        Reads a message.
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
        from models.intent.overlap import overlaps  # scikit-learn stays out of a process that only serves
        from models.intent.sampling import distinct, name_of

        rows = list(examples)
        texts, labels = distinct(rows, self.config.max_rows, self.config.seed)
        intents = tuple(sorted({*labels} - {OUT_OF_SCOPE}))
        if not intents:
            raise InputError("expected messages with an intent and at least one word, got none")
        place = {intent: code for code, intent in enumerate(intents)} | {OUT_OF_SCOPE: -1}
        names = {intent: name for intent in intents if (name := name_of(intent))}
        texts, labels, judged = [*texts, *names.values()], [*labels, *names], np.arange(len(texts) + len(names)) < len(texts)
        codes = np.array([place[label] for label in labels], dtype=np.intp)
        learned = self._learn(texts, codes, intents, judged)
        self.tagger_ = SlotTagger.fit([Tagged(row.text, row.intent, [(s.slot, s.start, s.end) for s in row.slots]) for row in rows])
        self.required_ = required_slots(rows)
        inside = np.flatnonzero((codes >= 0) & judged)
        self.overlaps_ = overlaps(intents, codes[inside], learned.out_of_fold, [texts[row] for row in inside])
        return self

    def _learn(self, texts: Sequence[str], codes: NDArray[np.intp], intents: Sequence[str], judged: NDArray[np.bool_]) -> Learned:
        """The cascade, from readable texts; what is not judged is only learned from."""
        from models.intent.fitting import learn
        from models.intent.judging import Settings

        config, encoder = self.config, default_encoder()
        settings = Settings(config.folds, config.coverage, config.accuracy_loss, config.false_rejection_rate)
        weights = token_weights(encoder.tokens(texts), encoder.n_tokens)
        layers = encoder.encode_layers(texts, weights)
        tuned: FineTuned | None = None
        if config.finetune_minutes:
            from models.intent.finetuning import fine_tune

            own = layers[:, -encoder.dimension :]
            tuned = fine_tune(config.finetune_minutes, encoder, texts, weights, own, codes, len(intents), judged, config.seed)
        vectors, held_out = unit_vectors(layers), tuned.held_out if tuned else None
        learned = learn(Vocabulary.of(texts), texts, vectors, codes, len(intents), judged, config.seed, settings, held_out)
        self._assemble(
            Cascade(
                encoder=tuned.encoder if tuned else encoder,
                token_weights=weights,
                words=learned.words,
                meaning=learned.meaning,
                logistic=learned.logistic,
                tuned=tuned.view if tuned else None,
                doubt=learned.doubt,
                examples=Examples([texts[row] for row in learned.landmarks], codes[learned.landmarks], intents),
            )
        )
        self.figures_ = learned.figures | (tuned.figures if tuned else {})
        self.timings_ = {"finetune_seconds": tuned.seconds} if tuned else {}
        return learned

    def _assemble(self, cascade: Cascade) -> None:
        self.cascade_, self.intents_ = cascade, tuple(cascade.examples.intents)
        self._router = Router(self.config.routing, self.intents_) if self.config.routing else None

    def predict(self, queries: Sequence[IntentQuery]) -> list[IntentPrediction]:
        """What each customer wants, in order."""
        self._require_fitted()
        readings = self.cascade_.read([readable(query.text) for query in queries])
        return [self._answer(query, reading) for query, reading in zip(queries, readings, strict=True)]

    def _answer(self, query: IntentQuery, reading: Reading | None) -> IntentPrediction:
        if reading is None:
            return self._unreadable(query)
        if self._router is None:
            route = route_by_intent(reading.intent, reading.probability, reading.out_of_scope)
        else:
            route = self._router.route(reading.probabilities, reading.out_of_scope, query.at, query.busy)
        slots = slots_of(query.text, reading.intent, query.at, self.tagger_)
        return worded(reading, self.cascade_.words, self.config, route, slots)

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

    def _state(self) -> dict[str, Part]:
        training = {"overlaps": self.overlaps_, "figures": self.figures_, "required": self.required_}
        slots = self.tagger_.parts() if self.tagger_ else {}
        return {**self.cascade_.parts(), "training.json": training, **slots}

    def _restore(self, parts: Mapping[str, Part]) -> None:
        self._assemble(Cascade.of(parts))
        self.tagger_ = SlotTagger.of(parts)
        training = parts["training.json"]
        self.overlaps_, self.figures_, self.required_ = training["overlaps"], training["figures"], training["required"]
        self.timings_ = {}
