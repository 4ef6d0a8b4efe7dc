"""What is wrong with a value is said in Foretell's words: what was expected, what came."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from models import MODELS, get
from models.wording import complaint, expected, expected_any


class Parcel(BaseModel):
    """Something of every kind that records have."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=2, max_length=5)
    grams: int = Field(ge=1, lt=30_000)
    share: float = Field(default=0.5, gt=0, le=1, allow_inf_nan=False)
    fragile: bool = False
    speed: Literal["slow", "fast"] = "slow"
    sent_at: AwareDatetime | None = None
    labels: list[str] = Field(default=[], max_length=2)
    notes: dict[str, str] = {}


def problems(**values: Any) -> list[Any]:
    with pytest.raises(ValidationError) as caught:
        Parcel.model_validate({"name": "book", "grams": 400} | values)
    return list(caught.value.errors())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": 7}, "expected text, got 7"),
        ({"name": "b"}, "expected text of at least 2 characters, got 'b'"),
        ({"name": "brochure"}, "expected text of at most 5 characters, got 'brochure'"),
        ({"grams": "many"}, "expected a whole number, got 'many'"),
        ({"grams": 1.5}, "expected a whole number, got 1.5"),
        ({"grams": 0}, "expected at least 1, got 0"),
        ({"grams": 30_000}, "expected less than 30,000, got 30000"),
        ({"share": 0}, "expected more than 0, got 0"),
        ({"share": 1.5}, "expected at most 1, got 1.5"),
        ({"share": float("nan")}, "expected a finite number, got nan"),
        ({"fragile": "perhaps"}, "expected true or false, got 'perhaps'"),
        ({"speed": "warp"}, "expected 'slow' or 'fast', got 'warp'"),
        ({"sent_at": datetime(2026, 1, 31)}, "expected a time with its zone, such as 2026-01-31T09:30:00Z, got datetime.datetime"),
        ({"sent_at": "soon"}, "expected a time with its zone, such as 2026-01-31T09:30:00Z, got 'soon'"),
        ({"labels": "a"}, "expected a list, got 'a'"),
        ({"labels": ["a", "b", "c"]}, "expected at most 2 of them, got 3"),
        ({"notes": 1}, "expected an object, got 1"),
        ({"weight": 1}, "expected no such field, got 1"),
        ({"name": "x" * 1_000}, f"expected text of at most 5 characters, got '{'x' * 79}..."),
    ],
)
def test_each_kind_of_mistake_has_its_sentence(values: dict[str, Any], sentence: str) -> None:
    assert complaint(problems(**values)[0]).startswith(sentence)


def test_what_is_missing_is_not_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        Parcel.model_validate({"grams": 400})
    assert complaint(caught.value.errors()[0]) == "expected a value, got none"


def test_kinds_that_a_value_may_be_are_joined() -> None:
    first, second = problems(name=7, grams="many")
    assert expected_any([first, second, first]) == "expected text or a whole number"


@pytest.mark.parametrize("slug", MODELS)
def test_what_is_wrong_with_a_query_or_an_event_is_never_said_in_pydantics_words(slug: str) -> None:
    contract = get(slug).contract
    for kind in filter(None, (contract.query, contract.example, contract.event, contract.config)):
        mistakes: list[Any] = [7, [], {"surprise": 1}, dict.fromkeys(kind.model_fields, -7.5), dict.fromkeys(kind.model_fields, "?")]
        for wrong in mistakes:
            try:
                kind.model_validate(wrong)
            except ValidationError as error:
                said = [expected(problem) for problem in error.errors()]
                assert all("Input should" not in sentence and sentence.startswith("expected ") for sentence in said), said
