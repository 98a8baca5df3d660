"""Taking private data out of what people write, before anything is stored. Pure: no Django, no clock."""

from tellback.intake.redaction.detect import Found, find_spans
from tellback.intake.redaction.redactor import Redactor

__all__ = ["Found", "Redactor", "find_spans"]
