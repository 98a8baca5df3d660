"""What the door refuses before it looks at the feedback itself."""

from tellback.kernel.errors import TellbackError


class TooLarge(TellbackError):
    """The body is longer than the door takes."""

    code, status, title = "payload-too-large", 413, "The request is too large"


class WrongMediaType(TellbackError):
    """The body is not of a type that the door reads."""

    code, status, title = "unsupported-media-type", 415, "Send JSON"


class WrongMethod(TellbackError):
    """Only POST is understood here."""

    code, status, title = "method-not-allowed", 405, "Use POST"


class BadJson(TellbackError):
    """The body cannot be read as JSON at all."""

    code, status, title = "malformed", 400, "The request is not valid JSON"


class BadForm(TellbackError):
    """The body cannot be read as a form at all."""

    code, status, title = "malformed", 400, "The request is not a valid form"


class VersionEnded(TellbackError):
    """This payload version is no longer taken."""

    code, status, title = "version-ended", 410, "This version has ended"
