"""What the churn model is told, asked and answers."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from models.base import Config, Prediction, Record
from models.scalar import Scalar

_LEFT = frozenset({"1", "1.0", "true", "t", "yes", "y", "churned", "left", "exited", "attrited", "attrited customer"})
_STAYED = frozenset({"0", "0.0", "false", "f", "no", "n", "stayed", "retained", "active", "existing", "existing customer"})


def _label(value: object) -> bool:
    word = str(value).strip().rstrip(".").lower()
    if word not in _LEFT | _STAYED:
        raise ValueError(f"expected whether the customer left as Yes/No, True/False or 1/0, got {value!r}")
    return word in _LEFT


def _identifier(value: object) -> object:
    return str(value) if isinstance(value, int | float) else value


_QUERY: dict[str, Any] = {
    "customer_id": "c-1042",
    "features": {
        "signed_up": "2025-08-19",
        "tenure_months": 4,
        "contract": "monthly",
        "plan": "plus",
        "monthly_price": 31.9,
        "price_rise_percent": 18,
        "open_tickets": 2,
        "days_since_last_ticket": 6,
        "usage_hours": 7.5,
        "usage_change_percent": -52,
        "payment_method": "card",
        "region": "north",
        "newsletter": "Yes",
        "referred_by": None,
        "account_manager": "manager 17",
        "currency": "EUR",
    },
}


class ChurnConfig(Config):
    """Settings of the churn model."""

    offer_threshold: float = Field(default=0.8, ge=0, le=1, description="An offer is made when the probability is above this.")
    reasons: int = Field(default=5, ge=0, le=50, description="How many reasons a prediction names, the strongest first.")
    folds: int = Field(default=5, ge=2, le=20, description="Folds of the cross-validation that weighs and calibrates the two halves.")
    max_rounds: int = Field(default=400, ge=20, le=5000, description="Most boosting rounds; cross-validation picks how many are used.")


class ChurnQuery(Record):
    """A customer, as the columns of any table describe them.

    ``"12"``, ``12`` and ``12.0`` mean the same, as do ``true`` and ``"True"``; ``null``, ``""`` and ``" "`` mean that a value is missing.
    """

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"examples": [_QUERY]})

    rest: ClassVar[str | None] = "features"
    subject: ClassVar[str | None] = "customer_id"

    customer_id: Annotated[str | None, BeforeValidator(_identifier)] = Field(
        default=None,
        validation_alias=AliasChoices("customer_id", "id"),
        description="Names the customer; never used to predict. May be called `id`; null if the table has none.",
    )
    features: dict[str, Scalar] = Field(description="Column name to value, as in the table that the model was trained on.")

    def identity(self) -> str:
        """Whom this is about; in a table without identifiers, rows that look exactly the same are about the same customer."""
        return f"id {self.customer_id}" if self.customer_id is not None else repr(sorted(self.features.items()))


class ChurnExample(ChurnQuery):
    """A customer of whom it is known whether they left."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_QUERY, "label": True}]})

    label: Annotated[bool, BeforeValidator(_label)] = Field(description="Whether the customer left: Yes/No, True/False or 1/0.")
    observed_at: AwareDatetime | None = Field(
        default=None, description="When the features were true; with it the newest rows are held out."
    )
    treatment: str | None = Field(default=None, description="What was done to keep the customer, if anything; never used to predict.")
    propensity: float | None = Field(
        default=None, gt=0, le=1, description="Probability with which that was decided, as logged; never used to predict."
    )
    outcome_value: float | None = Field(default=None, description="What the customer was worth afterwards; never used to predict.")


class Reason(BaseModel):
    """How far one column moved one customer's prediction."""

    model_config = ConfigDict(frozen=True)

    feature: str = Field(description="The column.")
    value: Scalar = Field(description="What this customer has there, as given.")
    direction: Literal["raises", "lowers"] = Field(description="Which way it moves the probability, against the average customer.")
    contribution: float = Field(description="By how much, in log-odds.")


class ChurnPrediction(Prediction):
    """How likely a customer is to leave, and why.

    ``base_log_odds`` + the contributions of all reasons + ``other_log_odds`` is the logit of ``probability``, exactly.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer_id": "c-1042",
                    "probability": 0.83,
                    "action": "offer",
                    "reasons": [{"feature": "price_rise_percent", "value": 18.0, "direction": "raises", "contribution": 1.4}],
                    "base_log_odds": -1.1,
                    "other_log_odds": 1.3,
                }
            ]
        }
    )

    customer_id: str | None = Field(default=None, description="As asked.")
    probability: float = Field(ge=0, le=1, description="Calibrated probability that the customer leaves.")
    action: Literal["offer", "none"] = Field(default="none", description="`offer` when the probability is above the configured threshold.")
    reasons: tuple[Reason, ...] = Field(default=(), description="The strongest first; associations in the training table, not causes.")
    base_log_odds: float = Field(default=0.0, description="Where an average customer starts.")
    other_log_odds: float = Field(default=0.0, description="What the columns that are not among the reasons add together.")
    known: bool = Field(default=True, description="False if no column could be read: the answer is then that of a customer without data.")
    warnings: tuple[str, ...] = Field(default=(), description="Columns that are missing, unreadable, unseen or unknown, by name.")
