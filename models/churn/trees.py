"""Small boosted trees as lookup tables: the half of the score that knows interactions, explained exactly.

A tree of at most eight leaves has at most seven splits, so a row can answer its splits in only 128 ways. For each of them the Shapley
value of every split's column is computed once, when the model is loaded; a prediction then compares, looks up and adds, without
walking a tree. The values are those of TreeSHAP with path-dependent expectations (LightGBM's ``pred_contrib``).

References
----------
Lundberg, Erion and Lee (2018), Consistent Individualized Feature Attribution for Tree Ensembles, arXiv:1802.03888, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.intp]

SPLITS = 7
_ANSWERS = 2**SPLITS
_BITS = (np.arange(_ANSWERS)[:, None] >> np.arange(SPLITS) & 1).astype(bool)  # (answers or coalitions, splits)
_POWERS = 2 ** np.arange(SPLITS, dtype=np.uint8)


def _shapley_weights() -> Array:
    """Weight of each coalition's value in each player's Shapley value, of shape (players, coalitions)."""
    size = _BITS.sum(axis=1)
    weight = np.array([factorial(s) * factorial(SPLITS - s - 1) / factorial(SPLITS) for s in range(SPLITS)])
    joined = np.where(size > 0, weight[np.maximum(size - 1, 0)], 0.0)
    apart = np.where(size < SPLITS, weight[np.minimum(size, SPLITS - 1)], 0.0)
    return np.where(_BITS.T, joined, -apart)


_SHAPLEY = _shapley_weights()


@dataclass(frozen=True)
class Trees:
    """Boosted trees, each with `SPLITS` splits or fewer.

    Split s of tree t is at [t, s] and sends a row left if X[:, place] <= threshold. Children count splits from 0 and leaves from -1
    downwards, as LightGBM does.

    Parameters
    ----------
    place, threshold, left, right
        The splits, of shape (n_trees, SPLITS); unused ones are never reached.
    leaf, cover
        Log-odds and number of training rows by leaf, of shape (n_trees, SPLITS + 1).
    """

    place: Places
    threshold: Array
    left: Places
    right: Places
    leaf: Array
    cover: Array

    @classmethod
    def from_lightgbm(cls, model: dict[str, Any]) -> Trees:
        """Take the trees out of what ``Booster.dump_model()`` gives; numerical splits on a matrix without gaps only."""
        n_trees = len(model["tree_info"])
        splits = (n_trees, SPLITS)
        leaves = (n_trees, SPLITS + 1)
        trees = cls(
            np.zeros(splits, np.intp), np.zeros(splits), np.full(splits, -1), np.full(splits, -1), np.zeros(leaves), np.zeros(leaves)
        )
        for position, tree in enumerate(model["tree_info"]):
            trees._take(position, tree["tree_structure"])
        return trees

    def _take(self, tree: int, node: dict[str, Any]) -> int:
        """Copy a node and what hangs below it; the node's number."""
        if "split_index" not in node:
            leaf = int(node.get("leaf_index", 0))
            self.leaf[tree, leaf] = node["leaf_value"]
            self.cover[tree, leaf] = node.get("leaf_count", 1)
            return -1 - leaf
        split = int(node["split_index"])
        self.place[tree, split] = node["split_feature"]
        self.threshold[tree, split] = node["threshold"]
        self.left[tree, split] = self._take(tree, node["left_child"])
        self.right[tree, split] = self._take(tree, node["right_child"])
        return split

    def scaled(self, weight: float) -> Trees:
        """The same trees with their log-odds multiplied."""
        return Trees(self.place, self.threshold, self.left, self.right, self.leaf * weight, self.cover)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fields as arrays."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def bias(self) -> float:
        """Expected log-odds over the training rows."""
        return float(((self.leaf * self.cover).sum(axis=1) / self.cover.sum(axis=1)).sum())

    @cached_property
    def _lookup(self) -> Array:
        """Shapley value of each split's place, by tree and answers, of shape (n_trees * _ANSWERS, SPLITS)."""
        tables = [self._explain(tree) for tree in range(len(self.leaf))]
        return np.concatenate(tables) if tables else np.zeros((0, SPLITS))

    def _explain(self, tree: int) -> Array:
        """Shapley values of one tree by answers, of shape (_ANSWERS, SPLITS); a place that splits twice gets all at its first split."""
        place = self.place[tree]
        first = np.array([int(np.flatnonzero(place == it)[0]) for it in place])
        values, _ = self._expected(tree, 0 if self.cover[tree, 1] else -1, _BITS[:, first])
        return np.ascontiguousarray((_SHAPLEY @ values).T)

    def _expected(self, tree: int, node: int, joined: NDArray[np.bool_]) -> tuple[Array, float]:
        """Value of a node by coalition of splits that are known and by answers, and its cover."""
        if node < 0:
            return np.full((_ANSWERS, _ANSWERS), self.leaf[tree, -1 - node]), float(self.cover[tree, -1 - node])
        left, left_cover = self._expected(tree, int(self.left[tree, node]), joined)
        right, right_cover = self._expected(tree, int(self.right[tree, node]), joined)
        cover = left_cover + right_cover
        unknown = (left * left_cover + right * right_cover) / cover
        return np.where(joined[:, node, None], np.where(_BITS[None, :, node], left, right), unknown), cover

    def parts(self, X: Array) -> Array:
        """What each split's place adds to the log-odds of each row, of shape (n_rows, n_trees * SPLITS)."""
        left = np.take(X, self.place.ravel(), axis=1) <= self.threshold.ravel()
        answers = left.view(np.uint8).reshape(len(X), -1, SPLITS) @ _POWERS
        found = np.take(self._lookup, answers + np.arange(0, len(self._lookup), _ANSWERS), axis=0)
        return found.reshape(len(X), -1)
