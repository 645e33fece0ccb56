"""What only running tells, and what it costs to read."""


def reflect(x, name):
    getattr(x, name)()
    getattr(x, "literal")()
    setattr(x, "literal", 1)
    setattr(x, name, 1)
    hasattr(x, "maybe")
    globals()["f"]()
    eval("1 + 1")
    exec("x = 1")
    x()()
    x[0]()
    x.y.z()()
    (x or name)()
    (lambda: x)()
    x.y[0].z().w


def __getattr__(name):
    raise AttributeError(name)


def complexity(a, b, c):
    if a and b and c or a:
        for x in b:
            while x:
                if x:
                    continue
                elif a:
                    break
                else:
                    pass
            else:
                pass
    elif not a:
        try:
            pass
        except ValueError:
            if b:
                pass
        else:
            pass
        finally:
            pass
    y = a if b else c
    z = [i for i in a if i if b]
    f = lambda q: q if q else (q and a)
    match a:
        case 1: pass
        case 2 if b: pass
        case _: pass
    with a:
        if c:
            return y, z, f

    def inner():
        if a:
            return 1


def generator():
    if (yield 1):
        return 2


async def agenerator():
    async for x in generator():
        yield x
    return


def deprecated():
    """Old.

    .. deprecated:: 1.0
    """
