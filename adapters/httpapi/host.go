package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ParseHosts parses a comma-separated list of host names. An empty list means any
// host.
func ParseHosts(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	var hosts []string
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" || item != hostName(item) || knownHost(item, "") == "" {
			return nil, fmt.Errorf("want host names in small letters such as photos.example.com, without scheme or port, with commas between them; got %q", item)
		}
		hosts = append(hosts, item)
	}
	return hosts, nil
}

// hostName returns the name in a Host header in the form that ParseHosts accepts.
func hostName(host string) string {
	name := strings.ToLower((&url.URL{Host: host}).Hostname())
	if strings.Contains(name, ":") {
		return "[" + name + "]" // IPv6
	}
	return strings.TrimSuffix(name, ".")
}

// checkHost refuses requests for hosts other than the server's own.
func (s *Server) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := originOf(r).host; !slices.Contains(s.Hosts, hostName(host)) {
			s.answerFailure(w, r, errHost(host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knownHost returns said if it is a host, with or without a port, and otherwise
// the second argument.
func knownHost(said, otherwise string) string {
	if u, err := url.Parse("//" + said); err == nil && said != "" && u.Host == said {
		return said
	}
	return otherwise
}

func errHost(got string) error {
	return domain.Errorf(domain.NotFound, "Host: this server doesn't answer under %q; send the call to the host name that the operator gave you", clip(got)).WithCause(errMisdirected)
}
