r"""Say what a user is interested in now, and what might come next.

A graph of users and topics. Each action adds its weight to the edge between its user and its topic (a view little, a like more, a hide
takes away), and every weight halves per half-life, so that the graph forgets what a user has stopped doing: what counts is the sum

.. math:: w_{ut}(\tau) = \sum_i a_i \, 2^{-(\tau - \tau_i) / h}

over the actions of user u on topic t until the instant asked about. Recommendations follow paths user -> topic -> users who care about
both -> new topic; their strength is learned by a ridge regression between topics, and each recommendation shows its paths.

The model goes on learning: `InterestGraph.update` changes interests at once, and relations between topics at the next `fit`. The sums
are exact, so the order and the batches in which events arrive make no difference.

When not to trust it. A topic that came after the last training is known as an interest and as popular, but no path leads to it yet. Topics
with a few users have few and chancy relations. ``as_of`` in the past knows whole days only: a day of a user's topic that went on after it
is left out; relations and popularity are always those of the last training and of the newest event, so the past is not free of
hindsight unless the model was trained on it. Accounts that several people share have the interests of all of them. What
somebody does is not all that they care about, and a recommendation that is followed strengthens its own path.

References
----------
Ding and Li (2005), "Time weight collaborative filtering", CIKM: exponential decay by half-life.
Steck (2019), "Embarrassingly shallow autoencoders for sparse data", WWW: the ridge regression between items, EASE.
Paudel, Christoffel, Newell and Bernstein (2017), "Updatable, accurate, diverse, and scalable recommendations for interactive
applications", ACM TiiS 7(1): walks user -> item -> user -> item with popularity correction, RP3beta.
Halko, Martinsson and Tropp (2011), "Finding structure with randomness", SIAM Review 53(2): the singular vectors.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy import sparse

from models.base import Contract, OnlineModel, Question
from models.errors import InputError
from models.interest_graph.export import to_networkx
from models.interest_graph.ledger import TIMELESS, Edges, Ints, Ledger, to_datetime, to_microseconds
from models.interest_graph.names import Names, sorted_by_name
from models.interest_graph.ranking import recommend, strongest
from models.interest_graph.records import (
    InterestGraphConfig,
    InterestGraphEvent,
    InterestGraphPrediction,
    InterestGraphQuery,
    RelatedQuery,
    RelatedTopic,
    RelatedTopics,
)
from models.interest_graph.relations import Relations

if TYPE_CHECKING:
    import networkx as nx

CHUNK = 65_536
"""Events that `fit` reads at a time."""

POPULARITY_UNIT = 2.0**-20
POPULARITY_SPAN = (-40.0, 20.0)
"""Half-lives before and after the last training between which popularity is told apart; keeps the integers from overflowing."""


class InterestGraph(OnlineModel[InterestGraphConfig, InterestGraphQuery, InterestGraphEvent, InterestGraphPrediction]):
    """A graph of users and topics that learns from every event.

    Attributes
    ----------
    newest_
        The newest event seen, in microseconds since 1970: what ``as_of`` is if a query has none, and a watermark for replays.
    relations_
        Topic -> topic edges as of the last `fit`.
    """

    newest_: int
    relations_: Relations
    _popularity: Ints

    contract: ClassVar = Contract(
        slug="interest_graph",
        config=InterestGraphConfig,
        query=InterestGraphQuery,
        example=InterestGraphEvent,
        prediction=InterestGraphPrediction,
        event=InterestGraphEvent,
        questions=(Question("related", RelatedQuery, RelatedTopics),),
    )

    def fit(self, examples: Iterable[InterestGraphEvent]) -> Self:
        """Build the graph and relate its topics; forget what was learned before.

        An action without a weight is refused: ignored, a misspelt ``hide`` would go unnoticed; guessed, it would count as its opposite.

        Raises
        ------
        InputError
            If there is no example, or one has an action without a weight.
        """
        users, topics = Names(), Names()
        ledgers = [self._ledger(chunk, number, users, topics) for number, chunk in _chunks(examples)]
        if not ledgers:
            raise InputError("expected at least one event to learn interests from, got none")
        ledger = Ledger.merged(ledgers)
        timed = ledger.day[ledger.day != TIMELESS]
        self._adopt(*sorted_by_name(ledger, users, topics), int(timed.max(initial=0)))
        self.relations_ = self._relate()
        return self

    def update(self, events: Iterable[InterestGraphEvent]) -> Self:
        """Add events to the graph; interests follow at once, relations between topics at the next `fit`.

        The same event given twice counts twice: who stores the events drops duplicates.

        Raises
        ------
        InputError
            If an event has an action without a weight; nothing is learned then.
        """
        self._require_fitted()
        batch = list(events)
        if not batch:
            return self
        new = self._ledger(batch, 1, self._users, self._topics)
        touched = np.unique(new.user).tolist()
        held = Ledger.joined([self._rows_of(user) for user in touched])
        merged = Ledger.merged([held, new])
        self._popularity = self._counted(self._popularity, merged, held)
        bounds = [*np.searchsorted(merged.user, touched).tolist(), len(merged)]
        self.newest_ = max(self.newest_, int(new.newest.max()))  # before the rows: no reader may take what is new for the future
        for user, (begin, end) in zip(touched, itertools.pairwise(bounds), strict=True):
            self._recent[user] = Ledger.joined([merged.rows(slice(begin, end))])  # a copy: a view would keep the whole batch alive
        return self

    def refusal(self, event: InterestGraphEvent) -> str | None:
        """Whether the event's action has no weight."""
        return None if event.action in self.config.action_weights else self._unknown_action(repr(event.action))

    def forget(self, subject: str) -> Self:
        """Drop a user, and the topics that nobody else has met.

        Of a user who came after the last `fit` nothing remains: the graph is what it would be without their events. Of others, the
        relations between topics that remain are sums over all users, without names; they stay until the next `fit`.
        """
        self._require_fitted()
        number = self._users.numbers.get(subject.strip())
        if number is None:
            return self
        ledger = self._whole()
        ledger = ledger.rows(ledger.user != number)
        users, user_numbers = self._users.only(np.arange(len(self._users)) != number)
        met = np.zeros(len(self._topics), dtype=bool)
        met[ledger.topic] = True
        self.relations_ = self.relations_.only(met[: len(self.relations_)])
        topics, topic_numbers = self._topics.only(met)
        self._adopt(replace(ledger, user=user_numbers[ledger.user], topic=topic_numbers[ledger.topic]), users, topics, self._reference_day)
        return self

    def predict(self, queries: Sequence[InterestGraphQuery]) -> list[InterestGraphPrediction]:
        """Interests and recommendations of each user; a user nobody has seen by then gets popular topics."""
        self._require_fitted()
        return [self._answer(query) for query in queries]

    def related(self, request: RelatedQuery) -> RelatedTopics:
        """Say which topics go with a topic: what the people who care about it care about besides.

        Relations are those of the last training; a topic that nobody had met by then is not known.
        """
        self._require_fitted()
        number, relations, names = self._topics.numbers.get(request.topic, len(self.relations_)), self.relations_, self._topics.names
        if number >= len(relations):
            return RelatedTopics(topic=request.topic, known=False, related=[])
        edges, _ = relations.leaving(np.array([number]))
        # Rounded, so that ties are ties on every machine: BLAS adds in another order on each.
        best = edges[np.argsort(-relations.strength[edges].round(4), kind="stable")][: request.k].tolist()
        return RelatedTopics(
            topic=request.topic,
            known=True,
            related=[
                RelatedTopic(topic=names[relations.topic[edge]], strength=float(relations.strength[edge]), users=int(relations.users[edge]))
                for edge in best
            ],
        )

    def edges(self, as_of: datetime | None = None) -> Edges:
        """All edges from users to topics at an instant, as arrays; `None` stands for the newest event seen."""
        self._require_fitted()
        at = self.newest_ if as_of is None else to_microseconds(as_of)
        return self._whole().until(at).edges(at, self.config.half_life_days)

    def to_networkx(self, as_of: datetime | None = None) -> nx.DiGraph:
        """The graph at an instant as networkx sees it: users -> topics, and topics -> related topics.

        Nodes are ``user:<id>`` and ``topic:<name>`` with the attributes ``kind`` and ``name``; edges have ``weight``, those of users also
        ``actions`` and ``last_at`` (text, as GraphML knows no times), those between topics ``users``. ``networkx.write_graphml`` takes it
        as it is. Meant for thousands of nodes: networkx needs about a kilobyte for each edge.

        Parameters
        ----------
        as_of
            With a time zone. ``None``: the newest event seen.
        """
        return to_networkx(self.edges(as_of), self._users.names, self._topics.names, self.relations_)

    def _ledger(self, events: Sequence[InterestGraphEvent], number: int, users: Names, topics: Names) -> Ledger:
        """Rows of some events, the first of which is the `number`-th; names are numbered only if every action is known."""
        weight = np.array([self._weight(event, place) for place, event in enumerate(events, start=number)])
        user = np.array([users.number(event.user_id) for event in events], dtype=np.int64)
        topic = np.array([topics.number(event.topic) for event in events], dtype=np.int64)
        at = np.array([to_microseconds(event.timestamp) for event in events], dtype=np.int64)
        return Ledger.of_events(user, topic, at, weight, self.config.half_life_days)

    def _weight(self, event: InterestGraphEvent, place: int) -> float:
        weight = self.config.action_weights.get(event.action)
        if weight is None:
            raise InputError(self._unknown_action(f"{event.action!r} in event {place}"))
        return weight * event.weight

    def _unknown_action(self, got: str) -> str:
        return f"expected one of the actions {', '.join(self.config.action_weights)}, got {got}: give it a weight in action_weights"

    def _adopt(self, ledger: Ledger, users: Names, topics: Names, reference_day: int) -> None:
        """Take a ledger as the state; `reference_day` is the day whose events count once in the popularity of topics."""
        self._users, self._topics = users, topics
        self._base, self._recent = ledger, dict[int, Ledger]()
        self._starts = np.searchsorted(ledger.user, np.arange(len(users) + 1))
        self._reference_day = reference_day
        self._popularity = self._counted(np.empty(0, dtype=np.int64), ledger, Ledger.empty())
        self.newest_ = int(ledger.newest.max(initial=TIMELESS))

    def _relate(self) -> Relations:
        """Topics that share users, each user taken as of their own last event."""
        newest = np.maximum.reduceat(self._base.newest, self._starts[:-1])
        edges = self._base.edges(newest[self._base.user], self.config.half_life_days)
        interest = edges.damped()
        liked = interest > 0
        shape = len(self._users), len(self._topics)
        interests = sparse.csr_array((interest[liked].astype(np.float32), (edges.user[liked], edges.topic[liked])), shape=shape)
        config = self.config
        return Relations.learn(interests, rank=config.rank, ridge=config.ridge, neighbours=config.neighbours, seed=config.seed)

    def _counted(self, popularity: Ints, added: Ledger, removed: Ledger) -> Ints:
        """Popularity by topic with rows added and removed: active days of users, half as many per half-life of age."""
        rows = Ledger.joined([added, removed])
        age = np.where(rows.day == TIMELESS, 0, self._reference_day - rows.day)
        halvings = np.clip(age / self.config.half_life_days, *POPULARITY_SPAN)
        active = np.where(rows.units > 0, np.rint(np.exp2(-halvings) / POPULARITY_UNIT), 0.0).astype(np.int64)
        active[len(added) :] *= -1
        counted = np.zeros(len(self._topics), dtype=np.int64)
        counted[: len(popularity)] = popularity
        np.add.at(counted, rows.topic, active)
        return counted

    def _rows_of(self, user: int) -> Ledger:
        recent = self._recent.get(user)
        if recent is not None:
            return recent
        known = user < len(self._starts) - 1
        return self._base.rows(slice(self._starts[user], self._starts[user + 1]) if known else slice(0))

    def _whole(self) -> Ledger:
        touched = np.zeros(len(self._users), dtype=bool)
        touched[list(self._recent)] = True
        return Ledger.merged([self._base.rows(~touched[self._base.user]), *(self._recent[user] for user in sorted(self._recent))])

    def _answer(self, query: InterestGraphQuery) -> InterestGraphPrediction:
        user = self._users.numbers.get(query.user_id)
        held = self._base.rows(slice(0)) if user is None else self._rows_of(user)
        as_of = self.newest_ if query.as_of is None else to_microseconds(query.as_of)  # after the rows, see update
        rows = held.until(as_of)
        edges = rows.edges(as_of, self.config.half_life_days)
        return InterestGraphPrediction(
            user_id=query.user_id,
            known=len(rows) > 0,
            as_of=to_datetime(as_of),
            interests=strongest(edges, 1, self._topics.names, query.k),
            rejected=strongest(edges, -1, self._topics.names, query.k),
            recommendations=recommend(edges, self.relations_, self._popularity, self._topics.names, query.k),
        )

    def _state(self) -> dict[str, Any]:
        related = len(self.relations_)
        ledger, users, topics = sorted_by_name(self._whole(), self._users, self._topics, related)
        return {
            "names.json": {"users": users.names, "topics": topics.names, "reference_day": self._reference_day},
            "ledger.npz": asdict(ledger),
            "relations.npz": asdict(self.relations_),
        }

    def _restore(self, parts: Mapping[str, Any]) -> None:
        names = parts["names.json"]
        self.relations_ = Relations(**parts["relations.npz"])
        self._adopt(Ledger(**parts["ledger.npz"]), Names(names["users"]), Names(names["topics"]), names["reference_day"])


def _chunks(examples: Iterable[InterestGraphEvent]) -> Iterator[tuple[int, list[InterestGraphEvent]]]:
    """Lists of events, each with the number of its first event, counted from 1."""
    rest = iter(examples)
    for number in itertools.count(1, CHUNK):
        chunk = list(itertools.islice(rest, CHUNK))
        if not chunk:
            return
        yield number, chunk
