from uuid import UUID

import pytest

from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.upstream.identifiers import Identifiers

A_UUID = UUID("7ae10000-0000-4000-8000-000000000001")


def refusal(detail):
    return UpstreamRefused(detail, service="lms", reason=UpstreamReason.REFUSED_LOCALLY)


checked = Identifiers(refusal)


@pytest.mark.parametrize(
    ("check", "value", "sent"),
    [
        (lambda value: checked.uuid(value, "x"), A_UUID, str(A_UUID)),
        (lambda value: checked.positive(value, "x"), 1, 1),
        (checked.run_key, "course-v1:edX+DemoX+2026_T1", "course-v1:edX+DemoX+2026_T1"),
        (checked.run_key, "course-v1:BerkeleyX+CS188.1x-4+1T~2026", "course-v1:BerkeleyX+CS188.1x-4+1T~2026"),
        (checked.run_key, "course-v1:Ünï+Cödé+Rün", "course-v1:Ünï+Cödé+Rün"),
        (checked.content_key, "edX+DemoX", "edX+DemoX"),
        (checked.content_key, "MITx+6.00.1x", "MITx+6.00.1x"),
        (checked.content_key, "course-v1:edX+DemoX+2026_T1", "course-v1:edX+DemoX+2026_T1"),
        (checked.content_id, A_UUID, str(A_UUID)),
        (checked.content_keys, ["edX+B", "edX+A", "edX+B"], ["edX+B", "edX+A"]),
        (checked.username, "ada_lovelace-1815@x.y+z", "ada_lovelace-1815@x.y+z"),
        (checked.slug, "acme-learning_2", "acme-learning_2"),
        (checked.email, "o'hara+work@mail.acme.example", "o'hara+work@mail.acme.example"),
        (checked.email, "zoë@ümlaut.example", "zoë@ümlaut.example"),
    ],
)
def test_what_is_well_formed_is_sent_as_it_is(check, value, sent):
    assert check(value) == sent


RUNS = [
    None,
    "",
    5,
    "edX+DemoX",
    "edX/DemoX/2026",
    "course-v1:",
    "course-v1:edX+DemoX",
    "course-v1:edX+DemoX+2026+more",
    "course-v1:edX DemoX 2026",
    "course-v1:edX+DemoX+2026\n",
    " course-v1:edX+DemoX+2026",
    "course-v1:edX+DemoX+2026/../../admin",
    "course-v1:edX+DemoX+2026?x=y",
    "course-v1:edX+DemoX+2026,course-v1:edX+DemoX+2027",
    "course-v1:edX+DemoX+2026+branch@draft",
    "COURSE-V1:edX+DemoX+2026",
    "library-v1:edX+DemoX",
    "course-v1:edX+" + "D" * 255 + "+2026",
    "course-v1:edX+\ud83d+2026",
]


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (lambda value: checked.uuid(value, "x"), [None, "", str(A_UUID), "not-a-uuid", 5]),
        (lambda value: checked.positive(value, "x"), [None, 0, -1, True, "1", 1.0, 2**63]),
        (checked.run_key, RUNS),
        (
            checked.content_key,
            [*(run for run in RUNS if run != "edX+DemoX"), "12345", "edX", "edX+", "+DemoX", "a+b&c", A_UUID],
        ),
        (checked.content_id, ["12345", str(A_UUID), "edX/DemoX", None]),
        (lambda value: checked.content_keys([value]), [A_UUID, None, "12345"]),
        (checked.username, [None, "", "a,b", " a", "a ", "a\n", "a\tb", "x" * 151, 5]),
        (checked.slug, [None, "", "a/b", "a b", "..", "a&b"]),
        (checked.email, [None, "", "ada", "@acme.example", "ada@", "a b@c.d", "a@b@c", "a\x00@b.c", "a@b.c\n"]),
        (checked.email, ["\ud83d@b.c", "ada@acme.example,bob@acme.example", "<ada@acme.example>", "x" * 65 + "@a.b"]),
    ],
)
def test_what_is_malformed_is_refused_and_not_quoted(check, values):
    for value in values:
        with pytest.raises(UpstreamRefused) as caught:
            check(value)
        assert caught.value.reason is UpstreamReason.REFUSED_LOCALLY
        if isinstance(value, str) and len(value) > 5:
            assert value not in str(caught.value)
