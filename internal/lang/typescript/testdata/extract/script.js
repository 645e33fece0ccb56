var App = App || {};
function globalFn() {
  return document.title;
}
App.start = function () {
  globalFn();
  window.App.start();
};
var jQueryPlugin = (function ($) {
  return $.fn;
})(jQuery);
App.util = {};
App.later = () => App.start();
