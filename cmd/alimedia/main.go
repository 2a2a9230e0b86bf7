// Alimedia is the command line of the SDK: uploads, and the operations of
// ApsaraVideo VOD and Intelligent Media Services.
package main

import (
	"os"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
