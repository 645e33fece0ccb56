const helper = require("./helper");
function a() {}
module.exports = {
  a,
  renamed: helper.b,
  direct: helper,
  method() {
    return this.arrow() + a();
  },
  arrow: () => helper(),
  nested: { deep() {} },
  sub: require("./sub"),
  ...require("./all"),
};
