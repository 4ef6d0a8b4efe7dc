"""Churn: who is leaving, why, and what to do about it."""

from models.churn.model import Churn
from models.churn.records import ChurnConfig, ChurnExample, ChurnPrediction, ChurnQuery, Reason

__all__ = ["Churn", "ChurnConfig", "ChurnExample", "ChurnPrediction", "ChurnQuery", "Reason"]
