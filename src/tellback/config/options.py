"""The typed table of options: every setting a person can make, where it comes from and what it defaults to.

Precedence: environment, then files that `<NAME>_FILE` names (for mounted secrets), then the defaults here. Document 1's
YAML file is read by `platform.loop_config`.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tellback.edge.brokers.address import read_address as read_broker_address
from tellback.kernel.errors import Invalid
from tellback.platform.addresses import Allowed, check_url
from tellback.platform.files import read_bucket_address


class SecretFiles(PydanticBaseSettingsSource):
    """Values from the files that `<NAME>_FILE` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of the field's file without the last line break, or None."""
        alias = field.validation_alias
        path = os.environ.get(f"{alias if isinstance(alias, str) else f'TELLBACK_{field_name.upper()}'}_FILE")
        return (Path(path).read_text(encoding="utf-8").rstrip("\n") if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The fields that have a file."""
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


class Options(BaseSettings):
    """Options of one running Tellback, read from the environment (`TELLBACK_…`, `DATABASE_URL`, `OPENAI_…`)."""

    model_config = SettingsConfigDict(env_prefix="TELLBACK_", extra="ignore", populate_by_name=True)

    @field_validator("files_url")
    @classmethod
    def _names_a_bucket(cls, value: SecretStr | None) -> SecretStr | None:
        if value and value.get_secret_value():
            try:
                read_bucket_address(value.get_secret_value())
            except Invalid as error:
                raise ValueError(error.detail) from None
        return value

    @field_validator("openai_base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        try:
            return check_url(value) if value else None
        except Invalid as error:
            raise ValueError(error.detail) from None

    @field_validator("outbound_allowed")
    @classmethod
    def _names_hosts_or_networks(cls, value: str) -> str:
        try:
            Allowed.parse(value.split(","))
        except Invalid as error:
            raise ValueError(error.detail) from None
        return value

    @field_validator("broker_url")
    @classmethod
    def _names_a_broker(cls, value: SecretStr | None) -> SecretStr | None:
        if value and value.get_secret_value():
            try:
                read_broker_address(value.get_secret_value())
            except Invalid as error:
                raise ValueError(error.detail) from None
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where values come from, the first wins."""
        return init_settings, env_settings, SecretFiles(settings_cls)

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
    secret_key_former: SecretStr | None = Field(
        None, description="Former secret keys, between spaces: they are still read, and nothing new is made with them."
    )
    vault_key: SecretStr | None = Field(
        None, description="Seals what the vault keeps; derived from the secret key when empty."
    )
    vault_key_former: SecretStr | None = Field(None, description="Former vault keys, between spaces.")
    erasure_ledger: Path | None = Field(
        None, description="File that remembers erasures beside the database; in the data folder when empty."
    )
    environment: Literal["local", "production"] = Field("local", description="production refuses unsafe defaults.")
    config: Path | None = Field(None, description="The YAML file of document 1 (feedback-loop.config.yaml).")
    engine: Literal["local", "openai"] = Field("local", description="Which engine understands feedback.")
    model_dir: Path | None = Field(None, description="Folder of another BERT sentence model (safetensors, tokenizer).")
    openai_base_url: str | None = Field(
        None,
        validation_alias="OPENAI_BASE_URL",
        description="OpenAI-compatible API; OpenAI's own when only a key is set. May be on a private network.",
    )
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY", description="Its key.")
    extraction_model: str = Field("gpt-5.2", min_length=1, description="Model that finds the needs in feedback.")
    interpretation_model: str = Field("gpt-5.2", min_length=1, description="Model that sorts needs into themes.")
    description_model: str = Field("gpt-5.2", min_length=1, description="Model that puts themes into words.")
    embedding_model: str = Field("", description="Model of vectors at the endpoint; on this machine when empty.")
    daily_tokens: int = Field(
        2_000_000, ge=0, description="Tokens that a workspace may spend on the language model in a day (UTC)."
    )
    worker_silence: float = Field(
        30, ge=1, le=600, description="Seconds without a sign of life after which a worker's jobs go to others."
    )
    worker_grace: float = Field(
        20, ge=0, le=25, description="Seconds that running jobs have to finish when a worker is asked to stop."
    )
    files_url: SecretStr | None = Field(
        None,
        description="s3://key:secret@bucket/prefix?region=…&endpoint=https://… keeps attachments there; empty keeps "
        "them below the data folder.",
    )
    outbound_allowed: str = Field(
        "",
        description="What of private networks the connections that people set up may reach: networks and hosts, with "
        "commas between: 10.0.0.0/8, ollama, llm.internal:8080.",
    )
    mail_url: SecretStr | None = Field(
        None,
        description="smtp://user:password@host:587 sends mail; empty keeps it in the development mailbox.",
    )
    broker_url: SecretStr | None = Field(
        None,
        description="amqp://user:password@host:5672/vhost (RabbitMQ) or kafka://host:9092,other-host:9092 takes what "
        "/v1 and /v2 accept, for “tellback consume” to store; empty stores it in the database at once.",
    )
    broker_queue: str = Field(
        "tellback.intake", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="Name of the broker's queue or topic."
    )
    mail_from: str = Field("Tellback <tellback@localhost>", description="Sender of mails.")


def variable_of(field: str) -> str:
    """The environment variable of an option."""
    alias = Options.model_fields[field].validation_alias if field in Options.model_fields else field
    return alias if isinstance(alias, str) else f"TELLBACK_{field.upper()}"
