package python

import "strings"

// distributions tells the names of the packages on the index that provide a
// top-level module, where they differ from it. A module's first one is meant
// when no manifest names any of them.
const distributions = `
Crypto pycryptodome
Cryptodome pycryptodomex
Cython cython
IPython ipython
Levenshtein levenshtein python-levenshtein
MySQLdb mysqlclient
OpenSSL pyopenssl
PIL pillow
PyInstaller pyinstaller
PyQt5 pyqt5
PyQt6 pyqt6
Xlib python-xlib
airflow apache-airflow
apt python-apt
attr attrs
babel babel
bs4 beautifulsoup4
bson pymongo
can python-can
celery celery
cairo pycairo
ckeditor django-ckeditor
compressor django-compressor
consul python-consul
corsheaders django-cors-headers
crispy_forms django-crispy-forms
cv2 opencv-python opencv-python-headless opencv-contrib-python
dateutil python-dateutil
debug_toolbar django-debug-toolbar
decouple python-decouple
discord discord-py
django_filters django-filter
dns dnspython
docx python-docx
dotenv python-dotenv
engineio python-engineio
environ django-environ
faiss faiss-cpu faiss-gpu
fitz pymupdf
flask_cors flask-cors
flask_login flask-login
flask_migrate flask-migrate
flask_sqlalchemy flask-sqlalchemy
gi pygobject
git gitpython
github pygithub
gitlab python-gitlab
gridfs pymongo
grpc grpcio
grpc_status grpcio-status
haystack django-haystack
html5lib html5lib
http_parser http-parser
igraph igraph python-igraph
impala impyla
import_export django-import-export
jose python-jose
jwt pyjwt
kafka kafka-python
keras keras
kombu kombu
ldap python-ldap
lxml lxml
magic python-magic
markdown markdown
markdown_it markdown-it-py
memcache python-memcached
model_utils django-model-utils
mpl_toolkits matplotlib
multipart python-multipart
mypy_boto3_s3 mypy-boto3-s3
nacl pynacl
oauth2_provider django-oauth-toolkit
odf odfpy
pkg_resources setuptools
playhouse peewee
postgres_copy django-postgres-copy
pptx python-pptx
psycopg2 psycopg2 psycopg2-binary
pwnlib pwntools
pylab matplotlib
pymongo pymongo
pytest_asyncio pytest-asyncio
pytest_mock pytest-mock
pywintypes pywin32
regex regex
rest_framework djangorestframework
rest_framework_simplejwt djangorestframework-simplejwt
ruamel ruamel-yaml
rosbag rosbag
scrapy scrapy
serial pyserial
shapely shapely
skimage scikit-image
sklearn scikit-learn
slack_sdk slack-sdk
slugify python-slugify
smbus smbus2
snappy python-snappy
socketio python-socketio
socks pysocks
speech_recognition speechrecognition
sphinx sphinx
sqlalchemy_utils sqlalchemy-utils
storages django-storages
taggit django-taggit
telegram python-telegram-bot
tensorflow tensorflow tensorflow-cpu tensorflow-gpu
tlz toolz
usb pyusb
u2flib_server python-u2flib-server
vlc python-vlc
webob webob
websocket websocket-client
werkzeug werkzeug
win32api pywin32
win32com pywin32
win32con pywin32
wx wxpython
xmlsec xmlsec
yaml pyyaml
zmq pyzmq
zope zope-interface
`

func distributionTable() map[string][]string {
	table := make(map[string][]string, 160)
	for line := range strings.Lines(distributions) {
		if words := strings.Fields(line); len(words) > 1 {
			table[words[0]] = words[1:]
		}
	}
	return table
}

// normal is a distribution's name as the index compares names: lower case, with runs of "-", "_" and "." as one "-".
func normal(name string) string {
	var b strings.Builder
	dash := false
	for _, c := range []byte(name) {
		switch {
		case c == '-' || c == '_' || c == '.':
			dash = b.Len() > 0
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteByte(c)
	}
	return b.String()
}
