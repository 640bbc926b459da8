package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
)

// Limits of a request's head, the same as Kestrel's. net/http itself answers 431
// to a head with too many bytes.
const (
	mostHeaderBytes  = 32 << 10
	mostHeaderFields = 100
)

// boundHeaders refuses requests with too many header fields.
func (s *Server) boundHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields := 0
		for _, values := range r.Header {
			fields += len(values)
		}
		if fields > mostHeaderFields {
			w.Header().Set("Connection", "close") // or dropRest would hold the headers while it reads the body
			s.answerFailure(w, r, errFields(fields))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func errFields(got int) error {
	return domain.Errorf(domain.TypeError, "headers: want at most %d fields, got %d", mostHeaderFields, got).WithCause(errManyHeaders)
}

// single returns the value of a header; empty: there is none. It refuses a header
// that came twice, as a proxy may read the other value.
func single(header http.Header, name string) (string, error) {
	if values := header[name]; len(values) > 1 {
		return "", domain.Errorf(domain.TypeError, "%s: it came %d times; send it once", name, len(values))
	}
	return header.Get(name), nil
}

// wholeKey matches a text that may be an API key.
var wholeKey = regexp.MustCompile(fmt.Sprintf(`^[0-9A-Za-z]{%d}$`, domain.APIKeyLength))

// checkQuery refuses a key or PIN in the query, which proxies log and browsers keep.
func checkQuery(query string) error {
	for pair := range strings.FieldsFuncSeq(query, func(c rune) bool { return c == '&' || c == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		if whole, err := url.QueryUnescape(name); err == nil {
			name = whole
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if wholeKey.MatchString(value) || wholeKey.MatchString(name) {
			name = parameters.APIKey
		}
		if name == parameters.APIKey || name == parameters.PIN {
			return domain.Errorf(domain.TypeError, "%s: send it in the body, not in the address, which servers and proxies log; take it for known by now and have it replaced", name)
		}
	}
	return nil
}
