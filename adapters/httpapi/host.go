package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ParseHosts reads host names with commas between them. Nothing is any.
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

// hostName returns the name in a Host header, as ParseHosts has it.
func hostName(host string) string {
	name := strings.ToLower((&url.URL{Host: host}).Hostname())
	if strings.Contains(name, ":") {
		return "[" + name + "]" // IPv6
	}
	return strings.TrimSuffix(name, ".")
}

// checkHost refuses requests to hosts that this server doesn't answer under.
func (s *Server) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := originOf(r).host; !slices.Contains(s.Hosts, hostName(host)) {
			s.answerFailure(w, r, errHost(host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knownHost returns said where it is a host, with a port or without.
func knownHost(said, otherwise string) string {
	if u, err := url.Parse("//" + said); err == nil && said != "" && u.Host == said {
		return said
	}
	return otherwise
}

func errHost(got string) error {
	return domain.Errorf(domain.NotFound, "Host: this server doesn't answer under %q; send the call to the host name that the operator gave you", clip(got)).WithCause(errMisdirected)
}
