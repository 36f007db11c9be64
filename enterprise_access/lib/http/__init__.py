"""Calls to other services: bounded in time and size, retried where that is safe, and failing in three known ways."""

from enterprise_access.lib.http.answers import Answer
from enterprise_access.lib.http.deadline import DeadlineAdapter, deadline
from enterprise_access.lib.http.sessions import LearnerSession, WorkerSession
from enterprise_access.lib.http.transport import Limits, Params, Transport

__all__ = ["Answer", "DeadlineAdapter", "LearnerSession", "Limits", "Params", "Transport", "WorkerSession", "deadline"]
