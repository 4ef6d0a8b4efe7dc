"""The life of a rule: what people decide and what the evidence decides, in any order and through new trainings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import binomtest

from models.search_synonyms.dictionary import Dictionary, Entry
from models.search_synonyms.rules import Action, Evidence, Kind, Proposal, Rule, SearchSynonymsDecision, Status, normal, rule_id
from models.wilson import wilson_bounds

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACTIONS: list[Action] = ["add", "edit", "approve", "reject", "publish", "demote"]
COUCH = Rule(kind="synonym", left="couch", right="sofa", two_way=True)
LIVE: tuple[Status, ...] = ("proposed", "approved", "published")


def proposal(rule: Rule = COUCH, users: int = 40, probability: float = 0.97, successes: int = 30, attempts: int = 36) -> Proposal:
    low, _ = wilson_bounds(successes, attempts)
    evidence = Evidence(
        users=users,
        attempts=attempts,
        successes=successes,
        success_rate=successes / attempts,
        success_at_least=low,
        log_likelihood_ratio=90.0,
        probability=probability,
        fixed_per_week=float(users),
    )
    return Proposal(rule=rule, evidence=evidence)


def decision(action: Action, hours: float = 0, rule: Rule = COUCH, users: int | None = None) -> SearchSynonymsDecision:
    return SearchSynonymsDecision(action=action, rule=rule, by="mara", at=NOON + timedelta(hours=hours), users=users)


def couch(dictionary: Dictionary) -> Entry:
    entry = dictionary.get(COUCH.id)
    assert entry is not None
    return entry


def after(*decisions: SearchSynonymsDecision, trained_at: datetime | None = NOON - timedelta(days=1), **evidence: float) -> Entry:
    found = proposal(**evidence)  # type: ignore[arg-type]
    return couch(Dictionary([found], trained_at).decide(decisions))


def test_a_rule_lives_from_proposed_to_demoted_and_back() -> None:
    dictionary = Dictionary([proposal()], NOON - timedelta(days=1))
    statuses = [couch(dictionary).status]
    actions: list[Action] = ["approve", "publish", "demote", "publish", "reject", "approve"]
    for hour, action in enumerate(actions):
        statuses.append(couch(dictionary.decide([decision(action, hour)])).status)
    assert statuses == ["proposed", "approved", "published", "demoted", "published", "rejected", "approved"]
    assert all(step.applied for step in couch(dictionary).history)


def test_a_decision_that_does_not_apply_is_recorded_and_changes_nothing() -> None:
    entry = after(decision("publish"))
    assert entry.status == "proposed"
    (step,) = entry.history
    assert (step.applied, step.because) == (False, "nothing to publish: the rule is proposed")


@pytest.mark.parametrize("action", ["edit", "publish", "demote"])
def test_what_is_not_in_the_dictionary_cannot_be_changed(action: Action) -> None:
    assert len(Dictionary().decide([decision(action)])) == 0


def test_decisions_of_one_instant_build_on_each_other_and_caution_wins() -> None:
    together = [decision("publish"), decision("add"), decision("approve")]
    assert couch(Dictionary().decide(together)).status == "published"
    assert couch(Dictionary().decide([decision("reject"), *together])).status == "rejected"


@given(
    st.lists(st.builds(decision, st.sampled_from(ACTIONS), st.integers(-2, 2), users=st.sampled_from([None, 1, 50])), max_size=8),
    st.randoms(use_true_random=False),
)
def test_order_batches_and_repetition_of_decisions_do_not_matter(decisions: list[SearchSynonymsDecision], random: object) -> None:
    together = Dictionary([proposal(probability=0.1)], NOON).decide(decisions)
    shuffled = decisions + decisions[:3]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    alone = Dictionary([proposal(probability=0.1)], NOON)
    for one in shuffled:
        alone.decide([one])
    assert list(alone) == list(together)
    assert alone.state() == together.state()


def test_the_saved_state_gives_the_same_dictionary() -> None:
    dictionary = Dictionary([proposal()], NOON).decide([decision("approve"), decision("publish", 1), decision("edit", 2)])
    again = Dictionary.restored(json.loads(json.dumps(dictionary.state())))
    assert list(again) == list(dictionary)
    assert again.applications("red couch", LIVE) == dictionary.applications("red couch", LIVE)


def test_what_a_person_wrote_survives_a_training_that_knows_nothing_of_it() -> None:
    mine = Rule(kind="abbreviation", left="ac", right="air conditioner")
    kept = Dictionary([], NOON + timedelta(days=30)).decide([decision("add", rule=mine), decision("publish", 1, rule=mine)])
    (entry,) = kept
    assert (entry.rule, entry.status, entry.evidence) == (mine, "published", None)


def test_what_was_approved_stays_in_force_when_training_finds_another_direction() -> None:
    seen = Rule(kind="inflection", left="couch", right="sofa")
    entry = after(decision("approve", rule=seen), trained_at=NOON + timedelta(days=7))
    assert (entry.rule, entry.status) == (seen, "approved")


def test_an_edit_keeps_the_status_and_wins_over_what_was_learned() -> None:
    edited = Rule(kind="synonym", left="couch", right="sofa", context=("furniture",))
    entry = after(decision("approve"), decision("publish", 1), decision("edit", 2, rule=edited))
    assert (entry.rule, entry.status) == (edited, "published")


@pytest.mark.parametrize(("users", "status"), [(119, "rejected"), (120, "proposed")])
def test_a_rejected_pair_returns_with_three_times_the_users(users: int, status: str) -> None:
    assert after(decision("reject", users=40), trained_at=NOON + timedelta(days=30), users=users).status == status


def test_a_pair_rejected_for_good_or_after_the_training_does_not_return() -> None:
    assert after(decision("reject"), trained_at=NOON + timedelta(days=30), users=4000).status == "rejected"
    assert after(decision("reject", users=40), users=4000).status == "rejected"


def test_a_rejection_counts_for_the_pair_in_either_direction() -> None:
    turned = Rule(kind="abbreviation", left="sofa", right="couch")
    assert after(decision("reject", rule=turned)).status == "rejected"


def test_a_published_rule_is_demoted_when_its_evidence_fades() -> None:
    published = [decision("approve"), decision("publish", 1)]
    later = NOON + timedelta(days=30)
    assert after(*published, trained_at=later, probability=0.3).status == "published"
    assert after(*published, trained_at=later, probability=0.2).status == "demoted"
    failing = after(*published, trained_at=later, successes=5, attempts=100)
    assert (failing.status, failing.history[-1].by) == ("demoted", "training")
    assert failing.history[-1].because == "5 of 100 searches with it worked, surely below 20%"


def test_a_published_rule_is_demoted_when_it_is_too_unlikely_to_be_proposed_any_more() -> None:
    published = [decision("approve"), decision("publish", 1)]
    faint = Dictionary([], NOON + timedelta(days=30), faint=[proposal(probability=0.1)])
    assert len(faint) == 0
    assert couch(faint.decide(published)).status == "demoted"
    assert couch(Dictionary.restored(json.loads(json.dumps(faint.state())))) == couch(faint)
    assert couch(faint.rescored({COUCH.id: 0.3})).status == "published"


def test_what_is_too_unlikely_to_be_proposed_does_not_bring_back_what_was_rejected() -> None:
    faint = Dictionary([], NOON + timedelta(days=30), faint=[proposal(users=4000, probability=0.1)])
    assert couch(faint.decide([decision("reject", users=40)])).status == "rejected"


def test_verdicts_are_those_of_people_whatever_training_decides() -> None:
    published = [decision("approve"), decision("publish", 1)]
    demoted = Dictionary([proposal(probability=0.1)], NOON + timedelta(days=30)).decide(published)
    assert (couch(demoted).status, demoted.verdicts()) == ("demoted", {COUCH.id: True})
    assert demoted.decide([decision("reject", 2)]).verdicts() == {COUCH.id: False}
    assert Dictionary([proposal()], NOON).verdicts() == {}


def test_a_person_may_publish_again_what_training_demoted_until_the_next_training() -> None:
    decisions = [decision("approve"), decision("publish", 1), decision("publish", 100)]
    assert after(*decisions, trained_at=NOON + timedelta(hours=50), probability=0.1).status == "published"
    assert after(*decisions, trained_at=NOON + timedelta(hours=150), probability=0.1).status == "demoted"


def test_a_rule_that_works_leaves_no_failures_and_is_not_demoted_for_that() -> None:
    kept = Dictionary([], NOON + timedelta(days=90)).decide([decision("approve"), decision("publish", 1)])
    assert couch(kept).status == "published"


def test_what_was_written_by_hand_is_not_demoted_by_evidence() -> None:
    by_hand = [decision("add"), decision("publish", 1)]
    assert after(*by_hand, trained_at=NOON + timedelta(days=30), probability=0.1).status == "published"


def test_rules_apply_to_phrases_in_their_direction_context_and_status() -> None:
    rules = [
        COUCH,
        Rule(kind="abbreviation", left="ac", right="air conditioner"),
        Rule(kind="synonym", left="apple", right="macbook", context=("laptop", "solid state")),
    ]
    dictionary = Dictionary(map(proposal, rules))

    def rewritten(query: str, context: str = "") -> list[str]:
        return [one.query for one in dictionary.applications(query, LIVE, context)]

    assert rewritten("Red  COUCH") == ["red sofa"]
    assert rewritten("sofa for ac") == ["couch for ac", "sofa for air conditioner"]
    assert rewritten("air conditioner") == []
    assert rewritten("apple juice") == []
    assert rewritten("apple laptop") == ["macbook laptop"]
    assert rewritten("apple", context="Laptop accessories") == ["macbook"]
    assert rewritten("apple solid state disk") == ["macbook solid state disk"]
    assert dictionary.applications("couch", LIVE[2:]) == []


def test_rules_are_not_chained() -> None:
    rules = [COUCH, Rule(kind="synonym", left="sofa", right="lounge", two_way=True)]
    dictionary = Dictionary(map(proposal, rules))
    assert [one.query for one in dictionary.applications("couch", LIVE)] == ["sofa"]


def test_the_most_useful_rules_come_first() -> None:
    mine = Rule(kind="synonym", left="loo", right="toilet")
    rules = [proposal(users=7), proposal(Rule(kind="typo", left="sofaa", right="sofa"), users=70)]
    entries = Dictionary(rules).decide([decision("add", rule=mine)])
    assert [entry.rule.left for entry in entries] == ["sofaa", "couch", "loo"]


def test_terms_are_compared_without_case_width_spaces_and_control_characters() -> None:
    assert normal("  \uff32ed\tSHOES\x00\u200b ") == "red shoes"
    assert rule_id("Red  Shoes", "b") == rule_id("B", "red shoes")
    assert Rule(kind="synonym", left=" Sofa", right="COUCH").id == COUCH.id


@pytest.mark.parametrize(
    ("kind", "left", "right", "two_way", "message"),
    [
        ("synonym", "Sofa", "sofa ", False, "two different terms"),
        ("typo", "sofaa", "sofa", True, "corrected one way"),
        ("synonym", "\u200b", "sofa", False, "at least 1"),
        ("synonym", "x" * 201, "sofa", False, "at most 200"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(kind: Kind, left: str, right: str, two_way: bool, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Rule(kind=kind, left=left, right=right, two_way=two_way)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_bounds_are_those_of_scipy(counts: tuple[int, int]) -> None:
    successes, attempts = counts
    interval = binomtest(successes, attempts).proportion_ci(method="wilson")
    assert wilson_bounds(successes, attempts) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_nothing_is_known_of_a_share_without_attempts() -> None:
    assert wilson_bounds(0, 0) == (0.0, 1.0)
