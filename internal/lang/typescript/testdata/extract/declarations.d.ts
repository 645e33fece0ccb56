export = Lib;
export as namespace LibGlobal;
declare function Lib(x: string): Lib.Result;
declare function Lib(x: number): Lib.Result;
declare namespace Lib {
  interface Result {
    /** @deprecated use other */
    old: string;
    other: Options;
  }
  interface Options extends Result {}
  const version: string;
  function helper(): void;
  class Inner {
    private constructor();
    static of<T>(x: T): Inner;
  }
}
