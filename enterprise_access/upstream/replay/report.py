"""The results of replays, for people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from enterprise_access.upstream.replay.result import Result


def lines(results: Iterable[Result]) -> Iterator[str]:
    """Yield the report of each recording."""
    for result in results:
        yield f"{result.name}: {result.recorded}"
        if result.method is None:
            yield "    not in use"
            continue
        yield f"    method   {result.method}"
        if result.verdict is not None:
            yield f"    request  {result.verdict.value}"
        for difference in result.differences:
            yield f"             {difference}"
        yield f"    outcome  {result.outcome}"
        if result.answer is not None:
            yield f"    answer   {result.answer}"
        for name, found in result.also.items():
            yield f"    also     {name}: {found}"
        if not result.is_typed:
            yield "    THE ANSWER CANNOT BE TYPED"


def summary(results: Sequence[Result]) -> dict[str, int]:
    """Return how many recordings there are of each kind."""
    verdicts = Counter(result.verdict.value.replace(" ", "_") for result in results if result.verdict is not None)
    in_use = [result for result in results if result.method is not None]
    return {
        "recordings": len(results),
        "in_use": len(in_use),
        "not_in_use": len(results) - len(in_use),
        "equal": verdicts["equal"],
        "different": verdicts["different"],
        "refused_locally": verdicts["refused_locally"],
        "untyped": sum(not result.is_typed for result in results),
    }
