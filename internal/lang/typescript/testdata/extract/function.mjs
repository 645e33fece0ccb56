export default function () {}
const api = {
  get(id) {
    return this.find(id);
  },
  find: async (id) => store.load(id),
  nested: { run() {}, value: 1 },
  get size() {
    return 1;
  },
  shorthand,
  "quoted key": 1,
  ...spread(),
};
api.get(1);
api.nested.run();
export { api };
for await (const chunk of stream) chunk.go();
(function () {
  const local = 1;
  function Inner() {}
  Inner.prototype.go = function () {};
})();
(() => api)().get();
tag`x ${api}`;
const { get, nested: { run } } = api;
x = y = new api.Thing();
[x, { a: y.b }] = [1, 2];
a?.b?.[c]?.(d);
f()();
delete api.x;
x += 1;
x ??= api;
x++;
eval("1");
