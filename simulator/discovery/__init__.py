"""course-discovery: types of courses and runs."""

from ..services import Service
from .views import discovery

SERVICE = Service(name="discovery", blueprints=(discovery,))
