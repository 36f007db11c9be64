"""The API document: the same for everybody, so it is made once for each form, and not for each call."""

from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SCHEMA_KWARGS, SpectacularAPIView
from rest_framework.request import Request

_CACHE_SECONDS: Final = 300


class DocumentView(SpectacularAPIView):
    """Shows the API document, as JSON or YAML."""

    @extend_schema(**SCHEMA_KWARGS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the document. There is one version and one language, whatever is requested."""
        renderer: Any = request.accepted_renderer
        kind: Any = type(renderer)
        return HttpResponse(
            _rendered(kind, settings.ROOT_URLCONF),
            content_type=renderer.media_type,
            headers={
                "Cache-Control": f"public, max-age={_CACHE_SECONDS}",
                "Content-Disposition": f'inline; filename="enterprise-access.{renderer.format}"',
                "Vary": "Accept",
            },
        )


# A release is a process: what the code says does not change while it runs.
@lru_cache(maxsize=16)
def _rendered(renderer: Any, urlconf: str) -> bytes:
    document = DocumentView.generator_class(urlconf=urlconf).get_schema(request=None, public=True)
    body: bytes = renderer().render(document, renderer_context={})
    return body
