"""enterprise-subsidy: accounts, the transactions of their ledgers, redeeming, deposits, content with its price."""

from ..services import Service
from .views import subsidy

SERVICE = Service(name="subsidy", blueprints=(subsidy,))
