"""Taking private data out of what people write, before anything is stored. Pure: no Django, no clock."""

from tellback.intake.redaction.detect import find_spans
from tellback.intake.redaction.finding import Detector, Found
from tellback.intake.redaction.redactor import Plain, Redactor, Removed

__all__ = ["Detector", "Found", "Plain", "Redactor", "Removed", "find_spans"]
