"""The dictionary over HTTP: an analyst reads and proposes, a reviewer decides and publishes, a search engine takes the result."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.search_synonyms import SearchSynonyms, SearchSynonymsExample
from models.search_synonyms.completion import Completions
from models.search_synonyms.dictionary import Dictionary
from models.search_synonyms.evidence import FEATURES
from models.search_synonyms.kinds import Weights
from models.search_synonyms.questions import CompleteRequest, ImportRequest, RulesRequest
from models.search_synonyms.rules import Evidence, Proposal, Rule, SearchSynonymsDecision
from models.search_synonyms.spelling import Spelling
from tests.registered import register
from tests.test_serving import serving
from tests.waiting import eventually

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUERIES = ["red sofa", "grey sofa", "sofa bed", "curtain rod", "garden chair", "air conditioner"]
SETTEE = Rule(kind="synonym", left="settee", right="sofa")
DRAPE = Rule(kind="synonym", left="drape", right="curtain", two_way=True)


def proposal(rule: Rule, fixed_per_week: float) -> Proposal:
    evidence = Evidence(
        users=40,
        attempts=50,
        successes=40,
        success_rate=0.8,
        success_at_least=0.67,
        log_likelihood_ratio=90.0,
        probability=0.97,
        fixed_per_week=fixed_per_week,
    )
    return Proposal(rule=rule, evidence=evidence)


def model() -> SearchSynonyms:
    """A model of one search, with what a training on many might leave behind."""
    users = np.arange(20, 20 - len(QUERIES), -1)
    search = SearchSynonymsExample(user_id="u17", timestamp=NOON - timedelta(days=1), query="red sofa", n_results=9, n_clicks=1)
    trained = SearchSynonyms().fit([search], encode=lambda texts: np.zeros((len(texts), 8), dtype=np.float32))
    trained.dictionary_ = Dictionary([proposal(SETTEE, 12.0), proposal(DRAPE, 7.0)], NOON - timedelta(days=1))
    trained.spelling_ = Spelling.learned(dict(zip(QUERIES, users.tolist(), strict=True)))
    trained.completions_ = Completions.learned(QUERIES, users, users, users, [("u17", "red sofa", 2)])
    trained._queries = dict(zip(QUERIES, users.tolist(), strict=True))
    return trained


TRAINED = model()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("FORETELL_DATABASE_URL", raising=False)
        register(model())
        with serving(("search_synonyms",)) as client:
            yield client


class Person:
    """Somebody with a client, who decides later every time."""

    now = NOON

    def __init__(self, client: httpx.Client, name: str) -> None:
        self.client, self.name = client, name

    def ask(self, question: str, **parameters: Any) -> Any:
        reply = self.client.get(f"/v1/search_synonyms/{question}", params=parameters)
        assert reply.status_code == 200, reply.text
        return reply.json()["answer"]

    def export(self, **parameters: Any) -> str:
        return self.client.get("/v1/search_synonyms/export", params=parameters).text

    def decide(self, action: str, rule: dict[str, Any], **more: Any) -> None:
        Person.now += timedelta(minutes=1)
        event = {"action": action, "rule": rule, "by": self.name, "at": Person.now.isoformat(), **more}
        self.send([{"event_id": f"{self.name}-{Person.now:%d%H%M}", "event": event}])

    def send(self, events: list[dict[str, Any]]) -> None:
        reply = self.client.post("/v1/search_synonyms/events", json={"events": events})
        assert reply.is_success, reply.text

    def status(self, left: str) -> str | None:
        found = self.ask("rules", contains=left)["rules"]
        return next((entry["status"] for entry in found if left in (entry["rule"]["left"], entry["rule"]["right"])), None)


def test_a_rule_is_proposed_approved_published_exported_and_demoted(client: httpx.Client) -> None:
    analyst, reviewer = Person(client, "ada"), Person(client, "mara")
    page = analyst.ask("rules", status="proposed", limit=1)
    (entry,) = page["rules"]
    assert (page["total"], entry["rule"]["left"], entry["evidence"]["users"]) == (2, "settee", 40)
    assert analyst.export(format="elasticsearch") == '{\n "synonyms_set": []\n}\n'

    reviewer.decide("approve", entry["rule"], users=entry["evidence"]["users"])
    reviewer.decide("publish", entry["rule"])
    eventually(lambda: analyst.status("settee") == "published")
    reply = client.get("/v1/search_synonyms/export", params={"format": "elasticsearch"})
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.json() == {"synonyms_set": [{"id": f"synonym-{SETTEE.id}", "synonyms": "settee => settee, sofa"}]}

    reviewer.decide("demote", entry["rule"], note="we sell settees now")
    eventually(lambda: analyst.status("settee") == "demoted")
    assert analyst.export(format="solr") == ""
    steps = analyst.ask("rules", contains="settee")["rules"][0]["history"]
    assert [(step["action"], step["by"], step["because"]) for step in steps[-1:]] == [("demote", "mara", "we sell settees now")]


def test_a_dictionary_from_elsewhere_is_imported_by_sending_what_it_would_change(client: httpx.Client) -> None:
    analyst, reviewer = Person(client, "ada"), Person(client, "mara")
    body = {"format": "solr", "text": "ac => ac, air conditioner\n", "by": "mara", "at": NOON.isoformat(), "publish": True}
    reply = client.post("/v1/search_synonyms/import_rules", json=body)
    assert analyst.status("ac") is None
    events = reply.json()["answer"]["events"]
    reviewer.send(events)
    reviewer.send(events)
    eventually(lambda: analyst.status("ac") == "published")
    assert client.post("/v1/search_synonyms/import_rules", json=body).json()["answer"]["events"] == []


def test_a_decision_that_does_not_apply_is_recorded(client: httpx.Client) -> None:
    analyst = Person(client, "ada")
    analyst.decide("publish", DRAPE.model_dump(mode="json"))

    def history() -> list[dict[str, Any]]:
        return list(analyst.ask("rules", contains="drape")["rules"][0]["history"])

    eventually(lambda: bool(history()))
    assert (history()[0]["applied"], analyst.status("drape")) == (False, "proposed")


def test_beginnings_are_completed_with_the_users_own_first(client: httpx.Client) -> None:
    anybody = Person(client, "u99").ask("complete", prefix="red")
    assert [one["query"] for one in anybody["completions"]] == ["red sofa"]
    (first, *_) = Person(client, "u17").ask("complete", prefix="", user_id="u17")["completions"]
    assert (first["query"], first["mine"]) == ("red sofa", True)


@pytest.mark.parametrize(
    ("path", "named"),
    [("rules?status=gone", "status"), ("export?format=excel", "format"), ("complete?prefix=a&limit=0", "limit")],
)
def test_what_cannot_be_asked_is_refused_by_name(client: httpx.Client, path: str, named: str) -> None:
    reply = client.get(f"/v1/search_synonyms/{path}")
    assert (reply.status_code, named in reply.json()["error"]) == (400, True)


def test_a_file_that_is_no_synonyms_is_refused(client: httpx.Client) -> None:
    body = {"format": "algolia", "text": "no", "by": "mara", "at": NOON.isoformat()}
    reply = client.post("/v1/search_synonyms/import_rules", json=body)
    assert (reply.status_code, reply.json()["error"][:44]) == (400, "expected synonyms as algolia has them, got s")


def test_pages_follow_each_other() -> None:
    trained = model()
    pages = [trained.rules(RulesRequest(limit=1, offset=offset)) for offset in range(3)]
    assert [[entry.rule.left for entry in page.rules] for page in pages] == [["settee"], ["drape"], []]
    assert {page.total for page in pages} == {2}


def test_an_import_leaves_out_what_is_in_force_from_either_side() -> None:
    trained = model().update([SearchSynonymsDecision(action="approve", rule=DRAPE, by="mara", at=NOON)])
    request = ImportRequest(format="solr", text="curtain, drape\nred sofa, grey sofa\n", by="mara", at=NOON)
    (event,) = trained.import_rules(request).events
    assert (event.event.action, event.event.rule.left) == ("add", "red sofa")


def test_a_beginning_with_a_typing_error_is_completed_as_it_was_meant() -> None:
    reply = model().complete(CompleteRequest(prefix="curtian rod"))
    assert (reply.corrected, [one.query for one in reply.completions]) == ("curtain rod", ["curtain rod"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "approve", "reject", "publish", "demote"]), st.sampled_from([SETTEE, DRAPE]), st.integers(-2, 2)),
        max_size=8,
    )
)
def test_what_is_learned_from_decisions_does_not_depend_on_their_portions(decisions: list[tuple[Any, Rule, int]]) -> None:
    events = [SearchSynonymsDecision(action=action, rule=rule, by="mara", at=NOON + timedelta(days=day)) for action, rule, day in decisions]
    together, one_by_one = doubtful().update(events), doubtful()
    for event in events:
        one_by_one.update([event])
    assert list(one_by_one.dictionary_) == list(together.dictionary_)


def doubtful() -> SearchSynonyms:
    """Two rules whose evidence is alike and so weak that a decision about one makes the difference for the other."""
    doubted = copy(TRAINED)
    features = Weights().weights[1:] * 0
    features[FEATURES.index("cosine")] = 0.42
    doubted._features = {rule.id: features.tolist() for rule in (SETTEE, DRAPE)}
    doubted._labels = {}
    probability = float(Weights().probabilities(pl.DataFrame([features.tolist()], schema=list(FEATURES), orient="row"))[0])
    assert 0.2 < probability < 0.4
    found = [proposal(rule, 7.0) for rule in (SETTEE, DRAPE)]
    doubted.dictionary_ = Dictionary(found, NOON).rescored(dict.fromkeys(doubted._features, probability))
    return doubted


def test_everything_is_there_after_saving_and_loading(tmp_path: Path) -> None:
    trained = model().update([SearchSynonymsDecision(action="approve", rule=SETTEE, by="mara", at=NOON)])
    trained.save(tmp_path / "model")
    again = SearchSynonyms.load(tmp_path / "model")
    assert again.rules(RulesRequest()) == trained.rules(RulesRequest())
    assert again.complete(CompleteRequest(prefix="", user_id="u17")) == trained.complete(CompleteRequest(prefix="", user_id="u17"))
