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


@dataclass(slots=True)
class Tree:
    """Free names of an expression, the dotted paths read from them, and whether it joins text in a loop."""

    roots: frozenset[str]
    paths: frozenset[tuple[str, ...]]
    grows_text_in_loop: bool


@dataclass(slots=True)
class _Walk:
    roots: set[str] = field(default_factory=set[str])
    paths: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])
    grows: bool = False


def read(serialized: bytes) -> Tree:
    """The tree of `Expression.serialize()`."""
    walk = _Walk()
    for number, value in _fields(serialized):
        if number == _ANY_VALUE and isinstance(value, bytes):
            for inner, expression in _fields(value):
                if inner == _CHECKED_EXPR and isinstance(expression, bytes):
                    _visit(expression, frozenset(), walk, looping=False)
    return Tree(frozenset(walk.roots), frozenset(walk.paths), walk.grows)


def _visit(expression: bytes, bound: frozenset[str], walk: _Walk, *, looping: bool) -> None:
    path = _path(expression)
    if path is not None:
        if path[0] not in bound:
            walk.roots.add(path[0])
            walk.paths.add(path)
        return
    for number, value in _fields(expression):
        if not isinstance(value, bytes):
            continue
        if number == _SELECT:
            _visit_children(value, (1,), bound, walk, looping=looping)
        elif number == _CALL:
            # `_+_` over text or an unknown type in a loop may double its size at each turn.
            walk.grows |= looping and _text(value, 2) == "_+_" and not _adds_lists(value)
            _visit_children(value, (1, 3), bound, walk, looping=looping)
        elif number == _LIST:
            _visit_children(value, (1,), bound, walk, looping=looping)
        elif number == _STRUCT:
            for inner, entry in _fields(value):
                if inner == 2 and isinstance(entry, bytes):
                    _visit_children(entry, (3, 4), bound, walk, looping=looping)
        elif number == _COMPREHENSION:
            _visit_comprehension(value, bound, walk, looping=looping)


def _visit_comprehension(
    value: bytes, bound: frozenset[str], walk: _Walk, *, looping: bool
) -> None:
    inside = bound | {name for name in (_text(value, 1), _text(value, 3), _text(value, 8)) if name}
    _visit_children(value, (2, 4), bound, walk, looping=looping)
    _visit_children(value, (5, 6, 7), inside, walk, looping=True)


def _visit_children(
    message: bytes, numbers: tuple[int, ...], bound: frozenset[str], walk: _Walk, *, looping: bool
) -> None:
    for number, value in _fields(message):
        if number in numbers and isinstance(value, bytes):
            _visit(value, bound, walk, looping=looping)


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


def _path(expression: bytes) -> tuple[str, ...] | None:
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
