/// <reference path="other.d.ts" />
/// <reference types="node" />
import "./side-effect";
import def from "./default";
import def2, * as all from "./both";
import { a, b as c, default as d, type T, "string name" as s } from "./named";
import type { U } from "./types";
import data from "./data.json" with { type: "json" };
import cjs = require("./cjs");
import alias = all.inner.thing;
export import re = all.again;
import {} from "./empty";

export { a, c as renamed, T };
export { x, y as default, z as "quoted" } from "./reexport";
export * from "./star";
export * as ns from "./nsreexport";
export type { V } from "./typeonly";
export const one = def(), two = def2.x;
export const { p, q: [r] } = all;
export function fn() {
  return import("./dynamic").then((m) => m.run());
}
export async function lazy() {
  const { run } = await import("./dynamic2");
  run();
  const m = await import(`./dynamic3`);
  m.go();
  await import(computed);
}
export abstract class C {}
export enum E {}
export namespace N {
  export const inside = 1;
}
export interface I {}
export type A = string;
export declare const ambient: number;
declare module "ambient" {
  import { q } from "inner";
  export function f(): q;
  export default f;
}
declare global {
  interface Window {
    app: C;
  }
}
cjs.run(alias.x, data, d, s, re);
later();
function later() {}
export { later };
