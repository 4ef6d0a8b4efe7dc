"""The HTTP surface: one method per model, ``POST /v1/<slug>``.

The request path is in `serving.gateway`, the models in `serving.champions`; ``GET /v1/models``, ``/livez``, ``/readyz``,
``/metrics`` and ``/docs.json`` are there too.
"""

# mypy: disallow-untyped-decorators=False
# No `from __future__ import annotations`: BentoML evaluates the types of the methods.

from datetime import timedelta
from typing import Any

import bentoml
from starlette.types import ASGIApp

import models
from models.churn import ChurnPrediction, ChurnQuery
from models.environment import environment
from models.intent import IntentPrediction, IntentQuery
from models.interest_graph import InterestGraphPrediction, InterestGraphQuery
from models.notification import NotificationPrediction, NotificationQuery
from models.resume_ranking import ResumeRankingPrediction, ResumeRankingQuery
from models.root_cause import RootCausePrediction, RootCauseQuery
from models.search_synonyms import SearchSynonymsPrediction, SearchSynonymsQuery
from serving.answers import Answer
from serving.champions import Champions
from serving.gateway import Gateway
from serving.openapi import document
from serving.recorder import Recorder
from serving.retention import Retention
from serving.store import Store


class Fronted(bentoml.Service):  # type: ignore[misc]  # BentoML has no types here
    """A BentoML service behind the gateway.

    As the outermost layer it spares requests BentoML's own: churn at 16 connections took 525 microseconds of processor time each,
    670 with the gateway as a BentoML middleware, 1,600 with BentoML's request path, and 540 on bare uvicorn.
    """

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """Put the gateway in front of BentoML's application."""
        return Gateway(super().to_asgi(is_main))

    @property
    def openapi_spec(self) -> dict[str, Any]:
        """The document that a Bento keeps; the server's is about the selected models."""
        return document({slug: api.doc for slug, api in self.apis.items()})


@bentoml.service(name="foretell", service_class=Fronted)
class Foretell:
    """Predictions by the champions of the registry."""

    def __init__(self) -> None:
        surroundings = environment()
        slugs = surroundings.models or models.MODELS
        for slug in slugs:
            models.get(slug)
        self.store = Store(surroundings.database_url)
        self.champions = Champions(slugs, surroundings, self.store)
        self.recorder = Recorder(self.store)
        self.keep = None if surroundings.keep_days is None else timedelta(days=surroundings.keep_days)
        self.retention = Retention(self.store, slugs, surroundings)
        self.retention.start()
        self.champions.start()

    @bentoml.on_shutdown
    def stop(self) -> None:
        """Ask the registry no more, and store what waits."""
        self.champions.stop()
        self.retention.stop()
        self.recorder.stop()
        self.store.close()

    @bentoml.api(route="/v1/root_cause")
    def root_cause(self, queries: list[RootCauseQuery]) -> Answer[RootCausePrediction]:
        """Say which service started an incident, and show the lines that tell."""
        return self.champions.answer("root_cause", queries)

    @bentoml.api(route="/v1/intent")
    def intent(self, queries: list[IntentQuery]) -> Answer[IntentPrediction]:
        """Say what a customer wants and who should answer, or what to ask them."""
        return self.champions.answer("intent", queries)

    @bentoml.api(route="/v1/churn")
    def churn(self, queries: list[ChurnQuery]) -> Answer[ChurnPrediction]:
        """Say who is leaving, why, and what is worth doing about it."""
        return self.champions.answer("churn", queries)

    @bentoml.api(route="/v1/resume_ranking")
    def resume_ranking(self, queries: list[ResumeRankingQuery]) -> Answer[ResumeRankingPrediction]:
        """Say which candidates fit a job, requirement by requirement, blind to who they are."""
        return self.champions.answer("resume_ranking", queries)

    @bentoml.api(route="/v1/notification")
    def notification(self, queries: list[NotificationQuery]) -> Answer[NotificationPrediction]:
        """Say what to do with notifications: push now or later, show in the app, put into the digest, or drop; and why."""
        return self.champions.answer("notification", queries)

    @bentoml.api(route="/v1/search_synonyms")
    def search_synonyms(self, queries: list[SearchSynonymsQuery]) -> Answer[SearchSynonymsPrediction]:
        """Say what else to search for a query that may fail: typing errors mended, and other words for the same."""
        return self.champions.answer("search_synonyms", queries)

    @bentoml.api(route="/v1/interest_graph")
    def interest_graph(self, queries: list[InterestGraphQuery]) -> Answer[InterestGraphPrediction]:
        """Say what a user is interested in now, and what might come next."""
        return self.champions.answer("interest_graph", queries)
