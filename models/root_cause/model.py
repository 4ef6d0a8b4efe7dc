"""The model of root cause: which service started an incident, and why.

Log lines become templates; a window of them is compared with normal time, service by service: unusual rates, messages never seen
before, more errors, a step that no longer follows another in a request, slow steps, silence. Each kind of evidence is made comparable
by its distribution over pseudo-windows of normal time, then added. A caller's evidence that a callee explains is taken off it, so that
a symptom is not called a cause for being loud. What remains is turned into probabilities that hold on faults planted into normal time.

When not to trust it: when normal time is a few minutes while traffic changes by the hour; when the faulty service writes no logs and
no trace ids show who waited for it; when the fault was there in normal time already. The probability of a kind of fault that was
never planted is a guess.

References
----------
Yu et al. (2023), Nezha: interpretable fine-grained root causes analysis for microservices on multi-modal observability data.
Campello, Moulavi and Sander (2013), HDBSCAN, for the kinds of messages.
Fisher (1925), Statistical methods for research workers, §21.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

import numpy as np

from models.base import ENCODER, Contract, Model, Part, Question, View
from models.encoder import Encoder, default_encoder
from models.errors import InputError
from models.root_cause.answer import answer, nothing_to_say
from models.root_cause.calibration import Calibration, raw_of
from models.root_cause.calls import regular
from models.root_cause.change import Tally, compare, tally
from models.root_cause.cluster_map import ClusterMapRequest, draw_cluster_map
from models.root_cause.clusters import Clusters, Embedding, cluster, novelty
from models.root_cause.drawing import draw_timeline
from models.root_cause.findings import Findings
from models.root_cause.learning import Normal, learn
from models.root_cause.phrases import key_phrases
from models.root_cause.sample import Sample, read_normal
from models.root_cause.templates import Templates, bounded
from models.root_cause.types import RootCauseConfig, RootCauseExample, RootCauseOutcome, RootCausePrediction, RootCauseQuery
from models.root_cause.verdict import UNSURE, Judgement, changed, explain, onsets
from models.root_cause.window import MICROSECONDS, Array, Columns, Symbols, Window, columns

SEARCHED_BEFORE_SECONDS = 120
"""When a start is given, lines up to this long before it are searched: users notice late."""

FLAGGED_Z = 4.0
"""Standard errors beyond which single lines are marked as unusual, to date the onset."""


class RootCause(Model[RootCauseConfig, RootCauseQuery, RootCauseExample, RootCausePrediction]):
    r"""Suspects for an incident, from log lines.

    The total evidence against a service is :math:`\sum_k -\ln p_k`, with :math:`p_k` the tail probability of evidence of kind k in
    pseudo-windows of normal time (Fisher's method, its terms dependent, so the total is calibrated again).
    """

    contract = Contract(
        slug="root_cause",
        config=RootCauseConfig,
        query=RootCauseQuery,
        example=RootCauseExample,
        prediction=RootCausePrediction,
        outcome=RootCauseOutcome,
        questions=(Question("cluster_map", ClusterMapRequest, "image/svg+xml"),),
        views=(View("timeline.svg", "image/svg+xml", draw_timeline),),
    )

    def fit(self, examples: Iterable[RootCauseExample]) -> Self:
        """Learn what is normal from lines that belong to no incident."""
        sample = read_normal(examples, self.config.block_seconds, Sample(self.config.max_normal_lines, self.config.seed))
        if not sample.lines_read:
            raise InputError("expected log lines of normal operation, got none: give rows that belong to no incident")
        normal = sample.columns()
        rng = np.random.default_rng(self.config.seed)
        self.encoder_: Encoder = default_encoder()
        self.templates_ = Templates.mine(bounded(Counter(normal.messages), self.config.max_templates))
        pairs = list(zip(normal.services, self.templates_.assign(normal.messages), strict=True))
        self.symbols_ = Symbols().extended(pairs)
        self.texts_ = sorted({template for _, template in self.symbols_.pairs})
        self.clusters_: Clusters = cluster(self.encoder_.encode(self.texts_), self.config.min_cluster_size)
        window = _window(normal, pairs, self.symbols_)
        service_of, n_services = self.symbols_.service_of(), len(self.symbols_.services)
        self.normal_: Tally = tally(window, service_of, n_services)
        planted = np.concatenate([service_of, np.arange(n_services)])
        uniqueness = np.concatenate([self._uniqueness(), np.ones(n_services)])
        mentions = np.pad(self.symbols_.mentions(), ((0, n_services), (0, 0)))
        lone = Normal(window, planted, n_services, uniqueness, mentions)
        self.calibration_, self.judgements_ = learn(lone, self.config.n_draws, self.config.false_alarm_rate, rng)
        return self

    def _uniqueness(self) -> Array:
        """How new each symbol of normal time would be to its service without it."""
        vectors = self._embedding().of([template for _, template in self.symbols_.pairs])
        result = np.ones(len(self.symbols_))
        for symbol in range(len(self.symbols_)):
            others = np.ones(len(self.symbols_), dtype=bool)
            others[symbol] = False
            result[symbol] = novelty(self.symbols_, vectors, others, self.config.same_kind_cosine)[symbol]
        return result

    def _embedding(self) -> Embedding:
        return Embedding(self.encoder_, {text: row for row, text in enumerate(self.texts_)}, self.clusters_.vectors)

    def predict(self, queries: Sequence[RootCauseQuery]) -> list[RootCausePrediction]:
        """Rank the suspects of each window."""
        self._require_fitted()
        return [self._predict(query) for query in queries]

    def _predict(self, query: RootCauseQuery) -> RootCausePrediction:
        seen = _searched(columns(query.lines, self.config.block_seconds), query)
        if not len(seen[0].at):
            return nothing_to_say()
        return answer(self._findings(query, *seen), query, self.config.max_suspects)

    def _findings(self, query: RootCauseQuery, seen: Columns, line: Array) -> Findings:
        """Everything that an answer is worded from."""
        pairs = list(zip(seen.services, self.templates_.assign(seen.messages), strict=True))
        symbols = self.symbols_.extended(pairs)
        service_of, n_services = symbols.service_of(), len(symbols.services)
        window = _window(seen, pairs, symbols)
        vectors = self._embedding().of([template for _, template in symbols.pairs])
        normal = _widened(self.normal_, service_of, n_services)
        known = normal.units_of_symbol > 0
        counted = tally(window, service_of, n_services)
        mentions = symbols.mentions()
        change = compare(normal, counted, novelty(symbols, vectors, known, self.config.same_kind_cosine), mentions)
        surprise = self.calibration_.surprise(raw_of(change), window.n_units)
        flagged = _flagged(window, change, known, service_of)
        onset = onsets(window, flagged, service_of, n_services)
        calls = regular(_calls(query, normal.calls + counted.calls, symbols)) | change.accuses
        left, blamed = explain(surprise, calls, onset / MICROSECONDS)
        place = {service: number for number, service in enumerate(symbols.services)}
        told = [(place[change.service], change.at.timestamp()) for change in query.changes if change.service in place]
        left = left + changed(told, left, onset / MICROSECONDS, window.at.max() / MICROSECONDS)
        judgement = self._judgement(window.n_units)
        return Findings(
            symbols=symbols,
            window=window,
            line=line[window.line],
            normal=normal,
            counted=counted,
            change=change,
            surprise=surprise,
            left=left,
            blamed=blamed,
            flagged=flagged,
            onset=onset,
            probabilities=judgement.probabilities(left),
            threshold=judgement.threshold,
            mentions=mentions,
            kind=self._kinds(symbols, vectors),
            kind_names=self.kind_names(),
        )

    def cluster_map(self, request: ClusterMapRequest) -> str:
        """The kinds of messages in normal time as a map: similar templates lie together, the largest clusters in colour and named."""
        self._require_fitted()
        template = {text: number for number, text in enumerate(self.texts_)}
        lines = np.zeros(len(self.texts_))
        np.add.at(lines, [template[text] for _, text in self.symbols_.pairs], self.normal_.lines_of_symbol)
        return draw_cluster_map(self.clusters_.vectors, self.clusters_.labels, self.kind_names(), lines, request.named)

    def kind_names(self) -> dict[int, str]:
        """What the clusters of templates are called: what most of their templates say, and few others."""
        labels = range(int(self.clusters_.labels.max(initial=-1)) + 1)
        members = [[self.texts_[row] for row in np.flatnonzero(self.clusters_.labels == label)] for label in labels]
        return dict(zip(labels, key_phrases(members), strict=True))

    def _judgement(self, n_units: int) -> Judgement:
        return self.judgements_[self.calibration_.rung(n_units)] if self.calibration_.covers(n_units) else UNSURE

    def _kinds(self, symbols: Symbols, vectors: Array) -> Array:
        """Cluster of each symbol."""
        row = {text: number for number, text in enumerate(self.texts_)}
        known = np.array([row.get(template, -1) for _, template in symbols.pairs])
        return np.where(known >= 0, self.clusters_.labels[known], self.clusters_.assign(vectors, self.config.same_kind_cosine))

    def _state(self) -> dict[str, Part]:
        return {
            "templates.json": [list(pattern) for pattern in self.templates_.patterns],
            "symbols.json": [list(pair) for pair in self.symbols_.pairs],
            "judgements.json": [asdict(judgement) for judgement in self.judgements_],
            "normal.npz": {name: np.asarray(value) for name, value in vars(self.normal_).items()},
            "calibration.npz": vars(self.calibration_),
            "clusters.npz": vars(self.clusters_),
            ENCODER: self.encoder_,
        }

    def _restore(self, parts: Mapping[str, Part]) -> None:
        self.templates_ = Templates(tuple(pattern) for pattern in parts["templates.json"])
        self.symbols_ = Symbols((service, template) for service, template in parts["symbols.json"])
        self.texts_ = sorted({template for _, template in self.symbols_.pairs})
        self.judgements_ = [Judgement(**judgement) for judgement in parts["judgements.json"]]
        normal: dict[str, Any] = {name: value if value.ndim else value.item() for name, value in parts["normal.npz"].items()}
        self.normal_ = Tally(**normal)
        self.calibration_ = Calibration(**parts["calibration.npz"])
        self.clusters_ = Clusters(**parts["clusters.npz"])
        self.encoder_ = parts[ENCODER]


def _window(seen: Columns, pairs: Sequence[tuple[str, str]], symbols: Symbols) -> Window:
    return Window.of(seen.at, symbols.numbers(pairs), seen.unit, seen.severe)


def _searched(seen: Columns, query: RootCauseQuery) -> tuple[Columns, Array]:
    """The lines to search, and the number of each, from 1."""
    line = np.arange(1, len(seen.at) + 1)
    if query.incident_started_at is None:
        return seen, line
    earliest = (query.incident_started_at.timestamp() - SEARCHED_BEFORE_SECONDS) * MICROSECONDS
    keep = seen.at >= earliest
    return seen.where(keep), line[keep]


def _calls(query: RootCauseQuery, counts: Array, symbols: Symbols) -> Array:
    """Counts of calls, where those that the query states outweigh all others."""
    counts = counts.copy()
    number = {service: place for place, service in enumerate(symbols.services)}
    for caller, callee in query.calls:
        if caller in number and callee in number:
            counts[number[caller], number[callee]] = counts.sum() + 2
    return counts


def _widened(normal: Tally, service_of: Array, n_services: int) -> Tally:
    """Normal time over more symbols and services, of which it saw none."""
    n_symbols, n_known = len(service_of), len(normal.service_of)
    widths = {"symbol": n_symbols, "service": n_services}
    by = {"units_of_symbol": "symbol", "lines_of_symbol": "symbol", "squares_of_symbol": "symbol", "traced_lines": "symbol"}
    by |= {"units_of_service": "service", "severe_units": "service", "block_lines": "service", "block_squares": "service"}
    parts = dict(vars(normal))
    parts["calls"] = np.pad(normal.calls, (0, n_services - len(normal.calls)))
    for name, axis in by.items():
        parts[name] = np.pad(parts[name], (0, widths[axis] - len(parts[name])))
    first, second = normal.pairs // n_known, normal.pairs % n_known
    return Tally(**parts | {"service_of": service_of, "n_services": n_services, "pairs": first * n_symbols + second})


def _flagged(window: Window, change: Any, known: Array, service_of: Array) -> Array:
    """Lines that are unusual in themselves: never seen, far too frequent, or far too late after the one before."""
    flagged = ~known[window.symbol] | (change.rate_z[window.symbol] > FLAGGED_Z)
    n_symbols = len(service_of)
    same = (window.unit[1:] == window.unit[:-1]) & window.traced[window.unit[1:]]
    if len(change.pairs):
        keys = window.symbol[:-1] * n_symbols + window.symbol[1:]
        place = np.minimum(np.searchsorted(change.pairs, keys), len(change.pairs) - 1)
        flagged[1:] |= same & (change.pairs[place] == keys) & (change.gap_z[place] > FLAGGED_Z)
    return np.asarray(flagged, dtype=bool)
