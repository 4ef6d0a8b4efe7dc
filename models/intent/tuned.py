"""One more view of a text, where the encoder was fine-tuned: the cosine of its tuned vector to that of each intent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.intent.meaning import text_by_text

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TunedView:
    """Scores from the encoder's tuned top.

    Parameters
    ----------
    head
        A unit vector per intent, of shape (width, intents).
    """

    head: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", np.ascontiguousarray(self.head))  # sums depend on the order in memory

    def scores(self, layers: Floats) -> Floats:
        """One cosine per text and intent, from the layers that `models.encoder.Encoder.encode_layers` gives."""
        return text_by_text(layers[:, -len(self.head) :], self.head)

    def untuned(self, layers: Floats) -> Floats:
        """The encoder's own layers alone."""
        return layers[:, : -len(self.head)]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fields as arrays."""
        return {"head": self.head}
