// Command manito builds and queries code knowledge graphs.
package main

import (
	"os"

	"manito/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
