import type { Base, Other as O } from "./base";
import * as ns from "./ns";
import def, { type T1 } from "pkg";

type Alias = Base;
type Obj = { a: string; m(x: Base): O; readonly r?: ns.Inner.Deep } & Base;
type Fn = <T extends Base>(arg: T, ...rest: T[]) => Promise<T>;
type Gen<K extends string, V = Base> = { [P in K]: V };
type Same<T> = { readonly [P in keyof T]?: T[P] };
type Cond<T> = T extends Array<infer U extends Base> ? U : T extends (a: infer A) => infer R ? [A, R] : never;
type Lit = "a" | 1 | null | Base | undefined;
type Tpl = `x-${Lit}`;
type Imp = import("./base").Base<string>;
type Whole = typeof import("./ns");
type Ret = ReturnType<typeof make>;
type Inst = InstanceType<typeof Cls>;
type Idx = Obj["a"] | Base[number] | Base["x"]["y"];
type Tup = [a: Base, b?: O, ...rest: Base[]];

interface Shape<T> extends Base, ns.Shape<T> {
  (call: T): Base;
  new (x: T): Shape<T>;
  [key: string]: unknown;
  prop: T;
  opt?: O;
  method<U>(u: U): U;
  get got(): Base;
  set got(v: Base);
  fn: (a: Base) => O;
  "quoted-name": T;
  [Symbol.iterator](): Iterator<T>;
}
interface Shape<T> {
  merged: T;
}

declare class Cls<T> extends ns.Parent<T> implements Shape<T>, O {
  field: T;
  constructor(x: T);
}

function make(): Base;
function make(x: string): O;
function make(x?: string): any {
  return x as unknown as Base;
}
function isBase(x: unknown): x is Base {
  return true;
}
function asserts(x: unknown): asserts x is O {}
async function load(id: string): Promise<Base> {
  const a = await fetchIt(id);
  return a;
}
async function infer() {
  return new Cls<string>();
}
function* gen() {
  yield new Cls();
  yield* other;
}
const assertion = <Base>(<unknown>x);
const sat = { k: 1 } satisfies Obj;
const tuple = [make(), def] as const;
let map: Map<string, Base> = new Map();
let set = new Set<Base>();
let nullable: Base | null = null;
let fnTyped: Fn = (arg) => arg.foo();
let query: typeof ns.value;
abstract class Abs {
  abstract am(): Base;
  protected abstract readonly ap: O;
  self(): this {
    return this;
  }
}
