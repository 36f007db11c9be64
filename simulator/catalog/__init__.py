"""enterprise-catalog: content, catalogs, and which catalog contains what."""

from ..services import Service
from .views import catalog

SERVICE = Service(name="catalog", blueprints=(catalog,))
