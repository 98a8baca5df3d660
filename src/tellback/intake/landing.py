"""What intake itself takes from imported files: feedback."""

from tellback.intake.importing.feedback import FeedbackLander
from tellback.intake.importing.landing import lands

lands(FeedbackLander())
