"""The page that plays the learner portal, and the JSON behind it."""

from .views import portal

__all__ = ["portal"]
