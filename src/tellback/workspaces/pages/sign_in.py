"""Addresses of signing in and out: the four pages of django-allauth that we offer, and none of its others."""

from allauth.account import views as allauth
from django.urls import path
from django.views.generic import RedirectView

to_sign_in = RedirectView.as_view(pattern_name="account_login", query_string=True)

#: Names that allauth's own code looks up. People neither register nor reset a password here: a code lets them in.
UNOFFERED = (
    ("signup/", "account_signup"),
    ("inactive/", "account_inactive"),
    ("email/", "account_email"),
    ("confirm-email/", "account_email_verification_sent"),
    ("reauthenticate/", "account_reauthenticate"),
    ("password/change/", "account_change_password"),
    ("password/set/", "account_set_password"),
    ("password/reset/", "account_reset_password"),
)

urlpatterns = [
    path("", to_sign_in, name="sign-in"),
    path("login/", allauth.login, name="account_login"),
    path("login/code/", allauth.request_login_code, name="account_request_login_code"),
    path("login/code/confirm/", allauth.confirm_login_code, name="account_confirm_login_code"),
    path("logout/", allauth.logout, name="account_logout"),
    *(path(route, to_sign_in, name=name) for route, name in UNOFFERED),
]
