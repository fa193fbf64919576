"""What a compiled CEL expression names, read from its checked syntax tree.

The engine serialises `google.protobuf.Any(cel.expr.CheckedExpr)`
(https://github.com/google/cel-spec/blob/master/proto/cel/expr/checked.proto); its Python wheel has
no classes for it, so the few fields needed are read from the wire format (protobuf encoding).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

# field numbers in cel.expr: Any.value; CheckedExpr.expr; Expr.{ident,select,call,list,struct,comprehension}
_ANY_VALUE, _CHECKED_EXPR = 2, 4
_IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION, _CONST = 4, 5, 6, 7, 8, 9, 3
_CONST_TEXT = 6


Path = tuple[str, ...]

EACH = "[]"
"""In a path: any part of a list or a map."""

Literal = str
"""What a constant is: `boolean`, `number`, `text`, or `` for any other."""

_LITERALS = {2: "boolean", 3: "number", 4: "number", 5: "number", 6: "text"}
_COMPARING = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"})


@dataclass(slots=True)
class Calls:
    """What is done with values, in loops or outside them, as far as it may take long.

    `adds`: uses of `+`. `compares`: `==`, `!=` and `in` with nothing written out on either side.
    `parts`: of lists and maps that are written out; an entry of a map is three. `uses`: of what a
    loop goes through. `patterns`: of `matches`; None is one that is not written out.
    """

    adds: int = 0
    compares: int = 0
    searches: int = 0
    parts: int = 0
    uses: int = 0
    reads: list[Path] = field(default_factory=list[Path])
    patterns: list[str | None] = field(default_factory=list[str | None])


@dataclass(slots=True)
class Tree:
    """Free names of an expression, the dotted paths read from them, and what it does in loops.

    `compared`: paths that are compared with a constant, and what that is.
    `lists`: what `map` and `filter` go through, as paths with `[]` for any part. `unnamed_list`: whether
    one of them goes through something that has no such path. `ranges` and `unknown_range`: the same of
    all loops, apart from what is written out or made by other loops. `depth`: of loops in loops.
    """

    roots: set[str] = field(default_factory=set[str])
    paths: set[Path] = field(default_factory=set[Path])
    compared: set[tuple[Path, Literal]] = field(default_factory=set[tuple[Path, Literal]])
    lists: set[Path] = field(default_factory=set[Path])
    unnamed_list: bool = False
    ranges: set[Path] = field(default_factory=set[Path])
    unknown_range: bool = False
    grows_text_in_loop: bool = False
    loops: int = 0
    depth: int = 0
    outside: Calls = field(default_factory=Calls)
    inside: Calls = field(default_factory=Calls)
    results: set[str] = field(default_factory=set[str])
    """Names under which loops gather what they make."""


Bound = dict[str, Path | None]
"""Names that loops bind, each with the path of what it goes through, if that has one."""


def read(serialized: bytes) -> Tree:
    """The tree of `Expression.serialize()`."""
    tree = Tree()
    for number, value in _fields(serialized):
        if number == _ANY_VALUE and isinstance(value, bytes):
            for inner, expression in _fields(value):
                if inner == _CHECKED_EXPR and isinstance(expression, bytes):
                    _visit(expression, {}, tree, 0)
    return tree


def _visit(expression: bytes, bound: Bound, tree: Tree, depth: int) -> None:
    """`depth`: in how many loops the expression stands."""
    calls = tree.inside if depth else tree.outside
    path = _path(expression)
    if path is not None:
        if path[0] not in bound:
            tree.roots.add(path[0])
            tree.paths.add(path)
            calls.reads.append(path)
        elif path[0] not in tree.results:
            calls.uses += 1
        return
    for number, value in _fields(expression):
        if not isinstance(value, bytes):
            continue
        if number == _SELECT:
            _visit_children(value, (1,), bound, tree, depth)
        elif number == _CALL:
            _visit_call(value, bound, tree, depth)
        elif number == _LIST:
            calls.parts += sum(inner == 1 for inner, _ in _fields(value))
            _visit_children(value, (1,), bound, tree, depth)
        elif number == _STRUCT:
            entries = [v for k, v in _fields(value) if k == 2 and isinstance(v, bytes)]
            calls.parts += 3 * len(entries)
            for entry in entries:
                _visit_children(entry, (3, 4), bound, tree, depth)
        elif number == _COMPREHENSION:
            _visit_comprehension(value, bound, tree, depth)


def _visit_call(call: bytes, bound: Bound, tree: Tree, depth: int) -> None:
    calls, name = tree.inside if depth else tree.outside, _text(call, 2)
    tree.compared.update(_compared(call, bound))
    if name == "_+_":
        # Over text or an unknown type in a loop it may double its size at each turn.
        tree.grows_text_in_loop |= depth > 0 and not _adds_lists(call)
        calls.adds += 1
    elif name in ("_==_", "_!=_", "@in"):
        calls.compares += not any(_is_written(v) for k, v in _fields(call) if k == 3)
    elif name == "contains":
        calls.searches += 1
    elif name == "matches":
        pattern = [v for k, v in _fields(call) if k == 3 and isinstance(v, bytes)][-1]
        constant = _message(pattern, _CONST)
        written = any(kind == _CONST_TEXT for kind, _ in _fields(constant))
        calls.patterns.append(_text(constant, _CONST_TEXT) if written else None)
    _visit_children(call, (1, 3), bound, tree, depth)


def _is_written(argument: int | bytes) -> bool:
    """Whether a value is written out: a constant, or a list or map."""
    kinds = (_CONST, _LIST, _STRUCT)
    return isinstance(argument, bytes) and any(kind in kinds for kind, _ in _fields(argument))


def _compared(call: bytes, bound: Bound) -> Iterator[tuple[Path, Literal]]:
    """A path on one side of a comparison and a constant on the other, or several alike in a list."""
    sides = [value for number, value in _fields(call) if number == 3 and isinstance(value, bytes)]
    operator = _text(call, 2)
    if operator not in _COMPARING or len(sides) != 2:
        return
    for one, other in (sides, sides[::-1]) if operator != "@in" else (sides,):
        path = _path(one)
        constants = [other] if operator != "@in" else _items(other)
        kinds = {_literal(constant) for constant in constants}
        if path is not None and path[0] not in bound and len(kinds) == 1 and "" not in kinds:
            yield path, kinds.pop()


def _items(expression: bytes) -> list[bytes]:
    """The parts of a list that is written out."""
    written = _message(expression, _LIST)
    return [part for number, part in _fields(written) if number == 1 and isinstance(part, bytes)]


def _literal(expression: bytes) -> Literal:
    constant = _message(expression, _CONST)
    return next((_LITERALS.get(number, "") for number, _ in _fields(constant)), "")


def _visit_comprehension(value: bytes, bound: Bound, tree: Tree, depth: int) -> None:
    through = _parts_of(_message(value, 2), bound)
    if through is not None:
        tree.ranges.add(through[:-1])
    else:
        tree.unknown_range |= not _is_made_here(_message(value, 2))
    if _is_list(_message(value, 4)):
        if through is not None:
            tree.lists.add(through[:-1])
        tree.unnamed_list |= through is None and not _is_list(_message(value, 2))
    names = {name: None for name in (_text(value, 1), _text(value, 3), _text(value, 8)) if name}
    inside: Bound = {**bound, **names, _text(value, 1): through}
    tree.loops += 1
    tree.depth = max(tree.depth, depth + 1)
    tree.results.add(_text(value, 3))
    _visit_children(value, (2, 4), bound, tree, depth)
    _visit_children(value, (5, 6, 7), inside, tree, depth + 1)


def _parts_of(expression: bytes, bound: Bound) -> Path | None:
    """The path of the parts of what an expression stands for, if that can be told."""
    path = _path(expression)
    if path is not None:
        if path[0] not in bound:
            return (*path, EACH)
        through = bound[path[0]]
        return None if through is None else (*through, *path[1:], EACH)
    for number, value in _fields(expression):
        if not isinstance(value, bytes):
            continue
        if number == _SELECT:
            parts = _parts_of(_message(value, 1), bound)
            return None if parts is None else (*parts[:-1], _text(value, 2), EACH)
        if number == _CALL and _text(value, 2) == "_[_]":
            parts = _parts_of(_message(value, 3), bound)
            return None if parts is None else (*parts, EACH)
        if number == _COMPREHENSION and _is_filter(value):
            return _parts_of(_message(value, 2), bound)
    return None


def _is_list(expression: bytes) -> bool:
    """Whether an expression is a list by its form: written out, joined, or made by `map` or `filter`."""
    for number, value in _fields(expression):
        if number == _LIST:
            return True
        if number == _CALL and isinstance(value, bytes):
            return _text(value, 2) == "_+_"
        if number == _COMPREHENSION and isinstance(value, bytes):
            return _is_list(_message(value, 4))
    return False


def _is_made_here(expression: bytes) -> bool:
    """Whether something is a list or map that is written out, or made by a loop."""
    return any(kind in (_LIST, _STRUCT, _COMPREHENSION) for kind, _ in _fields(expression))


def _is_filter(comprehension: bytes) -> bool:
    """`filter` adds the very part: `accumulator + [part]` under a condition, else the accumulator."""
    step = _call(_message(comprehension, 6))
    if step is None or step[0] != "_?_:_" or not _is_list(_message(comprehension, 4)):
        return False
    added = _call(step[1][1])
    if added is None or added[0] != "_+_":
        return False
    parts = [v for k, v in _fields(added[1][1]) if k == _LIST and isinstance(v, bytes)]
    return bool(parts) and _path(_message(parts[0], 1)) == (_text(comprehension, 1),)


def _call(expression: bytes) -> tuple[str, list[bytes]] | None:
    for number, value in _fields(expression):
        if number == _CALL and isinstance(value, bytes):
            arguments = [v for k, v in _fields(value) if k == 3 and isinstance(v, bytes)]
            return _text(value, 2), arguments
    return None


def _visit_children(
    message: bytes, numbers: tuple[int, ...], bound: Bound, tree: Tree, depth: int
) -> None:
    for number, value in _fields(message):
        if number in numbers and isinstance(value, bytes):
            _visit(value, bound, tree, depth)


def _adds_lists(call: bytes) -> bool:
    """`map` and `filter` grow their result by `accumulator + [item]`: one argument is a list literal."""
    for number, argument in _fields(call):
        if number == 3 and isinstance(argument, bytes):
            kinds = {kind for kind, _ in _fields(argument)}
            if _LIST in kinds:
                return True
            constant = next(
                (v for k, v in _fields(argument) if k == _CONST and isinstance(v, bytes)), None
            )
            if constant is not None and not any(kind == 6 for kind, _ in _fields(constant)):
                return True  # a number
    return False


def _path(expression: bytes) -> Path | None:
    """`a.b.c` as ("a", "b", "c"), or None where the expression is something else."""
    for number, value in _fields(expression):
        if not isinstance(value, bytes):
            continue
        if number == _IDENT:
            name = _text(value, 1)
            return tuple(name.split(".")) if name else None
        if number == _SELECT:
            operand = next((v for k, v in _fields(value) if k == 1 and isinstance(v, bytes)), None)
            before = _path(operand) if operand is not None else None
            return None if before is None else (*before, _text(value, 2))
    return None


def _message(message: bytes, number: int) -> bytes:
    """The first field of this number, or an empty message."""
    found = (v for k, v in _fields(message) if k == number and isinstance(v, bytes))
    return next(found, b"")


def _text(message: bytes, number: int) -> str:
    for field_number, value in _fields(message):
        if field_number == number and isinstance(value, bytes):
            return value.decode()
    return ""


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of a protobuf message: (number, varint or bytes); fixed-width ones as bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _varint(message, at)
        else:
            length = 8 if wire == 1 else 4
        yield number, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
