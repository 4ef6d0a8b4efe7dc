"""Completions against answers worked by hand and against a scan of everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.search_synonyms import SearchSynonymsConfig, SearchSynonymsExample
from models.search_synonyms.completion import MOST, MU, Completions, wilson_lower
from models.search_synonyms.learning import is_public
from models.search_synonyms.popularity import completions_of
from models.search_synonyms.searches import Searches
from models.search_synonyms.texts import SortedTexts
from models.search_synonyms.visits import visits
from models.wilson import wilson_bounds

SHOP = {  # query: users, searches, successes
    "red sofa": (50, 80, 60),
    "red shoes": (20, 30, 27),
    "red shoe rack": (20, 30, 16),
    "red dress": (400, 900, 300),
    "red stapler": (4, 60, 60),
    "sofa": (90, 100, 80),
    "größe 42": (9, 9, 8),
}


def completions(history: list[tuple[str, str, int]] | None = None, **settings: float) -> Completions:
    counts = np.array(list(SHOP.values()))
    return Completions.learned(list(SHOP), counts[:, 0], counts[:, 1], counts[:, 2], history or [], **settings)  # type: ignore[arg-type]


def offered(model: Completions, typed: str, user: str | None = None, limit: int = 10) -> list[str]:
    return [one.query for one in model.complete(typed, user, limit)]


def test_completions_come_by_popularity_and_success() -> None:
    assert offered(completions(), "re") == ["red sofa", "red shoes", "red shoe rack"]


def test_what_usually_fails_is_never_offered_however_popular() -> None:
    assert "red dress" not in offered(completions(), "red d")
    assert offered(completions(least_success=0.3), "red d") == ["red dress"]


def test_what_fewer_than_k_users_searched_is_offered_to_nobody() -> None:
    assert offered(completions([("ada", "red stapler", 60)]), "red st", "ada") == []
    assert offered(completions(k=4), "red st") == ["red stapler"]


def test_shares_are_those_of_the_formula() -> None:
    lower = {query: users * wilson_bounds(successes, searches)[0] for query, (users, searches, successes) in SHOP.items()}
    total = lower["red shoes"] + lower["red shoe rack"]
    first, second = completions([("ada", "red shoe rack", 2)]).complete("red sh", "ada")
    assert (first.query, first.mine, second.mine) == ("red shoe rack", True, False)
    assert first.share == pytest.approx((2 + MU * lower["red shoe rack"] / total) / (2 + MU))
    assert second.share == pytest.approx(MU * lower["red shoes"] / total / (2 + MU))


def test_history_changes_the_order_for_its_user_only() -> None:
    model = completions([("ada", "red shoe rack", 1), ("ada", "sofa", 3)])
    assert offered(model, "red s", "ada")[0] == "red shoe rack"
    assert offered(model, "red s", "bob") == offered(model, "red s") == ["red sofa", "red shoes", "red shoe rack"]


def test_a_forgotten_person_is_completed_like_a_stranger() -> None:
    history = [("ada", "red shoe rack", 1), ("bob", "red shoe rack", 1), ("zoe", "red shoes", 2)]
    model = completions(history).without("bob")
    assert offered(model, "red s", "bob") == offered(model, "red s")
    assert [offered(model, "red s", user)[0] for user in ("ada", "zoe")] == ["red shoe rack", "red shoes"]
    assert model.people.find("bob") is None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("  RED   sh", ["red shoes", "red shoe rack"]),
        ("red shoe ", ["red shoe rack"]),
        ("gr\u00f6", ["größe 42"]),
        ("xyz", []),
    ],
)
def test_what_is_typed_is_read_as_queries_are(typed: str, expected: list[str]) -> None:
    assert offered(completions(), typed) == expected


def test_nothing_typed_offers_what_works_for_most() -> None:
    assert offered(completions(), "", limit=2) == ["sofa", "red sofa"]


def test_without_queries_there_is_nothing_to_offer() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert Completions.learned([], none, none, none).complete("a") == []


def test_the_saved_state_completes_alike(tmp_path: Path) -> None:
    model = completions([("ada", "red shoe rack", 2)])
    np.savez(tmp_path / "state.npz", **model.state())  # type: ignore[arg-type]
    with np.load(tmp_path / "state.npz", allow_pickle=False) as arrays:
        again = Completions.restored(dict(arrays))
    assert again.complete("red", "ada") == model.complete("red", "ada")


@given(
    st.lists(st.text("ab é", min_size=1, max_size=5).filter(lambda text: text == " ".join(text.split())), unique=True),
    st.text("ab é", max_size=3),
)
def test_sorted_texts_find_what_a_scan_finds(texts: list[str], wanted: str) -> None:
    texts = sorted(texts)
    kept = SortedTexts.of(texts)
    begin, end = kept.beginning(wanted)
    assert [kept[place] for place in range(begin, end)] == [text for text in texts if text.startswith(wanted)]
    assert kept.find(wanted) == (texts.index(wanted) if wanted in texts else None)


@given(st.lists(st.tuples(st.integers(1, 900), st.integers(0, 900)), min_size=1, max_size=20))
def test_wilson_bounds_of_arrays_are_those_of_numbers(counts: list[tuple[int, int]]) -> None:
    attempts = np.array([max(pair) for pair in counts])
    successes = np.array([min(pair) for pair in counts])
    expected = [wilson_bounds(int(s), int(n))[0] for s, n in zip(successes, attempts, strict=True)]
    assert wilson_lower(successes, attempts) == pytest.approx(expected, abs=1e-12)


def searched(query: str, people: list[str | None], clicks: int = 1) -> list[SearchSynonymsExample]:
    """One search by each; who has no name has a session."""
    monday = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return [
        SearchSynonymsExample(
            user_id=person, session_id=f"{query} {n}", timestamp=monday + timedelta(hours=n), query=query, n_results=9, n_clicks=clicks
        )
        for n, person in enumerate(people)
    ]


def test_a_log_offers_neither_what_few_searched_nor_what_names_somebody_nor_what_fails() -> None:
    people: list[str | None] = [f"u{n}" for n in range(6)]
    rows = [
        *searched("red sofa", people),
        *searched("red sofa of ada@example.org", people),
        *searched("red rarity", [*people[:4], *people[:4]]),
        *searched("red failure", people, clicks=0),
        *searched("red stranger", [None] * 6),
    ]
    searches = Searches.of(rows)
    config = SearchSynonymsConfig()
    model = completions_of(visits(searches, config), searches, config.k_anonymity, is_public)
    assert [(one.query, one.mine) for one in model.complete("red", "u3")] == [("red sofa", True), ("red stranger", False)]


@pytest.fixture(scope="module")
def many() -> tuple[Completions, list[str], np.ndarray]:
    """A hundred thousand queries, so that most beginnings are answered from what is known beforehand."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefgh"))
    queries = sorted({"".join(letters[row]) for row in rng.integers(0, 8, (100_000, 8))})
    searches = rng.zipf(1.5, len(queries)).clip(5, 100_000)
    return Completions.learned(queries, searches, searches, searches), queries, searches * wilson_lower(searches, searches)


@pytest.mark.parametrize("prefix", ["", "a", "ab", "abc", "abcd", "hh"])
def test_long_ranges_give_the_best_of_a_full_scan(many: tuple[Completions, list[str], np.ndarray], prefix: str) -> None:
    model, queries, weights = many
    inside = [place for place, query in enumerate(queries) if query.startswith(prefix)]
    best = sorted(inside, key=lambda place: (-weights[place], place))[:MOST]
    assert offered(model, prefix, limit=MOST) == [queries[place] for place in best]
