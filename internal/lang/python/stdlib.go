package python

import "strings"

// standardModules are the top-level modules of Python 3.13's own library.
const standardModules = "" +
	"__future__ _abc _aix_support _ast _asyncio _bisect _bootsubprocess _codecs _collections _collections_abc _colorize _compat_pickle _compression " +
	"_contextvars _csv _ctypes _curses _datetime _decimal _elementtree _frozen_importlib _frozen_importlib_external _functools _hashlib _heapq _imp " +
	"_interpreters _io _json _locale _lsprof _markupbase _md5 _multiprocessing _opcode _operator _osx_support _pickle _posixshmem _posixsubprocess " +
	"_pydecimal _pyio _queue _random _scproxy _sha1 _signal _sitebuiltins _socket _sqlite3 _sre _ssl _stat _statistics _string _strptime _struct " +
	"_symtable _sysconfigdata _testcapi _thread _threading_local _tkinter _tracemalloc _typeshed _uuid _warnings _weakref _weakrefset _winapi _winreg " +
	"_zoneinfo abc antigravity argparse array ast asyncio atexit base64 bdb binascii bisect builtins bz2 cProfile calendar cmath cmd code codecs " +
	"codeop collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg csv ctypes curses dataclasses datetime dbm " +
	"decimal difflib dis doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc " +
	"genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib importlib inspect io ipaddress itertools " +
	"json keyword linecache locale logging lzma mailbox marshal math mimetypes mmap modulefinder msvcrt multiprocessing netrc nt ntpath nturl2path " +
	"numbers opcode operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd " +
	"py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors " +
	"shelve shlex shutil signal site smtplib socket socketserver sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep " +
	"struct subprocess symtable sys sysconfig syslog tabnanny tarfile tempfile termios textwrap this threading time timeit tkinter token tokenize " +
	"tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uuid venv warnings wave weakref webbrowser " +
	"winreg winsound wsgiref xml xmlrpc zipapp zipfile zipimport zlib zoneinfo "

// formerModules are those that older versions had. A module of the repository
// that has such a name is more likely meant.
const formerModules = "" +
	"BaseHTTPServer Bastion CGIHTTPServer ConfigParser Cookie DocXMLRPCServer HTMLParser MimeWriter Queue ScrolledText SimpleHTTPServer " +
	"SimpleXMLRPCServer SocketServer StringIO Tix Tkinter UserDict UserList UserString __builtin__ aifc anydbm asynchat asyncore audioop binhex " +
	"cPickle cStringIO cgi cgitb chunk commands compiler cookielib copy_reg crypt dbhash dircache distutils dl dumbdbm dummy_thread dummy_threading " +
	"exceptions formatter fpformat gdbm hotshot htmlentitydefs htmllib httplib ihooks imghdr imp lib2to3 macpath mailcap md5 mhlib mimetools mimify " +
	"msilib multifile mutex new nis nntplib ossaudiodev parser pipes popen2 posixfile rexec rfc822 robotparser sets sgmllib sha smtpd sndhdr spwd " +
	"statvfs strop sunau symbol telnetlib thread tkColorChooser tkFileDialog tkMessageBox tkSimpleDialog urllib2 urlparse user uu whichdb xdrlib " +
	"xmlrpclib "

// words is the set of the words of a text.
func words(text string) map[string]bool {
	list := strings.Fields(text)
	set := make(map[string]bool, len(list))
	for _, name := range list {
		set[name] = true
	}
	return set
}
