"""Classes and what they hold."""
import abc
import enum
import functools
from collections import namedtuple
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol, TypedDict, overload


class Base(abc.ABC):
    kind = "base"
    __slots__ = ("a", "b")
    count: int = 0
    """How many there are."""

    def __init__(self, name: str, other=None):
        self.name = name
        self._other = other
        self.__hidden = []
        self.child: "Base" = None
        self.helper = Helper()
        self.first, self.second = 1, Helper()
        self.kind = "instance"
        self.label = "x"
        self.prop = 1
        super().__init__()

    @property
    def label(self) -> str:
        return self.name

    @label.setter
    def label(self, value):
        self._label = value

    @functools.cached_property
    def prop(self):
        return Helper()

    @staticmethod
    def build(a):
        return Base(a)

    @classmethod
    def create(cls, *args):
        cls.instances = []
        made = cls(*args)
        made.helper.run()
        return made

    @abc.abstractmethod
    def work(self): ...

    async def fetch(self):
        return self

    def twice(self):
        self.helper.run()
        self.prop.run()
        self.label.upper()
        return self.fetch().twice()

    def __getattr__(self, name):
        raise AttributeError(name)


class Helper:
    def run(self):
        def inner():
            return self.run()
        return inner


class Derived(Base, metaclass=abc.ABCMeta):
    """Derived from Base."""

    def __init__(self):
        super().__init__("d")
        super(Derived, self).work()
        Base.__init__(self, "d")
        self.late = self.create().helper
        self.name = "inherited"
        self.label = self.helper = None

    def work(self):
        return type(self)(), self.__class__.build(1), self.late.run()

    class Meta:
        ordering = ["name"]


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)
    zero: ClassVar["Point"] = None


class Row(NamedTuple):
    id: int
    value: str = ""


class Movie(TypedDict, total=False):
    title: str


Pair = namedtuple("Pair", "left right")
Triple = namedtuple("Triple", ["a", "b", "c"])


class Color(enum.Enum):
    RED = 1
    GREEN = enum.auto()
    _ignore_ = []

    def show(self):
        return Color.RED.name, self.GREEN


class Shape(Color):
    ROUND = 1


class Reader(Protocol):
    def read(self, n: int) -> bytes: ...


class Many:
    @overload
    def get(self, a: int) -> int: ...
    @overload
    def get(self, a: str) -> str: ...
    def get(self, a):
        return a


def use(p: Point, c: Color, pair: Pair):
    """Use them."""
    p.x, p.tags[0], Point.zero, pair.left, Many().get(1)
    Color.RED.show()
    Color["RED"].show()
    p.x = 1
    del p.y
