"""The interest graph against answers known by hand and against the planted truth of its sample."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data.interest_graph import prepare
from models.errors import InputError
from models.interest_graph import (
    InterestGraph,
    InterestGraphConfig,
    InterestGraphEvent,
    InterestGraphPrediction,
    InterestGraphQuery,
    RelatedQuery,
    RelatedTopics,
)
from models.interest_graph.ledger import TIMELESS, _order
from models.interest_graph.records import MAX_K
from models.rows import read_rows
from training.interest_graph import RECIPE
from training.recipe import Split

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALF_LIFE = timedelta(days=30)
FOLDER = Path(__file__).parent.parent / "data" / "interest_graph"


def event(user: str, topic: str, action: str = "view", at: datetime | None = NOON, weight: float = 1.0) -> InterestGraphEvent:
    return InterestGraphEvent(user_id=user, topic=topic, action=action, timestamp=at, weight=weight)


def ask(model: InterestGraph, user: str, k: int = 10, as_of: datetime | None = None) -> InterestGraphPrediction:
    (answer,) = model.predict([InterestGraphQuery(user_id=user, k=k, as_of=as_of)])
    return answer


def weights(answer: InterestGraphPrediction) -> dict[str, float]:
    return {interest.topic: interest.weight for interest in answer.interests + answer.rejected}


def saved(model: InterestGraph, folder: Path) -> dict[str, bytes]:
    model.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def sample() -> list[InterestGraphEvent]:
    return list(read_rows(FOLDER / "sample.csv", InterestGraphEvent))


@pytest.fixture(scope="module")
def fitted(sample: list[InterestGraphEvent]) -> InterestGraph:
    return InterestGraph().fit(sample)


def test_an_action_counts_half_after_one_half_life() -> None:
    model = InterestGraph().fit([event("ada", "chess", "like")])
    assert weights(ask(model, "ada", as_of=NOON)) == {"chess": pytest.approx(4.0, rel=1e-5)}
    assert weights(ask(model, "ada", as_of=NOON + HALF_LIFE)) == {"chess": pytest.approx(2.0, rel=1e-5)}
    assert weights(ask(model, "ada", as_of=NOON + 3 * HALF_LIFE)) == {"chess": pytest.approx(0.5, rel=1e-5)}


def test_edges_sum_what_is_left_of_every_action() -> None:
    model = InterestGraph().fit([event("ada", "chess", "like", NOON - HALF_LIFE), event("ada", "chess", "click", NOON, weight=3)])
    (interest,) = ask(model, "ada").interests
    assert interest.weight == pytest.approx(4 / 2 + 3 * 2, rel=1e-5)
    assert (interest.actions, interest.last_at, interest.share) == (2, NOON, 1.0)


def test_interests_are_ordered_by_weight_and_rejections_stand_apart() -> None:
    events = [event("ada", "chess"), event("ada", "jazz", "like"), event("ada", "golf", "view"), event("ada", "golf", "hide")]
    answer = ask(InterestGraph().fit(events), "ada")
    assert [interest.topic for interest in answer.interests] == ["jazz", "chess"]
    assert [interest.share for interest in answer.interests] == pytest.approx([0.8, 0.2], rel=1e-4)
    (golf,) = answer.rejected
    assert (golf.topic, golf.share, golf.actions) == ("golf", 0.0, 2)
    assert golf.weight == pytest.approx(-7.0, rel=1e-5)


def test_a_recent_view_outweighs_an_old_like() -> None:
    model = InterestGraph().fit([event("ada", "jazz", "like", NOON - 3 * HALF_LIFE), event("ada", "chess", "view")])
    assert [interest.topic for interest in ask(model, "ada").interests] == ["chess", "jazz"]
    assert [interest.topic for interest in ask(model, "ada", as_of=NOON - 2 * HALF_LIFE).interests] == ["jazz"]


def test_a_day_that_goes_on_after_the_instant_is_left_out() -> None:
    model = InterestGraph().fit([event("ada", "jazz", at=NOON), event("ada", "jazz", at=NOON + timedelta(hours=2))])
    assert not ask(model, "ada", as_of=NOON + timedelta(hours=1)).known
    assert ask(model, "ada", as_of=NOON + timedelta(hours=2)).interests[0].actions == 2


def test_rows_without_a_time_do_not_fade() -> None:
    model = InterestGraph().fit([event("ada", "jazz", at=None, weight=7), event("ada", "chess", at=NOON)])
    answer = ask(model, "ada", as_of=NOON + 10 * HALF_LIFE)
    assert weights(answer) == {"jazz": 7.0, "chess": pytest.approx(2**-10, rel=1e-4)}
    assert answer.interests[0].last_at is None


def test_a_graph_without_times_answers_without_an_instant() -> None:
    answer = ask(InterestGraph().fit([event("ada", "jazz", at=None)]), "ada")
    assert (answer.as_of, weights(answer)) == (None, {"jazz": 1.0})


def test_the_newest_event_is_the_present_unless_asked_otherwise() -> None:
    model = InterestGraph().fit([event("ada", "jazz"), event("bob", "jazz", at=NOON + HALF_LIFE)])
    answer = ask(model, "ada")
    assert answer.as_of == NOON + HALF_LIFE
    assert weights(answer) == {"jazz": pytest.approx(0.5, rel=1e-5)}


def test_an_unknown_user_gets_what_is_popular() -> None:
    events = [
        *(event(user, "jazz") for user in ("ada", "bob", "cyd")),
        *(event(user, "golf") for user in ("ada", "bob")),
        event("ada", "chess"),
    ]
    answer = ask(InterestGraph().fit([*events, event("bob", "opera", "hide")]), "nobody")
    assert (answer.known, answer.interests, answer.rejected) == (False, [], [])
    assert [(r.topic, r.score, r.because) for r in answer.recommendations] == [("jazz", 1.0, []), ("golf", 2 / 3, []), ("chess", 1 / 3, [])]


def test_popularity_fades_too() -> None:
    old = [event(f"old{n}", "vinyl", at=NOON - 3 * HALF_LIFE) for n in range(7)]
    model = InterestGraph().fit([*old, event("new", "podcasts")])
    assert [r.topic for r in ask(model, "nobody").recommendations] == ["podcasts", "vinyl"]


def test_recommendations_follow_the_only_path_there_is() -> None:
    shared = [event(user, topic) for user in ("bob", "cyd") for topic in ("chess", "go")]
    model = InterestGraph().fit([event("ada", "chess"), *shared, event("dan", "opera"), event("dan", "wine")])
    best, *rest = ask(model, "ada").recommendations
    assert best.topic == "go"
    assert [(reason.topic, reason.users, reason.share) for reason in best.because] == [("chess", 2, 1.0)]
    assert {r.topic for r in rest} == {"opera", "wine"}
    assert all(r.because == [] and r.score <= best.score for r in rest)


def test_what_a_user_knows_or_hid_is_not_recommended() -> None:
    shared = [event(user, topic) for user in ("bob", "cyd") for topic in ("chess", "go", "shogi")]
    model = InterestGraph().fit([event("ada", "chess"), event("ada", "go", "hide"), *shared])
    assert [r.topic for r in ask(model, "ada").recommendations] == ["shogi"]


def test_an_unknown_action_is_refused_and_nothing_learned(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected one of the actions .*view.*, got 'zap' in event 2: give it a weight in action_weights"):
        InterestGraph().fit([event("ada", "jazz"), event("ada", "jazz", "zap")])
    model = InterestGraph().fit([event("ada", "jazz")])
    before = saved(model, tmp_path / "before")
    with pytest.raises(InputError, match="'zap' in event 2"):
        model.update([event("eve", "golf"), event("eve", "golf", "zap")])
    assert saved(model, tmp_path / "after") == before


def test_configured_actions_replace_the_usual_ones() -> None:
    model = InterestGraph(InterestGraphConfig(action_weights={"Zap": 3})).fit([event("ada", "jazz", "ZAP")])
    assert weights(ask(model, "ada")) == {"jazz": pytest.approx(3.0, rel=1e-5)}
    with pytest.raises(ValidationError, match="less than or equal to 16"):
        InterestGraphConfig(action_weights={"zap": 17})


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(InputError, match="expected at least one event"):
        InterestGraph().fit([])


@pytest.mark.parametrize("k", [0, MAX_K + 1])
def test_k_is_bounded(k: int) -> None:
    with pytest.raises(ValidationError, match="k"):
        InterestGraphQuery(user_id="ada", k=k)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        InterestGraphEvent.model_validate({"user_id": "ada", "topic": "jazz", "timestamp": "2026-03-01T12:00:00"})
    with pytest.raises(ValidationError, match="timezone"):
        InterestGraphQuery.model_validate({"user_id": "ada", "as_of": "2026-03-01T12:00:00"})


def test_ids_are_the_same_as_text_and_as_numbers() -> None:
    typed = [InterestGraphEvent.model_validate({"user_id": name, "topic": name}) for name in (12, 12.0, "12", " 12 ")]
    assert {(row.user_id, row.topic) for row in typed} == {("12", "12")}


EVENTS = st.lists(
    st.builds(
        event,
        st.sampled_from(["ada", "bob", "cyd"]),
        st.sampled_from(["chess", "go", "jazz", "opera"]),
        st.sampled_from(["view", "click", "like", "hide"]),
        st.none() | st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),
        st.floats(0, 1e6, allow_subnormal=False),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(events=EVENTS, data=st.data())
def test_order_and_batches_leave_no_trace(
    events: list[InterestGraphEvent], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = [event("ada", "chess", at=NOON)]
    shuffled = data.draw(st.permutations(events))
    cut = data.draw(st.integers(0, len(events)))
    folder = tmp_path_factory.mktemp("graphs")
    at_once = InterestGraph().fit(first).update(events)
    in_parts = InterestGraph().fit(first).update(shuffled[:cut]).update(shuffled[cut:])
    assert saved(at_once, folder / "one") == saved(in_parts, folder / "two")


@settings(deadline=None, max_examples=40)
@given(events=EVENTS, cut=st.integers(1, 12))
def test_update_gives_the_edges_that_fit_on_everything_gives(events: list[InterestGraphEvent], cut: int) -> None:
    whole, updated = InterestGraph().fit(events), InterestGraph().fit(events[:cut]).update(events[cut:])
    for user in ("ada", "bob", "cyd"):
        one, two = ask(whole, user), ask(updated, user)
        assert (one.known, one.as_of, one.interests, one.rejected) == (two.known, two.as_of, two.interests, two.rejected)


@settings(deadline=None, max_examples=40)
@given(events=EVENTS)
def test_weights_are_those_of_the_sum_in_the_docstring(events: list[InterestGraphEvent]) -> None:
    as_of = datetime(2026, 2, 1, tzinfo=UTC)
    amounts = {"view": 1, "click": 2, "like": 4, "hide": -8}
    expected: dict[str, float] = {}
    for row in (row for row in events if row.user_id == "ada"):
        age = timedelta() if row.timestamp is None else as_of - row.timestamp
        expected[row.topic] = expected.get(row.topic, 0.0) + amounts[row.action] * row.weight * 2 ** -(age / HALF_LIFE)
    found = weights(ask(InterestGraph().fit(events), "ada", as_of=as_of))
    assert {topic: found.get(topic, 0.0) for topic in expected} == pytest.approx(expected, abs=1e-3, rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(events=EVENTS, more=EVENTS)
def test_forgetting_a_newcomer_leaves_no_trace(
    events: list[InterestGraphEvent], more: list[InterestGraphEvent], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("graphs")
    eves = [row.model_copy(update={"user_id": "eve", "topic": f"{row.topic} of {n % 2}"}) for n, row in enumerate(more)]
    without = InterestGraph().fit(events).update(more)
    forgot = InterestGraph().fit(events).update([*eves, *more]).forget("eve")
    assert saved(forgot, folder / "one") == saved(without, folder / "two")
    assert forgot.fingerprint() == without.fingerprint()


def test_forgetting_drops_the_user_and_what_only_they_met(fitted: InterestGraph, tmp_path: Path) -> None:
    fitted.save(tmp_path / "before")
    model = InterestGraph.load(tmp_path / "before").update([event("u001", "secret diary"), event("zoe", "hiking")])
    others = weights(ask(model, "u002", k=100)), weights(ask(model, "zoe", k=100))
    assert model.forget("u001") is model
    assert not ask(model, "u001").known
    assert (weights(ask(model, "u002", k=100)), weights(ask(model, "zoe", k=100))) == others
    model.save(tmp_path / "after")
    names = (tmp_path / "after" / "names.json").read_text()
    assert ("u001" in names, "secret diary" in names, "u002" in names) == (False, False, True)
    loaded = InterestGraph.load(tmp_path / "after")
    assert ask(loaded, "u002", k=100) == ask(model, "u002", k=100)
    assert loaded.fingerprint() == model.fingerprint() != InterestGraph.load(tmp_path / "before").fingerprint()


def test_forgetting_a_users_own_topic_keeps_the_relations_of_the_others() -> None:
    shared = [event(user, topic) for user in ("bob", "cyd") for topic in ("chess", "go")]
    model = InterestGraph().fit([event("ada", "bees"), event("ada", "chess"), *shared]).forget("ada")
    assert ask(model, "ada").recommendations[0].topic in {"chess", "go"}
    related = model.related(RelatedQuery(topic="chess"))
    assert [(each.topic, each.users) for each in related.related] == [("go", 2)]
    assert not model.related(RelatedQuery(topic="bees")).known
    assert model.forget("bob").forget("cyd").predict([InterestGraphQuery(user_id="bob")])[0].known is False


def test_an_event_with_an_unknown_action_is_refused_in_one_sentence() -> None:
    model = InterestGraph().fit([event("ada", "chess")])
    assert model.refusal(event("ada", "chess")) is None
    assert "expected one of the actions" in str(model.refusal(event("ada", "chess", "zap")))


def test_related_topics_are_the_strongest_first_and_new_ones_are_not_known(fitted: InterestGraph) -> None:
    answer = fitted.related(RelatedQuery(topic="photography", k=3))
    strengths = [each.strength for each in answer.related]
    assert (answer.known, len(strengths), strengths) == (True, 3, sorted(strengths, reverse=True))
    assert fitted.related(RelatedQuery(topic="nothing like it")) == RelatedTopics(topic="nothing like it", known=False, related=[])


def test_rows_are_sorted_alike_whether_or_not_they_fit_one_number() -> None:
    rng = np.random.default_rng(0)
    user, topic, day = (rng.integers(0, 5, 200) for _ in range(3))
    day[::7] = TIMELESS
    order = _order(user, topic, day)
    assert np.array_equal(order, np.lexsort((day, topic, user)))
    assert np.array_equal(_order(user * 2**40, topic * 2**20, day), order)


def test_new_users_and_topics_are_learned_online_and_survive_saving(fitted: InterestGraph, tmp_path: Path) -> None:
    fitted.save(tmp_path / "before")
    model = InterestGraph.load(tmp_path / "before").update([event("zoe", "quantum knitting"), event("zoe", "hiking", "like")])
    answer = ask(model, "zoe", k=5, as_of=NOON)
    assert [interest.topic for interest in answer.interests] == ["hiking", "quantum knitting"]
    assert answer.recommendations[0].because[0].topic == "hiking"
    model.save(tmp_path / "after")
    assert ask(InterestGraph.load(tmp_path / "after"), "zoe", k=5, as_of=NOON) == answer


def test_predict_in_threads_sees_whole_batches_while_update_runs() -> None:
    model = InterestGraph().fit([event("ada", "chess"), event("ada", "go"), event("bob", "chess"), event("bob", "jazz")])
    torn: list[Sequence[int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            actions = [interest.actions for interest in ask(model, "ada").interests]
            if len(set(actions)) != 1:
                torn.append(actions)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for minute in range(200):
        at = NOON + timedelta(minutes=minute)
        model.update([event("ada", "chess", at=at), event("ada", "go", at=at), event(f"u{minute}", f"t{minute}", at=at)])
    done.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert {interest.actions for interest in ask(model, "ada").interests} == {201}


def test_graphml_round_trip_keeps_nodes_edges_and_weights(fitted: InterestGraph, tmp_path: Path) -> None:
    graph = fitted.to_networkx()
    nx.write_graphml(graph, tmp_path / "graph.graphml")
    again = nx.read_graphml(tmp_path / "graph.graphml")
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert {(a, b): attributes for a, b, attributes in again.edges(data=True)} == {(a, b): d for a, b, d in graph.edges(data=True)}
    exported = {name.removeprefix("topic:"): edge["weight"] for name, edge in again["user:u000"].items()}
    assert exported == weights(ask(fitted, "u000", k=100))


def test_the_sample_is_reproducible(tmp_path: Path) -> None:
    prepare.main(tmp_path)
    assert (tmp_path / "sample.csv").read_bytes() == (FOLDER / "sample.csv").read_bytes()
    assert len((tmp_path / "sample.csv").read_bytes()) < 1_000_000


def community_shares(answer: InterestGraphPrediction) -> dict[str, float]:
    community = {topic: name for name, topics in prepare.COMMUNITIES.items() for topic in topics}
    shares = dict.fromkeys(prepare.COMMUNITIES, 0.0)
    for interest in answer.interests:
        shares[community[interest.topic]] += interest.share
    return shares


def test_who_drifted_is_seen_where_they_are_now(fitted: InterestGraph) -> None:
    settled = prepare.START + timedelta(days=100)
    drifted = [user for user in prepare.users(seed=0) if user.before != user.after and user.actions >= 40 and user.drift_at < settled]
    assert len(drifted) >= 15
    for user in drifted:
        before = community_shares(ask(fitted, user.user_id, k=64, as_of=user.drift_at))
        after = community_shares(ask(fitted, user.user_id, k=64))
        assert max(before, key=before.__getitem__) == user.before
        assert max(after, key=after.__getitem__) == user.after
        assert after[user.before] < before[user.before] / 2


def test_the_best_new_topics_are_of_the_same_community(sample: list[InterestGraphEvent]) -> None:
    communities = prepare.COMMUNITIES
    model = InterestGraph().fit(sample).update([event(f"new to {name}", topics[0], "like") for name, topics in communities.items()])
    for name, topics in communities.items():
        best = ask(model, f"new to {name}", k=5).recommendations
        assert {recommendation.topic for recommendation in best} <= set(topics[1:])
        assert all(recommendation.because[0].topic == topics[0] for recommendation in best)


def test_rows_with_times_are_split_at_an_instant_and_asked_about_as_of_it(sample: list[InterestGraphEvent]) -> None:
    split = RECIPE.split(sample, 0)
    last, first = max(row.timestamp for row in split.train if row.timestamp), min(row.timestamp for row in split.holdout if row.timestamp)
    assert last < first
    assert {case.query.as_of for case in RECIPE.cases(split, 0)} == {first - timedelta(microseconds=1)}


def test_rows_without_times_are_split_by_pairs_of_user_and_topic() -> None:
    rows = [event(f"u{user}", f"t{topic}", at=None) for user in range(20) for topic in range(10) for _ in range(2)]
    split = RECIPE.split(rows, 0)
    assert {(row.user_id, row.topic) for row in split.train}.isdisjoint((row.user_id, row.topic) for row in split.holdout)
    assert {case.query.as_of for case in RECIPE.cases(split, 0)} == {None}


def test_the_truth_is_what_a_user_newly_cares_about() -> None:
    train = [event("ada", "jazz"), event("bob", "jazz"), event("bob", "golf")]
    later = [("ada", "jazz", "like"), ("ada", "golf", "view"), ("ada", "wine", "view"), ("ada", "wine", "hide"), ("bob", "golf", "like")]
    holdout = [event(user, topic, action, NOON + HALF_LIFE) for user, topic, action in later]
    split = Split(train, holdout)
    (case,) = RECIPE.cases(split, 0)
    assert (case.query.user_id, case.truth, case.slices) == ("ada", frozenset({"golf"}), {"history": "light user"})
    popular = RECIPE.baseline(train)([case.query])
    assert [recommendation.topic for recommendation in popular[0].recommendations] == ["golf"]
    assert RECIPE.evaluate(popular, [case]) == {"recall_at_20": 1.0, "ndcg_at_10": 1.0}


def test_the_model_finds_far_more_new_topics_than_popularity_does(sample: list[InterestGraphEvent]) -> None:
    split = RECIPE.split(sample, 0)
    cases = RECIPE.cases(split, 0)
    queries = [case.query for case in cases]
    model = InterestGraph().fit(split.train)
    predictions = model.predict(queries)
    ours, simple = RECIPE.evaluate(predictions, cases), RECIPE.evaluate(RECIPE.baseline(split.train)(queries), cases)
    assert ours["ndcg_at_10"] > 2 * simple["ndcg_at_10"]
    assert set(RECIPE.figures(model, predictions, cases)) == {"degrees", "weights", "ego_graph", "drift"}
