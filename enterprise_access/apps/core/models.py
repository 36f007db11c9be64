"""People who call this service, and the roles that staff have given them here."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from edx_rbac.models import UserRole, UserRoleAssignment

from enterprise_access.apps.core.domain import ANY_CUSTOMER, Grant, parse_grants


class UserManager(BaseUserManager["User"]):
    """Makes users."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # of edx-rbac's models
    """Somebody who has called us: a username and the LMS's id, and deliberately no e-mail and no name."""

    username = models.CharField(max_length=150, unique=True, validators=[UnicodeUsernameValidator()])
    lms_user_id = models.PositiveBigIntegerField(null=True, blank=True, db_index=True)
    is_staff = models.BooleanField(default=False, help_text="May enter the admin pages.")
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.username


class AccessRole(UserRole):
    """A role that can be given here. The rows are those of `domain.Role`, and come with the migrations."""

    class Meta:
        ordering = ["name"]


class AccessRoleAssignment(UserRoleAssignment):
    """A role that staff have given to somebody here, beside those in the LMS's token."""

    role_class = AccessRole
    # edx-rbac's own switch: here the context says so, so that nothing is granted by leaving something out.
    applies_to_all_contexts = None

    lms_user_id = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        editable=False,
        db_index=True,
        help_text="Whose role it is, whatever their username. Empty: an account of the admin pages alone.",
    )
    context = models.CharField(
        max_length=64,
        help_text="The uuid of the customer for which it holds; for an operator of every customer, an asterisk (*).",
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "role", "context"], name="one_assignment_per_context"),
        ]

    def __str__(self) -> str:
        return f"{self.role.name} for {self.context}"

    def get_context(self) -> str:
        """Return what the role is for, as edx-rbac asks for it."""
        return self.context

    def clean(self) -> None:
        """Refuse a context that would grant nothing, and write the others in one way."""
        super().clean()
        if self.role_id is None:
            return
        grants = parse_grants([f"{self.role.name}:{self.context.strip()}"])
        if not grants:
            raise ValidationError({"context": "The uuid of a customer, or * for an operator of every customer."})
        (grant,) = grants
        self.context = str(grant.customer_uuid or ANY_CUSTOMER)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Tie a new role to the person: a username can pass to another person, an LMS user id cannot."""
        if self._state.adding and self.lms_user_id is None:
            self.lms_user_id = self.user.lms_user_id
        super().save(*args, **kwargs)

    @classmethod
    def grants_of_person(cls, lms_user_id: int) -> frozenset[Grant]:
        """Return what was given here to the person with this LMS user id: one query."""
        return cls._grants(Q(lms_user_id=lms_user_id))

    @classmethod
    def grants_of_account(cls, user: User) -> frozenset[Grant]:
        """Return what was given here to an account of the admin pages: one query."""
        if user.lms_user_id is not None:
            return cls.grants_of_person(user.lms_user_id)
        return cls._grants(Q(user=user, lms_user_id=None))

    @classmethod
    def _grants(cls, whose: Q) -> frozenset[Grant]:
        rows = cls._default_manager.filter(whose).order_by().values_list("role__name", "context")
        return parse_grants(f"{role}:{context}" for role, context in rows)
