"""The pages that play the learner portal and the admin portal, and the JSON behind them."""

from .views import portal

__all__ = ["portal"]
