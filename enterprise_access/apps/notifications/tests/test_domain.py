"""What the answer of a mail provider means, and which text can be read on a color."""

import pytest

from enterprise_access.apps.notifications.domain import ProviderAnswer, answer_of_http, answer_of_smtp, readable_on


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (421, ProviderAnswer.LATER),
        (499, ProviderAnswer.LATER),
        (500, ProviderAnswer.REFUSED),
        (550, ProviderAnswer.REFUSED),
    ],
)
def test_an_smtp_refusal_is_permanent_from_500_on(code, answer):
    assert answer_of_smtp(code) is answer


@pytest.mark.parametrize("status", [301, 399, 401, 402, 403, 404, 407, 429, 500, 503])
def test_the_state_of_a_provider_is_not_the_mails_fault(status):
    assert answer_of_http(status) is ProviderAnswer.AWAY


@pytest.mark.parametrize("status", [400, 405, 422, 499])
def test_a_mail_that_the_provider_cannot_take_is_refused(status):
    assert answer_of_http(status) is ProviderAnswer.REFUSED


@pytest.mark.parametrize("color", ["#000000", "#0a0a0a", "#0000ff", "#767676", "#ee0000", "#008a00", "#0381a2"])
def test_white_is_readable_on_dark_colors(color):
    assert readable_on(color, dark="#1f1f1f") == "#ffffff"


# Most are only just lighter than one on which white can be read.
@pytest.mark.parametrize("color", ["#ffffff", "#777777", "#ef0000", "#008b00", "#20f1fd", "#5e8204", "#ed0e07"])
def test_white_is_not_readable_on_light_colors(color):
    assert readable_on(color, dark="#1f1f1f") == "#1f1f1f"
