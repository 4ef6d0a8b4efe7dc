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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Self

import numpy as np

from models.base import ENCODER, Contract, OnlineModel, Part, Question, View
from models.encoder import Encoder, default_encoder
from models.errors import InputError
from models.feedback import Observed
from models.root_cause.alerts import alerts
from models.root_cause.answer import answer, nothing_to_say
from models.root_cause.calibration import rung
from models.root_cause.calls import call_graph, regular
from models.root_cause.change import Change, Normal
from models.root_cause.cluster_map import ClusterMapRequest, draw_cluster_map
from models.root_cause.clusters import NOISE, Clusters, Embedding, cluster, grouped, novelty
from models.root_cause.drawing import draw_timeline
from models.root_cause.events import RootCauseEvent
from models.root_cause.experience import Experience, confirmed
from models.root_cause.findings import Findings
from models.root_cause.learning import NormalTime, duration, learn
from models.root_cause.locations import Locations
from models.root_cause.phrases import key_phrases
from models.root_cause.sample import Sample, read_normal
from models.root_cause.scan import scan
from models.root_cause.season import Season, traffic
from models.root_cause.skew import Leads, leads, skews
from models.root_cause.step_rates import StepRates, step_rates
from models.root_cause.tally import Tally, tally
from models.root_cause.templates import Templates
from models.root_cause.types import (
    ClockSkew,
    RootCauseConfig,
    RootCauseExample,
    RootCauseOutcome,
    RootCausePrediction,
    RootCauseQuery,
)
from models.root_cause.verdict import Judgement, changed, explain, onsets
from models.root_cause.window import MICROSECONDS, Array, Columns, Symbols, Window, columns

SEARCHED_BEFORE_SECONDS = 120
"""When a start is given, lines up to this long before it are searched: users notice late."""

NEVER = 1e6
"""Nats that no evidence reaches: the threshold where there are no pseudo-windows to judge by."""

FLAGGED_NATS = 3.0
"""Nats beyond which single lines are marked as unusual, to date the onset."""


class RootCause(OnlineModel[RootCauseConfig, RootCauseQuery, RootCauseExample, RootCausePrediction]):
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
        event=RootCauseEvent,
        outcome=RootCauseOutcome,
        questions=(Question("cluster_map", ClusterMapRequest, "image/svg+xml"),),
        views=(View("timeline.svg", "image/svg+xml", draw_timeline),),
    )

    def fit(self, examples: Iterable[RootCauseExample]) -> Self:
        """Learn what is normal from lines that belong to no incident."""
        sample = Sample(self.config.max_normal_lines, self.config.max_templates, self.config.seed)
        read_normal(examples, self.config.block_seconds, sample)
        if not sample.lines_read:
            raise InputError("expected log lines of normal operation, got none: give rows that belong to no incident")
        normal = sample.columns()
        rng = np.random.default_rng(self.config.seed)
        self.encoder_: Encoder = default_encoder()
        self.templates_ = sample.templates
        templates = self.templates_.assign(normal.messages)
        self.locations_ = Locations.learn(normal.locations, templates)
        pairs = list(zip(normal.services, self.locations_.kinds(normal.locations, templates), strict=True))
        self.symbols_ = Symbols().extended(pairs)
        self.texts_ = sorted({template for _, template in self.symbols_.pairs})
        self.clusters_: Clusters = cluster(self.encoder_.encode(self.texts_), self.config.min_cluster_size)
        window = _window(normal, pairs, self.symbols_)
        service_of, n_services = self.symbols_.service_of(), len(self.symbols_.services)
        self.season_ = sample.calendar.season()
        kept = len(normal.at) / sample.lines_read
        self.normal_: Tally = tally(window, service_of, n_services, duration(window) * kept)
        speakers = service_of[self.symbols_.numbers(pairs)]
        self.leads_: Leads = leads(normal.at, normal.unit, speakers, regular(self.normal_.calls))
        self.step_rates_: StepRates = step_rates(window.at, window.symbol, len(self.symbols_), self.config.alert_step_seconds, kept)
        self.experience_ = Experience()
        planted = np.concatenate([service_of, np.arange(n_services)])
        uniqueness = np.concatenate([self._uniqueness(), np.ones(n_services)])
        mentions = np.pad(self.symbols_.mentions(), ((0, n_services), (0, 0)))
        lone = NormalTime(window, planted, n_services, uniqueness, mentions)
        self.judgements_ = learn(lone, self.config.n_draws, self.config.false_alarm_rate, rng)
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

    def update(self, events: Iterable[RootCauseEvent]) -> Self:
        """Take mutes and confirmed causes; in whatever order and however often they come, what is known is the same."""
        self._require_fitted()
        self.experience_ = self.experience_.after(events, self._embedding().of)
        return self

    def forget(self, subject: str) -> Self:
        """Take the name of a person off what was muted, which stands."""
        self._require_fitted()
        self.experience_ = self.experience_.without(subject)
        return self

    @classmethod
    def lesson(cls, observed: Observed[RootCauseQuery, RootCausePrediction]) -> RootCauseEvent | None:
        """A cause that was reported: worth remembering."""
        return confirmed(observed)

    def _predict(self, query: RootCauseQuery) -> RootCausePrediction:
        seen = columns(query.lines, self.config.block_seconds)
        searched = _searched(seen, query)
        if not searched.any():
            return nothing_to_say()
        findings = self._findings(query, seen, searched)
        raised = alerts(findings, self.step_rates_, self.config.alert_steps, query.firing)
        prediction = answer(findings, query, self.config.max_suspects).model_copy(update={"alerts": raised})
        return self.experience_.applied(prediction, self.config, self._embedding().of)

    def _findings(self, query: RootCauseQuery, seen: Columns, searched: Array) -> Findings:
        """Everything that an answer is worded from."""
        kinds = self.locations_.kinds(seen.locations, self.templates_.assign(seen.messages))
        pairs = list(zip(seen.services, kinds, strict=True))
        symbols = self.symbols_.extended(pairs)
        seen, clocks, unsure = self._with_right_clocks(seen, pairs, symbols)
        window = _window(seen, pairs, symbols)
        vectors = self._embedding().of([template for _, template in symbols.pairs])
        normal = self._normal(query, symbols, vectors, window)
        service_of, n_services = symbols.service_of(), len(symbols.services)
        searched_from = min(int(np.searchsorted(np.maximum.accumulate(searched[window.line]), 1)), len(window.at) - 1)
        first_unit = int(window.unit[searched_from])
        cut = scan(normal, window, first_unit)
        after = window.unit >= cut.first_unit
        flagged = after & _flagged(window, cut.change, normal.known)
        onset = onsets(window, flagged, service_of, n_services)
        calls = normal.calls | cut.change.accuses
        doubt = np.zeros(n_services)
        np.maximum.at(doubt, service_of[window.symbol], unsure[window.line])
        left, blamed = explain(cut.nats, calls, onset / MICROSECONDS, doubt)
        place = {service: number for number, service in enumerate(symbols.services)}
        told = [(place[change.service], change.at.timestamp()) for change in query.changes if change.service in place]
        left = left + changed(told, left, onset / MICROSECONDS, window.at.max() / MICROSECONDS)
        judgement = self._judgement(window.n_units - first_unit, n_services)
        whole = tally(window.between(int(np.searchsorted(window.unit, first_unit)), len(window.at)), service_of, n_services, 0.0)
        per_unit = whole.units_of_service / np.maximum(normal.tally.units_of_service, 1)
        start, end = int(window.at[window.unit >= first_unit].min()), int(window.at.max())
        counts = np.bincount(service_of, whole.lines_of_symbol, n_services).astype(int).tolist()
        lines = dict(zip(symbols.services, counts, strict=True))
        kind, kind_names = self._kinds(symbols, vectors)
        return Findings(
            symbols=symbols,
            window=window,
            asked=query.lines,
            line=window.line + 1,
            after=after,
            normal=normal.tally,
            reference=cut.reference,
            whole=whole,
            counted=cut.counted,
            usual_lines=normal.tally.lines_of_symbol * per_unit[service_of],
            lines=int(searched.sum()),
            change=cut.change,
            nats=cut.nats,
            left=left,
            blamed=blamed,
            flagged=flagged,
            onset=onset,
            clocks=clocks,
            unsure_seconds=unsure[window.line],
            expected_of_service=np.array([self.season_.expected(service, start, end)[0] for service in symbols.services]),
            traffic=traffic(self.season_, lines, start, end, self.config.spike_factor),
            calls=calls,
            probabilities=judgement.probabilities(left),
            threshold=judgement.threshold(left),
            mentions=normal.mentions,
            kind=kind,
            kind_names=kind_names,
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

    def _with_right_clocks(
        self, seen: Columns, pairs: Sequence[tuple[str, str]], symbols: Symbols
    ) -> tuple[Columns, tuple[ClockSkew, ...], Array]:
        """The lines with their times put right, which clocks are wrong, and by line the doubt that is left, in seconds."""
        n_services = len(symbols.services)
        names = sorted(set(seen.hosts))
        number = {name: place for place, name in enumerate(names)}
        host = np.array([number[name] for name in seen.hosts])
        calls = regular(np.pad(self.normal_.calls, (0, n_services - len(self.normal_.calls))))
        speaker = symbols.service_of()[symbols.numbers(pairs)]
        found = skews(seen.at, seen.unit, speaker, host, calls, self.leads_.widened(n_services))
        ahead, unsure = found.ahead / MICROSECONDS, found.uncertainty / MICROSECONDS
        wrong = np.flatnonzero(found.ahead)
        told = tuple(ClockSkew(host=names[n], seconds=ahead[n], uncertainty_seconds=unsure[n]) for n in wrong)
        return replace(seen, at=seen.at - np.round(found.ahead[host]).astype(np.int64)), told, unsure[host]

    def _normal(self, query: RootCauseQuery, symbols: Symbols, vectors: Array, window: Window) -> Normal:
        """Normal time over the symbols of a window."""
        normal = self.normal_.widened(symbols.service_of(), len(symbols.services))
        known = normal.units_of_symbol > 0
        unseen = novelty(symbols, vectors, known, self.config.same_kind_cosine)
        counts = normal.calls + call_graph(window, normal.service_of, normal.n_services)
        season = self.season_.factors(symbols.services, int(window.at.min()))
        return Normal(normal, known, unseen, symbols.mentions(), regular(_calls(query, counts, symbols)), season)

    def _judgement(self, n_units: int, n_services: int) -> Judgement:
        sizes = sorted(self.judgements_)
        nearest = rung(sizes, n_units)
        return Judgement((NEVER,) * n_services, 1.0) if nearest is None else self.judgements_[sizes[nearest]]

    def _kinds(self, symbols: Symbols, vectors: Array) -> tuple[Array, dict[int, str]]:
        """Cluster of each symbol, and their names; what services write that normal time does not know is clustered among itself."""
        row = {text: number for number, text in enumerate(self.texts_)}
        known = np.array([row.get(template, -1) for _, template in symbols.pairs])
        labels = np.where(known >= 0, self.clusters_.labels[known], self.clusters_.assign(vectors, self.config.same_kind_cosine))
        strange = np.flatnonzero((labels < 0) & (symbols.service_of() >= len(self.symbols_.services)))
        names = self.kind_names()
        groups = grouped(vectors[strange], self.config.same_kind_cosine)
        labels[strange] = np.where(groups < 0, NOISE, groups + len(names))
        members = [[symbols.pairs[symbol][1] for symbol in strange[groups == group]] for group in range(groups.max(initial=-1) + 1)]
        return labels, names | dict(enumerate(key_phrases(members), start=len(names)))

    def _state(self) -> dict[str, Part]:
        return {
            "templates.json": self.templates_.state(),
            "symbols.json": [list(pair) for pair in self.symbols_.pairs],
            "judgements.json": {str(size): asdict(judgement) for size, judgement in self.judgements_.items()},
            "locations.json": self.locations_.texts,
            "season.json": {service: counts.tolist() for service, counts in self.season_.lines.items()},
            "hours.npz": {"minutes": self.season_.minutes, "weeks": self.season_.weeks},
            "normal.npz": {name: np.asarray(value) for name, value in vars(self.normal_).items()},
            "leads.npz": vars(self.leads_),
            "clusters.npz": vars(self.clusters_),
            "step_rates.npz": {name: np.asarray(value) for name, value in vars(self.step_rates_).items()},
            **self.experience_.state(),
            ENCODER: self.encoder_,
        }

    def _restore(self, parts: Mapping[str, Part]) -> None:
        self.templates_ = Templates.restored(parts["templates.json"], self.config.max_templates)
        self.symbols_ = Symbols((service, template) for service, template in parts["symbols.json"])
        self.texts_ = sorted({template for _, template in self.symbols_.pairs})
        self.judgements_ = {
            int(size): Judgement(tuple(judgement["thresholds"]), judgement["temperature"])
            for size, judgement in parts["judgements.json"].items()
        }
        self.locations_ = Locations(parts["locations.json"])
        self.season_ = Season(parts["season.json"], **parts["hours.npz"])
        normal: dict[str, Any] = {name: value if value.ndim else value.item() for name, value in parts["normal.npz"].items()}
        self.normal_ = Tally(**normal)
        self.leads_ = Leads(**parts["leads.npz"])
        self.clusters_ = Clusters(**parts["clusters.npz"])
        self.step_rates_ = StepRates(
            int(parts["step_rates.npz"]["step"]), parts["step_rates.npz"]["mean"], parts["step_rates.npz"]["deviation"]
        )
        self.experience_ = Experience.restored(parts)
        self.encoder_ = parts[ENCODER]


def _window(seen: Columns, pairs: Sequence[tuple[str, str]], symbols: Symbols) -> Window:
    return Window.of(seen.at, symbols.numbers(pairs), seen.unit, seen.severe)


def _searched(seen: Columns, query: RootCauseQuery) -> Array:
    """Which lines may be of the incident; those before are compared with."""
    if query.incident_started_at is None:
        return np.ones(len(seen.at), dtype=bool)
    earliest = (query.incident_started_at.timestamp() - SEARCHED_BEFORE_SECONDS) * MICROSECONDS
    return np.asarray(seen.at >= earliest)


def _calls(query: RootCauseQuery, counts: Array, symbols: Symbols) -> Array:
    """Counts of calls, where those that the query states outweigh all others."""
    counts = counts.copy()
    number = {service: place for place, service in enumerate(symbols.services)}
    for caller, callee in query.calls:
        if caller in number and callee in number:
            counts[number[caller], number[callee]] = counts.sum() + 2
    return counts


def _flagged(window: Window, change: Change, known: Array) -> Array:
    """Lines that are unusual in themselves: never seen, far too frequent, or far too late after the one before."""
    flagged = ~known[window.symbol] | ((change.rate_nats > FLAGGED_NATS) & change.more)[window.symbol]
    same = (window.unit[1:] == window.unit[:-1]) & window.traced[window.unit[1:]]
    if len(change.pairs):
        keys = window.symbol[:-1] * len(known) + window.symbol[1:]
        place = np.minimum(np.searchsorted(change.pairs, keys), len(change.pairs) - 1)
        flagged[1:] |= same & (change.pairs[place] == keys) & (change.gap_nats[place] > FLAGGED_NATS)
    return np.asarray(flagged, dtype=bool)
