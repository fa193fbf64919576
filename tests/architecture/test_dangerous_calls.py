"""What no line of ours does: shells, unpickling, YAML that runs code, text from outside in SQL."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
FOLDERS = ("activities", "api", "channels", "cli", "console", "contracts", "deploy", "insight", "journey", "routing",
           "stores", "workers", "workflows")  # fmt: skip

NEVER = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "os.system": "is a shell",
    "os.popen": "is a shell",
    "subprocess.getoutput": "is a shell",
    "asyncio.create_subprocess_shell": "is a shell",
    "pickle.load": "runs what it reads",
    "pickle.loads": "runs what it reads",
    "marshal.loads": "runs what it reads",
    "shelve.open": "runs what it reads",
    "yaml.unsafe_load": "runs what it reads",
    "yaml.full_load": "makes objects of what it reads",
    "tempfile.mktemp": "is a name that somebody else may take first",
    "ssl._create_unverified_context": "believes every certificate",
}
SAFE_LOADERS = {"SafeLoader", "CSafeLoader", "BaseLoader", "_Loader"}


def called(node: ast.Call) -> str:
    return ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""


def faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines with such a call, and what is wrong with it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        if name in NEVER:
            yield node.lineno, f"{name} {NEVER[name]}"
        if name == "yaml.load" and not _has_safe_loader(node):
            yield node.lineno, "yaml.load without a safe loader runs what it reads"
        for keyword in node.keywords:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg == "shell" and value is not False:
                yield node.lineno, "shell= is a shell"
            if keyword.arg == "verify" and value is False:
                yield node.lineno, "verify=False believes every certificate"
            if keyword.arg == "autoescape" and value is False:
                yield node.lineno, "autoescape=False lets names be markup"


def _has_safe_loader(node: ast.Call) -> bool:
    given = [*node.args[1:], *(each.value for each in node.keywords if each.arg == "Loader")]
    return any(ast.unparse(each).rpartition(".")[2] in SAFE_LOADERS for each in given)


def files() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (CLONE / folder).rglob("*.py"))


def test_no_line_of_ours_calls_what_runs_text() -> None:
    found = [
        f"{path.relative_to(CLONE)}:{line}: {words}"
        for path in files()
        for line, words in faults(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert len(files()) > 300
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "eval('1')", "os.system('ls')", "subprocess.run(x, shell=True)", "pickle.loads(x)", "yaml.load(x)",
        "yaml.load(x, Loader=yaml.Loader)", "client(verify=False)", "Environment(autoescape=False)",
    ],
)  # fmt: skip
def test_a_line_that_would_is_found(line: str) -> None:
    assert list(faults(ast.parse(line)))


def statements(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Calls of `execute` whose SQL is put together on the spot, and of what."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not called(node).endswith(
            (".execute", ".executemany")
        ):
            continue
        if node.args and isinstance(node.args[0], ast.JoinedStr):
            values = [each for each in node.args[0].values if isinstance(each, ast.FormattedValue)]
            for each in values:
                yield node.lineno, ast.unparse(each.value)
        if (
            node.args
            and isinstance(node.args[0], ast.BinOp)
            and isinstance(node.args[0].op, ast.Mod)
        ):
            yield node.lineno, "%"


LITERAL = {
    "stores/case_lists.py: chosen",
    "stores/cases.py: conditions",
    "stores/customers.py: ' for no key update' if lock else ''",
    "stores/feedback.py: where",
    "stores/inbox_messages.py: column",
    "stores/inbox_list.py: which",
    "stores/problems.py: ' for no key update' if lock else ''",
    "stores/run_files.py: where",
    "stores/run_search.py: wanted.trait_condition(of_few=True)",
    "stores/run_search.py: where",
    "stores/runs.py: column",
    "stores/runs.py: conditions",
}
"""Put together of texts in our own lines: psycopg takes only `LiteralString`, which the type checker follows."""


def test_sql_is_put_together_of_our_own_constants_only() -> None:
    """In a store, what stands in braces is a constant in capitals or looked at here; everything else is a parameter."""
    found = {
        f"{path.relative_to(CLONE)}: {what}"
        for path in files()
        if path.relative_to(CLONE).parts[0] != "deploy"
        for _, what in statements(ast.parse(path.read_text(encoding="utf-8")))
        if not what.lstrip("_").isupper()
    }

    assert found == LITERAL


def test_sql_of_a_name_would_be_found() -> None:
    assert list(statements(ast.parse("c.execute(f'select {name}')"))) == [(1, "name")]
