"""All that goes on being learned between trainings, in one place: as of now, and as of the training."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.notification.channels import Rates
from models.notification.evidence import Sums
from models.notification.history import History
from models.notification.tastes import Tastes

Arrays = dict[str, NDArray[np.int64]]


@dataclass
class Knowledge:
    """What is known of types, segments and users beside the nightly model.

    Parameters
    ----------
    tastes
        How far they are from what the nightly model expects.
    history
        What users were sent and clicked of late.
    rates
        Of users who turn a type off, and of clicks in the app and in digests.
    worth
        Of users' pushes, what a unit of log-odds is worth: how many they are, and the sum of p (1 - p) and their value.
    turned_off
        Since when a user, by type and channel, wants no more of it.
    """

    tastes: Tastes
    history: History = field(default_factory=History)
    rates: Rates = field(default_factory=Rates)
    worth: Sums = field(default_factory=Sums)
    turned_off: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def knows(self, user: str) -> bool:
        """Whether anything was seen of a user."""
        return self.history.knows(user) or self.tastes.knows(user)

    def forget(self, user: str) -> None:
        """Drop a user; what types and segments learned of them remains, as sums without names."""
        self.tastes.forget(user)
        self.history.forget(user)
        self.worth.drop([user])
        self.turned_off = {key: at for key, at in self.turned_off.items() if key[0] != user}

    def copied(self) -> Self:
        """The same, for another to change."""
        return deepcopy(self)

    def dump(self) -> tuple[dict[str, Any], Arrays]:
        """Names and numbers."""
        tastes, counts = self.tastes.dump()
        users, instants = self.history.dump()
        rates, rate_counts = self.rates.dump()
        pushed, worth = self.worth.dump()
        off = sorted([*key, at] for key, at in self.turned_off.items())
        return {"tastes": tastes, "history": users, "rates": rates, "worth": pushed, "turned_off": off}, {
            **counts,
            **instants,
            "rates": rate_counts,
            "worth": worth,
        }

    @classmethod
    def restore(cls, names: Mapping[str, Any], arrays: Mapping[str, NDArray[np.int64]]) -> Self:
        """Take back what `dump` gave."""
        return cls(
            Tastes.restore(names["tastes"], arrays),
            History.restore(names["history"], arrays),
            Rates.restore(names["rates"], arrays["rates"]),
            Sums(names["worth"], arrays["worth"]),
            {(user, kind, channel): at for user, kind, channel, at in names["turned_off"]},
        )
