"""Slots of SNIPS: spans that must match exactly, learned from the training files and judged on the validation files, which are the test.

`foretell` is told nothing but the text: its own intent decides which slots are looked for. `foretell_gold_intent` is told the intent.
`crf_words` is a plain conditional random field on words and their neighbours; `gazetteer` marks the values known from training.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from models.intent import IntentExample, IntentQuery, SlotSpan
from models.intent.model import Intent
from models.intent.slots import SlotTagger, Tagged
from models.intent.slots.features import Token, tokens_of
from models.intent.slots.tagger import spans_of, tags_of, values_of

DATA = "intent/snips"

Spans = list[tuple[str, int, int]]
Finder = Callable[[Tagged], Spans]


def run(data: Path) -> list[dict[str, object]]:
    """One row per system."""
    return slot_rows(data)


def slot_rows(data: Path) -> list[dict[str, object]]:
    """One row per system; `data` holds ``train_*_full.json`` and ``validate_*.json``."""
    train, test = read(data, "train_*_full.json"), read(data, "validate_*.json")
    systems = {"foretell": _foretell, "foretell_gold_intent": _gold_intent, "crf_words": _crf_words, "gazetteer": _gazetteer}
    return [{"system": name, "data": data.name, **_judged(learn, train, test)} for name, learn in systems.items()]


def read(data: Path, pattern: str) -> list[Tagged]:
    """The rows of a folder's files; each is a text in pieces, some of which have a slot."""
    rows = []
    for path in sorted(data.glob(pattern)):
        raw = path.read_bytes()
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        rows += [_row(intent, item["data"]) for intent, items in json.loads(text).items() for item in items]
    return rows


def _row(intent: str, pieces: Sequence[dict[str, str]]) -> Tagged:
    text, spans = "", []
    for piece in pieces:
        value = piece["text"]
        if "entity" in piece and value.strip():
            start = len(text) + len(value) - len(value.lstrip())
            spans.append((piece["entity"], start, start + len(value.strip())))
        text += value
    return Tagged(text, intent, spans)


def _judged(learn: Callable[[list[Tagged]], Finder], train: list[Tagged], test: list[Tagged]) -> dict[str, object]:
    began = time.perf_counter()
    find = learn(train)
    fitted = time.perf_counter()
    found = [find(row) for row in test]
    answered = time.perf_counter()
    right = sum(len(set(row.spans) & set(spans)) for row, spans in zip(test, found, strict=True))
    expected, given = sum(len(row.spans) for row in test), sum(map(len, found))
    return {
        "slot_f1": round(2 * right / (expected + given), 4),
        "slot_precision": round(right / max(given, 1), 4),
        "slot_recall": round(right / expected, 4),
        "train_rows": len(train),
        "test_rows": len(test),
        "fit_seconds": round(fitted - began, 1),
        "mean_ms": round(1000 * (answered - fitted) / len(test), 3),
    }


def _foretell(train: list[Tagged]) -> Finder:
    """The whole model; its typed slots, which SNIPS does not know, are left out."""
    names = {slot for row in train for slot, _, _ in row.spans}
    rows = [IntentExample(text=row.text, intent=row.intent, slots=tuple(map(_span, row.spans))) for row in train]
    model = Intent().fit(rows)

    def find(row: Tagged) -> Spans:
        (prediction,) = model.predict([IntentQuery(text=row.text)])
        return [(slot.slot, slot.start, slot.end) for slot in prediction.slots if slot.slot in names]

    return find


def _span(span: tuple[str, int, int]) -> SlotSpan:
    return SlotSpan(slot=span[0], start=span[1], end=span[2])


def _gold_intent(train: list[Tagged]) -> Finder:
    tagger = SlotTagger.fit(train)
    return lambda row: tagger.tag(row.text, row.intent) if tagger else []


def _crf_words(train: list[Tagged]) -> Finder:
    import pycrfsuite

    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": 0.1, "c2": 0.02, "max_iterations": 30})
    for row in train:
        tokens = tokens_of(row.text)
        trainer.append(list(_plain(tokens)), tags_of(tokens, row.spans))
    tagger = pycrfsuite.Tagger()
    with TemporaryDirectory() as folder:
        trainer.train(f"{folder}/words.crfsuite")
        tagger.open_inmemory(Path(f"{folder}/words.crfsuite").read_bytes())
    return lambda row: spans_of(tokens := tokens_of(row.text), tagger.tag(list(_plain(tokens))))


def _plain(tokens: Sequence[Token]) -> Iterator[list[str]]:
    words = ["<s>", *(token.text.lower() for token in tokens), "</s>"]
    for place in range(1, len(words) - 1):
        yield ["1", f"w={words[place]}", f"w-1={words[place - 1]}", f"w+1={words[place + 1]}"]


def _gazetteer(train: list[Tagged]) -> Finder:
    """The usual slot of each known value; the longest from each word on."""
    counts: dict[str, dict[str, int]] = {}
    for row in train:
        for words, slot in values_of(tokens_of(row.text), row.spans):
            slots = counts.setdefault(" ".join(words).lower(), {})
            slots[slot] = slots.get(slot, 0) + 1

    def find(row: Tagged) -> Spans:
        tokens, spans, start = tokens_of(row.text), [], 0
        while start < len(tokens):
            ends = range(min(start + 8, len(tokens)), start, -1)
            end = next((end for end in ends if " ".join(token.text for token in tokens[start:end]).lower() in counts), None)
            if end is not None:
                slots = counts[" ".join(token.text for token in tokens[start:end]).lower()]
                spans.append((max(slots, key=lambda slot: slots[slot]), tokens[start].start, tokens[end - 1].end))
            start = end or start + 1
        return spans

    return find
