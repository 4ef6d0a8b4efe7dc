"""Topics withheld from users: who finds them? Beside what else one would use, on tables of user, item and weight.

Of every user's items a fifth is withheld. All systems learn from the same rest, in one configuration for all tables, chosen
once on a part of the rest of Last.FM and never on what is withheld. Items that a user has in the rest are not counted for anybody.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.interest_graph import InterestGraph, InterestGraphEvent, InterestGraphQuery
from models.rows import read_rows
from training.metrics import ranking_metrics

DATA = "interest_graph"

SHARE, K, SEED = 0.2, 20, 0
NEIGHBOURS = 200
RP3_BETA = 0.3
IALS_FACTORS, IALS_RIDGE, IALS_ALPHA, IALS_SWEEPS = 64, 30.0, 10.0, 12
EASE_RIDGE = 150.0
EASE_MOST_ITEMS = 25_000
"""EASE inverts a dense items x items matrix; beyond this it does not fit into the memory of a small machine."""

Scores = NDArray[np.float32]
Matrix = Any
Scorer = Callable[[Matrix], Scores]
Events = list[InterestGraphEvent]


def run(data: Path) -> list[dict[str, object]]:
    """One row per system and table."""
    return [row for path in sorted(data.rglob("*")) if (mapping := _columns(path)) for row in _table(path, mapping)]


def _columns(path: Path) -> Mapping[str, str] | None:
    """Where user, item and weight are in a table; ``None`` if it is no such table."""
    if path.suffix not in {".dat", ".csv", ".tsv"}:
        return None
    with path.open(encoding="utf-8", errors="replace") as file:
        first, second = ([cell.strip() for cell in file.readline().replace(",", "\t").split("\t")] for _ in range(2))
    if len(first) != 3 or len(second) != 3 or not _is_number(second[2]):
        return None
    names = ("1", "2", "3") if _is_number(first[2]) else first
    return dict(zip(("user_id", "topic", "weight"), names, strict=True))


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).isdigit()


def _table(path: Path, mapping: Mapping[str, str]) -> Iterator[dict[str, object]]:
    train, holdout = _withhold(list(read_rows(path, InterestGraphEvent, mapping)))
    truth: dict[str, set[str]] = defaultdict(set)
    for event in holdout:
        truth[event.user_id].add(event.topic)
    yield {"system": "foretell", "data": path.name, **_foretell(train, holdout, truth)}
    for name, learn in (("popularity", _popularity), ("item_knn", _item_knn), ("rp3beta", _rp3beta), ("ials", _ials), ("ease", _ease)):
        if name != "ease" or len({event.topic for event in train}) <= EASE_MOST_ITEMS:
            yield {"system": name, "data": path.name, **_peer(learn, train, truth)}


def _withhold(events: Events) -> tuple[Events, Events]:
    """A fifth of every user's rows, at random."""
    rng = np.random.default_rng(SEED)
    by_user: dict[str, Events] = defaultdict(list)
    for event in events:
        by_user[event.user_id].append(event)
    train, holdout = [], []
    for rows in by_user.values():
        order = rng.permutation(len(rows))
        cut = round(len(rows) * SHARE)
        holdout += [rows[place] for place in order[:cut]]
        train += [rows[place] for place in order[cut:]]
    return train, holdout


def _foretell(train: Events, holdout: Events, truth: Mapping[str, set[str]]) -> dict[str, object]:
    began = time.perf_counter()
    model = InterestGraph().fit(train)
    fitted = time.perf_counter()
    rankings, latencies = [], []
    for user in truth:
        asked = time.perf_counter()
        (answer,) = model.predict([InterestGraphQuery(user_id=user, k=K)])
        latencies.append(time.perf_counter() - asked)
        rankings.append([recommendation.topic for recommendation in answer.recommendations])
    return {
        **_judge(rankings, truth),
        "fit_seconds": round(fitted - began, 2),
        "predict_p50_ms": round(1e3 * float(np.median(latencies)), 3),
        "predict_p99_ms": round(1e3 * float(np.quantile(latencies, 0.99)), 3),
        "updates_per_second": {str(size): _update_rate(model, holdout[:5000], size) for size in (1, 100, 5000)},
    }


def _update_rate(model: InterestGraph, events: Events, batch: int) -> int:
    began = time.perf_counter()
    for start in range(0, len(events), batch):
        model.update(events[start : start + batch])
    return round(len(events) / (time.perf_counter() - began))


def _judge(rankings: Sequence[Sequence[str]], truth: Mapping[str, set[str]]) -> dict[str, object]:
    metrics = ranking_metrics(rankings, list(truth.values()), ("recall_at_20", "ndcg_at_10"))
    return {name: round(value, 4) for name, value in metrics.items()}


def _peer(learn: Callable[[Matrix], Scorer], train: Events, truth: Mapping[str, set[str]]) -> dict[str, object]:
    users = {user: number for number, user in enumerate(dict.fromkeys(event.user_id for event in train))}
    items = {item: number for number, item in enumerate(sorted({event.topic for event in train}))}
    cells = [users[event.user_id] for event in train], [items[event.topic] for event in train]
    known = sparse.csr_array((np.ones(len(train), dtype=np.float32), cells), shape=(len(users), len(items)))
    known.data[:] = 1.0
    began = time.perf_counter()
    score = learn(known)
    fitted = time.perf_counter()
    asked = known[[users[user] for user in truth]]
    scores = score(asked)
    scores[asked.nonzero()] = -np.inf
    names = np.array(list(items))
    rankings = [names[_top(row)].tolist() for row in scores]
    ms = 1e3 * (time.perf_counter() - fitted) / len(truth)
    return {**_judge(rankings, truth), "fit_seconds": round(fitted - began, 2), "predict_ms_in_one_batch": round(ms, 3)}


def _top(row: Scores) -> NDArray[np.int64]:
    best = np.argpartition(-row, min(K, len(row) - 1))[:K]
    return best[np.argsort(-row[best], kind="stable")]


def _popularity(known: Matrix) -> Scorer:
    counts = known.sum(axis=0)
    return lambda asked: np.tile(counts, (asked.shape[0], 1))


def _item_knn(known: Matrix) -> Scorer:
    """Cosine between items, the nearest `NEIGHBOURS` of each (Sarwar et al. 2001)."""
    norms = np.sqrt(known.sum(axis=0))
    unit = known @ sparse.diags_array(1 / norms)
    similar = _nearest((unit.T @ unit).tocsr())
    return lambda asked: (asked @ similar.T).toarray()


def _rp3beta(known: Matrix) -> Scorer:
    """Walks item -> user -> item, divided by the target's popularity (Paudel et al. 2017)."""
    popularity, activity = known.sum(axis=0), known.sum(axis=1)
    walk = sparse.diags_array(1 / popularity) @ known.T @ sparse.diags_array(1 / activity) @ known
    similar = _nearest((walk @ sparse.diags_array(popularity**-RP3_BETA)).tocsr())
    return lambda asked: (asked @ similar).toarray()


def _nearest(similar: Matrix) -> Matrix:
    """The greatest `NEIGHBOURS` of each row, without the diagonal."""
    similar.setdiag(0)
    for begin, end in zip(similar.indptr, similar.indptr[1:], strict=False):
        if end - begin > NEIGHBOURS:
            row = similar.data[begin:end]
            row[np.argpartition(row, -NEIGHBOURS)[:-NEIGHBOURS]] = 0
    similar.eliminate_zeros()
    return similar


def _ials(known: Matrix) -> Scorer:
    """Factors of users and items by alternating least squares with implicit feedback (Hu, Koren and Volinsky 2008)."""
    rng = np.random.default_rng(SEED)
    items = rng.normal(0, 0.1 / np.sqrt(IALS_FACTORS), (known.shape[1], IALS_FACTORS)).astype(np.float32)
    of_items = known.T.tocsr()
    for _ in range(IALS_SWEEPS):
        items = _factors(of_items, _factors(known, items))
    return lambda asked: _factors(asked, items) @ items.T


def _factors(known: Matrix, others: Scores) -> Scores:
    """The factors of each row of `known`, given those of its columns."""
    gram = others.T @ others + IALS_RIDGE * np.eye(IALS_FACTORS, dtype=np.float32)
    solved = np.empty((known.shape[0], IALS_FACTORS), dtype=np.float32)
    for row, (begin, end) in enumerate(zip(known.indptr, known.indptr[1:], strict=False)):
        seen = others[known.indices[begin:end]]
        solved[row] = np.linalg.solve(gram + IALS_ALPHA * (seen.T @ seen), (1 + IALS_ALPHA) * seen.sum(axis=0))
    return solved


def _ease(known: Matrix) -> Scorer:
    """Steck (2019), in closed form, over all items; through the users' side when there are fewer of them, which is the same."""
    users, items = known.shape
    if users < items:
        dense = known.toarray()
        inner = np.linalg.inv((known @ known.T).toarray() + EASE_RIDGE * np.eye(users)).astype(np.float32) @ dense
        diagonal = 1 - np.einsum("ui,ui->i", dense, inner)
        return lambda asked: ((asked @ known.T) @ inner) / diagonal + asked.toarray() * (1 - 1 / diagonal)
    precision = np.linalg.inv((known.T @ known).toarray() + EASE_RIDGE * np.eye(items, dtype=np.float32))
    weights = -precision / np.diag(precision)
    np.fill_diagonal(weights, 0)
    return lambda asked: asked @ weights
