"""The ASGI application: the thin intake door beside Django, in one process on one port."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tellback.config.settings")
application = get_asgi_application()
