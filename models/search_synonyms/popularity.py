"""How popular queries are, and who searched for them: what completions are learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from models.search_synonyms.completion import Completions
from models.search_synonyms.searches import Searches
from models.search_synonyms.visits import UNKNOWN, Visits, users_by_query


def completions_of(visits: Visits, searches: Searches, k: int, is_public: Callable[[str], bool]) -> Completions:
    """Completions by what came of the searches of a log, bots left out.

    Parameters
    ----------
    k
        Distinct users below which a query is not offered.
    is_public
        Whether a text may be shown to anybody.
    """
    judged = visits.outcome != UNKNOWN
    query, total = visits.query[judged], len(searches.queries)
    users = users_by_query(query, visits.person[judged], total)
    number, successes = np.bincount(query, minlength=total), np.bincount(visits.query[visits.succeeded], minlength=total)
    common = [place for place in np.flatnonzero(users >= k).tolist() if is_public(searches.queries[place])]
    texts = [searches.queries[place] for place in common]
    return Completions.learned(texts, users[common], number[common], successes[common], _history(visits, searches, common), k=k)


def _history(visits: Visits, searches: Searches, common: Sequence[int]) -> Iterator[tuple[str, str, int]]:
    """What worked for whom how often; nothing of who has no name in the log."""
    may_be_shown = np.zeros(len(searches.queries), dtype=bool)
    may_be_shown[common] = True
    chosen = visits.succeeded & (visits.person < len(searches.people)) & may_be_shown[visits.query]
    pairs = visits.person[chosen].astype(np.int64) << 32 | visits.query[chosen]
    pairs.sort()
    first = np.flatnonzero(np.diff(pairs, prepend=-1))
    times = np.diff(first, append=len(pairs))
    known, name = -1, ""
    for place, count in zip(first.tolist(), times.tolist(), strict=True):
        person, query = divmod(int(pairs[place]), 2**32)
        if person != known:
            known, name = person, searches.people[person]
        yield name, searches.queries[query], count
