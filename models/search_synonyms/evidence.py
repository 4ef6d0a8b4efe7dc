"""Evidence about a pair of phrases as numbers that a classifier can weigh; each is the greater, the likelier the pair means the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import xlogy

from models.search_synonyms.phrases import Phrases
from models.search_synonyms.words import Shape, closeness, same_sound, shape, slip_of_a_key, stems
from models.wilson import wilson_bounds

Floats = NDArray[np.float64]
Encode = Callable[[Sequence[str]], NDArray[np.float32]]

FEATURES = (
    "support",
    "concentration",
    "lead",
    "works",
    "surprise",
    "cosine",
    "shared_clicks",
    "other_clicks",
    "fails_by_itself",
    "fails_unseen",
    "needed",
    "commoner",
    "breadth",
    "agrees_with_leader",
    "disagrees_with_leader",
    "inflection",
    "abbreviation",
    "typo",
    "letters",
    "slip",
)

SAME_KINDS: Mapping[str, str] = {
    "same": "inflection",
    "inflection": "inflection",
    "abbreviation": "abbreviation",
    "typo": "typo",
    "translation": "translation",
    "other": "synonym",
}
"""Kind of rule that a pair of a shape may become; other shapes never become rules."""

FEW_CLICKS = 8.0
"""Clicks at which overlap counts half: fewer documents than this overlap or differ by chance."""

ESTABLISHED, AS_COMMON = 0.3, 4.0
"""A term that works this often, and is searched at least a quarter as often as another, is a word of its own, not the other mistyped."""

SAME_CLICKS = 0.3
"""Cosine of clicked documents from which two such words are still two spellings of one."""

SHORTEST_PART = 3
"""Letters of the shortest word that counts as a part of a compound."""

SURE_CLICKS = 0.3
"""Success rate of a phrase from which its clicks show what it means; below, many are clicks in despair on whatever was shown."""


def candidates(frame: pl.DataFrame, names: pl.Series, words: Collection[str], phrases: Phrases, encode: Encode) -> pl.DataFrame:
    """Pairs that may mean the same, with their features as columns; narrowing, widening and contrasts are left out here for good.

    Parameters
    ----------
    frame
        From `pairs.supported`.
    names
        Phrases by number.
    words
        That people search for, of which compounds may consist.
    encode
        Unit vectors of texts.
    """
    shapes = [_shape(names[left], names[right], words) for left, right in frame.select("left", "right").iter_rows()]
    frame = frame.with_columns(
        shape=pl.Series(shapes, dtype=pl.String),
        term=pl.Series([names[n] for n in frame["left"]], dtype=pl.String),
        goal=pl.Series([names[n] for n in frame["right"]], dtype=pl.String),
    )
    frame = frame.filter(pl.col("shape").is_in(list(SAME_KINDS)))
    if frame.is_empty():
        return frame.with_columns(**{name: pl.lit(0.0) for name in (*FEATURES, "overlap", "ratio", "llr")})
    searched = _searched(frame, phrases)
    frame = frame.with_columns(
        llr=_llr(frame), overlap=pl.Series(_overlaps(frame, phrases)), ratio=pl.Series(searched["right"] / np.maximum(searched["left"], 1))
    )
    own = _words_of_their_own(frame, searched)
    frame = frame.with_columns(shape=pl.when(own).then(pl.lit("other")).otherwise("shape"))
    frame = frame.with_columns(**_features(frame, phrases, searched, encode))
    return _without_longer(frame.filter(~own | (pl.col("overlap").fill_nan(0.0) >= SAME_CLICKS)))


def _shape(term: str, goal: str, known: Collection[str]) -> Shape:
    """As `words.shape`; a compound of the other and another word of the site narrows it: Schuhe, Damenschuhe."""
    found = shape(term, goal)
    if found in {"abbreviation", "typo", "other"} and " " not in f"{term}{goal}":
        short, long = sorted((term, goal), key=len)
        parts = [long.removesuffix(short), long.removeprefix(short)]
        if any(len(part) >= SHORTEST_PART and part != long and part in known for part in parts):
            return "narrower" if short == term else "wider"
    return found


def _words_of_their_own(frame: pl.DataFrame, searched: Mapping[str, Floats]) -> pl.Series:
    """Which pairs look like typing errors of words that find things themselves: shirt is not skirt mistyped."""
    works = searched["left_successes"] >= ESTABLISHED * np.maximum(searched["left"], 1)
    common = searched["right"] < AS_COMMON * searched["left"]
    return (frame["shape"] == "typo") & pl.Series(works & common)


def _searched(frame: pl.DataFrame, phrases: Phrases) -> dict[str, Floats]:
    rows = {side: np.array([phrases.number[text] for text in frame[column]]) for side, column in (("left", "term"), ("right", "goal"))}
    counts = {side: phrases.searches[row] for side, row in rows.items()}
    return counts | {"left_successes": phrases.successes[rows["left"]], "left_nothing": phrases.nothing[rows["left"]]}


def _features(frame: pl.DataFrame, phrases: Phrases, searched: Mapping[str, Floats], encode: Encode) -> dict[str, Any]:
    users, of_left = _pooled(frame), frame["of_left"].to_numpy().astype(float)
    frame = frame.with_columns(users=pl.Series(users))
    overlap = frame["overlap"].to_numpy()
    weight = np.array([_weight(phrases, term, goal) for term, goal in frame.select("term", "goal").iter_rows()])
    agreement = _agreement(frame, phrases)
    letters = np.array([closeness(term, goal) for term, goal in frame.select("term", "goal").iter_rows()])
    slips = [slip_of_a_key(term, goal) or same_sound(term, goal) for term, goal in frame.select("term", "goal").iter_rows()]
    shapes = frame["shape"].to_numpy()
    typo = shapes == "typo"
    success = np.array([wilson_bounds(s, n)[0] for s, n in frame.select("successes", "attempts").iter_rows()])
    own = (searched["left_successes"] + 0.5) / (searched["left"] + 2)
    return {
        "support": np.log(users / 5),
        "concentration": np.log((users + 0.5) / (np.maximum(of_left - users, 0) + 1)),
        "lead": np.log((users + 1) / (_best_other(frame) + 1)),
        "works": success,
        "surprise": np.log1p(np.maximum(frame["llr"].to_numpy(), 0)),
        "cosine": np.where(typo, 0.0, _cosines(frame, encode)),
        "shared_clicks": np.nan_to_num(overlap * weight),
        "other_clicks": -np.nan_to_num((1 - overlap) * weight),
        "fails_by_itself": 1 - own,
        "fails_unseen": -own * (1 - weight),
        "needed": -_optional(frame),
        "commoner": np.clip(np.log(frame["ratio"].to_numpy() + 1e-3), -3, 5),
        "breadth": np.log(frame["contexts"].to_numpy()),
        "agrees_with_leader": np.nan_to_num(agreement),
        "disagrees_with_leader": -np.nan_to_num(1 - agreement),
        "inflection": np.isin(shapes, ["same", "inflection"]).astype(float),
        "abbreviation": (shapes == "abbreviation").astype(float),
        "typo": typo.astype(float),
        "letters": np.where(typo, letters - 0.9, 0.0),
        "slip": typo * np.array(slips, dtype=float),
    }


def _optional(frame: pl.DataFrame) -> Floats:
    """How often both sides are left out or added alone, as attributes are, rather than changed: 0 never, 1 always."""
    left, right = (frame[f"{side}_alone"].to_numpy().astype(float) for side in ("left", "right"))
    share: Floats = np.minimum(left / (left + frame["of_left"].to_numpy()), right / (right + frame["of_right"].to_numpy()))
    return share


def _pooled(frame: pl.DataFrame) -> Floats:
    """Users of each pair with those of all word forms of its goal: garbanzo -> chickpea and -> chickpeas are one choice."""
    keys = [(term, stems(goal)) for term, goal in frame.select("term", "goal").iter_rows()]
    sums: dict[Any, int] = {}
    for key, users in zip(keys, frame["users"].to_list(), strict=True):
        sums[key] = sums.get(key, 0) + users
    return np.asarray(np.minimum([sums[key] for key in keys], frame["of_left"].to_numpy()), dtype=float)


def _cosines(frame: pl.DataFrame, encode: Encode) -> Floats:
    texts = sorted({*frame["term"], *frame["goal"]})
    vectors = dict(zip(texts, encode(texts), strict=True))
    return np.array([float(vectors[term] @ vectors[goal]) for term, goal in frame.select("term", "goal").iter_rows()])


def _overlaps(frame: pl.DataFrame, phrases: Phrases) -> list[float]:
    return [phrases.overlap(term, goal) for term, goal in frame.select("term", "goal").iter_rows()]


def _weight(phrases: Phrases, term: str, goal: str) -> float:
    rows = [phrases.number[text] for text in (term, goal)]
    clicks = min(phrases.clicks[[row]].sum() for row in rows)
    works = min(phrases.successes[row] / max(phrases.searches[row], 1) for row in rows)
    return float(clicks / (clicks + FEW_CLICKS) * min(works / SURE_CLICKS, 1.0))


def _best_other(frame: pl.DataFrame) -> Floats:
    """Users of the best other choice from the same phrase, other than a word form."""
    rows = [(term, stems(goal), users) for term, goal, users in frame.select("term", "goal", "users").iter_rows()]
    best: dict[str, dict[tuple[str, ...], float]] = {}
    for term, goal, users in rows:
        best.setdefault(term, {})[goal] = users
    return np.array(
        [max((users for other, users in best[term].items() if other != goal), default=0) for term, goal, _ in rows], dtype=float
    )


def _agreement(frame: pl.DataFrame, phrases: Phrases) -> Floats:
    """Overlap of clicks between a pair's goal and the goal that most users of the same phrase took; NaN for that one itself."""
    leaders: dict[str, tuple[float, str]] = {}
    for term, goal, users in frame.select("term", "goal", "users").iter_rows():
        leaders[term] = max(leaders.get(term, (0.0, "")), (users, goal))
    return np.array(
        [
            np.nan if leaders[term][1] == goal else phrases.overlap(goal, leaders[term][1])
            for term, goal in frame.select("term", "goal").iter_rows()
        ]
    )


def _without_longer(frame: pl.DataFrame) -> pl.DataFrame:
    """Without pairs whose goal is the goal of a pair as well supported, and words more: couch -> red sofa beside couch -> sofa narrows."""
    goals: dict[str, list[tuple[frozenset[str], int]]] = {}
    for term, goal, users in frame.select("term", "goal", "users").iter_rows():
        goals.setdefault(term, []).append((frozenset(goal.split()), users))

    def narrows(term: str, goal: str, users: int) -> bool:
        words = frozenset(goal.split())
        return any(shorter < words and count >= users for shorter, count in goals[term])

    kept = [not narrows(*row) for row in frame.select("term", "goal", "users").iter_rows()]
    return frame.filter(pl.Series(kept, dtype=pl.Boolean))


def _llr(frame: pl.DataFrame) -> Any:
    """Dunning's G2 of each pair against independence, negative where the pair is rarer than chance."""
    a = frame["users"].to_numpy().astype(float)
    b, c = (np.maximum(frame[side].to_numpy() - a, 0) for side in ("of_left", "of_right"))
    d = np.maximum(frame["everybody"].to_numpy() - a - b - c, 1)
    n = a + b + c + d
    expected = [(a + b) * (a + c) / n, (a + b) * (b + d) / n, (c + d) * (a + c) / n, (c + d) * (b + d) / n]
    g2 = 2 * sum(xlogy(o, o / np.maximum(e, 1e-12)) for o, e in zip((a, b, c, d), expected, strict=True))
    return pl.Series(np.where(a >= expected[0], g2, -g2))
