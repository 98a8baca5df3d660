"""What intake keeps sealed: the keys of people, and of items whose person is not known yet."""

from tellback.intake.vault.services import count_keys, rewrap_keys
from tellback.platform.resealing import Holder, reseals

reseals(Holder("keys of the vault", count_keys, rewrap_keys))
