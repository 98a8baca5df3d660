"""The thin ASGI door for POST /v1/feedback: parse, batch, commit, answer."""
