package main

// methods are the lines of the table, each in its order.
func methods() []Method {
	return []Method{&whole{}}
}
