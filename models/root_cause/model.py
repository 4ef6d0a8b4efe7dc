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
from typing import Self

from models.base import Contract, OnlineModel, Part, Question, View
from models.encoder import default_encoder
from models.errors import InputError
from models.feedback import Observed
from models.root_cause.alerts import alerts
from models.root_cause.answer import answer, nothing_to_say
from models.root_cause.cluster_map import ClusterMapRequest, draw_cluster_map
from models.root_cause.drawing import draw_timeline
from models.root_cause.events import RootCauseEvent
from models.root_cause.examination import examine
from models.root_cause.experience import Experience, confirmed
from models.root_cause.knowledge import Knowledge
from models.root_cause.sample import Sample, read_normal
from models.root_cause.types import (
    RootCauseConfig,
    RootCauseExample,
    RootCauseOutcome,
    RootCausePrediction,
    RootCauseQuery,
)
from models.root_cause.window import columns


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
        self.known_ = Knowledge.learned(sample, self.config, default_encoder())
        self.experience_ = Experience()
        return self

    def predict(self, queries: Sequence[RootCauseQuery]) -> list[RootCausePrediction]:
        """Rank the suspects of each window."""
        self._require_fitted()
        return [self._predict(query) for query in queries]

    def _predict(self, query: RootCauseQuery) -> RootCausePrediction:
        findings = examine(self.known_, self.config, query, columns(query.lines, self.config.block_seconds))
        if findings is None:
            return nothing_to_say()
        raised = alerts(findings, self.known_.hours, self.config.alert_steps, query.firing)
        prediction = answer(findings, query, self.config.max_suspects).model_copy(update={"alerts": raised})
        return self.experience_.applied(prediction, self.config, self.known_.embedding.of)

    def update(self, events: Iterable[RootCauseEvent]) -> Self:
        """Take mutes and confirmed causes; in whatever order and however often they come, what is known is the same."""
        self._require_fitted()
        self.experience_ = self.experience_.after(events, self.known_.embedding.of)
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

    def cluster_map(self, request: ClusterMapRequest) -> str:
        """The kinds of messages in normal time as a map: similar templates lie together, the largest clusters in colour and named."""
        self._require_fitted()
        known = self.known_
        return draw_cluster_map(known.clusters.vectors, known.clusters.labels, known.kind_names, known.lines_of_kinds(), request.named)

    def _state(self) -> dict[str, Part]:
        return {**self.known_.state(), **self.experience_.state()}

    def _restore(self, parts: Mapping[str, Part]) -> None:
        self.known_ = Knowledge.restored(parts, self.config.max_templates)
        self.experience_ = Experience.restored(parts)
