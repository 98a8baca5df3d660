"""The engine that asks a language model behind any OpenAI-compatible endpoint, with the local engine to stand in."""

from tellback.engines.openai.contracts import REJECTIONS, UNREADABLE
from tellback.engines.openai.endpoint import Endpoint, EndpointError
from tellback.engines.openai.engine import PASS_SECONDS, Models, OpenAIEngine
from tellback.engines.openai.host import HOPELESS, PASSING, REASONS, Host, Settlement
from tellback.engines.openai.prompts import Pass, list_prompt_versions

__all__ = [
    "HOPELESS", "PASSING", "PASS_SECONDS", "REASONS", "REJECTIONS", "UNREADABLE", "Endpoint", "EndpointError", "Host",
    "Models", "OpenAIEngine", "Pass", "Settlement", "list_prompt_versions",
]  # fmt: skip
