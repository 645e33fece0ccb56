exports = module.exports = createApplication;
var app = exports.app = module.exports.proto = {};
app.init = function init() {
  this.handle();
};
app.handle = function handle() {};
function createApplication() {
  return app.init();
}
