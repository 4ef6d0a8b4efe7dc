"""Queries that nobody searched before, corrected by the words of the site, against answers known by hand and planted slips."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from models.search_synonyms.alignment import aligned
from models.search_synonyms.choice import Choice, learn_choices
from models.search_synonyms.deletes import Deletes
from models.search_synonyms.edits import Channel, edits_between, mistyped, skeleton
from models.search_synonyms.spelling import MAX_WORDS, Spelling
from models.search_synonyms.vocabulary import Vocabulary

WORDS = st.text("abcdeé1", min_size=1, max_size=9)
THINGS = ["faucet", "sprayer", "fluorescent", "aluminium", "trimmer", "laminate", "receptacle"]
THINGS += ["washer", "thermostat", "deflector", "furnace", "cabinet", "mosquito", "hinge"]
KINDS = ["kitchen", "bathroom", "outdoor", "garden", "replacement", "stainless", "electric", "portable", "digital", "ceramic"]


def queries() -> dict[str, int]:
    """A shop's queries: every thing of every kind, and a few phrases."""
    shop = {f"{kind} {thing}": 5 + (3 * i + 7 * j) % 11 for i, kind in enumerate(KINDS) for j, thing in enumerate(THINGS)}
    return shop | {"ice maker": 30, "water heater": 40, "ridgid miter saw": 12, "power drill 18 volt": 20, "toothbrush holder": 9}


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling.learned(queries(), [("kichen sprayr", "kitchen sprayer"), ("rigid saw", "ridgid saw")])


def corrected(spelling: Spelling, query: str) -> str:
    correction = spelling.correct(query)
    return query if correction is None else correction.query


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("kitchen faucett", "kitchen faucet"),
        ("bathrom fuacet", "bathroom faucet"),
        ("flourescent trimmer", "fluorescent trimmer"),
        ("gardensprayer", "garden sprayer"),
        ("waterheater", "water heater"),
        ("power drill 18volt", "power drill 18 volt"),
        ("tooth brush holder", "toothbrush holder"),
        ("eletric aluminum", "electric aluminium"),
    ],
)
def test_slips_are_corrected_by_the_words_of_the_site(spelling: Spelling, typed: str, meant: str) -> None:
    assert corrected(spelling, typed) == meant


@pytest.mark.parametrize(
    "query", ["kitchen faucet", "ice maker", "qwzx", "24x36", "brukenhauser zz900", "", " ".join(["furnance"] * (MAX_WORDS + 1))]
)
def test_what_is_right_unknown_or_endless_is_left_as_it_is(spelling: Spelling, query: str) -> None:
    assert spelling.correct(query) is None


def test_a_correction_says_what_changed_and_how_sure_it_is(spelling: Spelling) -> None:
    correction = spelling.correct("bathrom furnance hinge")
    assert correction is not None
    assert correction.changes == (("bathrom", "bathroom"), ("furnance", "furnace"))
    assert 0.5 < correction.probability <= 1.0


def test_a_caution_that_nothing_satisfies_changes_nothing(spelling: Spelling) -> None:
    assert spelling.correct("kitchen faucett", caution=1e3) is None


def test_planted_slips_are_corrected_and_right_queries_left(spelling: Spelling) -> None:
    rng = np.random.default_rng(7)
    slips = [(f"{kind} {mistyped(thing, rng)}", f"{kind} {thing}") for kind in KINDS for thing in THINGS]
    right = [corrected(spelling, typed) == meant for typed, meant in slips if typed != meant]
    assert np.mean(right) > 0.9
    assert not [query for query in queries() if spelling.correct(query)]


def test_a_correction_that_people_made_themselves_is_remembered() -> None:
    told = Spelling.learned(queries(), [("hitschi drill", "ridgid drill")] * 20)
    assert corrected(told, "hitschi saw") == "ridgid saw"
    assert corrected(Spelling.learned(queries()), "hitschi saw") == "hitschi saw"


def test_the_saved_state_corrects_alike(spelling: Spelling) -> None:
    again = Spelling.restored(json.loads(json.dumps(spelling.state())))
    for query in ("bathrom fuacet", "gardensprayer", "kitchen faucet", "tooth brush holdr", "qwzx"):
        assert again.correct(query) == spelling.correct(query)


def test_the_same_queries_in_another_order_give_the_same_spelling() -> None:
    shuffled = dict(sorted(queries().items(), reverse=True))
    assert json.dumps(Spelling.learned(shuffled).state(), sort_keys=True) == json.dumps(Spelling.learned(queries()).state(), sort_keys=True)


def test_without_queries_nothing_is_corrected() -> None:
    assert Spelling.learned({}).correct("anything at all") is None


@given(st.text(max_size=40))
def test_any_text_is_answered(spelling: Spelling, text: str) -> None:
    query = " ".join(text.lower().split())
    correction = spelling.correct(query)
    assert correction is None or (correction.query != query and 0.0 < correction.probability <= 1.0)


@given(st.lists(WORDS, min_size=1, max_size=30, unique=True), WORDS)
def test_deletes_find_every_word_within_two_edits(words: list[str], word: str) -> None:
    found = {words[number] for number in Deletes(words).near(word)}
    assert found >= {other for other in words if OSA.distance(word, other) <= 2 and max(len(word), len(other)) <= 7}


@given(WORDS, WORDS)
def test_edits_lead_from_one_word_to_the_other(typed: str, meant: str) -> None:
    edits = edits_between(typed, meant)
    assert bool(edits) == (typed != meant)
    assert len(edits) >= OSA.distance(typed, meant) - sum(edit.kind == "swap" for edit in edits)
    assert all(0 <= edit.place <= len(meant) for edit in edits)


@pytest.mark.parametrize(
    ("typed", "meant", "kinds"),
    [
        ("hte", "the", ["swap"]),
        ("recieve", "receive", ["swap"]),
        ("accomodate", "accommodate", ["missing_double"]),
        ("furnance", "furnace", ["extra"]),
        ("seperate", "separate", ["vowel"]),
        ("dprayer", "sprayer", ["neighbour"]),
        ("cichen", "kichen", ["sound"]),
        ("wich", "which", ["missing_silent"]),
    ],
)
def test_edits_are_told_apart(typed: str, meant: str, kinds: list[str]) -> None:
    assert [edit.kind for edit in edits_between(typed, meant)] == kinds


def test_an_edit_that_is_seen_often_becomes_cheap() -> None:
    channel = Channel.learned([("flourescent", "fluorescent")] * 30 + [("abc", "adc"), ("xy", "zy")])
    often, seldom = edits_between("cuolour", "coulour")[0], edits_between("hte", "the")[0]
    assert often.kind == seldom.kind == "swap"
    assert channel.price(edits_between("flour", "fluor")[0]) < channel.price(seldom)


@pytest.mark.parametrize(
    ("one", "other"), [("phone", "fone"), ("kwik", "quick"), ("ceiling", "sealing"), ("mettal", "metal"), ("wrench", "rench")]
)
def test_words_that_sound_alike_share_a_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("typed", "meant", "pairs"),
    [
        ("kitchen aide mixr", "kitchenaid mixer", [("kitchen aide", "kitchenaid"), ("mixr", "mixer")]),
        ("bath si k cabinets", "bath sink cabinets", [("bath", "bath"), ("si k", "sink"), ("cabinets", "cabinets")]),
        ("airfilter", "air filter", [("airfilter", "air filter")]),
        ("red shoes", "shoes", [("red", ""), ("shoes", "shoes")]),
        ("", "shoes", [("", "shoes")]),
    ],
)
def test_words_are_aligned_with_what_they_became(typed: str, meant: str, pairs: list[tuple[str, str]]) -> None:
    assert aligned(typed, meant) == pairs


def test_a_vocabulary_counts_users_of_words_and_neighbours() -> None:
    vocabulary = Vocabulary.of_queries({"red sofa": 7, "sofa bed": 5}, general=["the", "bed"])
    assert (vocabulary.count("sofa"), vocabulary.count("the"), vocabulary.beside("red", "sofa"), vocabulary.beside("", "sofa")) == (
        12,
        0,
        7,
        5,
    )
    assert vocabulary.knows("the")
    assert vocabulary.commonness("the") > vocabulary.commonness("bed") > vocabulary.commonness("sofa") == 0.0
    assert vocabulary.association("sofa", "red") == pytest.approx(np.log(7 * 12 / (12 * 7)))
    with vocabulary.without("red sofa", 7):
        assert (vocabulary.count("sofa"), vocabulary.knows("red")) == (5, False)
    assert vocabulary.count("red") == 7


def choices(weights: dict[str, float], rng: np.random.Generator) -> Iterator[Choice]:
    for _ in range(4000):
        options = [{name: float(rng.normal()) for name in weights} for _ in range(3)]
        scores = np.array([sum(weights[name] * value for name, value in option.items()) for option in options])
        chances = np.exp(scores) / np.exp(scores).sum()
        yield options, int(rng.choice(3, p=chances))


def test_choices_give_back_the_weights_that_made_them() -> None:
    planted = {"price": -1.5, "users": 0.7, "noise": 0.0}
    assert learn_choices(list(choices(planted, np.random.default_rng(0))), ridge=0.01) == pytest.approx(planted, abs=0.1)
