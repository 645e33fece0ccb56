package crlf

// Doc is here.
type A struct {
	B int // after
}

var é, 世界 = "ü", A{}

func f() { _ = 世界.B }
