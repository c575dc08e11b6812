"""`typing.NamedTuple` that is quick to define, for the engine's value types.

Python's own compiles a constructor for every class: a quarter of a millisecond each, for some thirty classes on the way
of every command. Here all share one constructor, which costs 8 µs per class. Type checkers see Python's own. A module
that defines one needs `from __future__ import annotations`, so that the fields stay plain text.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:

    class _Definer(type):
        """Makes the annotated names of a class body its fields."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            getters = {field: property(itemgetter(place)) for place, field in enumerate(fields)}
            own = {"__slots__": (), "_fields": fields, "_field_defaults": defaults}
            return super().__new__(cls, name, bases, {**body, **getters, **own})

    class NamedTuple(tuple, metaclass=_Definer):
        """A tuple whose items have names; the annotations of a subclass are the items, in order."""

        def __new__(cls, *given: Any, **named: Any) -> Any:
            """Raises TypeError for an unknown, missing or superfluous item."""
            if named or len(given) != len(cls._fields):
                given = cls._completed(given, named)
            return tuple.__new__(cls, given)

        @classmethod
        def _completed(cls, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
            defaults = cls._field_defaults
            try:
                rest = [named.pop(field) if field in named else defaults[field] for field in cls._fields[len(given) :]]
            except KeyError as missing:
                raise TypeError(f"{cls.__name__} lacks {missing.args[0]}") from None
            if named or len(given) > len(cls._fields):
                raise TypeError(f"{cls.__name__} has no place for {', '.join(named) or given[-1]}")
            return given + tuple(rest)

        @classmethod
        def _make(cls, items: Any) -> Any:
            return cls(*items)

        def _replace(self, **named: Any) -> Any:
            changed = [named.pop(field, value) for field, value in zip(self._fields, self, strict=True)]
            return type(self)(*changed, **named)

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            items = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({items})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)
