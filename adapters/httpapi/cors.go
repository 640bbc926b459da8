package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rs/cors"
)

// anyOrigin means every origin.
const anyOrigin = "*"

// corsMaxAge is how many seconds a browser may cache a preflight's answer.
const corsMaxAge = 600

// ParseOrigins parses the origins whose pages may call the API: "*" for all, or
// a comma-separated list of exact origins such as https://app.example.com.
func ParseOrigins(list string) ([]string, error) {
	if strings.TrimSpace(list) == anyOrigin {
		return []string{anyOrigin}, nil
	}
	var origins []string
	for item := range strings.SplitSeq(list, ",") {
		origin := strings.TrimSpace(item)
		if err := checkOrigin(origin); err != nil {
			return nil, err
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

// checkOrigin accepts an origin only as browsers write it: any other spelling
// would never match.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	switch {
	case err != nil || u.User != nil: // not echoed, as it may hold a password
		return errors.New("want * alone, or origins such as https://app.example.com with commas between them")
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", strings.Contains(u.Host, anyOrigin), origin != u.Scheme+"://"+u.Host:
		return fmt.Errorf("want * alone, or origins such as https://app.example.com, without a path, with commas between them; got %q", origin)
	case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
		return fmt.Errorf("browsers leave out the port that goes without saying; write %s://%s, got %q", u.Scheme, u.Hostname(), origin)
	case origin != strings.ToLower(origin):
		return fmt.Errorf("browsers write origins in small letters; write %s, got %q", strings.ToLower(origin), origin)
	}
	return nil
}

// allowOrigins lets pages of these origins call the API and read its answers,
// without credentials such as cookies, which no call has. All request headers are
// allowed: the server ignores those that a page's libraries add.
func allowOrigins(origins []string) func(http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost},
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{"Retry-After"},
		MaxAge:         corsMaxAge,
	}).Handler
}
