"""What the LMS is known to have: asked of the app that keeps it, which stands above this one and says so here."""

from collections.abc import Callable, Iterable, Mapping

ReadModes = Callable[[Iterable[str]], Mapping[str, frozenset[str]]]


def _nothing(_run_keys: Iterable[str]) -> Mapping[str, frozenset[str]]:
    return {}


_readers: list[ReadModes] = [_nothing]


def register_lms_modes(read: ReadModes) -> ReadModes:
    """Have `read` tell the modes that the LMS has, by folded run key; a run of which it is not known is absent.

    Return what has told them so far.
    """
    former = _readers[0]
    _readers[0] = read
    return former


def list_lms_modes(run_keys: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return the modes that the LMS has, as far as they are known. Asks no one but the database."""
    return _readers[0](list(run_keys))
