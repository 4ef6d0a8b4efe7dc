"""Search synonyms: what failed searches mean, learned from the searches that worked."""
