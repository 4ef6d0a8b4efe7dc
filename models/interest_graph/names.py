"""Names and their numbers: the graph computes with numbers and answers with names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.interest_graph.ledger import Ints, Ledger


class Names:
    """Numbers names in the order in which they come.

    Attributes
    ----------
    names
        By number. Grows only at its end, so that readers in other threads are not disturbed.
    numbers
        By name.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = list(names)
        self.numbers = {name: number for number, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def number(self, name: str) -> int:
        """The number of a name; a new one if it was never seen."""
        number = self.numbers.get(name)
        if number is None:
            number = len(self.names)
            self.names.append(name)
            self.numbers[name] = number
        return number

    def only(self, kept: NDArray[np.bool_]) -> tuple[Names, Ints]:
        """Some of the names, numbered anew in the same order; and the new number of each old one that was kept."""
        return Names(name for name, keep in zip(self.names, kept.tolist(), strict=True) if keep), np.cumsum(kept) - 1

    def ordered(self, keep: int = 0) -> Ints:
        """The numbers, sorted by name except for the first `keep`."""
        return np.array([*range(keep), *sorted(range(keep, len(self)), key=self.names.__getitem__)], dtype=np.int64)


def sorted_by_name(ledger: Ledger, users: Names, topics: Names, keep_topics: int = 0) -> tuple[Ledger, Names, Names]:
    """The same ledger with users and topics numbered by name, so that the order in which they were met leaves no trace.

    Parameters
    ----------
    keep_topics
        How many topics keep their number, because relations refer to it.
    """
    user_order, topic_order = users.ordered(), topics.ordered(keep_topics)
    renumbered = replace(ledger, user=np.argsort(user_order)[ledger.user], topic=np.argsort(topic_order)[ledger.topic])
    sorted_users, sorted_topics = ([names.names[n] for n in order] for names, order in ((users, user_order), (topics, topic_order)))
    return Ledger.merged([renumbered]), Names(sorted_users), Names(sorted_topics)
