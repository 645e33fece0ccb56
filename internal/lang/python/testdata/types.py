"""What annotations and values say of types."""
import asyncio
import collections.abc
import contextlib
import typing
import typing as t
from typing import (
    Any, Annotated, Awaitable, Callable, Dict, Generic, Iterator, List, Literal, NewType, Optional, Tuple, Type, TypeAlias,
    TypeVar, Union, cast,
)

T = TypeVar("T")
B = TypeVar("B", bound="Node")
UserId = NewType("UserId", int)
Tree: TypeAlias = "Node"
Index = Dict[str, "Node"]
type Forest[X: Node] = list[X]


class Node(Generic[T]):
    value: T
    children: list["Node[T]"]
    parent: Optional["Node"] = None
    by_name: Dict[str, "Node"]
    maybe: Union["Leaf", None]
    either: "Leaf | Node"
    pair: Tuple["Leaf", int]
    many: tuple["Leaf", ...]
    factory: Type["Leaf"]
    callback: Callable[[int, "Leaf"], "Node"]
    note: Annotated["Leaf", "text"]
    mode: Literal["r", "w"]
    anything: Any
    deep: t.Optional[typing.List[collections.abc.Mapping[str, "Leaf"]]]

    def me(self) -> "typing.Self":
        return self

    def copy(self):
        return self

    def walk(self) -> Iterator["Node"]:
        for child in self.children:
            yield child
            yield from child.walk()

    def leaves(self):
        yield Leaf()

    def __enter__(self) -> "Leaf":
        return Leaf()


class Leaf:
    def run(self) -> None: ...


def first(items: List[T]) -> T:
    return items[0]


def bound(b: B, *rest: B, **named: Leaf) -> B:
    rest[0].me()
    named["x"].run()
    return b


def generic[K, V: (int, str) = int](k: K, v: V) -> dict[K, V]: ...


@contextlib.contextmanager
def opened(path):
    yield Leaf()


@contextlib.contextmanager
def declared(path) -> Iterator[Leaf]:
    yield Leaf()


async def later() -> Leaf: ...


async def uses(n: Node, ids: List[UserId]):
    n.parent.run()
    n.children[0].me().copy().value
    n.by_name["a"].copy()
    n.factory().run()
    n.callback(1, Leaf()).copy()
    for leaf in n.leaves():
        leaf.run()
    for i, child in enumerate(n.children):
        child.me()
    for key, node in n.by_name.items():
        node.me()
    for a, b in zip(n.children, [Leaf()]):
        a.me(), b.run()
    with n as entered, opened("x") as o, declared("y") as d, open("z") as f:
        entered.run(), o.run(), d.run(), f.read()
    async with n as m:
        m.x
    (await later()).run()
    one, two = await asyncio.gather(later(), later())
    one.run()
    first(n.children).me()
    x = cast("Leaf", n)
    x.run()
    values = [c.me() for c in n.children]
    values[0].copy()
    table = {"a": Leaf(), "b": Node()}
    table["a"].run()
    table[n]()
    picked = n or Leaf()
    picked.me()
    chosen = Leaf() if n else None
    chosen.run()
    "".join(str(v) for v in values).upper()
    (1).bit_length()
    f"{n.me()!r:>{n.width}} {x.run()}".lower()
    fn = lambda q: Leaf()
    fn(1).run()
    map(lambda c: c.me(), n.children)
    unknown = n.undefined()
    unknown.run()
    unknown = Leaf()
    getattr(n, "me")()
    getattr(n, "m" + "e")()
    for c in reversed(sorted(n.children)):
        c.me()
    return n.copy
