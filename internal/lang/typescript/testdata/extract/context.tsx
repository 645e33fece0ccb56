import { create, type Config, type Handler } from "./config";

interface Options {
  onDone(result: Result): void;
  nested: { each: (item: Item) => void }[];
  render?: (row: Row) => unknown;
}
const options: Options = {
  onDone(result) {
    result.use();
  },
  nested: [{ each: (item) => item.use() }],
  render: function (row) {
    return row.use();
  },
};
create({ handle: (request) => request.use(), list: [{ run(x) { x.use(); } }] });
create("name", (a, b) => a.use(b));
function make(): Options {
  return { onDone: (r) => r.use(), nested: [] };
}
const later = async (): Promise<Handler> => (event) => event.use();
const config = { a: (x) => x.use() } satisfies Config;
const cast = { a: (x) => x.use() } as Config;
class Holder {
  handler: Handler = (e) => e.use();
  options: Options = { onDone: (r) => r.use(), nested: [] };
  set(h: Holder) {
    h.handler = (e) => e.use();
  }
}
const view = (
  <Grid<Row> render={(row) => row.use()} columns={[{ cell: (value) => value.use() }]}>
    {(item) => item.use()}
  </Grid>
);
const inline: { a: { b: Item } } = load();
inline.a.b.use();
function literal(p: { item: Item; f(x: Item): Row }) {
  p.item.use();
  p.f(p.item).use();
}
