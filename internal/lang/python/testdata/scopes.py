"""Every rule of Python's scopes."""
import os

limit = 10
name = "module"


class Outer:
    name = "class"
    doubled = name * 2
    items = [name for _ in range(limit)]
    first = [n for n in name]

    def method(self, name=name):
        return name

    def hidden(self):
        return name  # the module's

    class Inner:
        up = name  # the module's
        alias = limit


class Early:
    before = shadow
    shadow = 1
    after = shadow


shadow = 0


def counter():
    total = 0

    def add(n):
        nonlocal total
        total += n
        return total

    def reset():
        global limit
        limit = 0
        return total

    return add, reset


def made_global():
    global created
    created = os.getcwd()


def reader():
    return created, limit


def late():
    def use():
        return later

    later = 1
    return use


def comprehensions(rows):
    x = "outer"
    squares = [x * y for x in rows for y in range(x)]
    table = {k: v for k, v in rows if k if v}
    gen = (z for z in rows if (last := z))
    return x, squares, table, gen, last


def binders(path):
    with open(path) as f, path as (a, b):
        f.read()
    try:
        pass
    except ValueError as error:
        print(error)
    except (KeyError, OSError) as error:
        raise error
    for i, (j, *rest) in enumerate(path):
        print(i, j, rest)
    else:
        del i
    while (chunk := f.read()):
        print(chunk)
    return lambda q, *r, s=a, **t: (q, r, s, t, b)


def default_is_outside(limit=limit, f=lambda: limit):
    return limit, f


if os.name == "nt":
    def choose(): return 1
else:
    def choose(): return 2

try:
    import fast as impl
except ImportError:
    impl = None

try:
    from a import codec
except ImportError:
    from b import codec


def choices():
    return choose(), impl.run(), codec.encode()


def wrap(f): return f


codec = wrap(codec)


@wrap
def decorated(): return decorated


x = y = 1
p, (q, [r]) = s = 1, (2, [3])
p = 2
x += 1
for step in range(3):
    pass
[walrus := step]
print(walrus, __name__, undefined_name)
