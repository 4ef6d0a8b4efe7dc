"""Search synonyms against answers known by hand and against the planted truth of made-up sites."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from data.search_synonyms import prepare, strangers
from models.encoder import default_encoder
from models.errors import InputError
from models.rows import read_rows
from models.search_synonyms import (
    GapsRequest,
    Rule,
    SearchSynonyms,
    SearchSynonymsConfig,
    SearchSynonymsDecision,
    SearchSynonymsExample,
    SearchSynonymsPrediction,
    SearchSynonymsQuery,
)
from models.search_synonyms.evidence import FEATURES, Encode
from models.search_synonyms.groups import groups, oddities
from models.search_synonyms.kinds import Weights
from models.search_synonyms.pairs import attempts, changed_phrases
from models.search_synonyms.searches import Searches
from models.search_synonyms.visits import FAILURES, SUCCESS, visits
from models.search_synonyms.words import changes, shape, shortens

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOLDER = Path(__file__).parent.parent / "data" / "search_synonyms"


@pytest.fixture(scope="module")
def encode(tmp_path_factory: pytest.TempPathFactory, encoder_cache: Path) -> Iterator[Encode]:
    home = tmp_path_factory.mktemp("home")
    (home / "encoders").symlink_to(encoder_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(home))
        yield default_encoder().encode


@pytest.fixture(scope="module")
def site() -> prepare.Site:
    return prepare.Site("kitchen", seed=4242)


@pytest.fixture(scope="module")
def log(site: prepare.Site) -> Searches:
    return Searches.of(map(record, prepare.generate(site, visits=16_000)))


@pytest.fixture(scope="module")
def fitted(log: Searches, encode: Encode) -> SearchSynonyms:
    return SearchSynonyms().fit(log, encode=encode)


def record(row: prepare.Row) -> SearchSynonymsExample:
    return SearchSynonymsExample.model_construct(**row._asdict() | {"timestamp": datetime.fromtimestamp(row.timestamp, UTC)})


def search(user: str, query: str, second: float = 0, clicks: int = 0, **more: Any) -> SearchSynonymsExample:
    return SearchSynonymsExample(user_id=user, query=query, timestamp=NOON + timedelta(seconds=second), n_clicks=clicks, **more)


def mends(left: str, right: str, users: Iterable[object], **more: Any) -> list[SearchSynonymsExample]:
    """Each user on another day fails with one query and finds something by another; then they search for something else."""
    rows = []
    for day, user in enumerate(users):
        start = day * 86_400.0
        rows.append(search(f"{user}", left, start, n_results=0, **more))
        rows.append(search(f"{user}", right, start + 20, clicks=1, n_results=9, **more))
        rows.append(search(f"{user}", f"other thing {day % 3}", start + 5_000, clicks=1, n_results=9, **more))
    return rows


def rules(model: SearchSynonyms) -> set[tuple[str, str]]:
    return {(entry.rule.left, entry.rule.right) for entry in model.dictionary_}


def ask(model: SearchSynonyms, query: str, **more: Any) -> SearchSynonymsPrediction:
    (answer,) = model.predict([SearchSynonymsQuery(query=query, **more)])
    return answer


def queries_of(answer: SearchSynonymsPrediction) -> list[str]:
    return [rewrite.query for rewrite in answer.rewrites]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("shoes", "red shoes", [("", "red")]),
        ("red shoes", "shoes", [("red", "")]),
        ("grey couch", "grey sofa", [("couch", "sofa")]),
        ("red couch cheap", "red leather sofa cheap", [("couch", "leather sofa")]),
        ("smal sofaa", "small sofa", [("smal", "small"), ("sofaa", "sofa")]),
        ("laptop case", "notebook sleeve", [("laptop case", "notebook sleeve")]),
    ],
)
def test_what_changes_between_two_queries(left: str, right: str, expected: list[tuple[str, str]]) -> None:
    assert changes(left, right) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("shoes", "red shoes", "narrower"),
        ("blue suede shoes", "shoe", "wider"),
        ("mosqito", "mosquito", "typo"),
        ("recievers", "receivers", "typo"),
        ("t shirt", "t-shirt", "same"),
        ("café", "cafe", "same"),
        ("batteries", "battery", "inflection"),
        ("table dining", "dining tables", "inflection"),
        ("tv", "television", "abbreviation"),
        ("ac", "air conditioner", "abbreviation"),
        ("fridge", "refrigerator", "abbreviation"),
        ("обувь", "shoes", "translation"),
        ("red", "blue", "contrast"),
        ("iphone 12", "iphone 13", "contrast"),
        ("mens boots", "womens boots", "contrast"),
        ("mens boots", "ladies boots", "contrast"),
        ("size nine", "size ten", "contrast"),
        ("usb a", "usb c", "contrast"),
        ("aa battery", "aaa battery", "contrast"),
        ("coffee with milk", "coffee without milk", "contrast"),
        ("salted", "unsalted", "contrast"),
        ("wired mouse", "wireless mouse", "contrast"),
        ("iphone", "ipad", "contrast"),
        ("nike", "adidas", "contrast"),
        ("rote", "blaues", "contrast"),
        ("herrenschuhe", "damenschuhe", "contrast"),
        ("sommerreifen", "winterreifen", "contrast"),
        ("shirt", "t-shirt", "narrower"),
        ("ladies boots", "womens boots", "other"),
        ("macbook deals", "macbook sale", "other"),
        ("stainless steel", "inox", "other"),
        ("size nine", "size 9", "other"),
        ("couch", "sofa", "other"),
        ("iphone case", "phone cover", "other"),
    ],
)
def test_what_a_pair_looks_like(left: str, right: str, expected: str) -> None:
    assert shape(left, right) == expected


def test_narrowing_is_symmetric_to_widening() -> None:
    for one, other in (("shoes", "red shoes"), ("sofa", "sofas for small rooms"), ("lamp", "desk lamp")):
        assert {shape(one, other), shape(other, one)} == {"narrower", "wider"}


def test_a_word_is_not_short_for_any_longer_one() -> None:
    assert not any(shortens(short, long) for short, long in (("car", "scarf"), ("sofa", "couch"), ("red", "bored"), ("a", "apple")))


def test_every_search_ends_in_one_way() -> None:
    rows = [
        search("ada", "sofa", 0, n_results=0),
        search("ada", "couch", 20, n_results=9, scrolled=True),
        search("ada", "settee", 40, clicks=1, n_results=9, dwell_s=3),
        search("ada", "divan", 60, n_results=9),
        search("ada", "bench", 80, clicks=2, n_results=9, dwell_s=60),
        SearchSynonymsExample(user_id="ada", query="unsaid", timestamp=NOON + timedelta(seconds=100)),
    ]
    seen = visits(Searches.of(rows), SearchSynonymsConfig())
    assert seen.outcome.tolist() == [*range(len(FAILURES)), SUCCESS, -2]


def test_a_click_that_is_left_at_once_failed() -> None:
    rows = [search("ada", "sofa", 0, clicks=1), search("ada", "couch", 4, clicks=1), search("ada", "bench", 400, clicks=1)]
    seen = visits(Searches.of(rows), SearchSynonymsConfig())
    assert seen.outcome.tolist() == [FAILURES.index("bounced"), SUCCESS, SUCCESS]


def test_the_same_query_again_is_one_search() -> None:
    rows = [search("ada", "sofa", 0), search("ada", "Sofa ", 15), search("ada", "sofa", 40, clicks=1)]
    seen = visits(Searches.of(rows), SearchSynonymsConfig())
    assert seen.outcome.tolist() == [SUCCESS]


@pytest.mark.parametrize(("more", "expected"), [({}, 2), ({"session_id": "s"}, 1)])
def test_a_visit_ends_after_a_silence_unless_it_has_an_id(more: dict[str, Any], expected: int) -> None:
    rows = [search("ada", "sofa", 0, **more), search("ada", "couch", 1_801, **more)]
    assert len(set(visits(Searches.of(rows), SearchSynonymsConfig()).visit.tolist())) == expected


def test_failures_on_the_way_are_bridged_and_success_ends_the_chain() -> None:
    rows = [search("ada", q, 20.0 * n, clicks=q == "c") for n, q in enumerate("abcd")]
    searches = Searches.of(rows)
    tried = attempts(visits(searches, SearchSynonymsConfig()), SearchSynonymsConfig())
    found = {(searches.queries[b], searches.queries[a], s) for b, a, s in tried.select("before", "after", "success").iter_rows()}
    assert found == {("a", "b", False), ("a", "c", True), ("b", "c", True)}


def test_what_comes_after_the_window_is_not_an_attempt() -> None:
    searches = Searches.of([search("ada", "a", 0), search("ada", "b", 601, clicks=1)])
    assert attempts(visits(searches, SearchSynonymsConfig()), SearchSynonymsConfig()).is_empty()


def test_a_word_that_always_stands_there_belongs_to_the_change() -> None:
    rows = [row for n, word in enumerate(("", "red ", "cheap ")) for row in mends(f"{word}thumb drive", f"{word}flash drive", [f"u{n}"])]
    searches = Searches.of(rows)
    tried = attempts(visits(searches, SearchSynonymsConfig()), SearchSynonymsConfig())
    changed, names = changed_phrases(tried, searches.queries)
    assert {(names[left], names[right]) for left, right in changed.select("left", "right").iter_rows()} == {("thumb drive", "flash drive")}


@pytest.mark.parametrize(("users", "learned"), [(4, False), (5, True)])
def test_fewer_than_k_users_make_no_rule(users: int, learned: bool, encode: Encode) -> None:
    rows = mends("couch", "sofa", range(users)) + mends("kettel", "kettle", range(100, 140))
    model = SearchSynonyms().fit(rows, encode=encode)
    assert ("kettel", "kettle") in rules(model)
    assert (("couch", "sofa") in rules(model)) is learned


def test_one_user_is_one_user_however_often(encode: Encode) -> None:
    rows = mends("couch", "sofa", ["ada"] * 50) + mends("kettel", "kettle", range(100, 140))
    model = SearchSynonyms().fit(rows, encode=encode)
    assert rules(model) == {("kettel", "kettle")}


def test_many_users_from_one_address_are_one(encode: Encode) -> None:
    model = SearchSynonyms().fit(
        mends("couch", "sofa", range(50), source="10.0.0.7") + mends("kettel", "kettle", range(100, 140)), encode=encode
    )
    assert ("couch", "sofa") not in rules(model)


def test_many_users_who_search_once_are_people_where_most_search_once(encode: Encode) -> None:
    names = [("couch", "sofa"), ("trousers", "pants"), ("lorry", "truck"), ("cab", "taxi"), ("movie", "film"), ("rubbish", "trash")]
    names += [("tap", "faucet"), ("lift", "elevator"), ("flat", "apartment"), ("autumn", "fall"), ("holiday", "vacation")]
    mended = [mends(left, right, range(200 * place, 200 * place + 150)) for place, (left, right) in enumerate(names)]
    once = [row for rows in mended for row in rows if "other thing" not in (row.query or "")]
    often = mends("kettel", "kettle", range(5_000, 5_300))
    assert rules(SearchSynonyms().fit([*once, *often], encode=encode)) >= {*names, ("kettel", "kettle")}


def test_a_gang_that_repeats_one_pair_for_weeks_makes_no_rule(encode: Encode) -> None:
    once = [row for row in mends("couch", "sofa", range(20)) if "other thing" not in (row.query or "")]
    often = [row.model_copy(update={"timestamp": row.timestamp + timedelta(days=2 * again)}) for again in range(10) for row in once]
    people = mends("kettel", "kettle", range(100, 140)) + mends("trousers", "pants", range(200, 240))
    assert rules(SearchSynonyms().fit([*often, *people], encode=encode)) == {("kettel", "kettle"), ("trousers", "pants")}


def test_a_log_of_bots_alone_teaches_nothing(encode: Encode) -> None:
    bot = [search("bot", ["couch", "sofa"][n % 2], 10.0 * n, clicks=n % 2, n_results=n % 2) for n in range(400)]
    assert rules(SearchSynonyms().fit(bot, encode=encode)) == set()


def test_what_comes_up_on_one_day_only_is_no_name(encode: Encode) -> None:
    spread = mends("kettel", "kettle", range(40))
    at_once = [row for n in range(30) for row in mends("couch", "sofa", [f"c{n}"])]
    assert rules(SearchSynonyms().fit([*spread, *at_once], encode=encode)) == {("kettel", "kettle")}


def test_a_word_of_its_own_is_not_another_one_mistyped(encode: Encode) -> None:
    rows = mends("shirt", "skirt", range(40)) + mends("kettel", "kettle", range(100, 140))
    works = [search(f"w{n}", query, n * 9_000.0, clicks=1, n_results=9, dwell_s=60) for n in range(60) for query in ("shirt", "skirt")]
    assert rules(SearchSynonyms().fit([*rows, *works], encode=encode)) == {("kettel", "kettle")}


def test_a_compound_of_words_of_the_site_narrows(encode: Encode) -> None:
    rows = mends("schuhe", "kinderschuhe", range(40)) + mends("kindar jacke", "kinder jacke", range(100, 140))
    assert rules(SearchSynonyms().fit(rows, encode=encode)) == {("kindar jacke", "kinder jacke")}


def test_a_word_added_is_never_a_rule_however_many_add_it(encode: Encode) -> None:
    rows = (
        mends("shoes", "red shoes", range(200)) + mends("red boots", "boots", range(200, 400)) + mends("kettel", "kettle", range(400, 440))
    )
    assert rules(SearchSynonyms().fit(rows, encode=encode)) == {("kettel", "kettle")}


def test_phrases_are_rules_only_where_other_pairs_agree(encode: Encode) -> None:
    alone = mends("laptop case", "notebook sleeve", range(30)) + mends("kettel", "kettle", range(100, 140))
    whole = SearchSynonyms(SearchSynonymsConfig(min_probability=0.1)).fit(alone, encode=encode)
    assert ("laptop case", "notebook sleeve") in rules(whole)
    assert not rules(whole) & {("laptop", "notebook"), ("case", "sleeve")}
    agreeing = mends("laptop", "notebook", range(200, 240)) + mends("case", "sleeve", range(300, 340))
    parts = SearchSynonyms(SearchSynonymsConfig(min_probability=0.1)).fit([*alone, *agreeing], encode=encode)
    assert rules(parts) >= {("laptop", "notebook"), ("case", "sleeve")}
    assert ("laptop case", "notebook sleeve") not in rules(parts)


def test_personal_data_is_in_no_rule(encode: Encode) -> None:
    rows = mends("ann@example.org", "ann@example.com", range(40)) + mends("kettel", "kettle", range(100, 140))
    model = SearchSynonyms().fit(rows, encode=encode)
    assert rules(model) == {("kettel", "kettle")}
    kept = json.dumps([model.dictionary_.state(), model.spelling_.state(), [gap.model_dump() for gap in model.gaps_]])
    assert "example" not in kept


def test_planted_names_are_found_and_little_else(site: prepare.Site, fitted: SearchSynonyms) -> None:
    found = [entry.rule for entry in fitted.dictionary_]
    right = [site.meaning(rule.left) == site.meaning(rule.right) for rule in found]
    assert len(found) >= 20
    assert np.mean(right) >= 0.95


def test_enough_users_teach_the_name(site: prepare.Site, log: Searches, fitted: SearchSynonyms) -> None:
    config = SearchSynonymsConfig()
    tried = attempts(visits(log, config), config).filter("success")
    changed, names = changed_phrases(tried, log.queries)
    users = tried.join(changed, on=["before", "after"]).group_by("left", "right").agg(users=pl.col("person").n_unique())
    walked = {(names[left], names[right]): count for left, right, count in users.iter_rows()}
    learnable = [pair for pair in site.planted() if walked.get(pair, 0) >= config.k_anonymity]
    assert len(learnable) >= 10
    found = {frozenset(pair) for pair in rules(fitted)}
    assert np.mean([frozenset(pair) in found for pair in learnable]) >= 0.8


def test_floods_and_bots_make_no_rule(site: prepare.Site, fitted: SearchSynonyms) -> None:
    planted = {frozenset(pair) for pair in site.attacked}
    assert not planted & {frozenset(pair) for pair in rules(fitted)}


@pytest.mark.parametrize("vocabulary", ["german", "nonsense"])
def test_what_was_learned_from_one_simulator_holds_in_another(vocabulary: str, encode: Encode) -> None:
    site = strangers.Stranger(vocabulary, strangers.Difficulty(sessions=8_000))
    found = [entry.rule for entry in SearchSynonyms().fit(map(record, site.rows()), encode=encode).dictionary_]
    pairs = {frozenset((rule.left, rule.right)) for rule in found}
    assert np.mean([site.meaning(rule.left) == site.meaning(rule.right) for rule in found]) >= 0.95
    assert np.mean([frozenset(pair) in pairs for pair in site.synonyms()]) >= 0.9
    assert not pairs & {frozenset(pair) for pair in site.attacked}


def test_what_the_site_lacks_is_a_gap(site: prepare.Site, fitted: SearchSynonyms) -> None:
    missing = {concept.names[0] for concept in site.concepts if not concept.offered}
    shown = fitted.gaps(GapsRequest(limit=8)).gaps
    assert missing & {site.meaning(gap.topic) for gap in shown}
    assert [gap.lost_searches for gap in shown] == sorted((gap.lost_searches for gap in shown), reverse=True)
    assert all(gap.users >= 5 for gap in shown)


def test_the_order_of_the_rows_makes_no_difference(log: Searches, fitted: SearchSynonyms, encode: Encode) -> None:
    shuffled = log.where(np.random.default_rng(0).permutation(len(log)))
    again = SearchSynonyms().fit(shuffled, encode=encode)
    assert rules(again) == rules(fitted)


def test_a_rule_works_inside_longer_queries(fitted: SearchSynonyms) -> None:
    rule = next(entry.rule for entry in fitted.dictionary_ if entry.rule.kind == "synonym")
    assert f"red {rule.right} cheap" in queries_of(ask(fitted, f"red {rule.left} cheap"))


def test_a_rejected_rule_is_not_tried(log: Searches, encode: Encode) -> None:
    model = SearchSynonyms().fit(log, encode=encode)
    rule = next(iter(model.dictionary_)).rule
    assert rule.right in queries_of(ask(model, rule.left))
    model.update([SearchSynonymsDecision(action="reject", rule=rule, by="mara", at=datetime(2027, 1, 1, tzinfo=UTC))])
    assert rule.right not in queries_of(ask(model, rule.left))
    assert "mara" in json.dumps(model.dictionary_.state())
    assert "mara" not in json.dumps(model.forget("mara").dictionary_.state())


def test_proposals_can_wait_for_approval(log: Searches, encode: Encode) -> None:
    model = SearchSynonyms(SearchSynonymsConfig(auto_publish=False)).fit(log, encode=encode)
    rule: Rule = next(entry.rule for entry in model.dictionary_ if entry.rule.kind == "synonym")
    assert rule.right not in queries_of(ask(model, rule.left))
    model.update([SearchSynonymsDecision(action="approve", rule=rule, by="mara", at=datetime(2027, 1, 1, tzinfo=UTC))])
    assert rule.right in queries_of(ask(model, rule.left))


def test_decisions_move_the_weights() -> None:
    pair = pl.DataFrame({name: [0.5 if name == "cosine" else 0.0] for name in FEATURES})
    before, after = Weights(), Weights().after(pair, np.array([False]))
    assert after.probabilities(pair)[0] < before.probabilities(pair)[0]
    assert Weights().after(pair.clear(), np.array([], dtype=bool)).weights.tolist() == before.weights.tolist()


def test_columns_hold_what_the_rows_say() -> None:
    rows = [
        search("ada", "sofa", 0, n_results=0, scrolled=True, source="10.0.0.7"),
        SearchSynonymsExample(session_id="s", query="sofa", timestamp=NOON, clicked_ids=["p2", "p1"], meaning="sofa", dwell_s=2.5),
    ]
    searches = Searches.of(rows)
    assert (searches[0].query, searches[0].n_results, searches[0].scrolled, searches[0].n_clicks) == ("sofa", 0, True, 0)
    assert (searches[1].clicked_ids, searches[1].n_clicks, searches[1].meaning, searches[1].dwell_s) == (("p2", "p1"), 2, "sofa", 2.5)
    assert [row.query for row in searches.where(np.array([False, True]))] == ["sofa"]


@pytest.mark.parametrize("cell", ["p1|p2", '["p1", "p2"]', "p1;p2", "p1, p2", "p1 p2"])
def test_clicked_ids_fit_into_one_cell(cell: str) -> None:
    assert search("ada", "sofa", clicked_ids=cell).clicked_ids == ("p1", "p2")


def test_a_search_needs_somebody() -> None:
    with pytest.raises(ValidationError, match="expected a user_id or a session_id"):
        SearchSynonymsExample(query="sofa", timestamp=NOON)


def test_a_log_without_clicks_is_refused() -> None:
    rows = [SearchSynonymsExample(user_id="ada", query="sofa", timestamp=NOON)]
    with pytest.raises(InputError, match=r"expected n_clicks or clicked_ids.*--map n_clicks=COLUMN"):
        SearchSynonyms().fit(rows)
    with pytest.raises(InputError, match="expected rows with a query"):
        SearchSynonyms().fit([])


def test_user_behavior_insights_are_read_as_they_are(tmp_path: Path) -> None:
    lines = [
        ("ubi_queries", {"query_id": "1", "client_id": "c", "user_query": "Couch", "query": "{}", "timestamp": 1_772_366_400_000}),
        ("ubi_queries", {"query_id": "2", "client_id": "c", "user_query": "sofa", "query": "{}", "timestamp": 1_772_366_420_000}),
        ("ubi_events", _event("item_click", "2", "p8")),
        ("ubi_events", _event("item_click", "2", "p8")),
        ("ubi_events", _event("brand_filter", "1", "p9")),
    ]
    path = tmp_path / "log.json"
    path.write_text("".join(f"{index}\t{json.dumps(document)}\n" for index, document in lines))
    searches = Searches.of(read_rows(path, SearchSynonymsExample))
    assert [(row.query, row.n_clicks, row.clicked_ids) for row in searches] == [("couch", 0, None), ("sofa", 1, ("p8",))]
    assert visits(searches, SearchSynonymsConfig()).outcome.tolist() == [FAILURES.index("abandoned"), SUCCESS]
    dumped = tmp_path / "dump.jsonl"
    dumped.write_text("".join(json.dumps({"_index": index, "_source": document}) + "\n" for index, document in lines))
    assert list(Searches.of(read_rows(dumped, SearchSynonymsExample))) == list(searches)


def _event(action: str, query_id: str, doc: str) -> dict[str, Any]:
    details = {"session_id": "s", "object": {"object_id": doc, "description": "a thing"}}
    return {"action_name": action, "query_id": query_id, "client_id": "c", "timestamp": 1_772_366_430_000, "event_attributes": details}


def test_labels_are_never_learned_from(log: Searches, fitted: SearchSynonyms, encode: Encode) -> None:
    blind = replace(log, meaning=np.full_like(log.meaning, -1))
    again = SearchSynonyms().fit(blind, encode=encode)
    assert [entry.model_dump() for entry in again.dictionary_] == [entry.model_dump() for entry in fitted.dictionary_]


def test_sample_is_what_the_generator_writes(tmp_path: Path) -> None:
    prepare.main(tmp_path)
    assert (tmp_path / "sample.csv.gz").read_bytes() == (FOLDER / "sample.csv.gz").read_bytes()


def test_a_rule_with_words_dropped_is_no_rule(encode: Encode) -> None:
    rows = [*mends("fridge", "refrigerator", range(40)), *mends("samsung fridge", "refrigerator", range(100, 120))]
    assert rules(SearchSynonyms().fit(rows, encode=encode)) == {("fridge", "refrigerator")}


def test_a_word_that_works_elsewhere_has_its_context(encode: Encode) -> None:
    elsewhere = [search(f"w{n}", "apple", 86_400.0 * n + 60, clicks=1, clicked_ids=["fruit"]) for n in range(80)]
    rows = mends("apple charger", "macbook charger", range(30)) + mends("apple cable", "macbook cable", range(100, 130))
    model = SearchSynonyms(SearchSynonymsConfig(min_probability=0.05)).fit([*rows, *elsewhere], encode=encode)
    (rule,) = [entry.rule for entry in model.dictionary_ if entry.rule.left == "apple"]
    assert (rule.right, rule.context) == ("macbook", ("cable", "charger"))
    assert "macbook" not in queries_of(ask(model, "apple"))
    assert "macbook charger" in queries_of(ask(model, "apple charger"))


def test_groups_are_cliques_and_chains_are_shown() -> None:
    def two_way(left: str, right: str) -> Rule:
        return Rule(kind="synonym", left=left, right=right, two_way=True)

    closed = [two_way("sofa", "couch"), two_way("couch", "settee"), two_way("settee", "sofa")]
    assert groups([*closed, two_way("settee", "bench")]) == [["couch", "settee", "sofa"]]
    assert {tuple(odd.terms) for odd in oddities([*closed, two_way("settee", "bench")]) if odd.kind == "chain"} == {
        *(("sofa", "settee", "bench"), ("couch", "settee", "bench"), ("bench", "settee", "sofa"), ("bench", "settee", "couch"))
    }
    assert oddities(closed) == []


def test_cycles_and_terms_with_many_names_are_shown() -> None:
    loop = [Rule(kind="synonym", left=left, right=right) for left, right in ("ab", "bc", "ca")]
    assert [sorted(odd.terms) for odd in oddities(loop) if odd.kind == "cycle"] == [["a", "b", "c"]]
    many = [Rule(kind="synonym", left="thing", right=f"name {number}") for number in range(9)]
    assert [odd.kind for odd in oddities(many)] == ["many_names"]


def test_reviewers_teach_what_is_believed(log: Searches, encode: Encode) -> None:
    model = SearchSynonyms(SearchSynonymsConfig(min_probability=0.0)).fit(log, encode=encode)
    entries = [entry for entry in model.dictionary_ if entry.rule.kind == "synonym"]
    rejected, others = entries[::2], entries[1::2]
    before = {entry.id: entry.evidence.probability for entry in others if entry.evidence is not None}
    at = datetime(2027, 1, 1, tzinfo=UTC)
    decisions = [SearchSynonymsDecision(action="reject", rule=entry.rule, by="mara", at=at) for entry in rejected]
    model.update(decisions)
    after = [
        found.evidence.probability for pair in before if (found := model.dictionary_.get(pair)) is not None and found.evidence is not None
    ]
    assert np.mean(after) < np.mean(list(before.values()))
    again = SearchSynonyms(SearchSynonymsConfig(min_probability=0.0)).fit(log, encode=encode)
    for decision in reversed(decisions):
        again.update([decision])
    assert again.dictionary_.state() == model.dictionary_.state()
