"""Models that learn between trainings, kept current in every worker: a registered version, and the stored events since.

A worker's state is a function of the version and of the events in the store, never of the worker: it loads what was trained (or a
snapshot, which is the same with the beginning of the replay done) and applies all events with a greater number, in any portions.
Workers never talk to each other; they agree because they read the same numbers in the order of commits.
"""

from serving.online.follower import Online
from serving.online.history import lessons, stored_events
from serving.online.replica import Replica, is_online
from serving.online.snapshots import Snapshots, purge_caches

__all__ = ["Online", "Replica", "Snapshots", "is_online", "lessons", "purge_caches", "stored_events"]
