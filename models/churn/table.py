"""Any table of numbers, dates and categories -> one matrix without gaps; the same for training rows and for queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.churn.columns import NOWHERE, Column, read_column
from models.churn.values import is_blank
from models.scalar import Scalar

Row = Mapping[str, Scalar]


@dataclass(frozen=True)
class Note:
    """What was odd about a row.

    Parameters
    ----------
    known
        Whether any column could be read.
    warnings
        One sentence for each kind of oddity.
    """

    known: bool = True
    warnings: tuple[str, ...] = ()


_NOTHING = Note()


class Table:
    """How the columns of a table become the columns of a matrix.

    Parameters
    ----------
    columns
        Those that teach something.
    ignored
        Names of those that do not; a query that has them is not warned about.
    """

    def __init__(self, columns: Sequence[Column], ignored: Sequence[str] = ()) -> None:
        self.columns = tuple(columns)
        self.ignored = tuple(ignored)
        widths = [column.width for column in self.columns]
        self.starts = np.concatenate([[0], np.cumsum(widths)]).astype(np.intp)
        self.owner = np.repeat(np.arange(len(self.columns)), widths)
        self._names = frozenset(column.name for column in self.columns) | frozenset(ignored)
        self._average = np.zeros(int(self.starts[-1]))
        self._plan = [(column.name, column.place, int(start)) for column, start in zip(self.columns, self.starts, strict=False)]
        for column, start in zip(self.columns, self.starts, strict=False):
            self._average[start] = column.typical

    @classmethod
    def read(cls, rows: Sequence[Row]) -> Self:
        """How to read the table that these training rows make."""
        names = dict.fromkeys(name for row in rows for name in row)
        columns = {name: read_column(name, [row.get(name) for row in rows]) for name in names}
        return cls([column for column in columns.values() if column], [name for name, column in columns.items() if not column])

    def matrix(self, rows: Sequence[Row]) -> tuple[NDArray[np.float64], list[Note]]:
        """The rows as a matrix without gaps, and what was odd about each; a row does not depend on its neighbours."""
        X = np.tile(self._average, (len(rows), 1))
        notes = [_NOTHING] * len(rows)
        places: list[int] = []
        values: list[float] = []
        for position, row in enumerate(rows):
            offset = position * X.shape[1]
            plain = self._names.issuperset(row) and not all(map(is_blank, row.values()))
            for name, place, start in self._plan:
                at, value = place(row.get(name))
                if at == NOWHERE:
                    plain = False
                else:
                    places.append(offset + start + at)
                    values.append(value)
            if not plain:
                notes[position] = self._note(row)
        X.ravel()[places] = values
        return X, notes

    def _note(self, row: Row) -> Note:
        """What is odd about a row: columns that are missing though they never were, values never seen, columns never heard of."""
        missing = [column.name for column in self.columns if not column.has_blanks and is_blank(row.get(column.name))]
        filled = [column for column in self.columns if not is_blank(row.get(column.name))]
        odd = [column for column in filled if not column.reads(row[column.name])]
        warnings = [f"missing: {', '.join(missing)}"] if missing else []
        if odd:
            warnings.append("never seen in training: " + ", ".join(f"{column.name} = {row[column.name]!r}" for column in odd))
        if unheard := row.keys() - self._names:
            warnings.append(f"not in the training table, ignored: {', '.join(sorted(unheard))}")
        return Note(known=len(filled) > len(odd), warnings=tuple(warnings))

    def dump(self) -> dict[str, Any]:
        """The table as JSON."""
        return {"columns": [asdict(column) for column in self.columns], "ignored": list(self.ignored)}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Take back what `dump` gave."""
        return cls([Column(**{**column, "knots": tuple(column["knots"])}) for column in state["columns"]], state["ignored"])
