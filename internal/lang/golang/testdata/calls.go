package calls

import (
	"net/http"
	yaml "gopkg.in/yaml.v3"
	"github.com/mattn/go-isatty"
	"github.com/json-iterator/go"
	"example.com/strange/name"
)

type Client struct {
	hc   *http.Client
	do   func(r *http.Request) (*Client, error)
	list []Client
	byID map[int]*Client
	ch   chan Client
}

func New() *Client { return &Client{list: make([]Client, 1), byID: map[int]*Client{1: {}}} }

func (c *Client) Do(r *http.Request, opts ...func(*Client)) (*http.Response, error) {
	c.hc.Do(r)
	c.do(r)
	New().Do(r)
	New().list[0].Do(r)
	c.byID[1].hc.Get("x")
	(<-c.ch).Do(nil)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	go func(c *Client) { c.Do(r) }(c)
	f := c.Do
	f(r)
	g := (*Client).Do
	g(c, r)
	func() *Client { return c }().Do(r)
	handlers := []func(){func() {}}
	handlers[0]()
	opts[0](c)
	curry()()(1)
	yaml.Unmarshal(nil, nil)
	isatty.IsTerminal(0)
	jsoniter.Marshal(nil)
	weird.Name()
	free.Member.Name()
	unknown(New().hc).Do()
	next, _ := c.do(r)
	next.Do(r)
	copied := append([]*Client(nil), c)
	copied[0].Do(r)
	p := new(Client)
	p.Do(r)
	q := &p.list[0]
	(*q).Do(r)
	(*Client)(nil).Do(r)
	s := string([]byte("x")) + http.MethodGet
	n := len(s) + 1
	b := n > 1 && s == "a" || !true
	m := min(n, 2)
	_, _, _ = b, m, 1.5i
	return resp, nil
}

func curry() func() func(int) { return nil }

type ID int

func (i ID) Client() *Client { return nil }

type set map[ID]bool

const one ID = 1

var known = set{one: true}
var other = Other{one: true, Name: New()}
var deep = [][]Client{{{do: nil}}, {}}
var conv = ID(1).Client().list
var anonymous = struct{ A, B *Client }{A: New()}

func use() {
	anonymous.A.Do(nil)
	tests := []struct {
		name string
		c    *Client
	}{
		{"a", New()},
		{name: "b", c: nil},
	}
	for _, tt := range tests {
		tt.c.Do(nil)
	}
	var w interface{ Unwrap() *Client }
	w.Unwrap().Do(nil)
}
