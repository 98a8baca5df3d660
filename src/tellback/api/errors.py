"""What the API refuses before it looks at what was asked."""

from tellback.kernel.errors import TellbackError


class TooLarge(TellbackError):
    """The body is longer than a request of the API ever is."""

    code, status, title = "payload-too-large", 413, "The request is too large"


class WrongMediaType(TellbackError):
    """The body is not JSON."""

    code, status, title = "unsupported-media-type", 415, "Send JSON"


class BadJson(TellbackError):
    """The body cannot be read as JSON at all."""

    code, status, title = "malformed", 400, "The request is not valid JSON"


class WrongMethod(TellbackError):
    """The address is known, the method not."""

    code, status, title = "method-not-allowed", 405, "Method not allowed"


class Changed(TellbackError):
    """It is no longer what the caller saw."""

    code, status, title = "precondition-failed", 412, "It has changed"
