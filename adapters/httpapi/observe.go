package httpapi

import (
	"io"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// Exchange is a request that was answered.
type Exchange struct {
	Route  string // the pattern that matched, such as /photos/*; "(other)": none
	Status int
	Took   time.Duration
	IsCall bool           // to UpdatePath, by any method
	Answer usecase.Answer // of a call
	Err    error          // what the answer says went wrong; nil: nothing
}

// InflightBytes returns how many bytes are held for request bodies now.
func (s *Server) InflightBytes() int64 { return s.bodies.held.Load() }

// countedBody counts the bytes that are read from a body.
type countedBody struct {
	io.ReadCloser
	read int64
}

// Read implements io.Reader.
func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.read += int64(n)
	return n, err
}

// firstCharacters returns text without what isn't UTF-8 and at most so many
// characters of it.
func firstCharacters(text string, most int) string {
	valid := strings.ToValidUTF8(text, "")
	for i := range valid {
		if most == 0 {
			return valid[:i]
		}
		most--
	}
	return valid
}
