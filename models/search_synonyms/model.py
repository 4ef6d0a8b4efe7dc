r"""Learn from failed searches which queries mean the same, and never make *red shoes* a synonym of *shoes*.

People who do not find what they want say it in other words. From their visits: a search fails (nothing found, looked through without a
click, left at once, abandoned), and within minutes another one works. What changed between them is a pair of phrases, and what pairs
like that are is told apart by letters first (a word added narrows, a word left out widens, a number or colour replaced changes the
topic: none of these is ever a rule), then by a calibrated logistic regression over what people did: how many distinct users, what share
of those who gave the phrase up chose this one, whether both lead to clicks on the same documents, whether the phrase fails by itself,
and what the encoder thinks of both. Rules are proposed with their evidence; people decide; the dictionary keeps what they decided.

When not to trust it. A thing that the site does not have looks like a misnamed one when most users take the same substitute instead: where
nobody ever clicked on the former, only the encoder can tell, and it knows everyday English. Fewer users than `k_anonymity` teach
nothing, on purpose. An attacker with many users that search for other things too, over days and from many addresses, looks like
people. The probability is calibrated on planted logs; decisions of reviewers move it towards the site's own.

References
----------
Dunning (1993), "Accurate methods for the statistics of surprise and coincidence", Computational Linguistics 19(1): the log-likelihood
ratio.
Jones, Rey, Madani and Greiner (2006), "Generating query substitutions", WWW: substitutions of phrases, learned from sessions.
Huang and Efthimiadis (2009), "Analyzing and evaluating query reformulation strategies in web search logs", CIKM: kinds of reformulation.
Boldi, Bonchi, Castillo and Vigna (2011), "Query reformulation mining: models, patterns, and applications", Information Retrieval 14(3):
typing reformulations by letters, times and sessions.
Korolova, Kenthapadi, Mishra and Ntoulas (2009), "Releasing search queries and clicks privately", WWW: why rare queries stay unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.base import Contract, OnlineModel, Question
from models.errors import InputError
from models.search_synonyms import questions
from models.search_synonyms.completion import Completions
from models.search_synonyms.dictionary import TRUSTED, Application, Dictionary
from models.search_synonyms.evidence import FEATURES, Encode
from models.search_synonyms.gaps import content_gaps
from models.search_synonyms.groups import GroupsReply, GroupsRequest, answered
from models.search_synonyms.kinds import Weights
from models.search_synonyms.learning import is_public, learn
from models.search_synonyms.popularity import completions_of
from models.search_synonyms.questions import (
    CompleteReply,
    CompleteRequest,
    ExportRequest,
    ImportReply,
    ImportRequest,
    RulesReply,
    RulesRequest,
)
from models.search_synonyms.records import (
    Gap,
    GapsReply,
    GapsRequest,
    Rewrite,
    SearchSynonymsConfig,
    SearchSynonymsExample,
    SearchSynonymsPrediction,
    SearchSynonymsQuery,
)
from models.search_synonyms.rules import Proposal, SearchSynonymsDecision, Status, normal
from models.search_synonyms.searches import Searches
from models.search_synonyms.spelling import Correction, Spelling
from models.search_synonyms.visits import Visits, users_by_query

FORGOTTEN = "(forgotten)"

MOST_TOLD = 100
"""Users that one correction stands for in the spelling, at most."""


class SearchSynonyms(OnlineModel[SearchSynonymsConfig, SearchSynonymsQuery, SearchSynonymsExample, SearchSynonymsPrediction]):
    """A dictionary of rewrites, learned from searches and decided about by people.

    Attributes
    ----------
    dictionary_
        Rules with their evidence, status and history.
    spelling_
        Corrects words by the site's own.
    completions_
        What the beginnings of queries may become.
    gaps_
        What people look for and no rewrite finds.
    """

    dictionary_: Dictionary
    spelling_: Spelling
    completions_: Completions
    gaps_: list[Gap]

    contract: ClassVar = Contract(
        slug="search_synonyms",
        config=SearchSynonymsConfig,
        query=SearchSynonymsQuery,
        example=SearchSynonymsExample,
        prediction=SearchSynonymsPrediction,
        event=SearchSynonymsDecision,
        questions=(
            Question("rules", RulesRequest, RulesReply),
            Question("export", ExportRequest, "text/plain; charset=utf-8"),
            Question("import_rules", ImportRequest, ImportReply),
            Question("complete", CompleteRequest, CompleteReply),
            Question("gaps", GapsRequest, GapsReply),
            Question("groups", GroupsRequest, GroupsReply),
        ),
    )

    def fit(self, examples: Iterable[SearchSynonymsExample], *, encode: Encode | None = None) -> Self:
        """Learn from searches, in any order; decisions that were taken before are for `update` to repeat.

        Parameters
        ----------
        examples
            Rows, or `Searches`, which hold ten million of them.
        encode
            Unit vectors of texts; ``None``: the default encoder.

        Raises
        ------
        InputError
            If there is no search, or nothing says which searches were clicked.
        """
        searches = Searches.of(examples)
        if not len(searches):
            raise InputError("expected at least one search to learn from, got none")
        learned = learn(searches, self.config, encode or _encode, Weights())
        self._queries = _successful(learned.visits, searches.queries, self.config.k_anonymity)
        self.spelling_ = Spelling.learned(self._queries | _terms(learned.proposals), _corrections(learned.proposals), seed=self.config.seed)
        newest = datetime.fromtimestamp(int(searches.at.max()) / 1e6, UTC)
        self.dictionary_ = Dictionary(learned.proposals, newest, faint=[found.proposal for found in learned.faint])
        self._features = {found.proposal.rule.id: list(found.features) for found in (*learned.faint, *learned.found)}
        self._labels = dict[str, bool]()
        k = self.config.k_anonymity
        self.gaps_ = content_gaps(learned.visits, learned.tried, searches.queries, k, self._mended, is_public)
        self.completions_ = completions_of(learned.visits, searches, k, is_public)
        return self

    def update(self, events: Iterable[SearchSynonymsDecision]) -> Self:
        """Take decisions about rules; in whatever order and however often they come, the dictionary is the same."""
        self._require_fitted()
        self.dictionary_.decide(events)
        self._learn_from_decisions()
        return self

    def forget(self, subject: str) -> Self:
        """Take the name of a person off the decisions, which stand, and forget what the person searched for."""
        self._require_fitted()
        state = self.dictionary_.state()
        for decision in state["decisions"]:
            if decision["by"] == subject:
                decision["by"] = FORGOTTEN
        self.dictionary_ = Dictionary.restored(state)
        self.completions_ = self.completions_.without(subject)
        return self

    def predict(self, queries: Sequence[SearchSynonymsQuery]) -> list[SearchSynonymsPrediction]:
        """The rewrites to try for each query, likeliest first; none for a query that is best left as it is."""
        self._require_fitted()
        return [self._answer(query) for query in queries]

    def rules(self, request: RulesRequest) -> RulesReply:
        """A page of the dictionary, each rule with its evidence and history."""
        self._require_fitted()
        return questions.rules(self.dictionary_, request)

    def export(self, request: ExportRequest) -> str:
        """The rules in the words of a search engine."""
        self._require_fitted()
        return questions.exported(self.dictionary_, request)

    def import_rules(self, request: ImportRequest) -> ImportReply:
        """The decisions that would bring the rules of a file into force; nothing is decided yet."""
        self._require_fitted()
        return questions.imported(self.dictionary_, request)

    def complete(self, request: CompleteRequest) -> CompleteReply:
        """What somebody who has typed this much may want to search for."""
        self._require_fitted()
        return questions.complete(self.completions_, self.spelling_, request)

    def gaps(self, request: GapsRequest) -> GapsReply:
        """What people look for and neither the site nor a rewrite of the query gives them."""
        self._require_fitted()
        return GapsReply(gaps=self.gaps_[: request.limit])

    def groups(self, request: GroupsRequest) -> GroupsReply:
        """Terms that all mean the same, pairwise, and what a person should look at, among the rules that nobody rejected."""
        self._require_fitted()
        return answered([entry.rule for entry in self.dictionary_ if entry.status not in {"rejected", "demoted"}], request)

    def _answer(self, asked: SearchSynonymsQuery) -> SearchSynonymsPrediction:
        query = normal(asked.query)
        rewrites = self._by_rules(query, asked.context or "")
        correction = None if query in self._queries else self.spelling_.correct(query)
        if correction is not None:
            corrected = _corrected(correction)
            rewrites += [corrected, *(_after(corrected, rewrite) for rewrite in self._by_rules(correction.query, asked.context or ""))]
        best: dict[str, Rewrite] = {}
        for rewrite in sorted(rewrites, key=lambda one: (-one.probability, one.query)):
            if rewrite.query != query:
                best.setdefault(rewrite.query, rewrite)
        ordered = list(best.values())
        return SearchSynonymsPrediction(
            query=query,
            known=bool(query) and all(map(self.spelling_.vocabulary.count, query.split())),
            corrected=next((rewrite.query for rewrite in ordered if rewrite.replaces), None),
            rewrites=ordered[: asked.limit],
        )

    def _learn_from_decisions(self) -> None:
        """Weigh the evidence as reviewers do: approved rules mean the same, rejected ones do not."""
        labels = {pair: same for pair, same in self.dictionary_.verdicts().items() if pair in self._features}
        if labels == self._labels:
            return
        ids = sorted(self._features)
        frame = pl.DataFrame([self._features[pair] for pair in ids], schema=dict.fromkeys(FEATURES, pl.Float64), orient="row")
        decided = np.array([pair in labels for pair in ids])
        weights = Weights().after(frame.filter(decided), np.array([labels[pair] for pair in ids if pair in labels]))
        self.dictionary_ = self.dictionary_.rescored(dict(zip(ids, weights.probabilities(frame).tolist(), strict=True)))
        self._labels = labels

    def _by_rules(self, query: str, context: str) -> list[Rewrite]:
        found = self.dictionary_.applications(query, self._statuses(), context)
        return [rewrite for rewrite in map(_rewrite, found) if rewrite.probability >= self.config.min_probability]

    def _statuses(self) -> tuple[Status, ...]:
        return ("proposed", *TRUSTED) if self.config.auto_publish else TRUSTED

    def _mended(self, query: str) -> bool:
        return bool(self.dictionary_.applications(query, ("proposed", *TRUSTED)))

    def _state(self) -> dict[str, Any]:
        return {
            "dictionary.json": self.dictionary_.state(),
            "spelling.json": self.spelling_.state(),
            "queries.json": self._queries,
            "evidence.json": {"features": self._features, "labels": self._labels},
            "completions.npz": self.completions_.state(),
            "gaps.json": [gap.model_dump(mode="json") for gap in self.gaps_],
        }

    def _restore(self, parts: Mapping[str, Any]) -> None:
        self._queries = parts["queries.json"]
        self._features, self._labels = parts["evidence.json"]["features"], parts["evidence.json"]["labels"]
        self.spelling_ = Spelling.restored(parts["spelling.json"])
        self.completions_ = Completions.restored(parts["completions.npz"])
        self.gaps_ = [Gap.model_validate(gap) for gap in parts["gaps.json"]]
        self.dictionary_ = Dictionary.restored(parts["dictionary.json"])


def _encode(texts: Sequence[str]) -> NDArray[np.float32]:
    from models.encoder import default_encoder  # only training needs it

    return default_encoder().encode(texts)


def _successful(visits: Visits, queries: Sequence[str], k: int) -> dict[str, int]:
    """Distinct users who found something by a query; of queries that at least k users found something by, and that may be shown."""
    worked = visits.succeeded
    users = users_by_query(visits.query[worked], visits.person[worked], len(queries))
    return {queries[query]: int(users[query]) for query in np.flatnonzero(users >= k).tolist() if is_public(queries[query])}


def _corrections(proposals: Iterable[Proposal]) -> list[tuple[str, str]]:
    """The typing errors that users corrected themselves, once for every user."""
    typos = (proposal for proposal in proposals if proposal.rule.kind == "typo")
    return [(typo.rule.left, typo.rule.right) for typo in typos for _ in range(min(typo.evidence.users, MOST_TOLD))]


def _terms(proposals: Iterable[Proposal]) -> dict[str, int]:
    """Terms that fail and are no typing errors: words of the site's visitors, which a correction may lead to on the way to a rule."""
    return {one.rule.left: one.evidence.users for one in proposals if one.rule.kind != "typo"}


def _after(corrected: Rewrite, rewrite: Rewrite) -> Rewrite:
    """A rewrite of a corrected query."""
    probability = corrected.probability * rewrite.probability
    return rewrite.model_copy(update={"probability": probability, "because": [*corrected.because, *rewrite.because]})


def _rewrite(application: Application) -> Rewrite:
    entry = application.entry
    evidence = entry.evidence
    why = "" if evidence is None else f" ({evidence.users} users, {evidence.success_rate:.0%} then clicked)"
    return Rewrite(
        query=application.query,
        kind=entry.rule.kind,
        probability=1.0 if entry.status in TRUSTED or evidence is None else evidence.probability,
        replaces=entry.rule.replaces,
        status=entry.status,
        because=[f"{application.left} -> {application.right}{why}"],
    )


def _corrected(correction: Correction) -> Rewrite:
    return Rewrite(
        query=correction.query,
        kind="typo",
        probability=min(max(correction.probability, 0.0), 1.0),
        replaces=True,
        status=None,
        because=[f"{typed} -> {meant}" for typed, meant in correction.changes],
    )
