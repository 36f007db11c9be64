"""Every write is repeated after a deadlock, and what may be repeated counts and calls nothing.

The database ends one of two transactions that wait for each other, whatever they do: a single UPDATE of two rows can be
the victim. So every function that writes runs inside `lib.transactions.retry_deadlocks`: it has the decorator itself,
or all functions that use it do.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest
from attrs import field, frozen

ROOT: Final = Path(__file__).resolve().parent.parent.parent
NAMESPACE: Final = "enterprise_access"
NOT_PRODUCT: Final = {"tests", "migrations"}

BY_HAND: Final = "A command that is run by hand, and can be run again."
# Function: why it is not repeated.
EXCEPTIONS: Final = {
    "enterprise_access.apps.core.models:UserManager.create_user": "Django's own way to make users.",
    "enterprise_access.apps.core.management.commands.promote_superuser:Command.handle": BY_HAND,
    "enterprise_access.apps.default_enrollments.management.commands.retire_learner:Command.handle": BY_HAND,
    "enterprise_access.apps.default_enrollments.management.commands.seed_demonstration:Command.handle": BY_HAND,
    "enterprise_access.apps.moving_in.services.importing:import_everything": BY_HAND,
    "enterprise_access.apps.moving_in.services.importing:_savepoint": BY_HAND,
}

WRITES: Final = {"save", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
COUNTS: Final = {"inc", "dec", "observe"}


@frozen
class Function:
    """A function of a module or of a class, with everything that is defined inside it."""

    module: str
    name: str
    node: ast.AST = field(repr=False)

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"

    @property
    def is_public_method(self) -> bool:
        """Say whether any module may call it on an object, so that its callers cannot be found."""
        owner, _, name = self.name.rpartition(".")
        return bool(owner) and not owner.startswith("_") and not name.startswith("_")

    @property
    def is_retried(self) -> bool:
        decorators = getattr(self.node, "decorator_list", [])
        return any("retry_deadlocks" in ast.unparse(decorator) for decorator in decorators)


class Program:
    """The functions of some modules, and which of them uses which."""

    def __init__(self, sources: Iterable[tuple[str, str]]) -> None:
        self.trees = {module: ast.parse(text) for module, text in sources}
        self.names = {module: names_in(tree) for module, tree in self.trees.items()}
        self.functions = {str(one): one for module, tree in self.trees.items() for one in functions_of(module, tree)}
        self.users: dict[str, set[str]] = {}
        for module, tree in self.trees.items():
            self._note_uses(module, tree)

    def _note_uses(self, module: str, tree: ast.Module) -> None:
        inside: set[int] = set()
        for function in functions_of(module, tree):
            nodes = list(ast.walk(function.node))
            inside |= {id(node) for node in nodes}
            self._note(str(function), module, nodes)
        # What a module does with a function, such as giving it to a table, may lead to a call from anywhere.
        self._note(f"{module}:", module, [node for node in ast.walk(tree) if id(node) not in inside])

    def _note(self, user: str, module: str, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            for used in self._used_in(node, module):
                self.users.setdefault(used, set()).add(user)

    def _used_in(self, node: ast.AST, module: str) -> Iterator[str]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield self._origin(module, node.id)
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in self.names[module]:
                yield self._origin(self._origin(module, node.value.id).replace(":", "."), node.attr)
            # A method that only its module may use is found by its name, whatever the object.
            yield from (
                str(one) for one in functions_of(module, self.trees[module]) if one.name.endswith(f".{node.attr}")
            )

    def _origin(self, module: str, name: str) -> str:
        """Return what a name stands for in a module, through any number of modules that hand it on."""
        while (handed_on := self.names.get(module, {}).get(name, (module, name))) != (module, name):
            module, name = handed_on
        return f"{module}:{name}"

    def is_covered(self, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Say whether the function is repeated after a deadlock whenever it runs."""
        function = self.functions.get(name)
        if function is None or function.is_public_method:
            return function is not None and function.is_retried
        users = self.users.get(name, set()) - seen - {name}
        return function.is_retried or (bool(users) and all(self.is_covered(user, seen | {name}) for user in users))

    def is_repeated(self, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Say whether the function may run more than once because of a deadlock."""
        function = self.functions.get(name)
        if function is None or function.is_public_method or name in seen:
            return function is not None and function.is_retried
        return function.is_retried or any(self.is_repeated(user, seen | {name}) for user in self.users.get(name, ()))

    def uncovered(self) -> set[str]:
        writers = {name for name, function in self.functions.items() if any(writes_in(function.node))}
        return {name for name in writers if not self.is_covered(name)}

    def taking_once(self) -> set[str]:
        """Return the functions that are repeated with something that can be read only once."""
        return {
            name
            for name, function in self.functions.items()
            if function.is_retried and any(map(is_read_once, arguments_of(function.node)))
        }

    def counting(self) -> set[str]:
        """Return the functions that count something although they may be repeated."""
        counters = {name for name, function in self.functions.items() if any(counts_in(function.node))}
        return {name for name in counters if self.is_repeated(name)}


def functions_of(module: str, tree: ast.Module) -> Iterator[Function]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield Function(module, node.name, node)
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    yield Function(module, f"{node.name}.{member.name}", member)


def names_in(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Return what the imported names of a module stand for: a module and a name in it."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(NAMESPACE)
        for alias in node.names
    }


def writes_in(root: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(root):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "transaction.atomic":
            yield node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_write(node, node.func):
            yield node


def is_write(call: ast.Call, method: ast.Attribute) -> bool:
    if ast.unparse(method.value) == "super()":
        return False
    if method.attr in WRITES - {"save"}:
        return True
    if method.attr == "save":
        return not call.args
    # (A dictionary takes a position, and a cache a key.)
    if method.attr == "update":
        return not call.args and bool(call.keywords)
    if method.attr == "delete":
        return not call.args and not call.keywords
    return method.attr == "create" and ast.unparse(method.value).endswith(("objects", "_default_manager"))


def counts_in(root: ast.AST) -> Iterator[ast.AST]:
    if isinstance(root, ast.Call) and ast.unparse(root.func).endswith("on_commit"):
        return
    if isinstance(root, ast.Call) and isinstance(root.func, ast.Attribute) and root.func.attr in COUNTS:
        yield root
    for node in ast.iter_child_nodes(root):
        yield from counts_in(node)


def arguments_of(function: ast.AST) -> list[ast.arg]:
    assert isinstance(function, ast.FunctionDef)
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def is_read_once(argument: ast.arg) -> bool:
    annotation = ast.unparse(argument.annotation) if argument.annotation else ""
    return bool(re.search(r"\b(Iterable|Iterator|Generator)\b", annotation))


def product_sources() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / NAMESPACE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if not NOT_PRODUCT & set(parts):
            yield ".".join(part for part in parts if part != "__init__"), path.read_text()


@pytest.fixture(scope="module")
def program() -> Program:
    return Program(product_sources())


def test_every_write_is_repeated_after_a_deadlock(program):
    assert program.uncovered() - EXCEPTIONS.keys() == set()


def test_every_exception_is_still_needed(program):
    assert EXCEPTIONS.keys() - program.uncovered() == set()


def test_nothing_is_counted_where_it_may_be_counted_twice(program):
    assert program.counting() == set()


def test_what_is_repeated_is_not_given_what_can_be_read_only_once(program):
    """The second time it would be empty: events that were heard would be acknowledged, and never handled."""
    assert program.taking_once() == set()


# --- The test itself -----------------------------------------------------------------------------------------------

IMPORTS: Final = "from enterprise_access.lib.transactions import retry_deadlocks\n"
WRITING: Final = [
    "Row.objects.filter(pk=1).update(name='a')",
    "rows.bulk_update(changed, ['name'])",
    "Row.objects.create(name='a')",
    "Row.objects.filter(pk=1).delete()",
    "row.save(update_fields=['name'])",
    "with transaction.atomic(): pass",
]


def program_of(code: str) -> Program:
    return Program([("enterprise_access.apps.some", IMPORTS + code)])


@pytest.mark.parametrize("line", WRITING)
def test_a_bare_write_is_noticed(line):
    assert program_of(f"def change():\n    {line}").uncovered() == {"enterprise_access.apps.some:change"}


@pytest.mark.parametrize("line", WRITING)
def test_a_write_that_is_repeated_is_not(line):
    assert program_of(f"@retry_deadlocks\ndef change():\n    {line}").uncovered() == set()


@pytest.mark.parametrize("line", ["found.update({1: 2})", "cache.delete(key)", "super().save(*args, **kwargs)"])
def test_what_only_looks_like_a_write_is_not(line):
    assert program_of(f"def change():\n    {line}").uncovered() == set()


@pytest.mark.parametrize(
    ("users", "found"),
    [
        ("@retry_deadlocks\ndef one(): _write()\n", False),
        ("@retry_deadlocks\ndef one(): _write()\ndef another(): _write()\n", True),
        ("@retry_deadlocks\ndef one(): _write()\nTABLE = {1: _write}\n", True),
        ("", True),
    ],
)
def test_all_users_of_a_write_have_to_repeat_it(users, found):
    assert bool(program_of(f"{users}def _write():\n    row.save()").uncovered()) is found


@pytest.mark.parametrize(
    ("line", "found"),
    [("metrics.SENT.labels(1).inc()", True), ("transaction.on_commit(lambda: metrics.SENT.inc(), robust=True)", False)],
)
def test_counting_in_what_is_repeated_is_noticed(line, found):
    assert bool(program_of(f"@retry_deadlocks\ndef one(): _count()\ndef _count():\n    {line}").counting()) is found


@pytest.mark.parametrize(("annotation", "found"), [("Iterable[Event]", True), ("Collection[Event]", False)])
def test_an_argument_that_can_be_read_only_once_is_noticed(annotation, found):
    assert bool(program_of(f"@retry_deadlocks\ndef one(events: {annotation}): pass").taking_once()) is found
