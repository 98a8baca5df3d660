"""Tables of workspaces, the people and services that act in them, and their keys."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from tellback.kernel.ids import new_id, to_public


class Identified(models.Model):
    """A row with a UUIDv7 id that edges show as TypeID."""

    id_prefix: ClassVar[str]

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    @property
    def public_id(self) -> str:
        """The TypeID that people and programs outside see."""
        return to_public(self.id_prefix, self.id)


class UserManager(BaseUserManager["User"]):
    """Makes login accounts."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A new account; without a password it can only sign in by code, passkey or single sign-on."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A new account that may also use Django's admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A login. One login may be a principal in several workspaces, so it belongs to none."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    session_epoch = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Another number ends every session and every sign-in link of this login"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "user"

    def __str__(self) -> str:
        return self.email

    def get_session_auth_hash(self) -> str:
        """What a session must carry to count: it changes with the password and with the epoch."""
        return self._session_hash(None)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under each former secret key: a session of before a rotation is carried over."""
        yield from map(self._session_hash, settings.SECRET_KEY_FALLBACKS)

    def _session_hash(self, secret: str | None) -> str:
        about = f"{self.password}\0{self.session_epoch}"
        return salted_hmac("tellback.workspaces.session", about, secret=secret, algorithm="sha256").hexdigest()


class Workspace(Identified):
    """The tenant: owns every other row."""

    id_prefix = "ws"

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63, unique=True)
    settings = models.JSONField(default=dict, help_text="What people of the workspace set, see workspaces.preferences")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "workspace"

    def __str__(self) -> str:
        return self.name


class WorkspaceOwned(Identified):
    """Base of every table whose rows belong to one workspace. Needs row security in the table's migration."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class PrincipalType(models.TextChoices):
    """What kind of actor a principal is."""

    USER = "user", "Person"
    SERVICE = "service", "Service"


class Role(models.TextChoices):
    """What a principal may do in its workspace, from least to most."""

    USER = "user", "Customer"
    CONTRIBUTOR = "contributor", "Contributor"
    ADMIN = "admin", "Admin"
    OWNER = "owner", "Owner"


class Principal(WorkspaceOwned):
    """Anyone who acts in a workspace: a person, with or without a login, or a service."""

    id_prefix = "principal"

    type = models.CharField(max_length=10, choices=PrincipalType.choices, default=PrincipalType.USER)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.USER)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    display_name = models.TextField(blank=True, default="")
    email = models.EmailField(blank=True, default="")
    company = models.TextField(blank=True, default="")
    plan = models.CharField(max_length=40, blank=True, default="")
    mrr = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when nothing is left but that there was one"
    )
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The same person, whom everything is about from now on",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "principal"
        constraints = [
            models.UniqueConstraint(
                "workspace", Lower("email"), condition=~models.Q(email=""), name="principal_email_unique"
            ),
            models.UniqueConstraint(
                fields=["workspace", "user"],
                condition=models.Q(user__isnull=False),
                name="principal_user_unique",
            ),
        ]

    def __str__(self) -> str:
        return self.public_name or self.email or self.public_id

    @property
    def public_name(self) -> str:
        """What everybody may read: never their address. Empty when nobody knows what they are called."""
        return self.display_name or (gettext("Someone who was erased") if self.erased_at else "")


class PrincipalMerge(WorkspaceOwned):
    """Two principals that turned out to be one person: `merged` is `kept` until it is undone."""

    id_prefix = "merge"

    kept = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    merged = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    learnt = models.JSONField(default=dict, help_text="What the kept one learnt of the other, by field")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "principal_merge"
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=models.Q(undone_at=None), name="principal_merged_once"
            ),
            models.CheckConstraint(condition=~models.Q(kept=models.F("merged")), name="principal_merge_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} into {self.kept_id}"


class PrincipalMove(WorkspaceOwned):
    """One row that followed a merge, so that it can go back: moved, or set aside because the kept one had its like."""

    id_prefix = "move"

    merge = models.ForeignKey(PrincipalMerge, on_delete=models.CASCADE, related_name="moves")
    table = models.CharField(max_length=63)
    column = models.CharField(max_length=63)
    row_id = models.UUIDField()
    set_aside = models.JSONField(null=True, blank=True, help_text="The whole row, when it was set aside")

    class Meta:
        db_table = "principal_move"
        constraints = [
            models.UniqueConstraint(fields=["merge", "table", "column", "row_id"], name="principal_move_once")
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}"


class ExternalIdentity(WorkspaceOwned):
    """Whom a source's own user id means: (source type, external user id) -> principal."""

    id_prefix = "ext_user_map"

    source_type = models.CharField(max_length=40)
    external_user_id = models.TextField()
    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="+")
    external_name = models.TextField(null=True, blank=True)
    external_email = models.TextField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "external_user_mappings"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "source_type", "external_user_id"], name="external_user_source_idx"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_type}:{self.external_user_id}"


class KeyKind(models.TextChoices):
    """Where a key may be used: on a server only, or in public pages to send feedback."""

    SECRET = "secret", "API key"
    WIDGET = "widget", "Widget key"


class ApiKey(WorkspaceOwned):
    """A credential for programs. Only a digest is kept; the key itself is shown once."""

    id_prefix = "key"

    kind = models.CharField(max_length=10, choices=KeyKind.choices)
    name = models.TextField()
    prefix = models.CharField(max_length=16, help_text="First characters, to recognise the key by")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key, hex")
    public_key = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="A widget key itself: it stands in public pages anyway. Empty for API keys",
    )
    origins = models.JSONField(default=list, help_text="Web origins a widget key may be used from; empty allows all")
    rate_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Requests a minute; null is the default")
    created_by = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_key"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(public_key="") | models.Q(kind=KeyKind.WIDGET), name="api_key_secret_not_kept"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class WidgetKeyAlgorithm(models.TextChoices):
    """How a customer's server signs widget tokens."""

    HS256 = "HS256", "Shared secret (HS256)"
    EDDSA = "EdDSA", "Your public key (EdDSA)"


class WidgetSigningKey(WorkspaceOwned):
    """A key that signs widget tokens. A workspace has at most two active ones, one in each slot."""

    id_prefix = "widget_key"

    name = models.CharField(max_length=100)
    slot = models.PositiveSmallIntegerField()
    algorithm = models.CharField(max_length=5, choices=WidgetKeyAlgorithm.choices)
    material = models.TextField(help_text="HS256: the secret, sealed. EdDSA: the public key, PEM")
    created_by = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "widget_signing_key"
        constraints = [
            models.CheckConstraint(condition=models.Q(slot__in=(1, 2)), name="widget_signing_key_slot"),
            models.UniqueConstraint(
                fields=["workspace", "slot"],
                condition=models.Q(revoked_at=None),
                name="widget_signing_key_two_active",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class SpentWidgetToken(WorkspaceOwned):
    """The `jti` of a token that was shown, kept until the token would have expired."""

    id_prefix = "widget_token"

    digest = models.CharField(max_length=64, help_text="SHA-256 of the jti, hex")
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "spent_widget_token"
        constraints = [models.UniqueConstraint(fields=["workspace", "digest"], name="spent_widget_token_once")]
        indexes = [models.Index(fields=["workspace", "expires_at"], name="spent_widget_token_expiry_idx")]

    def __str__(self) -> str:
        return self.digest


class AuditEntry(WorkspaceOwned):
    """One thing that somebody did and that must be traceable later. Append-only."""

    id_prefix = "audit"

    actor = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=80, blank=True, help_text="Public id of what it was done to")
    details = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_entry"
        indexes = [models.Index(fields=["workspace", "-created_at"], name="audit_entry_time_idx")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
