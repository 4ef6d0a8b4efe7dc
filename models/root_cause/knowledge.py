"""What normal time taught: all that an incident is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from models.base import ENCODER, Part
from models.encoder import Encoder
from models.root_cause.calls import regular
from models.root_cause.clusters import Clusters, Embedding, cluster, novelty
from models.root_cause.cooccurrence import likely_calls
from models.root_cause.hourly import HourlyRates, hourly_rates
from models.root_cause.learning import NormalTime, duration, learn
from models.root_cause.locations import Locations
from models.root_cause.phrases import key_phrases
from models.root_cause.sample import Sample
from models.root_cause.skew import Leads, leads
from models.root_cause.tally import Tally, tally
from models.root_cause.templates import Templates
from models.root_cause.types import RootCauseConfig
from models.root_cause.verdict import Judgement
from models.root_cause.window import Array, Columns, Symbols, Window


@dataclass(frozen=True)
class Knowledge:
    """Normal time in numbers.

    Parameters
    ----------
    templates, locations
        What lines say, and where in the code they say it.
    symbols
        Kinds of messages by service; a number each.
    clusters
        Of the kinds of messages, one vector each.
    hours
        How often each symbol is written.
    normal
        Counts.
    leads
        When callees speak within the time of their callers.
    likely_calls
        Who probably calls whom, as booleans of shape (caller, callee); all false where traces tell it.
    judgements
        What a total of evidence means, by size of a window.
    """

    encoder: Encoder
    templates: Templates
    locations: Locations
    symbols: Symbols
    clusters: Clusters
    hours: HourlyRates
    normal: Tally
    leads: Leads
    likely_calls: Array
    judgements: Mapping[int, Judgement]

    @cached_property
    def texts(self) -> list[str]:
        """The kinds of messages, whoever writes them; in the order of the clusters' vectors."""
        return sorted({text for _, text in self.symbols.pairs})

    @cached_property
    def embedding(self) -> Embedding:
        """Vectors of these and of further texts."""
        return Embedding(self.encoder, {text: row for row, text in enumerate(self.texts)}, self.clusters.vectors)

    @cached_property
    def kind_names(self) -> dict[int, str]:
        """What the clusters are called: what most of their templates say, and few others."""
        labels = range(int(self.clusters.labels.max(initial=-1)) + 1)
        members = [[self.texts[row] for row in np.flatnonzero(self.clusters.labels == label)] for label in labels]
        return dict(zip(labels, key_phrases(members), strict=True))

    def kinds(self, seen: Columns) -> list[str]:
        """The kind of message that each line is."""
        return self.locations.kinds(seen.locations, self.templates.assign(seen.messages, set(seen.services)))

    def lines_of_kinds(self) -> Array:
        """How often each kind of message is written, by whomever."""
        place = {text: number for number, text in enumerate(self.texts)}
        return np.bincount([place[text] for _, text in self.symbols.pairs], self.normal.lines_of_symbol, len(self.texts))

    @classmethod
    def learned(cls, sample: Sample, config: RootCauseConfig, encoder: Encoder) -> Self:
        """Learn from normal time."""
        seen = sample.columns()
        texts = sample.templates.assign(seen.messages)
        locations = Locations.learn(seen.locations, texts)
        pairs = list(zip(seen.services, locations.kinds(seen.locations, texts), strict=True))
        symbols = Symbols().extended(pairs)
        numbers, service_of, n_services = symbols.numbers(pairs), symbols.service_of(), len(symbols.services)
        window = Window.of(seen.at, numbers, seen.unit, seen.severe)
        kept = len(seen.at) / sample.lines_read
        normal = tally(window, service_of, n_services, duration(window) * kept)
        known = cls(
            encoder=encoder,
            templates=sample.templates,
            locations=locations,
            symbols=symbols,
            clusters=cluster(encoder.encode(sorted({text for _, text in symbols.pairs})), config.min_cluster_size),
            hours=hourly_rates(window.at, window.symbol, len(symbols), config.alert_step_seconds, kept),
            normal=normal,
            leads=leads(seen.at, seen.unit, service_of[numbers], regular(normal.calls)),
            likely_calls=_coinciding(window, service_of, n_services, config.seed),
            judgements={},
        )
        return replace(known, judgements=known._judged(window, config))

    def _judged(self, window: Window, config: RootCauseConfig) -> dict[int, Judgement]:
        """What evidence means; for each service one symbol more stands for a message that it never wrote."""
        service_of, n_services = self.symbols.service_of(), len(self.symbols.services)
        planted = np.concatenate([service_of, np.arange(n_services)])
        uniqueness = np.concatenate([self._uniqueness(config.same_kind_cosine), np.ones(n_services)])
        mentions = np.pad(self.symbols.mentions(), ((0, n_services), (0, 0)))
        lone = NormalTime(window, planted, n_services, uniqueness, mentions)
        return learn(lone, config, np.random.default_rng(config.seed))

    def _uniqueness(self, like: float) -> Array:
        """How new each symbol of normal time would be to its service without it."""
        vectors = self.embedding.of([text for _, text in self.symbols.pairs])
        result = np.ones(len(self.symbols))
        for symbol in range(len(self.symbols)):
            others = np.ones(len(self.symbols), dtype=bool)
            others[symbol] = False
            result[symbol] = novelty(self.symbols, vectors, others, like)[symbol]
        return result

    def state(self) -> dict[str, Part]:
        """As parts to save."""
        return {
            "templates.json": self.templates.state(),
            "symbols.json": [list(pair) for pair in self.symbols.pairs],
            "judgements.json": {str(size): asdict(judgement) for size, judgement in self.judgements.items()},
            "locations.json": self.locations.texts,
            "normal.npz": {name: np.asarray(value) for name, value in vars(self.normal).items()},
            "leads.npz": vars(self.leads),
            "calls.npz": {"likely": self.likely_calls},
            "clusters.npz": vars(self.clusters),
            "hours.npz": {name: np.asarray(value) for name, value in vars(self.hours).items()},
            ENCODER: self.encoder,
        }

    @classmethod
    def restored(cls, parts: Mapping[str, Part], max_templates: int) -> Self:
        """Take back what `state` gave."""
        symbols = Symbols((service, template) for service, template in parts["symbols.json"])
        judgements = {int(size): Judgement(tuple(one["thresholds"]), one["temperature"]) for size, one in parts["judgements.json"].items()}
        return cls(
            encoder=parts[ENCODER],
            templates=Templates.restored(parts["templates.json"], max_templates, symbols.services),
            locations=Locations(parts["locations.json"]),
            symbols=symbols,
            clusters=Clusters(**parts["clusters.npz"]),
            hours=HourlyRates(**_plain(parts["hours.npz"])),
            normal=Tally(**_plain(parts["normal.npz"])),
            leads=Leads(**parts["leads.npz"]),
            likely_calls=parts["calls.npz"]["likely"],
            judgements=judgements,
        )


def _coinciding(window: Window, service_of: Array, n_services: int, seed: int) -> Array:
    """Who probably calls whom, where no trace tells."""
    if window.traced.any():
        return np.zeros((n_services, n_services), dtype=bool)
    return likely_calls(window.at, service_of[window.symbol], n_services, np.random.default_rng(seed))


def _plain(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Arrays without a dimension as the numbers they are."""
    return {name: value if value.ndim else value.item() for name, value in arrays.items()}
