"""isinstance and match."""


class A:
    kind: str
    def a(self): ...


class B:
    def b(self): ...


def conditions(x, y, self_like):
    if isinstance(x, A):
        x.a()
    elif isinstance(x, (B, A)):
        x.b()
    else:
        x.c()
    x.d()
    if isinstance(x, A) and x.a():
        x.a()
    if isinstance(x, A) or x.unknown():
        x.unknown()
    if not isinstance(y.z, B):
        return
    y.z.b()
    y.z = None
    y.z.unknown()
    assert isinstance(x, A)
    x.a()

    def nested():
        return x.unknown()

    x = y
    x.unknown()
    z = x.a() if isinstance(x, A) else x.unknown()
    while isinstance(x, B):
        x.b()
    return [v.a() for v in y if isinstance(v, A)], z, nested, not isinstance(x, A) or x.a()


def patterns(command, point):
    match command:
        case A(kind="k", a=method) as whole if whole.a():
            command.a()
            method()
        case [first, *rest]:
            return first, rest
        case {"key": value, **others}:
            return value, others
        case A() | B():
            command.a()
        case (1 | 2) as number:
            return number
        case str() | None | -1 | "text" | point.origin:
            pass
        case other:
            return other
    match command, point:
        case A(), B() as b:
            b.b()
        case _:
            pass
