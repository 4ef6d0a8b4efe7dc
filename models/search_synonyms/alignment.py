"""Which words of one query became which words of another."""

from __future__ import annotations

from rapidfuzz.distance import OSA

_SPANS = ((1, 1), (1, 2), (2, 1), (1, 3), (2, 2), (1, 0), (0, 1))
"""Words on either side of a pair, the simplest first."""

_NOTHING = 2.0
"""What it costs, in edits, to pair a word with nothing, beside its letters."""

_UNEVEN = 0.3
"""What it costs to split or join words; edits in them count twice, or a word left out would look like part of its neighbour."""


def aligned(typed: str, meant: str) -> list[tuple[str, str]]:
    """Pairs of phrases, in order, that take the fewest edits; empty where a word was left out or added.

    >>> aligned("kitchen aide mixr", "kitchenaid mixer")
    [('kitchen aide', 'kitchenaid'), ('mixr', 'mixer')]
    """
    left, right = typed.split(), meant.split()
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    for i in range(len(left) + 1):
        for j in range(len(right) + 1):
            ways = [
                (best[i - di, j - dj][0] + _price(" ".join(left[i - di : i]), " ".join(right[j - dj : j])), (di, dj))
                for di, dj in _SPANS
                if di <= i and dj <= j
            ]
            if ways:
                best[i, j] = min(ways, key=lambda way: way[0])
    pairs, i, j = [], len(left), len(right)
    while i or j:
        di, dj = best[i, j][1]
        pairs.append((" ".join(left[i - di : i]), " ".join(right[j - dj : j])))
        i, j = i - di, j - dj
    return pairs[::-1]


def _price(typed: str, meant: str) -> float:
    if typed.count(" ") == meant.count(" ") == 0:
        return OSA.distance(typed, meant) + (0.0 if typed and meant else _NOTHING)
    distance = OSA.distance(typed.replace(" ", ""), meant.replace(" ", ""))
    if typed.count(" ") == meant.count(" ") and distance:
        return float("inf")  # two words for two: only where the space moved
    return _UNEVEN + 2 * distance
