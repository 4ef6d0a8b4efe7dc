"""Search synonyms: what failed searches mean, learned from the searches that worked; `models.search_synonyms.model` says how."""

from models.search_synonyms.model import SearchSynonyms
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
from models.search_synonyms.rules import Evidence, Proposal, Rule, SearchSynonymsDecision

__all__ = [
    "Evidence",
    "Gap",
    "GapsReply",
    "GapsRequest",
    "Proposal",
    "Rewrite",
    "Rule",
    "SearchSynonyms",
    "SearchSynonymsConfig",
    "SearchSynonymsDecision",
    "SearchSynonymsExample",
    "SearchSynonymsPrediction",
    "SearchSynonymsQuery",
]
