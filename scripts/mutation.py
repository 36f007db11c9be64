"""Change the rules of the domain, one small change at a time, and see whether the domain's tests notice each of them.

    python scripts/mutation.py [--sample 40 --seed TEXT] [--at-a-time 2]

A change that no test notices (a mutant that survives) has to be in the list of those that change nothing that anybody
could notice, with the reason why: docs/reliability/equivalent-mutants.toml. What survives and is not listed is lost.
It all happens in a temporary copy; the files of this folder are not touched.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "docs" / "reliability" / "equivalent-mutants.toml"
COPIED = ("enterprise_access", "simulator", "tests", "conftest.py", "manage.py", "setup.cfg")

APPS = "enterprise_access/apps"
RULES = (
    f"{APPS}/content_assignments/domain/allocation.py",
    f"{APPS}/content_assignments/domain/bulk.py",
    f"{APPS}/content_assignments/domain/emails.py",
    f"{APPS}/content_assignments/domain/expiring.py",
    f"{APPS}/content_assignments/domain/showing.py",
    f"{APPS}/content_assignments/domain/states.py",
    f"{APPS}/content_metadata/domain.py",
    f"{APPS}/course_types/domain/modes.py",
    f"{APPS}/default_enrollments/domain/case_view.py",
    f"{APPS}/default_enrollments/domain/decision.py",
    f"{APPS}/default_enrollments/domain/license_payer.py",
    f"{APPS}/default_enrollments/domain/looking_again.py",
    f"{APPS}/default_enrollments/domain/only_run.py",
    f"{APPS}/default_enrollments/domain/paying.py",
    f"{APPS}/default_enrollments/domain/plan.py",
    f"{APPS}/default_enrollments/domain/reasons.py",
    f"{APPS}/default_enrollments/domain/remembering.py",
    f"{APPS}/default_enrollments/domain/values.py",
    f"{APPS}/default_enrollments/domain/window.py",
    f"{APPS}/groups/domain/__init__.py",
    f"{APPS}/groups/domain/reminding.py",
    f"{APPS}/licenses/domain/usable.py",
    f"{APPS}/moving_in/domain/cells.py",
    f"{APPS}/moving_in/domain/tables.py",
    f"{APPS}/notifications/domain.py",
    f"{APPS}/provisioning/domain/budgets.py",
    f"{APPS}/provisioning/domain/countries.py",
    f"{APPS}/provisioning/domain/customers.py",
    f"{APPS}/provisioning/domain/states.py",
    f"{APPS}/provisioning/domain/values.py",
    f"{APPS}/redemption/domain/assignments.py",
    f"{APPS}/redemption/domain/case.py",
    f"{APPS}/redemption/domain/choosing.py",
    f"{APPS}/redemption/domain/eligibility.py",
    f"{APPS}/redemption/domain/quotes.py",
    f"{APPS}/redemption/domain/settling.py",
    f"{APPS}/redemption/domain/transactions.py",
    f"{APPS}/subsidy_access_policies/domain/availability.py",
    f"{APPS}/subsidy_access_policies/domain/ledger.py",
    f"{APPS}/subsidy_access_policies/domain/money.py",
    f"{APPS}/subsidy_access_policies/domain/policies.py",
    f"{APPS}/subsidy_access_policies/domain/reasons.py",
    f"{APPS}/subsidy_requests/domain/enrolling.py",
    f"{APPS}/subsidy_requests/domain/granting.py",
    f"{APPS}/subsidy_requests/domain/requests.py",
    f"{APPS}/subsidy_requests/domain/states.py",
)
TESTS = (
    f"{APPS}/default_enrollments/tests/test_decision.py",
    f"{APPS}/default_enrollments/tests/test_looking_again.py",
    f"{APPS}/default_enrollments/tests/test_only_run.py",
    f"{APPS}/default_enrollments/tests/test_paying.py",
    f"{APPS}/default_enrollments/tests/test_plan.py",
    f"{APPS}/default_enrollments/tests/test_remembering.py",
    f"{APPS}/content_metadata/tests/test_domain.py",
    f"{APPS}/course_types/tests/test_modes.py",
    f"{APPS}/licenses/tests/test_domain.py",
    f"{APPS}/content_assignments/tests/test_allocation.py",
    f"{APPS}/content_assignments/tests/test_expiring.py",
    f"{APPS}/content_assignments/tests/test_states.py",
    f"{APPS}/redemption/tests/test_choosing.py",
    f"{APPS}/redemption/tests/test_credit_oracle.py",
    f"{APPS}/redemption/tests/test_eligibility.py",
    f"{APPS}/redemption/tests/test_settling.py",
    f"{APPS}/subsidy_access_policies/tests/test_availability.py",
    f"{APPS}/subsidy_access_policies/tests/test_ledger_copies.py",
    f"{APPS}/subsidy_access_policies/tests/test_money.py",
    f"{APPS}/subsidy_access_policies/tests/test_policies.py",
    f"{APPS}/subsidy_requests/tests/test_domain.py",
    f"{APPS}/subsidy_requests/tests/test_states.py",
    f"{APPS}/groups/tests/test_domain.py",
    f"{APPS}/moving_in/tests/test_domain.py",
    f"{APPS}/notifications/tests/test_domain.py",
    f"{APPS}/provisioning/tests/test_domain.py",
)
# Examples only: what a property finds depends on chance and, by its deadline, on how busy the machine is.
PYTEST_ARGUMENTS = ("-m", "not hypothesis", "-p", "no:cacheprovider", "-p", "no:unraisableexception")


class Change(NamedTuple):
    """One mutant, as the list names it: where it is, the lines that were there, and those that are there instead."""

    where: str
    was: str
    becomes: str


class Tried(NamedTuple):
    """What became of each mutant that was tried: `killed` by a test, or not."""

    total: int
    killed: int
    survivors: Counter[Change]
    diffs: dict[Change, str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="try only so many, drawn by the seed")
    parser.add_argument("--seed", default="", help="what the sample is drawn by, such as the id of a commit")
    parser.add_argument("--at-a-time", type=int, default=2, help="how many are tried beside one another")
    arguments = parser.parse_args()
    explained = read_list()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy_to(Path(folder))
        tried = try_mutants(
            Path(folder),
            rules=RULES,
            sample=arguments.sample,
            seed=arguments.seed,
            workers=arguments.at_a_time,
        )
    return report(tried, explained, is_sample=arguments.sample is not None)


def read_list() -> Counter[Change]:
    """Return the mutants that are known to change nothing. Each needs its reason."""
    entries = tomllib.loads(LIST.read_text())["mutant"]
    for entry in entries:
        if not entry["because"].strip():
            raise SystemExit(f"{LIST.name}: {entry['where']} has no reason.")
    return Counter(Change(entry["where"], entry["was"].strip(), entry["becomes"].strip()) for entry in entries)


def report(tried: Tried, explained: Counter[Change], *, is_sample: bool) -> int:
    lost = tried.survivors - explained
    for change in lost.elements():
        print(f"\nNo test notices this, in {change.where}:\n\n{tried.diffs[change]}")
    if lost:
        print(f"Let a test notice it. If nobody could, say why in {LIST.relative_to(ROOT)}; an entry reads:\n")
        print("\n".join(map(as_entry, lost)))
    stale = Counter() if is_sample else explained - tried.survivors
    for change in stale.elements():
        print(f"Stale in {LIST.name}, as a test notices it or the code has changed:\n\n{as_entry(change)}")
    equivalent = (tried.survivors & explained).total()
    print(
        f"test-mutation: tried {tried.total:,} mutants; killed {tried.killed:,}, "
        f"{equivalent} equivalent, explained; lost {lost.total()}"
    )
    return 1 if lost else 0


def as_entry(change: Change) -> str:
    return (
        f"[[mutant]]\nwhere = {json.dumps(change.where)}\n"
        f"was = '''\n{change.was}\n'''\nbecomes = '''\n{change.becomes}\n'''\nbecause = \"\"\n"
    )


# --- The copy --------------------------------------------------------------------------------------------------------


def copy_to(folder: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    for name in RULES:
        (folder / name).write_text(with_decorators_called((folder / name).read_text()))
    (folder / "pyproject.toml").write_text(
        "[tool.mutmut]\n"
        'source_paths = ["enterprise_access"]\n'
        f"only_mutate = {json.dumps(RULES)}\n"
        f"also_copy = {json.dumps(COPIED[1:])}\n"
        f"pytest_add_cli_args = {json.dumps(PYTEST_ARGUMENTS)}\n"
        f"pytest_add_cli_args_test_selection = {json.dumps(TESTS)}\n"
        # Each mutant starts with empty caches: what was remembered without it would hide it.
        'process_isolation = "forkserver"\n'
    )


def with_decorators_called(code: str) -> str:
    """Return the code with `@property` and its kin as calls after the function, as mutmut skips what is decorated."""
    import libcst as cst

    class Respelling(cst.CSTTransformer):
        def leave_FunctionDef(  # noqa: N802 - the library's name
            self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
        ) -> cst.FunctionDef | cst.FlattenSentinel[cst.BaseStatement]:
            name = original_node.name.value
            called = name
            for decorator in reversed(original_node.decorators):
                called = f"({cst.Module([]).code_for_node(decorator.decorator)})({called})"
            if called == name or called in (f"(classmethod)({name})", f"(staticmethod)({name})"):
                return updated_node
            call = cst.parse_statement(f"{name} = {called}\n")
            return cst.FlattenSentinel([updated_node.with_changes(decorators=[]), call])

    return cst.parse_module(code).visit(Respelling()).code


# --- Trying ----------------------------------------------------------------------------------------------------------


def try_mutants(folder: Path, *, rules: Sequence[str], sample: int | None, seed: str, workers: int) -> Tried:
    """Let mutmut try the mutants of these rules in a prepared copy."""
    os.chdir(folder)  # mutmut reads its settings from where it is imported
    names = names_of_all(rules)
    if sample is not None:
        names = random.Random(seed).sample(names, min(sample, len(names)))  # noqa: S311 - no secret
    print(f"Trying {len(names)} mutants of {len(rules)} files ...", flush=True)
    run_mutmut(["run", "--max-children", str(workers), *(names if sample is not None else [])])
    return outcome_of(names)


def names_of_all(rules: Sequence[str]) -> list[str]:
    """Return the names that mutmut will have for all mutants of these files, and teach it two more kinds before."""
    import libcst as cst
    from mutmut.mutation import file_mutation, mutators
    from mutmut.utils.format_utils import get_mutant_name

    # As it does with `a if b else c`: take either branch, whatever the condition.
    either_branch = [(kind, mutators.operator_if_exp) for kind in (cst.If, cst.CompIf)]
    file_mutation.mutation_operators = [*mutators.mutation_operators, *either_branch]
    return [
        get_mutant_name(Path(file), mutant)
        for file in rules
        for mutant in file_mutation.mutate_file_contents(file, Path(file).read_text()).mutant_names
    ]


def run_mutmut(arguments: list[str]) -> None:
    from mutmut.__main__ import cli

    log = Path("mutmut.log")
    try:
        with output_to(log):
            cli(arguments, standalone_mode=False)
    except SystemExit:
        print(log.read_text()[-10_000:])
        raise SystemExit("test-mutation: mutmut gave up; nothing is known") from None


@contextlib.contextmanager
def output_to(path: Path) -> Iterator[None]:
    """Send to the file whatever this process and its children print: a spinner, mostly."""
    streams = {number: os.dup(number) for number in (1, 2)}
    sys.stdout.flush()
    with path.open("w") as file:
        for number in streams:
            os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        sys.stdout.flush()
        for number, kept in streams.items():
            os.dup2(kept, number)
            os.close(kept)


def outcome_of(names: Iterable[str]) -> Tried:
    from mutmut.mutation.data import SourceFileMutationData
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.stats import status_by_exit_code

    path_of: dict[str, str] = {}
    status_of: dict[str, str] = {}
    for rules in RULES:
        data = SourceFileMutationData(path=Path(rules))
        data.load()
        path_of |= dict.fromkeys(data.exit_code_by_key, rules)
        status_of |= {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items()}
    tried = list(names)
    # One that hangs is noticed; one that was not tried, or ended in some other way, is not.
    unnoticed = [name for name in tried if status_of.get(name) not in ("killed", "timeout")]
    diffs: dict[Change, str] = {}
    survivors: Counter[Change] = Counter()
    for name in unnoticed:
        diff = get_diff_for_mutant(name, path=path_of[name])
        change = change_of(name, path_of[name], diff)
        survivors[change] += 1
        diffs[change] = f"{diff}\n(mutmut says: {status_of.get(name)})\n"
    return Tried(total=len(tried), killed=len(tried) - len(unnoticed), survivors=survivors, diffs=diffs)


def change_of(name: str, path: str, diff: str) -> Change:
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "@@"))]
    was, becomes = (
        "\n".join(line[1:].strip() for line in lines if line.startswith(sign)).strip() for sign in ("-", "+")
    )
    return Change(f"{path.removeprefix(APPS + '/')} {function_of(name)}", was, becomes)


def function_of(name: str) -> str:
    """Return what mutmut's name for a mutant calls the function: `…xǁCaseǁcourse__mutmut_3` is Case.course."""
    mangled = name.rpartition(".")[2].partition("__mutmut_")[0]
    return mangled.removeprefix("xǁ").replace("ǁ", ".") if mangled.startswith("xǁ") else mangled.removeprefix("x_")


if __name__ == "__main__":
    sys.exit(main())
