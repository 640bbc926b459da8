// Command lint-release fails when the file that it is given isn't a
// configuration as GoReleaser reads it. Its module is apart: what checks one
// file has no say in the versions that fleetphoto is made of.
package main

import (
	"log"
	"os"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
)

func main() {
	log.SetFlags(0)
	path := os.Args[1]
	project, err := config.Load(path)
	if err != nil {
		log.Fatalf("%s: %v", path, err)
	}
	if project.Version != 2 {
		log.Fatalf("%s: want version: 2, got %d", path, project.Version)
	}
}
