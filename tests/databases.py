"""Databases for stores under test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

POSTGRES = os.environ.get("FORETELL_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")


@contextmanager
def empty_postgres() -> Iterator[str | None]:
    """The address of an empty schema, which is dropped at the end; ``None`` where no PostgreSQL answers."""
    schema = f"foretell_{uuid4().hex[:12]}"
    try:
        _execute(f"CREATE SCHEMA {schema}")
    except psycopg.OperationalError:
        yield None
        return
    try:
        yield f"{POSTGRES}?options=-csearch_path%3D{schema}"
    finally:
        _execute(f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def postgres_schema() -> Iterator[str]:
    """As `empty_postgres`, for a test: skips it where no PostgreSQL answers."""
    with empty_postgres() as url:
        if url is None:
            pytest.skip(f"no PostgreSQL answers at {POSTGRES}")
        yield url


def _execute(statement: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=2) as connection:
        connection.execute(statement)
