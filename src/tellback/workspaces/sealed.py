"""What workspaces keep sealed: the secrets that customers' servers sign widget tokens with."""

from tellback.platform.resealing import reseals_texts
from tellback.workspaces.models import WidgetSigningKey

reseals_texts("signing keys of the widget", WidgetSigningKey, "material", about=lambda row: row.public_id)
