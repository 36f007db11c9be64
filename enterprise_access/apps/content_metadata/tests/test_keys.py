"""Every key that we take can be asked for: one that could not would silence the catalog for all keys of a customer."""

from hypothesis import example, given
from hypothesis import strategies as st

from enterprise_access.apps.content_metadata.domain import content_type_of
from enterprise_access.apps.content_metadata.errors import MalformedContentKey
from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.lib.keys import fold
from enterprise_access.upstream.identifiers import Identifiers

PIECES = st.text(alphabet="aZ09é²ßİK٣._-~:@ %/\n\x00\u200b\u202e", max_size=6)
KEYS = st.one_of(
    st.text(max_size=30),
    st.lists(PIECES, max_size=4).map("+".join),
    st.lists(PIECES, max_size=4).map(lambda pieces: "course-v1:" + "+".join(pieces)),
)


def refuse(sentence: str) -> UpstreamRefused:
    return UpstreamRefused(sentence, service="catalog", reason=UpstreamReason.REFUSED_LOCALLY)


@given(KEYS)
@example("course-v1:edX+DemoX+2026_T1+branch@draft-branch")
@example("course-v1:edX+DemoX+2026_T1+version@519665f6223ebd6980884f2b")
@example("course-v1:" + "x" * 240 + "+y+z")
@example("é" * 127 + "+" + "é" * 127)
def test_a_key_that_is_taken_can_be_asked_for(key):
    try:
        content_type_of(key)
    except MalformedContentKey:
        return
    assert Identifiers(refuse).content_key(fold(key))
