"""Which columns of which tables one query reads, found without knowing any schema. Needs sqlglot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.scope import Scope, build_scope

NO_COLUMN: Final = "\0"  # a name that no query can give: asks which tables pass everything on
LEFT_OUT: Final = ("except_", "except", "replace", "rename")  # of a star, by sqlglot's keys

BY_OUTPUT: Final = (exp.Order, exp.Having, exp.Qualify, exp.Group)
"""Where a name may mean what the select calls one of its outputs."""

TableOf = Callable[[Sequence[str]], str | None]
Columns = set[tuple[str, str]]
Source = exp.Expr | Scope


class Unreadable(Exception):  # noqa: N818 - it says what the SQL is
    """SQL that sqlglot does not understand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a query reads.

    ``used``: pairs of a table and a column that the query names. ``passed_on``: the tables all of whose columns it
    hands on. ``named``: the columns, in lower case, that it builds itself, so that they come from no other table.
    """

    used: frozenset[tuple[str, str]]
    passed_on: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()


def read_columns(
    sql: str, dialect: str | None, table_of: TableOf, known: Mapping[str, frozenset[str]]
) -> Read:
    """Return what *sql* reads of the tables that *table_of* knows by the parts of their names.

    Args:
        sql: one query.
        dialect: sqlglot's name for it; None for its general one.
        table_of: says who a table is; None for one that is of no interest.
        known: the columns of tables, in lower case, where somebody knows them.

    Raises:
        Unreadable: sqlglot does not understand it.
    """
    try:
        parsed = normalize_identifiers(parse_one(sql, dialect=dialect), dialect=dialect)
        root = build_scope(parsed) if isinstance(parsed, exp.Query) else None
        if root is None:
            raise Unreadable(f"no query but {type(parsed).__name__}")
        return _Reading(table_of=table_of, known=known).of(root)
    except (SqlglotError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from None


@dataclass(slots=True, kw_only=True)
class _Reading:
    table_of: TableOf
    known: Mapping[str, frozenset[str]]
    outputs: dict[int, tuple[frozenset[str], tuple[exp.Expr, ...]]] = field(default_factory=dict)

    def of(self, root: Scope) -> Read:
        used: Columns = set()
        for scope in root.traverse():
            for names in _mentions(scope):
                used |= self._resolved(scope, names)
        passed_on = self._traced(root, NO_COLUMN, set())
        return Read(
            used=frozenset(used),
            passed_on=tuple(sorted({table for table, _ in passed_on})),
            named=frozenset(self._named(root, set()) if passed_on else ()),
        )

    def _resolved(self, scope: Scope, names: Sequence[str]) -> Columns:
        """The tables' columns that ``column``, ``table.column`` or ``column.field`` means in a scope."""
        here: Scope | None = scope
        while here is not None:  # a correlated query names tables of the query around it
            for name, following in pairwise(names):
                if name in here.sources:
                    return self._traced(here.sources[name], following, set())
            here = here.parent
        return self._of_any(scope, names[0], set())

    def _of_any(self, scope: Scope, name: str, seen: set[int]) -> Columns:
        """A name without its table: of each source that can have it."""
        found: Columns = set()
        for _, source in scope.selected_sources.values():
            if self._can_have(source, name):
                found |= self._traced(source, name, seen)
        return found

    def _can_have(self, source: Source, name: str) -> bool:
        table = self._table(source)
        columns = self.known.get(table) if table else None
        return columns is None or name == NO_COLUMN or name.casefold() in columns

    def _traced(self, source: Source, name: str, seen: set[int]) -> Columns:
        """The tables' columns that *name* of *source* is handed on from; none when the source builds it."""
        if not isinstance(source, Scope):
            table = self._table(source)
            return {(table, name.casefold())} if table else set()
        if id(source) in seen:
            return set()
        seen.add(id(source))
        found: Columns = set()
        for one in source.set_operation_scopes:
            found |= self._traced(one, name, seen)
        named, stars = self._outputs(source)
        if name.casefold() not in named:
            for star in stars:
                found |= self._through(source, star, name, seen)
        return found

    def _through(self, scope: Scope, star: exp.Expr, name: str, seen: set[int]) -> Columns:
        """What *name* is behind ``*`` or ``t.*``."""
        if name.casefold() in _left_out(star):
            return set()
        of = star.args.get("table")
        if of is None:
            return self._of_any(scope, name, seen)
        behind = scope.sources.get(of.name)
        return self._traced(behind, name, seen) if behind is not None else set()

    def _named(self, scope: Scope, seen: set[int]) -> set[str]:
        """Every column that the scope, or one that it hands on, builds itself."""
        if id(scope) in seen:
            return set()
        seen.add(id(scope))
        named, stars = self._outputs(scope)
        found = set(named)
        behind = [source for _, source in scope.selected_sources.values()] if stars else []
        for source in (*scope.set_operation_scopes, *behind):
            if isinstance(source, Scope):
                found |= self._named(source, seen)
        return found

    def _outputs(self, scope: Scope) -> tuple[frozenset[str], tuple[exp.Expr, ...]]:
        """The names that a select gives its columns, and its stars; the parts of a union are asked themselves."""
        known = self.outputs.get(id(scope))
        if known is None:
            select = scope.expression
            selects = select.selects if isinstance(select, exp.Select) else []
            named = frozenset(one.alias_or_name.casefold() for one in selects if not one.is_star)
            known = named, tuple(one for one in selects if one.is_star)
            self.outputs[id(scope)] = known
        return known

    def _table(self, source: Source) -> str | None:
        if not isinstance(source, exp.Table):
            return None
        return self.table_of([part.name for part in source.parts])


def _mentions(scope: Scope) -> Iterator[Sequence[str]]:
    """Every name of a column that the scope itself writes, in its parts; not those of its own outputs."""
    select = scope.expression
    outputs = set(select.named_selects) if isinstance(select, exp.Select) else set()
    for column in scope.find_all(exp.Column):
        names = [part.name for part in column.parts]
        if column.is_star or not all(names):
            continue
        if (
            names[0] in outputs
            and len(names) == 1
            and column.find_ancestor(*BY_OUTPUT, exp.Select) is not select
        ):
            continue  # the output was read where it was built
        yield names
    for join in select.args.get("joins") or ():
        for name in join.args.get("using") or ():
            yield (name.name,)


def _left_out(star: exp.Expr) -> frozenset[str]:
    """The columns of ``* except (…)``, ``* exclude (…)`` and ``* replace (… as …)``, in lower case."""
    inner = star.this if isinstance(star, exp.Column) else star
    lists = (inner.args.get(key) or () for key in LEFT_OUT)
    return frozenset(one.alias_or_name.casefold() for some in lists for one in some)
