"""Which keys hold and which are still read."""

from collections.abc import Sequence

from pydantic import SecretStr

from tellback.config.options import Options


def former_keys(present: str, named: SecretStr | None, *more: str) -> list[str]:
    """The keys before the present one, each once."""
    texts = [*(named.get_secret_value().split() if named else ()), *more]
    return [key for key in dict.fromkeys(texts) if key and key != present]


def vault_secrets(options: Options, secret_keys: Sequence[str]) -> list[str]:
    """What the vault seals under, first; then what it still opens: former keys, and the secret keys, which stand in for
    a key of its own until there is one.
    """
    own = [options.vault_key.get_secret_value()] if options.vault_key else []
    present, *others = [*own, *secret_keys]
    return [present, *former_keys(present, options.vault_key_former, *others)]
