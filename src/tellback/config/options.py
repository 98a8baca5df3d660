"""The typed table of options: every setting a person can make, where it comes from and what it defaults to.

Precedence: environment, then the defaults here. Document 1's YAML file is read by the loop's own configuration.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Options(BaseSettings):
    """Options of one running Tellback, read from the environment (`TELLBACK_…`, `DATABASE_URL`, `OPENAI_…`)."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_", extra="ignore", populate_by_name=True)

    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL 16+ with pgvector; the embedded server when empty.",
    )
    data_dir: Path = Field(Path("var"), description="Where the embedded database, models, files and mail are kept.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    base_url: str | None = Field(None, description="Public address used in mails and receipts.")
    secret_key: SecretStr | None = Field(None, description="Signs sessions and receipts; made and kept when empty.")
    environment: Literal["local", "production"] = Field("local", description="production refuses unsafe defaults.")
    config: Path | None = Field(None, description="The YAML file of document 1 (feedback-loop.config.yaml).")
    engine: Literal["local", "openai"] = Field("local", description="Which engine understands feedback.")
    model_dir: Path | None = Field(None, description="Folder of another BERT sentence model (safetensors, tokenizer).")
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL", description="OpenAI-compatible API.")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY", description="Its key.")
    worker_silence: float = Field(
        30, ge=1, le=600, description="Seconds without a sign of life after which a worker's jobs go to others."
    )
    mail_url: SecretStr | None = Field(
        None,
        description="smtp://user:password@host:587 sends mail; empty keeps it in the development mailbox.",
    )
    mail_from: str = Field("Tellback <tellback@localhost>", description="Sender of mails.")
