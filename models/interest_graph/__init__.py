r"""Say what a user is interested in now, and what might come next.

A graph of users and topics. Each action adds its weight to the edge between its user and its topic (a view little, a like more, a hide
takes away), and every weight halves per half-life, so that the graph forgets what a user has stopped doing: what counts is the sum

.. math:: w_{ut}(\tau) = \sum_i a_i \, 2^{-(\tau - \tau_i) / h}

over the actions of user u on topic t until the instant asked about. Recommendations follow paths user -> topic -> users who care about
both -> new topic; their strength is learned by a ridge regression between topics, and each recommendation shows its paths.

The model goes on learning: `InterestGraph.update` changes interests at once, and relations between topics at the next `fit`. The sums
are exact, so the order and the batches in which events arrive make no difference.

When not to trust it. A topic that came after the last training is known as an interest and as popular, but no path leads to it yet. Topics
with a few users have few and chancy relations. ``as_of`` in the past knows whole days only: a day of a user's topic that went on after it
is left out; relations and popularity are always those of the last training and of the newest event, so the past is not free of
hindsight unless the model was trained on it. Accounts that several people share have the interests of all of them. What
somebody does is not all that they care about, and a recommendation that is followed strengthens its own path.

References
----------
Ding and Li (2005), "Time weight collaborative filtering", CIKM: exponential decay by half-life.
Steck (2019), "Embarrassingly shallow autoencoders for sparse data", WWW: the ridge regression between items, EASE.
Paudel, Christoffel, Newell and Bernstein (2017), "Updatable, accurate, diverse, and scalable recommendations for interactive
applications", ACM TiiS 7(1): walks user -> item -> user -> item with popularity correction, RP3beta.
Halko, Martinsson and Tropp (2011), "Finding structure with randomness", SIAM Review 53(2): the singular vectors.
"""

from models.interest_graph.graph import InterestGraph
from models.interest_graph.records import (
    Interest,
    InterestGraphConfig,
    InterestGraphEvent,
    InterestGraphPrediction,
    InterestGraphQuery,
    Reason,
    Recommendation,
)

__all__ = [
    "Interest",
    "InterestGraph",
    "InterestGraphConfig",
    "InterestGraphEvent",
    "InterestGraphPrediction",
    "InterestGraphQuery",
    "Reason",
    "Recommendation",
]
