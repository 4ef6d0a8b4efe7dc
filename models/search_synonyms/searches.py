"""Searches in columns: some 40 bytes each, so that ten million fit into a laptop's memory where as many objects would not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.errors import InputError
from models.rows import Batch
from models.search_synonyms.columns import searches_in
from models.search_synonyms.records import SearchSynonymsExample
from models.search_synonyms.rules import normal

CHUNK = 65_536
UNKNOWN = -1

SEARCHING = frozenset({"search", "on_search", "query", "submit_search"})
"""Actions that repeat the search itself."""

CLICKING = frozenset(
    {"click", "item_click", "result_click", "product_click", "click_through", "view_item", "add_to_cart", "purchase", "open", "download"}
)
"""Actions on a result: what User Behavior Insights suggests, and names that shops use."""

SCROLLING = frozenset({"scroll", "scrolled", "next_page", "page_down"})

Ints = NDArray[np.int32]
Times = NDArray[np.int64]


class Codes:
    """Numbers for names, in the order of their first appearance."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def of(self, name: str | None) -> int:
        """The number of a name; -1 for none."""
        return UNKNOWN if name is None else self.numbers.setdefault(name, len(self.numbers))

    def of_all(self, names: pl.Series, spelt: Callable[[str], str] = str) -> pl.Series:
        """The numbers of many names, each spelt as it is to be known; -1 for none and for what is spelt with nothing."""
        different = names.drop_nulls().unique(maintain_order=True)
        numbers = [self.of(spelt(name) or None) for name in different.to_list()]
        known = pl.DataFrame({"name": different, "number": pl.Series(numbers, dtype=pl.Int32)})
        found = names.alias("name").to_frame().join(known, on="name", how="left", maintain_order="left")
        return found["number"].fill_null(UNKNOWN)

    @property
    def names(self) -> list[str]:
        """Names by number."""
        return list(self.numbers)


@dataclass(frozen=True, eq=False)
class Names:
    """Millions of names in a fifth of the memory that a list of them needs."""

    series: pl.Series

    def __len__(self) -> int:
        return len(self.series)

    def __getitem__(self, number: int) -> str:
        return str(self.series[int(number)])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Names) and self.series.equals(other.series)


@dataclass(frozen=True)
class Searches(Sequence[SearchSynonymsExample]):
    """Rows in the order in which they came.

    Parameters
    ----------
    person, session, query, source, meaning
        Numbers of names; -1 where there is none.
    at
        Microseconds since 1970.
    results, clicks
        Counts; -1 where the log does not say.
    scrolled
        1 or 0; -1 where the log does not say.
    dwell
        Longest time on a result in seconds; NaN where the log does not say.
    docs_of, doc
        Clicked documents: `doc` was clicked in the search at the place `docs_of`, ascending.
    people, queries, documents, meanings
        Names by number; sessions and sources need none.
    """

    person: Ints
    session: Ints
    at: Times
    query: Ints
    results: Ints
    clicks: NDArray[np.int16]
    scrolled: NDArray[np.int8]
    dwell: NDArray[np.float32]
    source: Ints
    meaning: Ints
    docs_of: Ints
    doc: Ints
    people: Names
    queries: Sequence[str]
    documents: Sequence[str]
    meanings: Sequence[str]

    def __len__(self) -> int:
        return len(self.at)

    @overload
    def __getitem__(self, place: int) -> SearchSynonymsExample: ...

    @overload
    def __getitem__(self, place: slice) -> Searches: ...

    def __getitem__(self, place: int | slice) -> SearchSynonymsExample | Searches:
        """One row as a record, or some rows."""
        if isinstance(place, slice):
            return self.where(np.arange(len(self))[place])
        return self._row(range(len(self))[place])

    @classmethod
    def gathered(cls, batches: Iterable[Iterable[SearchSynonymsExample]]) -> Searches:
        """Batches of rows as columns; tables whose columns hold plain values are never made records of. See `of`."""
        builder = _Builder()
        for batch in batches:
            found = searches_in(batch.columns) if isinstance(batch, Batch) else None
            if found is not None:
                builder.add_columns(found)
                continue
            for row in batch:
                builder.add(row)
        return builder.searches()

    @classmethod
    def of(cls, rows: Iterable[SearchSynonymsExample]) -> Searches:
        """Rows as columns; actions are added to the searches that they were on.

        Raises
        ------
        InputError
            If there is no search, or nothing says which searches were clicked.
        """
        if isinstance(rows, Searches):
            return rows
        return cls.gathered([rows])

    def where(self, chosen: NDArray[Any]) -> Searches:
        """The chosen rows, by position (ascending) or by truth value."""
        places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        new = np.full(len(self), UNKNOWN, dtype=np.int32)
        new[places] = np.arange(len(places), dtype=np.int32)
        kept = new[self.docs_of] >= 0
        rows = ("person", "session", "at", "query", "results", "clicks", "scrolled", "dwell", "source", "meaning")
        columns = {name: getattr(self, name)[places] for name in rows}
        return replace(self, **columns, docs_of=new[self.docs_of[kept]], doc=self.doc[kept])

    def nbytes(self) -> int:
        """Bytes of the columns, without the names."""
        return sum(column.nbytes for f in fields(self) if isinstance(column := getattr(self, f.name), np.ndarray))

    def _row(self, place: int) -> SearchSynonymsExample:
        first, last = np.searchsorted(self.docs_of, [place, place + 1])
        known = {
            "user_id": self.people[self.person[place]] if self.person[place] >= 0 else None,
            "session_id": str(self.session[place]) if self.session[place] >= 0 else None,
            "n_results": int(self.results[place]) if self.results[place] >= 0 else None,
            "n_clicks": int(self.clicks[place]) if self.clicks[place] >= 0 else None,
            "scrolled": bool(self.scrolled[place]) if self.scrolled[place] >= 0 else None,
            "dwell_s": None if np.isnan(self.dwell[place]) else float(self.dwell[place]),
            "source": str(self.source[place]) if self.source[place] >= 0 else None,
            "meaning": self.meanings[self.meaning[place]] if self.meaning[place] >= 0 else None,
            "clicked_ids": [self.documents[doc] for doc in self.doc[first:last]] or None,
        }
        at = datetime.fromtimestamp(int(self.at[place]) / 1e6, UTC)
        return SearchSynonymsExample.model_validate({"timestamp": at, "query": self.queries[self.query[place]], **known})


class _Builder:
    """Rows on their way into columns."""

    def __init__(self) -> None:
        self._codes = {name: Codes() for name in ("person", "session", "query", "source", "meaning", "doc")}
        self._rows: list[tuple[Any, ...]] = []
        self._docs: list[tuple[int, int]] = []
        self._frames: list[pl.DataFrame] = []
        self._clicked: list[pl.DataFrame] = []
        self._count = 0
        self._actions: list[tuple[str, str, str]] = []

    def add_columns(self, found: pl.DataFrame) -> None:
        """Searches as `columns.searches_in` gives them."""
        self._flush()
        query = self._codes["query"].of_all(found["query"], normal)
        found, query = found.filter(query >= 0), query.filter(query >= 0)
        ids, shown = found["clicked_ids"], found["result_ids"]
        columns = {
            "person": self._codes["person"].of_all(found["user_id"]),
            "session": self._codes["session"].of_all(found["session_id"]),
            "at": found["timestamp"],
            "query": query,
            "results": found["n_results"].fill_null(shown.list.len().cast(pl.Int64)).fill_null(UNKNOWN).clip(UNKNOWN, 2**31 - 1),
            "clicks": found["n_clicks"].fill_null(ids.list.len().cast(pl.Int64)).fill_null(UNKNOWN).clip(UNKNOWN, 2**15 - 1),
            "scrolled": found["scrolled"].fill_null(UNKNOWN),
            "dwell": found["dwell_s"].fill_null(np.nan),
            "source": self._codes["source"].of_all(found["source"]),
            "meaning": self._codes["meaning"].of_all(found["meaning"]),
            "id": _hashed(found["query_id"]),
        }
        clicked = pl.DataFrame({"search": pl.int_range(self._count, self._count + len(found), dtype=pl.Int32, eager=True), "doc": ids})
        clicked = clicked.filter(pl.col("doc").list.len() > 0).explode("doc")
        self._frames.append(pl.DataFrame(columns).cast(_SCHEMA))
        self._clicked.append(clicked.with_columns(doc=self._codes["doc"].of_all(clicked["doc"])).cast(_CLICKED))
        self._count += len(found)

    def add(self, row: SearchSynonymsExample) -> None:
        if row.action_name is not None:
            self._act(row)
        elif row.query is not None and (text := normal(row.query)):
            self._search(row, text)

    def _search(self, row: SearchSynonymsExample, text: str) -> None:
        codes = self._codes
        clicked = row.clicked_ids or ()
        clicks = row.n_clicks if row.n_clicks is not None else (len(clicked) if row.clicked_ids is not None else UNKNOWN)
        results = row.n_results if row.n_results is not None else (len(row.result_ids) if row.result_ids is not None else UNKNOWN)
        self._docs += [(self._count, codes["doc"].of(doc)) for doc in clicked]
        self._rows.append(
            (
                codes["person"].of(row.user_id),
                codes["session"].of(row.session_id),
                round(row.timestamp.timestamp() * 1e6),
                codes["query"].of(text),
                min(results, 2**31 - 1),
                min(clicks, 2**15 - 1),
                UNKNOWN if row.scrolled is None else int(row.scrolled),
                np.nan if row.dwell_s is None else row.dwell_s,
                codes["source"].of(row.source),
                codes["meaning"].of(row.meaning),
                row.query_id,
            )
        )
        self._count += 1
        if len(self._rows) == CHUNK:
            self._flush()

    def _act(self, row: SearchSynonymsExample) -> None:
        action = (row.action_name or "").lower()
        if row.query_id is None:
            return
        if action in SEARCHING and row.query is not None and (text := normal(row.query)):
            self._search(row, text)
        elif action in CLICKING or action in SCROLLING:
            self._actions.append((action, _clicked(row), row.query_id))

    def _flush(self) -> None:
        if self._rows:
            frame = pl.DataFrame(self._rows, schema={**_SCHEMA, "id": pl.String}, orient="row")
            self._frames.append(frame.with_columns(id=_hashed(frame["id"])))
            self._clicked.append(pl.DataFrame(self._docs, schema=_CLICKED, orient="row"))
            self._rows, self._docs = [], []

    def searches(self) -> Searches:
        self._flush()
        if not self._count:
            raise InputError("expected rows with a query, got none: name the column with --map query=COLUMN")
        if self._actions:
            frame, docs = self._acted(pl.concat(self._frames), pl.concat(self._clicked))
            self._frames, self._clicked = [frame], [docs]
        if all((frame["clicks"] == UNKNOWN).all() for frame in self._frames):
            raise InputError("expected n_clicks or clicked_ids, or clicks as actions, got none: name the column with --map n_clicks=COLUMN")
        arrays = {name: self._taken(name) for name in _SCHEMA if name != "id"}
        self._frames = []
        docs = pl.concat(self._clicked).sort("search", "doc")
        return Searches(
            **arrays,
            docs_of=docs["search"].to_numpy(),
            doc=docs["doc"].to_numpy(),
            people=Names(pl.Series(self._codes.pop("person").names, dtype=pl.String)),
            queries=self._codes["query"].names,
            documents=self._codes["doc"].names,
            meanings=self._codes["meaning"].names,
        )

    def _taken(self, name: str) -> NDArray[Any]:
        """A column of all frames, which lose it: two copies of everything would be too much."""
        return pl.concat([frame.drop_in_place(name) for frame in self._frames]).to_numpy()

    def _acted(self, frame: pl.DataFrame, docs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Searches with what was done on them; a search that was written twice (same id) counts once."""
        known = frame.with_row_index("old").with_columns(
            first=pl.when(pl.col("id") < 0).then(-1 - pl.col("old").cast(pl.Int64)).otherwise("id")
        )
        known = known.with_columns(results=pl.col("results").max().over("first")).unique("first", keep="first", maintain_order=True)
        known = known.with_row_index("search")
        places = dict(zip(known["id"].to_list(), known["search"].to_list(), strict=True))
        hashes = _hashed(pl.Series([name for _, _, name in self._actions], dtype=pl.String)).to_list()
        acted = [(action, places[number], doc) for (action, doc, _), number in zip(self._actions, hashes, strict=True) if number in places]
        clicks, scrolls = np.zeros(len(known), dtype=np.int16), np.full(len(known), UNKNOWN, dtype=np.int8)
        clicked = {(search, doc) for action, search, doc in acted if action in CLICKING}
        for search, _ in clicked:
            clicks[search] += 1
        scrolls[[search for action, search, _ in acted if action in SCROLLING]] = 1
        docs = docs.join(known.select("old", "search").cast(pl.Int32), left_on="search", right_on="old").select(
            search="search_right", doc="doc"
        )
        added = [(search, self._codes["doc"].of(doc)) for search, doc in sorted(clicked)]
        known = known.with_columns(
            clicks=pl.max_horizontal(pl.col("clicks"), pl.Series(clicks)).cast(pl.Int16),
            scrolled=pl.max_horizontal(pl.col("scrolled"), pl.Series(scrolls)).cast(pl.Int8),
        )
        joined = pl.concat([docs, pl.DataFrame(added, schema=docs.schema, orient="row")]).unique(maintain_order=True)
        return known.drop("search", "old", "first"), joined


def _clicked(row: SearchSynonymsExample) -> str:
    thing = (row.event_attributes or {}).get("object")
    found = thing.get("object_id") if isinstance(thing, dict) else None
    return row.object_id or (f"a result of {row.query_id}" if found is None else str(found))


def _hashed(names: pl.Series) -> pl.Series:
    """Numbers for names that need not be known again, from 0 to 2**63; -1 for none."""
    return pl.select(pl.when(names.is_not_null()).then((names.hash(0) // 2).cast(pl.Int64)).otherwise(UNKNOWN)).to_series()


_CLICKED = pl.Schema({"search": pl.Int32(), "doc": pl.Int32()})
_SCHEMA = pl.Schema(
    {
        "person": pl.Int32(),
        "session": pl.Int32(),
        "at": pl.Int64(),
        "query": pl.Int32(),
        "results": pl.Int32(),
        "clicks": pl.Int16(),
        "scrolled": pl.Int8(),
        "dwell": pl.Float32(),
        "source": pl.Int32(),
        "meaning": pl.Int32(),
        "id": pl.Int64(),
    }
)
