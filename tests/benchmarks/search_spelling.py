"""Queries that failed, and what their users meant: who corrects the typing errors, and leaves right queries alone?

Tables of failed and corrected query, in five folds by the corrected query. Each system knows the words of the other folds' corrected
queries, in a second round also the English words that symspellpy brings along; ours learns from the other folds' pairs how people
mistype. Asked are the failed queries (what is exactly right counts) and the corrected ones (what is changed is wrong).
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import symspellpy
from symspellpy import SymSpell, Verbosity

from models.search_synonyms.rules import normal
from models.search_synonyms.spelling import Spelling
from tests.benchmarks._alone import alone

DATA = "search_synonyms"

FOLDS, SEED = 5, 0
FEW = 20
EDITS = 2
HERE = 10**12
"""Count of a site's word for the peers, so that they prefer it to a word that is only English."""

Pairs = list[tuple[str, str]]
Correct = Callable[[str], str]
Learn = Callable[[Pairs, Sequence[str]], Callable[[], Correct]]


def run(data: Path) -> list[dict[str, object]]:
    """One row per system, table and dictionary."""
    tables = [
        path for path in sorted(data.rglob("*.csv")) if {"failed_query", "corrected_query"} <= set(pl.read_csv(path, n_rows=0).columns)
    ]
    return [row for path in tables for general in (False, True) for row in _table(path, general)]


def _table(path: Path, general: bool) -> Iterator[dict[str, object]]:
    frame = pl.read_csv(path, infer_schema=False)
    pairs = [(normal(failed), normal(corrected)) for failed, corrected in frame.select("failed_query", "corrected_query").iter_rows()]
    words = _english() if general else []
    name = f"{path.parent.name}, {'site and English' if general else 'site'} words"
    for system, learn in {"foretell": _foretell, **PEERS}.items():
        memory = round(_memory(system, pairs, words), 1)
        yield {"system": system, "data": name, **_measured(learn, pairs, words), "memory_mib": memory}


def _measured(learn: Learn, pairs: Pairs, words: Sequence[str]) -> dict[str, object]:
    groups = sorted({corrected for _, corrected in pairs})
    fold_of = dict(zip(groups, np.random.default_rng(SEED).integers(0, FOLDS, len(groups)).tolist(), strict=True))
    hits, changed, took = 0, 0, []
    for fold in range(FOLDS):
        correct = learn([pair for pair in pairs if fold_of[pair[1]] != fold], words)()
        for failed, corrected in pairs:
            if fold_of[corrected] == fold:
                began = time.thread_time()
                hits += correct(failed) == corrected
                took.append(time.thread_time() - began)
        changed += sum(correct(query) != query for query in groups if fold_of[query] == fold)
    return {
        "top1_exact": round(hits / len(pairs), 4),
        "correct_changed": round(changed / len(groups), 4),
        "p50_ms": round(1e3 * float(np.median(took)), 3),
        "p99_ms": round(1e3 * float(np.quantile(took, 0.99)), 3),
    }


def _memory(system: str, pairs: Pairs, words: Sequence[str]) -> float:
    """MiB that a system takes when it is ready, in a fresh process of its own: what others freed would be taken again unseen.

    A dictionary of a few words was built and dropped there before, so that the libraries' own code and caches are not counted.
    """
    states = [_learned(pairs, words), _learned(pairs[:FEW], [])] if system == "foretell" else None
    given = {"system": system, "pairs": pairs, "words": words, "states": states}
    return float(alone(__file__, given=given))


def _measure_here() -> None:
    given = json.load(sys.stdin)
    if given["states"]:
        build, small = map(_ready, given["states"])
    else:
        peer = PEERS[given["system"]]
        build, small = peer(given["pairs"], given["words"]), peer(given["pairs"][:FEW], [])
    small()("warm up")
    gc.collect()
    before = _resident()
    kept = build()
    kept("warm up")
    gc.collect()
    print(_resident() - before)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def _english() -> list[str]:
    """The words of symspellpy's list, most frequent first."""
    lines = (Path(symspellpy.__file__).parent / "frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig").splitlines()
    return [line.split()[0] for line in lines]


def _learned(pairs: Pairs, words: Sequence[str]) -> str:
    return json.dumps(Spelling.learned(dict.fromkeys((meant for _, meant in pairs), 1), pairs, words).state())


def _ready(state: str) -> Callable[[], Correct]:
    def build() -> Correct:
        spelling = Spelling.restored(json.loads(state))
        return lambda query: found.query if (found := spelling.correct(query)) else query

    return build


def _foretell(pairs: Pairs, words: Sequence[str]) -> Callable[[], Correct]:
    return _ready(_learned(pairs, words))


def _dictionary(pairs: Pairs, words: Sequence[str]) -> SymSpell:
    known = SymSpell(max_dictionary_edit_distance=EDITS)
    for rank, word in enumerate(words):
        known.create_dictionary_entry(word, HERE // (rank + 1000))
    for word, count in sorted(Counter(word for meant in {meant for _, meant in pairs} for word in meant.split()).items()):
        known.create_dictionary_entry(word, HERE * count)
    return known


def _compound(pairs: Pairs, words: Sequence[str]) -> Callable[[], Correct]:
    def build() -> Correct:
        known = _dictionary(pairs, words)
        return lambda query: str(known.lookup_compound(query, EDITS, ignore_non_words=True)[0].term)

    return build


def _symspell(pairs: Pairs, words: Sequence[str]) -> Callable[[], Correct]:
    return lambda: partial(_word_by_word, _dictionary(pairs, words))


def _word_by_word(known: SymSpell, query: str) -> str:
    """Every unknown word: joined with the next, one edit, split, or two edits, whichever first gives known words.

    Words of up to three letters are left, and two edits need six: with neither, it finds less and changes a third of the right queries.
    """
    words, corrected = query.split(), []
    while words:
        word = words.pop(0)
        if words and word + words[0] in known.words and not (word in known.words and words[0] in known.words):
            corrected.append(word + words.pop(0))
        elif word in known.words or len(word) <= 3 or any(letter.isdigit() for letter in word):
            corrected.append(word)
        else:
            near = _nearest(known, word, 1) or _parted(known, word)
            corrected.append(near or (_nearest(known, word, EDITS) if len(word) >= 6 else None) or word)
    return " ".join(corrected)


def _nearest(known: SymSpell, word: str, edits: int) -> str | None:
    found = known.lookup(word, Verbosity.TOP, max_edit_distance=edits)
    return str(found[0].term) if found else None


def _parted(known: SymSpell, word: str) -> str | None:
    parts = [(word[:place], word[place:]) for place in range(2, len(word) - 1)]
    known_parts = [
        (min(known.words[left], known.words[right]), left, right) for left, right in parts if {left, right} <= known.words.keys()
    ]
    return " ".join(max(known_parts)[1:]) if known_parts else None


PEERS: dict[str, Learn] = {"symspellpy": _symspell, "symspellpy_compound": _compound}

if __name__ == "__main__":
    _measure_here()
