package httpapi

import (
	"strings"
)

// shownBase and shownKey stand in the examples for the server's address,
// which the page puts in, and for the caller's key.
const (
	shownBase = "http://localhost:8080"
	shownKey  = "THE_KEY"
)

// example is a whole program that changes a photo. Tests run each of them.
type example struct{ Language, File, Code string }

// examples returns the programs that the documentation shows.
func examples() []example {
	shown := []example{
		{Language: "curl", File: "update.sh"},
		{Language: "Go", File: "update.go.txt"},
		{Language: "TypeScript", File: "update.ts"},
		{Language: "PHP", File: "update.php"},
		{Language: "Python", File: "update.py"},
	}
	for i := range shown {
		code, _ := pageFiles.ReadFile("page/examples/" + shown[i].File) // a test reads each
		shown[i].Code = strings.TrimSpace(string(code))
	}
	return shown
}
