"""How intent is trained, and judged on messages that no training row repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from matplotlib.figure import Figure

from models.base import Model
from models.feedback import Observed
from models.intent import OUT_OF_SCOPE, Candidate, Intent, IntentConfig, IntentExample, IntentPrediction, IntentQuery
from models.intent.text import words
from training.figures import bar, reliability_curve
from training.metrics import binary_metrics, ece
from training.recipe import Case, Gate, Predictor, Recipe, Split
from training.splits import stratified

HOLDOUT_SHARE = 0.2
SHOWN_PAIRS = 10

IntentCase = Case[IntentQuery, str]
IntentModel = Model[IntentConfig, IntentQuery, IntentExample, IntentPrediction]


def _split(rows: Sequence[IntentExample], seed: int) -> Split[IntentExample]:
    """A fifth of every intent, of distinct messages: a repeated one would be judged by its copy."""
    distinct = {(" ".join(words(row.text)), row.intent): row for row in rows}
    return stratified(list(distinct.values()), lambda row: row.intent, HOLDOUT_SHARE, seed)


def _cases(split: Split[IntentExample], seed: int) -> list[IntentCase]:
    known = {row.intent for row in split.train}
    return [_case(row, known) for row in split.holdout]


def _case(row: IntentExample, known: set[str]) -> IntentCase:
    """An intent that training never saw is out of scope."""
    query = IntentQuery(**row.model_dump(include=set(IntentQuery.model_fields), exclude_unset=True))
    length = "up to 5 words" if len(words(row.text)) <= 5 else "more words"
    return Case(query, row.intent if row.intent in known else OUT_OF_SCOPE, {"length": length, "language": row.language or "not told"})


def _evaluate(predictions: Sequence[IntentPrediction], cases: Sequence[IntentCase]) -> dict[str, float]:
    """Of cases in scope accuracy, calibration and the conformal set; how well the others are told from them."""
    pairs = list(zip(predictions, cases, strict=True))
    inside = [(prediction, case.truth) for prediction, case in pairs if case.truth != OUT_OF_SCOPE]
    metrics: dict[str, float] = {}
    if inside:
        right = np.array([prediction.intent == truth for prediction, truth in inside])
        covered = [truth in {candidate.intent for candidate in prediction.candidates} for prediction, truth in inside]
        metrics |= {
            "accuracy": float(right.mean()),
            "macro_f1": _macro_f1([truth for _, truth in inside], [prediction.intent for prediction, _ in inside]),
            "ece": ece(right, [prediction.probability for prediction, _ in inside]),
            "conformal_coverage": float(np.mean(covered)),
            "conformal_size": float(np.mean([len(prediction.candidates) for prediction, _ in inside])),
            "tier_1_share": float(np.mean([prediction.tier == 1 for prediction, _ in inside])),
            "asked_share": float(np.mean([prediction.answer == "ask" for prediction, _ in inside])),
            "false_rejection_rate": float(np.mean([prediction.answer == "human" for prediction, _ in inside])),
        }
    outside = [case.truth == OUT_OF_SCOPE for case in cases]
    scope = binary_metrics(outside, [prediction.out_of_scope for prediction in predictions])
    return metrics | ({"oos_roc_auc": scope["roc_auc"]} if "roc_auc" in scope else {})


def _macro_f1(truth: Sequence[str], answered: Sequence[str | None]) -> float:
    hits = Counter(true for true, answer in zip(truth, answered, strict=True) if true == answer)
    true, told = Counter(truth), Counter(answered)
    return float(np.mean([2 * hits[name] / (true[name] + told[name]) for name in sorted(true)]))


def _baseline(train: Sequence[IntentExample]) -> Predictor[IntentQuery, IntentPrediction]:
    """The intent whose known words the message shares most, each word weighed by how few intents use it."""
    users: dict[str, Counter[str]] = {}
    for row in train:
        if row.intent != OUT_OF_SCOPE:
            for word in set(words(row.text)):
                users.setdefault(word, Counter())[row.intent] += 1
    common = Counter(row.intent for row in train if row.intent != OUT_OF_SCOPE).most_common(1)[0][0]

    def answer(query: IntentQuery) -> IntentPrediction:
        votes: Counter[str] = Counter()
        for word in set(words(query.text)) & users.keys():
            votes.update({intent: count / users[word].total() / len(users[word]) for intent, count in users[word].items()})
        best = max(votes, key=lambda intent: (votes[intent], intent), default=common)
        share = votes[best] / votes.total() if votes else 0.0
        return IntentPrediction(
            answer="intent",
            intent=best,
            probability=share,
            candidates=(Candidate(intent=best, probability=share),),
            out_of_scope=1 - share,
            tier=1,
        )

    return lambda queries: [answer(query) for query in queries]


def _figures(model: IntentModel, predictions: Sequence[IntentPrediction], cases: Sequence[IntentCase]) -> Mapping[str, Figure]:
    inside = [(p, case.truth) for p, case in zip(predictions, cases, strict=True) if case.truth != OUT_OF_SCOPE]
    right = [p.intent == truth for p, truth in inside]
    confused = Counter(f"{truth} taken for {p.intent}" for p, truth in inside if p.intent != truth)
    answers = Counter(f"{p.answer}, tier {p.tier}" for p in predictions)
    figures = {"answers": bar(dict(sorted(answers.items())), "How messages were answered", "messages")}
    if inside:
        figures["reliability"] = reliability_curve(right, {"answer": [p.probability for p, _ in inside]})
    if confused:
        figures["worst_pairs"] = bar(dict(confused.most_common(SHOWN_PAIRS)), "What is taken for what", "messages")
    return figures


def _measured(model: IntentModel) -> Mapping[str, float]:
    """The hand-over between the tiers, what it costs and saves, and how the time for fine-tuning was used."""
    intent = cast(Intent, model)
    return intent.figures_ | intent.timings_


def _notes(model: IntentModel) -> list[str]:
    """The hand-over, and pairs of intents that overlap."""
    intent = cast(Intent, model)
    told = intent.figures_
    notes = [
        f"Cross-validation: tier 1 answers {told['fast_share']:.0%} by itself (sureness above {told['handover']:.3f}); "
        f"accuracy {told['accuracy']:.4f} together, {told['full_accuracy']:.4f} by tier 2 alone."
    ]
    if "finetune_epochs" in told:
        notes.append(
            f"The encoder was fine-tuned for {told['finetune_epochs']:.1f} epochs: of rows held out of it tier 2 alone answers "
            f"{told['full_accuracy']:.4f} right, {told['untuned_accuracy']:.4f} without."
        )
        if told["finetune_done"] < 1:
            notes.append(f"Time was up after {told['finetune_done']:.0%} of the fine-tuning: give it more `finetune_minutes`.")
    for pair in intent.overlaps_[:SHOWN_PAIRS]:
        example = pair["examples"][0]
        notes.append(
            f"`{pair['one']}` and `{pair['other']}` overlap: {pair['confused']} rows ({pair['share']:.0%}) are taken for the other, "
            f'such as "{example["text"][:120]}" (labelled `{example["intent"]}`). Merge them, or correct the labels.'
        )
    return notes


def _from_feedback(observed: Sequence[Observed[Any, Any]]) -> list[IntentExample]:
    """The intent that an agent chose, per message; the last choice counts."""
    chosen = {item.query.text: item for item in sorted(observed, key=lambda item: item.occurred_at)}
    return [
        IntentExample(text=item.query.text, language=item.query.language, intent=item.outcome)
        for item in chosen.values()
        if str(item.outcome).strip() and item.query.text.strip()
    ]


RECIPE = Recipe(
    slug="intent",
    split=_split,
    split_protects="Against a message being judged by its own copy: repeated messages count once, and a fifth of every intent is held out.",
    cases=_cases,
    evaluate=_evaluate,
    baseline=_baseline,
    baseline_name="votes of known words, rare ones more",
    primary="accuracy",
    gates=(Gate("accuracy", at_least=0.5), Gate("ece", at_most=0.2)),
    figures=_figures,
    limits="""
- The encoder was trained on English. Other languages and scripts are answered, by their words and pieces of words; give examples of each
  language, and look at the slice `language`.
- Probabilities, coverage and rejections hold for messages like the training rows. After a new product, channel or intent, look again.
- One intent a message: what is asked beside the main thing is not told, and of two things joined by "or" mostly one.
- Refusals ("do not cancel my order") are heard in English only; facts denied ("I have not lost my card") are not heard in any language.
- Out of scope is easiest far from all intents; a message near to them, about something that no intent covers, is often taken for one.
- Names are not masked in the nearest examples that an answer shows; e-mail addresses, phone numbers, cards, IBANs and IP addresses are.
""",
    notes=_notes,
    measured=_measured,
    from_feedback=_from_feedback,
)
