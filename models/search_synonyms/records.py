"""What search synonyms read, are asked and answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AliasChoices, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from models.base import Config, Prediction, Record
from models.search_synonyms.rules import Kind, Status

MAX_QUERY = 1000
MAX_REWRITES = 20


def _as_text(value: Any) -> Any:
    """Ids are text: 12, 12.0 and ``"12"`` are the same user, whether they came from CSV or JSON."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_list(value: Any) -> Any:
    """Ids in one cell of a table: a JSON list, or ids between bars, semicolons, commas or spaces."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"expected a JSON list of ids, got {value[:40]!r}") from error
    return [part for part in re.split(r"[|;,\s]+", value) if part]


def _as_mapping(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"expected a JSON object, got {value[:40]!r}") from error


def _as_count(value: Any) -> Any:
    """Clicks and results written as truth values, as some logs do."""
    return {"true": 1, "false": 0}.get(value.strip().lower(), value) if isinstance(value, str) else value


Id = Annotated[str, BeforeValidator(_as_text), StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Ids = Annotated[tuple[Id, ...], BeforeValidator(_as_list)]
Count = Annotated[int, BeforeValidator(_as_count), Field(ge=0)]
Attributes = Annotated[Mapping[str, Any], BeforeValidator(_as_mapping)]
QueryText = Annotated[str, BeforeValidator(_as_text), StringConstraints(max_length=MAX_QUERY)]


class SearchSynonymsConfig(Config):
    """Settings of search synonyms."""

    k_anonymity: int = Field(default=5, ge=2, le=1000, description="Distinct users below which a query is in no rule and no completion.")
    session_gap_minutes: float = Field(default=30.0, gt=0.0, le=1440.0, description="Silence that ends a visit where rows have no session.")
    window_minutes: float = Field(default=10.0, gt=0.0, le=120.0, description="Time within which a search may refine a failed one.")
    bounce_seconds: float = Field(default=10.0, ge=0.0, le=120.0, description="A click that is left sooner than this failed.")
    max_steps: int = Field(default=4, ge=1, le=20, description="Searches from the failed one to the one that worked, at most.")
    min_probability: float = Field(default=0.8, ge=0.0, le=1.0, description="Probability below which a pair is not proposed as a rule.")
    auto_publish: bool = Field(default=True, description="Whether proposed rules are tried before a person has approved them.")
    max_searches_per_hour: int = Field(default=120, ge=10, le=100_000, description="A user who searched more often than this is a bot.")
    max_rules: int = Field(default=50_000, ge=1, le=1_000_000, description="Rules that are kept, the likeliest first.")


class SearchSynonymsExample(Record):
    """A search and what came of it; or, in exports of User Behavior Insights, an action on a search.

    A row of the index `ubi_queries` is a search; one of `ubi_events` belongs to the search of its `query_id`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "u17",
                    "timestamp": "2026-03-02T09:30:00Z",
                    "query": "couch",
                    "n_results": 0,
                    "n_clicks": 0,
                    "scrolled": False,
                    "clicked_ids": [],
                },
                {
                    "user_id": "u17",
                    "timestamp": "2026-03-02T09:30:40Z",
                    "query": "sofa",
                    "n_results": 31,
                    "n_clicks": 1,
                    "clicked_ids": ["p8"],
                },
            ]
        },
    )

    subject: ClassVar[str | None] = "user_id"

    timestamp: AwareDatetime = Field(description="When, with a time zone; or seconds or milliseconds since 1970.")
    user_id: Id | None = Field(
        default=None, validation_alias=AliasChoices("user_id", "client_id"), description="Who; this or `session_id` is needed."
    )
    session_id: Id | None = Field(default=None, description="Which visit. Absent: visits of a user end after a silence.")
    query: QueryText | None = Field(
        default=None, validation_alias=AliasChoices("user_query", "query"), description="What was typed. Absent in an action on a search."
    )
    n_results: Count | None = Field(default=None, description="How many results were found; none if the log does not say.")
    n_clicks: Count | None = Field(default=None, description="How many results were clicked; none if it is not known.")
    scrolled: bool | None = Field(default=None, description="Whether the user scrolled through the results.")
    clicked_ids: Ids | None = Field(default=None, description="Which results were clicked: a list, or ids in one cell of a table.")
    dwell_s: float | None = Field(default=None, ge=0.0, description="Longest time on a clicked result, in seconds.")
    source: Id | None = Field(default=None, description="Network address, device or partner that the search came from, against floods.")
    query_id: Id | None = Field(default=None, description="Names the search, so that actions can refer to it.")
    action_name: Id | None = Field(
        default=None, validation_alias=AliasChoices("action_name", "action"), description="What was done on a search, in an action's row."
    )
    object_id: Id | None = Field(default=None, description="The result that the action was about.")
    event_attributes: Attributes | None = Field(default=None, description="Details of an action, as User Behavior Insights has them.")
    result_ids: Ids | None = Field(
        default=None,
        validation_alias=AliasChoices("result_ids", "query_response_hit_ids", "query_response_object_ids"),
        description="Which results were shown; says how many there were if `n_results` does not.",
    )
    meaning: str | None = Field(
        default=None, description="A label: two queries mean the same if theirs agree. Judges a training, is never learned from."
    )

    @model_validator(mode="after")
    def _somebody_searched(self) -> Self:
        if self.user_id is None and self.session_id is None:
            raise ValueError("expected a user_id or a session_id, got neither")
        if self.query is None and self.query_id is None:
            raise ValueError("expected a query, or the query_id of the search that an action was on, got neither")
        return self


class SearchSynonymsQuery(Record):
    """A query that may fail."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"query": "grey couch", "user_id": "u17", "context": "furniture"}]})

    subject: ClassVar[str | None] = "user_id"

    query: QueryText = Field(description="What was typed.")
    user_id: Id | None = Field(default=None, description="Who asks.")
    context: str | None = Field(
        default=None, max_length=256, description="Words about where the search happens, such as a category; opens rules that need them."
    )
    limit: int = Field(default=5, ge=1, le=MAX_REWRITES, description="How many rewrites, at most.")


class Rewrite(BaseModel):
    """A query to try instead of, or beside, the one that was asked."""

    model_config = ConfigDict(frozen=True)

    query: str = Field(description="The query to try.")
    kind: Kind = Field(description="Why it means the same.")
    probability: float = Field(ge=0.0, le=1.0, description="Probability that it means the same; 1 for what a person approved.")
    replaces: bool = Field(description="Search this instead (a typing error); otherwise beside the original.")
    status: Status | None = Field(description="Of the rule behind it; none for a typing error corrected from the site's own words.")
    because: list[str] = Field(description="The rules, as `left -> right (users, success rate)`, or the words corrected.")


class SearchSynonymsPrediction(Prediction):
    """What to try for a query."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "query": "grey couch",
                    "known": True,
                    "corrected": None,
                    "rewrites": [
                        {
                            "query": "grey sofa",
                            "kind": "synonym",
                            "probability": 0.97,
                            "replaces": False,
                            "status": "published",
                            "because": ["couch -> sofa (41 users, 88% then clicked)"],
                        }
                    ],
                }
            ]
        }
    )

    query: str = Field(description="The query as it was compared: lower case, single spaces.")
    known: bool = Field(description="Whether every word of the query was searched by at least `k_anonymity` users.")
    corrected: str | None = Field(description="The query without typing errors; none if there is nothing to correct.")
    rewrites: list[Rewrite] = Field(description="What to try, likeliest first; none if the query is best left as it is.")


class GapsRequest(BaseModel):
    """Which content gaps to show."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"limit": 20}]})

    limit: int = Field(default=20, ge=1, le=1000, description="How many, at most.")


class Gap(BaseModel):
    """Failed searches that no rewrite fixes: something the shop does not sell, or the pages do not say."""

    model_config = ConfigDict(frozen=True)

    topic: str = Field(description="The most searched query of the gap.")
    queries: list[str] = Field(description="Its queries, most lost searches first; each searched by at least `k_anonymity` users.")
    users: int = Field(description="Greatest number of distinct users that one of its queries failed.")
    lost_searches: int = Field(description="Searches that failed and were not mended within the window.")
    lost_per_week: float = Field(description="The same by week.")
    no_results: float = Field(description="Share of the lost searches that had no result at all, from 0 to 1.")


class GapsReply(BaseModel):
    """The content gaps, most lost searches first."""

    model_config = ConfigDict(frozen=True)

    gaps: list[Gap] = Field(description="The gaps.")
