import { Injectable, Input } from "@angular/core";
import { Service } from "./service";

/** Documented. */
@Injectable({ providedIn: "root" })
export class Widget extends Base implements Paintable {
  @Input() name: string;
  static count = 0;
  readonly size = 3;
  #secret = new Service();
  private cache = new Map<string, Service>();
  items: Service[] = [];
  lazy;
  declare ambient: number;
  accessor acc = 1;
  handler = async (e: Event) => {
    this.items.push(e);
    return this.#secret.run();
  };
  "quoted": string;
  [computed]: number;

  constructor(
    private readonly service: Service,
    public other = new Service(),
    plain: string,
  ) {
    super(plain);
    this.lazy = service;
    this.service.run();
    other.run();
  }

  /** Gets. */
  get value(): Service {
    return this.service;
  }
  set value(v) {
    this.#secret = v;
  }

  // plain comment
  over(a: string): void;
  over(a: number): void;
  over(a: any) {
    return super.over(a);
  }

  static create() {
    return new this(Widget.count, this.count++);
  }
  static {
    this.count = 1;
  }
  async *stream(@Param() p: string) {
    yield this.items;
  }
  private hidden?(): void {}
  for() {
    for (const item of this.items) item.run();
    this.items.map((i) => i.run()).forEach((r) => r.done());
    const { service, value: v } = this;
    service.run();
    v.run();
    this.value.run();
    this["service"].run();
    this[key]();
    this.cache.get("a")?.run();
  }
}

export default class extends mixin(Widget, Other) {
  method() {}
}
export const Anon = class {
  m() {}
};
function mixin(B) {
  return class extends B {
    extra() {
      return this;
    }
  };
}
new (class {
  x = 1;
})();
