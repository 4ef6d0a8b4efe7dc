"""How popular queries are, and who searched for them: what completions are learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from models.search_synonyms.completion import Completions
from models.search_synonyms.searches import Searches
from models.search_synonyms.visits import UNKNOWN, Visits


def completions_of(visits: Visits, searches: Searches, k: int, is_public: Callable[[str], bool]) -> Completions:
    """Completions by what came of the searches of a log, bots left out.

    Parameters
    ----------
    k
        Distinct users below which a query is not offered.
    is_public
        Whether a text may be shown to anybody.
    """
    judged = pl.DataFrame({"query": visits.query, "person": visits.person, "success": visits.succeeded}).filter(
        pl.Series(visits.outcome != UNKNOWN)
    )
    counted = (
        judged.group_by("query")
        .agg(users=pl.col("person").n_unique(), searches=pl.len(), successes=pl.col("success").sum())
        .filter(pl.col("users") >= k)
        .sort("query")
    )
    counted = counted.filter(pl.Series([is_public(searches.queries[query]) for query in counted["query"]], dtype=pl.Boolean))
    users, number, successes = (counted[name].cast(pl.Int64).to_numpy() for name in ("users", "searches", "successes"))
    texts = [searches.queries[query] for query in counted["query"]]
    return Completions.learned(texts, users, number, successes, _history(judged, counted, searches), k=k)


def _history(judged: pl.DataFrame, counted: pl.DataFrame, searches: Searches) -> Iterator[tuple[str, str, int]]:
    """What worked for whom how often; nothing of who has no name in the log."""
    worked = judged.filter(pl.col("success") & pl.col("person").is_between(0, len(searches.people) - 1)).join(
        counted, on="query", how="semi"
    )
    rows = worked.group_by("person", "query").agg(times=pl.len()).sort("person", "query")
    return ((searches.people[person], searches.queries[query], times) for person, query, times in rows.iter_rows())
