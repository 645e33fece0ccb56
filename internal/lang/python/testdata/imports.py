"""Imports and what a module exports."""
from __future__ import annotations

import os, sys as system
import xml.etree.ElementTree
import xml.dom.minidom as dom
from . import sibling
from .sibling import (one, two as deux,)
from ..above import thing
from .star import *
from . import *
from pkg import submodule

from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from models import Model

try:
    import ujson as json
except ImportError:
    import json

import importlib
from importlib import import_module

plugin = importlib.import_module("plugins.first")
local = import_module(".second", package=__package__)
late = __import__("a.b")
computed = import_module(plugin.name)

__all__ = ["one", "deux", "from_star", "Public"]
__all__ += sibling.__all__
__all__.extend(["late"])


def inside():
    import socket
    from os import path as p
    return socket.socket(), p.join("a", "b")


class Public:
    from .mixin import attached
    import re

    def use(self, m: Model):
        return self.attached(), self.re, xml.etree.ElementTree.parse(m), dom.parse(m)


def _private():
    return os.path, system.path, submodule.f(), one(), deux(), thing, json.loads
