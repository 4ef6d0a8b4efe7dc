"""Slots learned from spans: conditional random fields over words.

Each word gets a tag of a slot, by features of `models.intent.slots.features`; the tags of a text are chosen together. Intents with many
rows have a field of their own, the others share one that knows the intent. While learning, a row is looked up among the values of the
*other* rows only, as a new text will be: with its own values known, the field would trust what was seen before too much.

References
----------
Lafferty, J., McCallum, A., Pereira, F. (2001). Conditional random fields. ICML. Tjong Kim Sang, E., Veenstra, J. (1999). Representing text
chunks. EACL (the IOB2 tags). Okazaki, N. (2007). CRFsuite.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from models.intent.slots.features import Gazetteer, Token, features_of, tokens_of

SHARED = "shared"
OWN_ROWS = 500
"""Of an intent that has a field of its own. Below, sharing is worth more: F1 .914 against .900 with 200 rows of each intent, .796 against
.763 with 40 (seven intents, learned and judged on parts of SNIPS's training files)."""

ROWS_PER_FIELD = 5_000
"""That one field learns from; more of an intent's rows teach it little."""

_FOLDS = 5
_SETTINGS = {"c1": 0.1, "c2": 0.02, "max_iterations": 80, "feature.possible_transitions": False}
"""Chosen once, by the F1 of spans on a fifth of SNIPS's training files."""


class Tagged(NamedTuple):
    """A text whose slots are known."""

    text: str
    intent: str
    spans: Sequence[tuple[str, int, int]]


class SlotTagger:
    """Finds the slots of a text, given its intent; can be asked from several threads.

    Parameters
    ----------
    fields
        Field by name, as CRFsuite writes it: of an intent, or `SHARED`.
    gazetteers
        Known values by the name of the field.
    """

    def __init__(self, fields: Mapping[str, bytes], gazetteers: Mapping[str, Gazetteer]) -> None:
        self.fields = dict(fields)
        self.gazetteers = dict(gazetteers)
        self._taggers = threading.local()

    @classmethod
    def fit(cls, rows: Sequence[Tagged]) -> SlotTagger | None:
        """Learn from rows, of which some have spans; ``None`` if none has. Intents without any are left out."""
        with_slots = {row.intent for row in rows if row.spans}
        rows = [row for row in rows if row.intent in with_slots]
        counts = Counter(row.intent for row in rows)
        by_field: dict[str, list[Tagged]] = {}
        for row in rows:
            by_field.setdefault(row.intent if counts[row.intent] >= OWN_ROWS else SHARED, []).append(row)
        if not by_field:
            return None
        by_field = {name: found[:: max(1, -(-len(found) // ROWS_PER_FIELD))] for name, found in sorted(by_field.items())}
        fields = {name: _trained(found) for name, found in by_field.items()}
        return cls(fields, {name: _gazetteer(found) for name, found in by_field.items()})

    def tag(self, text: str, intent: str) -> list[tuple[str, int, int]]:
        """Slots with start and end, in order; none of an intent that had none in training."""
        name = intent if intent in self.fields else SHARED
        tokens = tokens_of(text)
        if name not in self.fields or not tokens:
            return []
        return spans_of(tokens, self._tagger(name).tag(_features(tokens, self.gazetteers[name], intent)))

    def parts(self) -> dict[str, Any]:
        """What a folder keeps."""
        names = sorted(self.fields)
        index = [{"field": name, "values": self.gazetteers[name].slots_by_value} for name in names]
        return {"slots.json": index} | {f"slots-{place}.crfsuite": self.fields[name] for place, name in enumerate(names)}

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> SlotTagger | None:
        """From what `parts` gave; ``None``: there is no tagger among them."""
        index = parts.get("slots.json")
        if index is None:
            return None
        fields = {entry["field"]: parts[f"slots-{place}.crfsuite"] for place, entry in enumerate(index)}
        return cls(fields, {entry["field"]: Gazetteer(entry["values"]) for entry in index})

    def _tagger(self, name: str) -> Any:
        """One for each thread, as CRFsuite's keeps the text it is asked about."""
        import pycrfsuite

        taggers = self._taggers.__dict__
        if name not in taggers:
            taggers[name] = pycrfsuite.Tagger()
            taggers[name].open_inmemory(self.fields[name])
        return taggers[name]


def _trained(rows: Sequence[Tagged]) -> bytes:
    import pycrfsuite

    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params(_SETTINGS)
    for fold in range(_FOLDS):
        others = _gazetteer([row for place, row in enumerate(rows) if place % _FOLDS != fold])
        for row in rows[fold::_FOLDS]:
            if tokens := tokens_of(row.text):
                trainer.append(_features(tokens, others, row.intent), tags_of(tokens, row.spans))
    with TemporaryDirectory() as folder:
        trainer.train(str(Path(folder) / "field.crfsuite"))
        return (Path(folder) / "field.crfsuite").read_bytes()


def _gazetteer(rows: Sequence[Tagged]) -> Gazetteer:
    return Gazetteer.of(pair for row in rows for pair in values_of(tokens_of(row.text), row.spans))


def values_of(tokens: Sequence[Token], spans: Sequence[tuple[str, int, int]]) -> list[tuple[list[str], str]]:
    """The words and the slot of each span."""
    return [([token.text for token in tokens if start < token.end and token.start < end], slot) for slot, start, end in spans]


def _features(tokens: Sequence[Token], gazetteer: Gazetteer, intent: str) -> list[list[str]]:
    words = [token.text for token in tokens]
    return features_of(words, gazetteer.marks([word.lower() for word in words]), intent)


def tags_of(tokens: Sequence[Token], spans: Sequence[tuple[str, int, int]]) -> list[str]:
    """Tags by slots: ``B`` begins one, ``I`` continues it, ``O`` is outside."""
    tags = ["O"] * len(tokens)
    for slot, start, end in spans:
        inside = [place for place, token in enumerate(tokens) if start < token.end and token.start < end]
        for place in inside:
            tags[place] = f"{'B' if place == inside[0] else 'I'}-{slot}"
    return tags


def spans_of(tokens: Sequence[Token], tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Slots by tags; an ``I`` that continues nothing begins one."""
    spans: list[tuple[str, int, int]] = []
    before = "O"
    for token, tag in zip(tokens, tags, strict=True):
        slot = tag[2:]
        if tag[0] == "I" and slot == before[2:]:
            spans[-1] = (slot, spans[-1][1], token.end)
        elif tag != "O":
            spans.append((slot, token.start, token.end))
        before = tag
    return spans
