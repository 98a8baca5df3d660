"""The composition root: settings, urls, asgi."""
