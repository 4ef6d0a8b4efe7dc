"""Intent of messages that say what the customer does not want, beside peers; from training rows alone, no test file is read.

Half of each intent's training rows are learned. Requests among the other half ("please cancel it", "I want a refund") that the system
answers right are made refusals ("please do not cancel it", "I do not want a refund"). ``still_asked`` is the share of refusals of which the
refused intent is still most probable, at one half or more, and the message more probably in scope than not. ``others_asked`` is the same of
the request of another row that stands beside a refusal ("do not cancel it, I want a refund"). ``rows_taken`` is the share of the other half
as it stands that is said to refuse its own intent, which is what hearing refusals costs.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from models.intent import OUT_OF_SCOPE, Intent, IntentExample, IntentQuery
from tests.benchmarks.intent import PEERS, Answers, Ask, Rows, answers_of, folders, task_of

DATA = "intent"

MOST = 500
"""Refusals of a set."""

_WANTS = re.compile(r"i (want|need|would like) (.+)", re.IGNORECASE)
_CAN_YOU = re.compile(r"(?:can|could|would|will) you (?:please )?(\w+ .+)", re.IGNORECASE)
_DO = re.compile(r"(?:please )?((\w+) .+)", re.IGNORECASE)
_NOT_ONE_PLAIN_CLAUSE = re.compile(r"[.,;:!?].*\w|n['\u2019]?t\b|\bnot?\b|\bnever\b", re.IGNORECASE)


def run(data: Path) -> list[dict[str, object]]:
    """Shares by set and system, and how many refusals they are of."""
    rows = []
    for task in filter(None, map(task_of, folders(data))):
        learned, others = halves(task.train)
        deeds = _deeds([text for text, _ in task.train])
        pairs = [(text, refused, intent) for text, intent in others if (refused := refusal_of(text, deeds))]
        chosen = [pairs[place] for place in np.random.default_rng(0).permutation(len(pairs))[:MOST]]
        if chosen:
            rows += [{"system": system, "data": task.data, **_judged(system, learned, others, chosen)} for system in ("foretell", *PEERS)]
    return rows


def halves(rows: Rows) -> tuple[Rows, Rows]:
    """Every other row of each intent."""
    seen: Counter[str] = Counter()
    parts: defaultdict[int, Rows] = defaultdict(list)
    for text, intent in rows:
        parts[seen[intent] % 2].append((text, intent))
        seen[intent] += 1
    return parts[0], parts[1]


def refusal_of(text: str, deeds: frozenset[str]) -> str | None:
    """The request of one clause turned into its refusal; none if it is no such request. `deeds` are verbs that requests begin with.

    Examples
    --------
    >>> refusal_of("Please cancel my order.", frozenset({"cancel"}))
    'please do not cancel my order'
    """
    plain = text.strip(" .!?")
    if _NOT_ONE_PLAIN_CLAUSE.search(plain):
        return None
    if found := _WANTS.fullmatch(plain):
        return f"I would not like {found[2]}" if found[1].lower() == "would like" else f"I do not {found[1].lower()} {found[2]}"
    if found := _CAN_YOU.fullmatch(plain):
        return f"please don't {found[1]}"
    found = _DO.fullmatch(plain)
    return f"please do not {found[1]}" if found and found[2].lower() in deeds else None


def _deeds(texts: Sequence[str]) -> frozenset[str]:
    """Words that messages begin with and that elsewhere follow "please" or "to"."""
    tokens = [re.findall(r"\w+", text.lower()) for text in texts]
    first = Counter(words[0] for words in tokens if words)
    after = Counter(word for words in tokens for before, word in pairwise(words) if before in ("please", "to"))
    return frozenset(word for word in first if min(first[word], after[word]) >= 3 and word not in ENGLISH_STOP_WORDS)


def _judged(system: str, learned: Rows, others: Rows, pairs: Sequence[tuple[str, str, str]]) -> dict[str, object]:
    if system != "foretell":
        return _shares(PEERS[system](learned), pairs)
    model = Intent().fit(IntentExample(text=text, intent=intent) for text, intent in learned)
    inside = [(text, intent) for text, intent in others if intent != OUT_OF_SCOPE]
    found = model.predict([IntentQuery(text=text) for text, _ in inside])
    taken = np.mean([intent in answer.refused for answer, (_, intent) in zip(found, inside, strict=True)])
    return _shares(lambda texts: answers_of(model.predict([IntentQuery(text=text) for text in texts])), pairs) | {
        "rows_taken": float(taken)
    }


def _shares(ask: Ask, pairs: Sequence[tuple[str, str, str]]) -> dict[str, object]:
    known = _asked(ask([text for text, *_ in pairs]))
    kept = [pair for pair, asked in zip(pairs, known, strict=True) if asked == pair[2]]
    beside = [(one, kept[place - len(kept) // 2]) for place, one in enumerate(kept)]
    beside = [(one, other) for one, other in beside if one[2] != other[2]]
    texts = [_joined(one[1], other[0]) if place % 2 else _joined(other[0], one[1]) for place, (one, other) in enumerate(beside)]
    still, instead = _asked(ask([refused for _, refused, _ in kept])), _asked(ask(texts))
    return {
        "refusals": len(kept),
        "still_asked": float(np.mean([asked == intent for asked, (*_, intent) in zip(still, kept, strict=True)])),
        "others_asked": float(np.mean([asked == other[2] for asked, (_, other) in zip(instead, beside, strict=True)])),
    }


def _joined(first: str, second: str) -> str:
    return f"{first.rstrip(' .!?')}, {second}"


def _asked(answers: Answers) -> list[str | None]:
    """What each message asks for, if that is more probable than not and the message more probably in scope than not."""
    sure = (answers.probability >= 0.5) & (answers.out_of_scope < 0.5)
    return [intent if known else None for intent, known in zip(answers.intent, sure, strict=True)]
