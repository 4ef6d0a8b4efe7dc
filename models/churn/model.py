"""Churn answers who is leaving, why, and what is worth doing about it.

Two models of the same matrix are added in log-odds: a logistic regression with bent lines, which knows what each column does alone,
and small boosted trees, which know what columns do together. Their weights, and the calibration of their sum, are fitted to
predictions that cross-validation made for rows it had not learned from; so a table that needs no interactions leans on the first, and
one configuration serves every table. Each half is a sum over columns, exactly, and the reasons of a prediction are that sum, scaled to
the calibrated log-odds.

When not to trust it: reasons are associations, so that acting on one need not keep a customer. Probabilities hold for customers
drawn as the training rows were; when prices, products or the market change, look at the reliability curve again. A column that
knows the outcome (`Churn.suspicious_columns_`) makes every figure too good. With fewer than some dozen customers who left,
the ranking is a guess.

References
----------
Platt (1999), Probabilistic Outputs for Support Vector Machines.
Wolpert (1992), Stacked Generalization, Neural Networks 5(2).
Lundberg, Erion and Lee (2018), Consistent Individualized Feature Attribution for Tree Ensembles, arXiv:1802.03888.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.base import Contract, Model, Part, Question
from models.churn.calibration import Calibration
from models.churn.linear import Linear
from models.churn.policy import DECIDING, ChurnPolicyQuestion, ChurnPolicyReport, report
from models.churn.records import ChurnConfig, ChurnExample, ChurnPrediction, ChurnQuery, Reason
from models.churn.table import Note, Table
from models.churn.trees import Trees
from models.settings import changed

Array = NDArray[np.float64]

_CHUNK = 1_000  # bounds memory: a row of a large model is looked up at some thousand places


class Churn(Model[ChurnConfig, ChurnQuery, ChurnExample, ChurnPrediction]):
    """Calibrated probability that a customer leaves, with reasons, from any table.

    Attributes
    ----------
    columns_ : tuple of str
        Columns that are used, in the order of `contributions`.
    base_rate_ : float
        Share of the training rows who left.
    importance_ : dict of str to float
        Mean absolute contribution to the log-odds by column over the training rows, largest first.
    suspicious_columns_ : tuple of str
        Columns that alone tell almost perfectly who left: most likely written after the fact. Remove them and train again.
    ignored_columns_ : tuple of str
        Columns that are constant or identify rows, and are not used.

    References
    ----------
    See the module.
    """

    contract = Contract(
        slug="churn",
        config=ChurnConfig,
        query=ChurnQuery,
        example=ChurnExample,
        prediction=ChurnPrediction,
        outcome=bool,
        questions=(Question("evaluate_policy", ChurnPolicyQuestion, ChurnPolicyReport),),
    )

    def fit(self, examples: Iterable[ChurnExample]) -> Self:
        """Learn from customers of whom it is known whether they left.

        Raises
        ------
        InputError
            If there is no example, all have one label, or no column teaches anything.
        """
        from models.churn.fitting import learn  # scikit-learn and LightGBM stay out of a process that only serves

        rows = list(examples)
        labels = np.array([row.label for row in rows], dtype=bool)
        learned = learn([row.features for row in rows], labels, [row.identity() for row in rows], self.config)
        self._assemble(learned.table, learned.linear, learned.trees, learned.calibration)
        self.base_rate_ = learned.base_rate
        self.suspicious_columns_ = learned.suspicious_columns
        self.importance_ = self._importance(rows)
        return self

    def _assemble(self, table: Table, linear: Linear, trees: Trees, calibration: Calibration) -> None:
        self._table, self._linear, self._trees, self._calibration = table, linear, trees, calibration
        self._bias = np.array(linear.bias + trees.bias)
        self._base_log_odds = float(calibration(self._bias))
        self._owner = np.concatenate([linear.owner, table.owner[trees.place.ravel()]])
        self.columns_ = tuple(column.name for column in table.columns)
        self.ignored_columns_ = table.ignored

    def _importance(self, rows: Sequence[ChurnQuery]) -> dict[str, float]:
        mean = np.abs(self.contributions(rows)).mean(axis=0)
        order = np.argsort(-mean, kind="stable")
        return {self.columns_[column]: float(mean[column]) for column in order}

    def contributions(self, queries: Sequence[ChurnQuery]) -> Array:
        """What each used column, by its position in `columns_`, adds to the log-odds of each query; shape (n_queries, n_columns)."""
        self._require_fitted()
        return self._explain(queries)[0]

    def _explain(self, queries: Sequence[ChurnQuery]) -> tuple[Array, list[Note]]:
        chunks, notes = [np.zeros((0, len(self._table.columns)))], []
        for start in range(0, len(queries), _CHUNK):
            X, odd = self._table.matrix([query.features for query in queries[start : start + _CHUNK]])
            chunks.append(self._by_column(X))
            notes += odd
        return np.concatenate(chunks), notes

    def _by_column(self, X: Array) -> Array:
        parts = np.hstack([self._linear.parts(X), self._trees.parts(X)])
        n_columns = len(self._table.columns)
        cell = self._owner + np.arange(0, len(X) * n_columns, n_columns)[:, None]
        sums = np.bincount(cell.ravel(), weights=parts.ravel(), minlength=len(X) * n_columns)
        return self._calibrated(sums.astype(np.float64, copy=False).reshape(len(X), n_columns))

    def _calibrated(self, contributions: Array) -> Array:
        """The same contributions in proportion, such that with the base they add up to the calibrated log-odds."""
        total = contributions.sum(axis=1)
        moved = self._calibration(self._bias + total) - self._base_log_odds
        factor: Array = np.divide(moved, total, out=np.ones_like(total), where=total != 0)
        return contributions * factor[:, None]

    def evaluate_policy(self, request: ChurnPolicyQuestion) -> ChurnPolicyReport:
        """Say what another threshold for offers would have been worth on a log; or why the log cannot tell.

        Raises
        ------
        InputError
            If there is no such setting, or not with this value.
        """
        self._require_fitted()
        judged = copy(self)
        judged.config = changed(self.config, request.settings, DECIDING)
        return report(request.log, judged.predict(request.log), request.settings)

    def predict(self, queries: Sequence[ChurnQuery]) -> list[ChurnPrediction]:
        """Probability, reasons and action for each customer, in order."""
        self._require_fitted()
        contributions, notes = self._explain(queries)
        total = contributions.sum(axis=1)
        probabilities = 1 / (1 + np.exp(-(self._base_log_odds + total)))
        strongest = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, : self.config.reasons]
        named = np.take_along_axis(contributions, strongest, axis=1)
        answers = zip(
            queries,
            probabilities.tolist(),
            strongest.tolist(),
            named.tolist(),
            (total - named.sum(axis=1)).tolist(),
            notes,
            strict=True,
        )
        return [self._answer(*answer) for answer in answers]

    def _answer(
        self, query: ChurnQuery, probability: float, columns: list[int], contributions: list[float], other: float, note: Note
    ) -> ChurnPrediction:
        return ChurnPrediction(
            customer_id=query.customer_id,
            probability=probability,
            action="offer" if probability > self.config.offer_threshold else "none",
            reasons=tuple(
                self._reason(query, column, contribution)
                for column, contribution in zip(columns, contributions, strict=True)
                if contribution
            ),
            base_log_odds=self._base_log_odds,
            other_log_odds=other,
            known=note.known,
            warnings=note.warnings,
        )

    def _reason(self, query: ChurnQuery, column: int, contribution: float) -> Reason:
        name = self.columns_[column]
        direction = "raises" if contribution > 0 else "lowers"
        return Reason(feature=name, value=query.features.get(name), direction=direction, contribution=contribution)

    def _state(self) -> dict[str, Part]:
        return {
            "table.json": self._table.dump(),
            "linear.npz": self._linear.arrays(),
            "trees.npz": self._trees.arrays(),
            "calibration.npz": self._calibration.arrays(),
            "training.json": {
                "base_rate": self.base_rate_,
                "importance": list(self.importance_.items()),
                "suspicious_columns": list(self.suspicious_columns_),
            },
        }

    def _restore(self, parts: Mapping[str, Part]) -> None:
        linear, calibration = parts["linear.npz"], parts["calibration.npz"]
        self._assemble(
            Table.restore(parts["table.json"]),
            Linear(**{**linear, "bias": float(linear["bias"])}),
            Trees(**parts["trees.npz"]),
            Calibration(**{**calibration, "height": float(calibration["height"])}),
        )
        training = parts["training.json"]
        self.base_rate_ = training["base_rate"]
        self.importance_ = dict(training["importance"])
        self.suspicious_columns_ = tuple(training["suspicious_columns"])
