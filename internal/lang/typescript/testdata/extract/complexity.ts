function flat(a, b) {
  if (a && b || a) return 1;
  else if (b) return 2;
  else return 3;
}
function nested(xs) {
  for (const x of xs) {
    while (x) {
      if (x ?? y) continue;
    }
  }
  switch (xs) {
    case 1:
    case 2:
      return xs ? 1 : xs.length ? 2 : 3;
    default:
  }
  try {
  } catch {
    xs.map((x) => (x ? 1 : 2));
  }
  do {} while (xs);
  outer: for (;;) break outer;
}
const value = compute(() => (value ? 1 : 2));
class Empty {}
