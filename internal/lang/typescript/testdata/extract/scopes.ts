import { outer } from "./outer";

var hoisted = before();
function before() {
  return after;
  var after = 1;
}
{
  let block = hoisted;
  const arrow = () => block;
  function inBlock() {}
  arrow(inBlock);
}
for (let i = 0, n = 10; i < n; i++) {
  i;
}
for (const [k, v] of Object.entries(hoisted)) k(v);
for (var looped in hoisted) looped;
looped;
try {
  throw outer;
} catch ({ message, cause: why = message }) {
  why;
} finally {
  let message = 1;
  message;
}
switch (hoisted) {
  case 1:
    let shared = 1;
  default:
    shared;
}
label: for (;;) {
  const label = 2;
  continue label;
}
function params(a: number, { b, c: { d = a } }: { b: string; c: { d: number } }, [e, , ...f] = [a], ...rest: string[]) {
  var a2 = a, b2 = b;
  if (a2) {
    var deep = d;
  }
  return deep + e + f + rest + b2;
}
const fact = function inner(n: number): number {
  return n ? n * inner(n - 1) : 1;
};
inner;
class Named {
  static Named = 1;
  m() {
    return Named;
  }
}
const Expr = class Own {
  self = Own;
};
function shadow(outer = outer2, outer2 = 1) {
  undefined;
  arguments;
  return function (outer: string) {
    return outer;
  };
}
function narrow(x: unknown, y: any) {
  if (x instanceof Named && x.m()) {
    x.m();
  } else {
    x.m();
  }
  if (!(y instanceof Named)) return;
  y.m();
  y = 1;
  y.m();
}
enum E {
  A,
  B = A + 1,
  "c-d" = B,
}
namespace NS {
  export const one = 1;
  const hidden = one;
  export namespace Sub.Deep {
    export type T = typeof one;
  }
}
namespace NS {
  export const two = one;
}
NS.two;
let t: NS.Sub.Deep.T;
typeof unknownName;
