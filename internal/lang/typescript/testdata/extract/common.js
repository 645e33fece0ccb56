"use strict";
const fs = require("fs");
const { join, resolve: res } = require("path");
const EventEmitter = require("events").EventEmitter;
const run = require("./run")(fs);
let late;
if (fs) late = require("./late");

function Animal(name) {
  EventEmitter.call(this);
  this.name = name;
  this.speak();
}
Animal.prototype = Object.create(EventEmitter.prototype);
Animal.prototype.speak = function () {
  return this.name + this.walk();
};
Animal.prototype.walk = () => 1;
Animal.create = function (n) {
  return new this(n);
};
Animal.defaults = { legs: 4 };

/**
 * @param {string} a
 * @param {Animal} b the animal
 * @returns {Promise<Animal>}
 */
function documented(a, b) {
  return b.speak();
}
/** @type {Animal} */
var typed = make();
/** @typedef {{ id: number, owner: Animal }} Record */
/** @type {Record} */
let record;
record.owner.speak();

class Modern {
  constructor(dep) {
    this.dep = new Animal(dep);
    this.go = () => this.dep.speak();
    this.dep.speak();
  }
  use() {
    this.go();
    this.other = 1;
  }
}

exports.first = function (x) {
  return helper(x);
};
exports.second = documented;
exports.Third = class {};
exports.value = 42;
module.exports.fourth = async () => exports.first(join(res()));
function helper() {}
exports.none = exports.nothing = void 0;
exports.alias = exports.aliased = helper;
