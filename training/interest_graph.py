"""How the interest graph is trained, and judged by the topics that a user newly cares about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

import networkx as nx
import numpy as np
from matplotlib.figure import Figure

from models.base import Model
from models.interest_graph import (
    InterestGraph,
    InterestGraphConfig,
    InterestGraphEvent,
    InterestGraphPrediction,
    InterestGraphQuery,
    Recommendation,
)
from models.interest_graph.records import ACTION_WEIGHTS
from training.figures import COLOURS, GREY, line, log_log
from training.metrics import ranking_metrics
from training.recipe import Case, Gate, Predictor, Recipe, Split
from training.splits import by_time_where_known

HOLDOUT_SHARE = 0.2
K = 20
DRIFT_USERS = 200
DRIFT_DAYS = (0, 7, 14, 30, 60, 90, 180, 365)
EGO_TOPICS = 6
_ANYBODY = "the user"
"""In pictures, which cannot be made to forget a name."""
METRICS = ("recall_at_20", "ndcg_at_10")

Topics = frozenset[str]
GraphCase = Case[InterestGraphQuery, Topics]
GraphModel = Model[InterestGraphConfig, InterestGraphQuery, InterestGraphEvent, InterestGraphPrediction]


def _split(rows: Sequence[InterestGraphEvent], seed: int) -> Split[InterestGraphEvent]:
    """The latest events; of rows without a time a fifth of all user-topic pairs, chosen by a hash."""
    return by_time_where_known(rows, lambda row: row.timestamp, lambda row: (row.user_id, row.topic), HOLDOUT_SHARE, seed)


def _instant(row: InterestGraphEvent) -> datetime:
    if row.timestamp is None:
        raise ValueError("expected a row with a time")
    return row.timestamp


def _cases(split: Split[InterestGraphEvent], seed: int) -> list[GraphCase]:
    """One question per user who newly cares about a topic in the hold-out; asked as of its beginning."""
    met, liked = _topics_of(split.train, positive=False), _topics_of(split.holdout)
    actions = Counter(row.user_id for row in split.train)
    median = float(np.median(list(actions.values())))
    timed = all(row.timestamp is not None for row in split.holdout)
    as_of = min(map(_instant, split.holdout)) - timedelta(microseconds=1) if timed else None
    truths = {user: frozenset(topics - met.get(user, set())) for user, topics in sorted(liked.items())}
    return [
        Case(InterestGraphQuery(user_id=user, k=K, as_of=as_of), truth, {"history": _history(actions[user], median)})
        for user, truth in truths.items()
        if truth
    ]


def _history(actions: int, median: float) -> str:
    if not actions:
        return "unknown user"
    return "light user" if actions <= median else "heavy user"


def _topics_of(rows: Sequence[InterestGraphEvent], *, positive: bool = True) -> dict[str, set[str]]:
    """Topics by user; if `positive`, only those whose actions sum up to more than nothing. An action of one's own counts as a view."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for row in rows:
        sums[row.user_id, row.topic] += ACTION_WEIGHTS.get(row.action, 1.0) * row.weight
    topics: dict[str, set[str]] = defaultdict(set)
    for (user, topic), total in sums.items():
        if total > 0 or not positive:
            topics[user].add(topic)
    return dict(topics)


def _evaluate(predictions: Sequence[InterestGraphPrediction], cases: Sequence[GraphCase]) -> dict[str, float]:
    rankings = [[recommendation.topic for recommendation in prediction.recommendations] for prediction in predictions]
    return ranking_metrics(rankings, [case.truth for case in cases], METRICS)


def _baseline(train: Sequence[InterestGraphEvent]) -> Predictor[InterestGraphQuery, InterestGraphPrediction]:
    """The topics that most users like, without those that the user has met."""
    met = _topics_of(train, positive=False)
    users = Counter(topic for topics in _topics_of(train).values() for topic in topics)
    ranking = sorted(users, key=lambda topic: (-users[topic], topic))

    def answer(query: InterestGraphQuery) -> InterestGraphPrediction:
        mine = met.get(query.user_id, set())
        best = [topic for topic in ranking[: query.k + len(mine)] if topic not in mine][: query.k]
        return InterestGraphPrediction(
            user_id=query.user_id,
            known=query.user_id in met,
            as_of=query.as_of,
            interests=[],
            rejected=[],
            recommendations=[Recommendation(topic=topic, score=float(users[topic]), because=[]) for topic in best],
        )

    return lambda queries: [answer(query) for query in queries]


def _figures(model: GraphModel, predictions: Sequence[InterestGraphPrediction], cases: Sequence[GraphCase]) -> Mapping[str, Figure]:
    graph = cast(InterestGraph, model)
    edges = graph.edges()
    degrees = {"topics of a user": np.bincount(edges.user), "users of a topic": np.bincount(edges.topic)}
    figures = {
        "degrees": log_log(degrees, "Degrees of the graph", "neighbours"),
        "weights": log_log({"edges": edges.weight[edges.weight > 0]}, "Weights of the edges, at the newest event", "weight in views"),
        "ego_graph": _ego_graph(max(predictions, key=_shown_paths)),
    }
    asked = [case.query for case in cases[:DRIFT_USERS]]
    if asked[0].as_of is not None:
        figures["drift"] = line(
            {"mean over users": _drift(graph, asked)}, "How fast interests drift", "days ago", "cosine to the interests of today"
        )
    return figures


def _shown_paths(prediction: InterestGraphPrediction) -> int:
    return sum(len(recommendation.because) for recommendation in prediction.recommendations[:EGO_TOPICS])


def _drift(graph: InterestGraph, queries: Sequence[InterestGraphQuery]) -> dict[float, float]:
    """Mean similarity of users' interests to their own some days earlier, by the number of days; of those who had any."""
    drift = {}
    for days in DRIFT_DAYS:
        then = [query.model_copy(update={"as_of": query.as_of - timedelta(days=days)}) for query in queries if query.as_of]
        pairs = zip(graph.predict(queries), graph.predict(then), strict=True)
        similar = [_cosine(now, before) for now, before in pairs if now.interests and before.interests]
        if similar:
            drift[float(days)] = float(np.mean(similar))
    return drift


def _cosine(one: InterestGraphPrediction, two: InterestGraphPrediction) -> float:
    a, b = ({interest.topic: interest.weight for interest in answer.interests} for answer in (one, two))
    shared = sum(weight * b[topic] for topic, weight in a.items() if topic in b)
    return shared / float(np.linalg.norm(list(a.values())) * np.linalg.norm(list(b.values())))


def _ego_graph(prediction: InterestGraphPrediction) -> Figure:
    """One user, their greatest interests, and the recommendations that follow from them."""
    graph = nx.DiGraph()
    for interest in prediction.interests[:EGO_TOPICS]:
        graph.add_edge(_ANYBODY, interest.topic, weight=interest.share)
    for recommendation in prediction.recommendations[:EGO_TOPICS]:
        for reason in recommendation.because:
            graph.add_edge(_ANYBODY, reason.topic)
            graph.add_edge(reason.topic, recommendation.topic, weight=reason.share)
    layers = {name: len(nx.shortest_path(graph, _ANYBODY, name)) for name in graph}
    nx.set_node_attributes(graph, layers, "layer")
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    widths = [0.5 + 4 * attributes.get("weight", 0.0) for _, _, attributes in graph.edges(data=True)]
    colours = [COLOURS[layers[name] % len(COLOURS)] for name in graph]
    places = nx.multipartite_layout(graph, subset_key="layer")
    nx.draw_networkx(graph, places, ax=axes, width=widths, node_color=colours, node_size=300, font_size=8, edge_color=GREY)
    axes.set_title("One user's interests, and where they lead", loc="left", fontsize=11)
    axes.axis("off")
    return figure


RECIPE = Recipe(
    slug="interest_graph",
    split=_split,
    split_protects=(
        "Rows with times are split at one instant, so the model never learns from the future; of rows without a fifth of all user-topic "
        "pairs is withheld, chosen by a hash of the pair, so that no pair is on both sides."
    ),
    cases=_cases,
    evaluate=_evaluate,
    baseline=_baseline,
    baseline_name="the topics that most users like, without those that the user has met",
    primary="ndcg_at_10",
    gates=(Gate("recall_at_20", at_least=0.02),),
    figures=_figures,
    limits="""
- Recommendations are judged by topics that users took up by themselves; whether showing them causes interest only an experiment tells.
- A topic that came after the training is known as an interest and as popular, but no path leads to it before the next training.
- The past (`as_of`) is known by whole days, and relations between topics are those of the last training.
- Do not use it to infer health, religion, politics or other sensitive matters from what somebody read; leave such topics out of the data.
""",
)
