"""Customers of a subscription service, some with a reason to leave that is known because it was planted.

    python data/churn/prepare.py

writes ``sample.csv`` beside this file. Four things make customers leave: a price rise, support tickets left open, falling usage, and
being new on a monthly contract. The other columns are decoys that happen to be there in every such table: a region, a payment method,
a newsletter, who referred the customer, the account manager, a constant currency. Values are missing where they would be in life.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

SEED = 7
ROWS = 2_500

Row = dict[str, Any]

_TODAY = date(2026, 1, 1)
_PRICES = {"basic": 14.9, "plus": 31.9, "premium": 59.9}


def generate(seed: int = SEED) -> list[Row]:
    """The customers, each with its label; the same seed gives the same rows."""
    rng = np.random.default_rng(seed)
    return [_customer(rng, number) for number in range(ROWS)]


SHOWN_BY = {
    "price rise": ("price_rise_percent",),
    "open tickets": ("open_tickets",),
    "falling usage": ("usage_change_percent",),
    "new on a monthly contract": ("contract", "tenure_months", "signed_up"),
}
"""The columns in which a planted cause can be seen."""


def causes(row: Mapping[str, Any]) -> dict[str, float]:
    """The planted causes of a customer, with what each adds to the log-odds of leaving."""
    planted = {
        "price rise": 2.4 if float(row["price_rise_percent"]) >= 10 else 0.0,
        "open tickets": 2.2 if float(row["open_tickets"]) >= 2 else 0.0,
        "falling usage": 2.6 if float(row["usage_change_percent"]) <= -40 else 0.0,
        "new on a monthly contract": 1.8 if row["contract"] == "monthly" and float(row["tenure_months"]) <= 6 else 0.0,
    }
    return {cause: effect for cause, effect in planted.items() if effect}


def probability(row: Mapping[str, Any]) -> float:
    """The probability with which the label of a customer was drawn: what a perfect model would answer."""
    loyalty = 0.7 * (row["contract"] != "monthly") + 0.5 * (float(row["tenure_months"]) > 36)
    log_odds = -2.3 + sum(causes(row).values()) - loyalty
    return float(1 / (1 + np.exp(-log_odds)))


def _customer(rng: np.random.Generator, number: int) -> Row:
    tenure = int(rng.integers(1, 73) if rng.random() < 0.7 else rng.integers(1, 13))
    plan = str(rng.choice(list(_PRICES), p=[0.4, 0.4, 0.2]))
    tickets = int(rng.poisson(2.2) if rng.random() < 0.2 else rng.poisson(0.15))
    row: Row = {
        "customer_id": f"c-{number:05d}",
        "signed_up": (_TODAY - timedelta(days=30 * tenure + int(rng.integers(0, 30)))).isoformat(),
        "tenure_months": tenure,
        "contract": str(rng.choice(["monthly", "yearly", "two_years"], p=[0.5, 0.3, 0.2])),
        "plan": plan,
        "monthly_price": round(_PRICES[plan] * float(rng.uniform(0.9, 1.1)), 2),
        "price_rise_percent": int(rng.integers(10, 26)) if rng.random() < 0.15 else int(rng.integers(0, 6)),
        "open_tickets": tickets,
        "days_since_last_ticket": int(rng.integers(0, 30)) if tickets else "",
        "usage_hours": round(float(rng.gamma(3, 6)), 1) if rng.random() < 0.95 else "",
        "usage_change_percent": int(rng.integers(-90, -40)) if rng.random() < 0.15 else int(np.clip(rng.normal(5, 15), -35, 80)),
        "payment_method": str(rng.choice(["card", "invoice", "direct_debit", "wallet"])),
        "region": str(rng.choice(["north", "south", "east", "west", "centre", "islands"])),
        "newsletter": str(rng.choice(["Yes", "No"])),
        "referred_by": str(rng.choice(["friend", "search", "advert"])) if rng.random() < 0.6 else "",
        "account_manager": f"manager {int(rng.integers(1, 120))}",
        "currency": "EUR",
    }
    return row | {"label": "Yes" if rng.random() < probability(row) else "No"}


def main() -> None:
    """Write ``sample.csv`` beside this file."""
    path = Path(__file__).with_name("sample.csv")
    rows = generate()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{path}: {len(rows):,} customers, {sum(row['label'] == 'Yes' for row in rows):,} of whom left")


if __name__ == "__main__":
    main()
