"""Signing in to the admin pages through the LMS (docs/how-to/sign-in.rst).

Mounted only where the LMS knows us as an OAuth application: the libraries behind it have tables of their own.
"""

from auth_backends.views import EdxOAuth2LogoutView
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from django.views.generic import RedirectView
from social_core.actions import do_auth
from social_django.utils import psa

BACKEND = "edx-oauth2"


@never_cache
@require_GET
@psa("social:complete")
def _begin(request: HttpRequest, backend: str) -> HttpResponse:  # noqa: ARG001 (the decorator makes a backend of it)
    answer: HttpResponse = do_auth(request.backend)  # type: ignore[attr-defined]
    return answer


def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the LMS, and afterwards to `next`.

    (The libraries' own view to begin with has come to want a POST, while their view to log in redirects there.)
    """
    answer: HttpResponse = _begin(request, BACKEND)
    return answer


urlpatterns = [
    path("login/", begin, name="login"),
    path("logout/", EdxOAuth2LogoutView.as_view(), name="logout"),
    # The admin pages' own doors lead to the same place.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("", include("social_django.urls", namespace="social")),
]
