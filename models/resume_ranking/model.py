"""Resume ranking answers which candidates fit a job, requirement by requirement, and shows the passage that says so.

A resume is read, and blinded: names, contacts, addresses, births, family and the like are taken out before anything is compared, so
that they cannot count. The job is split into requirements. For each, the passage that means the same (a sentence encoder's cosine) and
says the same (the requirement's rare words) is found, with the skills it names, adjacent skills for partial credit, years and recency.
Title against passages, title against the whole, how much of the resume is about the job, must-haves, nice-to-haves and BM25 of the whole
job are the six parts of the score. A requirement counts as it is about the title, so that what every vacancy says hardly does.
They are weighed by fixed weights, or by LambdaRank on judged jobs: boosted trees of one split that may only rise, so that either way
the score is a sum of one function per part, in whole numbers, exactly.

When not to trust it: it compares what resumes say, and cannot know what is true or what is left out. Good people with thin resumes
rank low, so read below the top. Labels and feedback carry the habits of those who gave them; the fairness report of a training shows
them, and cannot mend them. The encoder knows English. Scores order the candidates of one job; across jobs they mean little. Nobody is
ever rejected by it: everybody is in the answer, the unreadable with the reason.

References
----------
Reimers and Gurevych (2019), Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks, EMNLP.
Robertson and Zaragoza (2009), The Probabilistic Relevance Framework: BM25 and Beyond.
Burges (2010), From RankNet to LambdaRank to LambdaMART: An Overview.
Khattab and Zaharia (2020), ColBERT, SIGIR, for the maximum over passages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from models.base import ENCODER, Contract, Model, Part
from models.encoder import Encoder, default_encoder
from models.errors import InputError
from models.resume_ranking.adjacency import Adjacency
from models.resume_ranking.answer import answer
from models.resume_ranking.asked import Asked
from models.resume_ranking.learning import Judged, grades, learn
from models.resume_ranking.matching import match
from models.resume_ranking.profile import Profile
from models.resume_ranking.profiles import Profiles
from models.resume_ranking.records import (
    CandidateOutcome,
    ResumeRankingConfig,
    ResumeRankingExample,
    ResumeRankingPrediction,
    ResumeRankingQuery,
    job_of,
)
from models.resume_ranking.scoring import Scoring
from models.resume_ranking.vectors import PassageEncoder
from models.resume_ranking.words import Rarity, ranks


class ResumeRanking(Model[ResumeRankingConfig, ResumeRankingQuery, ResumeRankingExample, ResumeRankingPrediction]):
    """Ranks the candidates of a job, with evidence.

    Attributes
    ----------
    rarity_ : Rarity
        How rare words are among the training resumes.
    adjacency_ : Adjacency
        Skills that stand near each other.
    scoring_ : Scoring
        How parts are weighed, and when scores are tied.
    sha256_ : str
        Hash of all of it; in every answer.

    References
    ----------
    See the module.
    """

    contract = Contract(
        slug="resume_ranking",
        config=ResumeRankingConfig,
        query=ResumeRankingQuery,
        example=ResumeRankingExample,
        prediction=ResumeRankingPrediction,
        outcome=list[CandidateOutcome],
    )

    def fit(self, examples: Iterable[ResumeRankingExample]) -> Self:
        """Learn from judged resumes: rare words and adjacent skills from their texts, weights and ties from the judgements.

        Raises
        ------
        InputError
            If there is no example.
        """
        rows = list(examples)
        if not rows:
            raise InputError("expected resumes that were judged for jobs, got none: give a table with job_text, resume_text and relevance")
        self._read_with(default_encoder())
        profiles = [profile for _, profile in self._profiles.of([row.candidate for row in rows])]
        distinct = list({id(profile): profile for profile in profiles}.values())
        self.rarity_ = Rarity.count([list(profile.where) for profile in distinct], self._ranks)
        self.adjacency_ = Adjacency.learn([profile.resume.skills for profile in distinct])
        self.scoring_ = learn(self._judged(rows, profiles), self.config)
        self.sha256_ = self._hash()
        return self

    def predict(self, queries: Sequence[ResumeRankingQuery]) -> list[ResumeRankingPrediction]:
        """One ranking per query, in order; every candidate is in it."""
        self._require_fitted()
        return [self._answer(query) for query in queries]

    def _answer(self, query: ResumeRankingQuery) -> ResumeRankingPrediction:
        asked = Asked.of(query.job, self._encoder, self.rarity_)
        read = self._profiles.of(query.candidates)
        matched = [match(asked, profile, self.rarity_, self.adjacency_) if profile.document.readable else None for _, profile in read]
        return answer(query, asked, read, matched, self.scoring_, self.sha256_)

    def _judged(self, rows: Sequence[ResumeRankingExample], profiles: Sequence[Profile]) -> list[Judged]:
        """The rows of each job together, in the order in which jobs come; grades count over all of them."""
        graded = grades([row.relevance for row in rows])
        of_job: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            if profiles[place].document.readable:
                of_job.setdefault(row.job_id, []).append(place)
        judged = []
        for places in of_job.values():
            asked = Asked.of(job_of(rows[places[0]].job_text), self._encoder, self.rarity_)
            matched = tuple(match(asked, profiles[place], self.rarity_, self.adjacency_) for place in places)
            judged.append(Judged(matched, tuple(graded[place] for place in places), tuple(rows[place].weight for place in places)))
        return judged

    def _read_with(self, encoder: Encoder) -> None:
        self._encoder = PassageEncoder(encoder)
        self._ranks = ranks(encoder.words)
        self._profiles = Profiles(self._encoder, self.config.meaning_words, self.config.cached_resumes, self.config.disk_cache_mib)

    def _learned(self) -> dict[str, Part]:
        rarity = {"texts": self.rarity_.texts, "holding": dict(self.rarity_.holding), "mean_length": self.rarity_.mean_length}
        return {"adjacency.json": self.adjacency_.credits, "rarity.json": rarity, "scoring.json": self.scoring_.as_json()}

    def _hash(self) -> str:
        """Of what was learned, the settings and the encoder."""
        known = [self._learned(), self.config.model_dump(mode="json"), self._encoder.encoder.sha256]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    def _state(self) -> dict[str, Part]:
        return {**self._learned(), ENCODER: self._encoder.encoder}

    def _restore(self, parts: Mapping[str, Part]) -> None:
        self._read_with(parts[ENCODER])
        self.adjacency_ = Adjacency(parts["adjacency.json"])
        self.rarity_ = Rarity(**parts["rarity.json"], ranks=self._ranks)
        self.scoring_ = Scoring.from_json(parts["scoring.json"])
        self.sha256_ = self._hash()
