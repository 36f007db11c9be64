"""enterprise-subsidy: accounts, the transactions of their ledgers, redeeming, deposits, content with its price."""

from ..services import Service
from . import creating as creating
from .views import subsidy

SERVICE = Service(name="subsidy", blueprints=(subsidy,))
