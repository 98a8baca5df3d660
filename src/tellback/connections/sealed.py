"""What connections keep sealed: the secrets of connected services and mailboxes."""

from tellback.connections.mail.setup import sealed_about
from tellback.connections.models import Integration
from tellback.platform.resealing import reseals_texts

reseals_texts("secrets of connections", Integration, "secrets", about=lambda row: sealed_about(row.id))
