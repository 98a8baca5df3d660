"""Version 1 of the REST API: everything under /api/v1."""

from tellback.api import search
from tellback.api.app import make_api
from tellback.api.feedback import routes, transitions

api = make_api()
api.add_router("/feedback", routes.router)
api.add_router("/feedback", transitions.router)
api.add_router("/search", search.router)
