"""The language of answers of the API: that of the person whose browser asks."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

_API = "/api/"


class ApiLanguageMiddleware(LocaleMiddleware):
    """Says messages to learners in the first language of `Accept-Language` that is translated.

    Of the API alone: admin pages are not translated, and Django's own parts of them would be.
    """

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(_API):
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if not request.path_info.startswith(_API):
            return response
        told = super().process_response(request, response)
        # The thread serves other people, and pages in English, next.
        translation.deactivate()
        return told
