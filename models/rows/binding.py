"""Which column of a file is which field of a record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, AwareDatetime, ValidationError

from models.base import Record
from models.errors import InputError
from models.rows.formats import Rows
from models.rows.source import BrokenError
from models.wording import complaint

READER_OPTIONS = ("pattern", "year")
"""Options that are not about fields, but about how lines are read."""


class Binding:
    """Turns the rows of a file into the values that a record is made of.

    Parameters
    ----------
    mapping
        Column by field or alias.
    options
        ``zone``, of times that say none; and what a field is where the file does not say. `READER_OPTIONS` are the reader's.

    Raises
    ------
    InputError
        If the mapping or an option names a field that the record lacks, or there is no such zone.
    """

    def __init__(self, record: type[Record], mapping: Mapping[str, str], options: Mapping[str, str] = MappingProxyType({})) -> None:
        self._names = {field: _names(record, field) for field in record.model_fields if field != record.rest}
        self._required = [field for field in self._names if record.model_fields[field].is_required()]
        self._mapped = {self._field(name): column for name, column in mapping.items()}
        zone = options.get("zone")
        self._zone = None if zone is None else _zone(zone)
        others = {name: value for name, value in options.items() if name not in {"zone", *READER_OPTIONS}}
        self._constants = {self._names[self._field(name, "--read")][0]: value for name, value in others.items()}
        self._times = [names[0] for field, names in self._names.items() if _is_time(record.model_fields[field].annotation)]
        self._rest = record.rest
        self._chosen: dict[str, str] = {}
        self.row = 0

    def choose(self, columns: Collection[str]) -> dict[str, str]:
        """Column by field, of a table's columns.

        Raises
        ------
        BrokenError
            If a column is missing that is mapped or required.
        """
        self._chosen = self._choose(columns)
        self._require(columns, {**self._mapped, **dict.fromkeys(self._required)})
        return self._chosen

    def completed(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values with what the file does not say and the user does: the zone of times, and constants."""
        if self._zone is not None:
            values |= {name: _in_zone(values[name], self._zone) for name in self._times if name in values}
        return {**self._constants, **values} if self._constants else values

    def name(self, field: str) -> str:
        """What validation takes a field by."""
        return self._names[field][0]

    def bind(self, rows: Rows) -> Iterator[dict[str, Any]]:
        """Values by field, absent ones left out; `row` is the number of the last one.

        Raises
        ------
        BrokenError
            If the file lacks a column that is mapped or required; before any row, unless only later rows could have shown it.
        """
        return self._bind_objects(rows) if rows.columns is None else self._bind_cells(rows.columns, rows)

    @contextmanager
    def complaints(self, path: Path) -> Iterator[None]:
        """Whatever is wrong with a file or its last row, in one sentence: an `InputError`."""
        try:
            yield
        except ValidationError as error:
            raise InputError(f"{path.name}, row {self.row}{self._problem(error)}") from error
        except BrokenError as error:
            raise InputError(f"{path.name}{error.place}: {error}") from error

    def _problem(self, error: ValidationError) -> str:
        """The first thing that is wrong with the last row: its column, what was expected, what came."""
        first = error.errors(include_url=False)[0]
        path = [str(part) for part in first["loc"]]
        field = next((field for field, names in self._names.items() if path and path[0] in names), None)
        column = self._chosen.get(field, field) if field is not None else ".".join(path[1:] or path)
        advice = ": --read zone=Europe/Berlin says the zone of all" if first["type"] == "timezone_aware" else ""
        return f"{f', column {column}' if column else ''}: {complaint(first)}{advice}"

    def _field(self, name: str, option: str = "--map") -> str:
        field = next((field for field, names in self._names.items() if name in names), None)
        if field is None and option == "--map":
            raise InputError(f"expected one of the fields {', '.join(self._names)} to map a column to, got {name!r}")
        if field is None:
            known = ", ".join(["zone", *READER_OPTIONS, *self._names])
            raise InputError(f"expected one of {known} before the = of {option}, got {name!r}")
        return field

    def _choose(self, columns: Collection[str]) -> dict[str, str]:
        """Column by field, of the fields that have one."""
        candidates = {field: [self._mapped[field]] if field in self._mapped else names for field, names in self._names.items()}
        found = {field: next((name for name in names if name in columns), None) for field, names in candidates.items()}
        return {field: column for field, column in found.items() if column is not None}

    def _require(self, columns: Collection[str], fields: Collection[str]) -> None:
        missing = [field for field in fields if field not in self._chosen and self.name(field) not in self._constants]
        if not missing:
            return
        wanted = " and ".join(repr(self._mapped.get(field, field)) for field in missing)
        noun = "column" if len(missing) == 1 else "columns"
        raise BrokenError(f"expected the {noun} {wanted}, got {', '.join(columns)}: name yours with --map {missing[0]}=COLUMN")

    def _bind_cells(self, columns: Collection[str], rows: Rows) -> Iterator[dict[str, Any]]:
        positions = {column: position for position, column in enumerate(columns)}
        keys = [(self.name(field), positions[column]) for field, column in self.choose(columns).items()]
        others = [(column, position) for column, position in positions.items() if column not in self._chosen.values()]
        for self.row, cells in rows.numbered:
            values = {key: cells[position] for key, position in keys if cells[position] is not None}
            if self._rest is not None:
                values[self._rest] = {column: cells[position] for column, position in others}
            yield self.completed(values)

    def _bind_objects(self, rows: Rows) -> Iterator[dict[str, Any]]:
        unseen, known = dict(self._mapped), None
        for self.row, row in rows.numbered:
            if row.keys() != known:  # hardly ever, and choosing takes longer than all the rest
                self._chosen, first, known = self._choose(row), known is None, row.keys()
                unseen = {field: column for field, column in unseen.items() if field not in self._chosen}
                if first:
                    self._require(row, self._required)
            values = {self._names[field][0]: row[column] for field, column in self._chosen.items() if row[column] is not None}
            if self._rest is not None:
                taken = {self._rest, *self._chosen.values()}
                named = row.get(self._rest)
                others = {column: value for column, value in row.items() if column not in taken}
                values[self._rest] = named if named and not others else {**(named or {}), **others}
            yield self.completed(values)
        if unseen:
            raise BrokenError(f"expected the mapped column {next(iter(unseen.values()))!r}, no row has it")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"expected --read zone=UTC or another zone of the IANA database, such as Europe/Berlin, got {name!r}") from None


def _is_time(annotation: Any) -> bool:
    kinds = (annotation, *get_args(annotation))
    return any(kind is AwareDatetime or kind is datetime for kind in kinds)


def _in_zone(value: Any, zone: ZoneInfo) -> Any:
    """A time with the zone, if it says none; of an hour that comes twice in autumn, the first. What is no time stays as it is."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _names(record: type[Record], field: str) -> list[str]:
    """What a field may be called, first the name that validation surely takes."""
    info = record.model_fields[field]
    alias = info.validation_alias or info.alias
    aliases = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return list(dict.fromkeys([*(name for name in aliases if isinstance(name, str)), field]))
