package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// The headers in which a proxy says where a request came from.
const (
	forwardedFor   = "X-Forwarded-For"
	forwardedProto = "X-Forwarded-Proto"
	forwardedHost  = "X-Forwarded-Host"
	forwarded      = "Forwarded" // RFC 7239
)

// Proxies are the addresses of trusted proxies: their word on where a request came
// from is believed.
type Proxies []netip.Prefix

// ParseProxies parses a comma-separated list of addresses and CIDRs. An empty list
// means no proxies.
func ParseProxies(list string) (Proxies, error) {
	if list == "" {
		return nil, nil
	}
	var proxies Proxies
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		prefix, err := netip.ParsePrefix(item)
		if addr, addrErr := netip.ParseAddr(item); addrErr == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
		}
		switch {
		case err != nil || prefix.Addr().Is4In6():
			return nil, fmt.Errorf("want addresses or CIDRs such as 10.0.0.0/8, 2001:db8::7 with commas between them, got %q", item)
		case prefix != prefix.Masked():
			return nil, fmt.Errorf("%s has bits beyond its length; write %s, or the address alone", item, prefix.Masked())
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

// trusted reports whether addr, in the form that unified returns, is a proxy's.
func (p Proxies) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}

// origin is where a request came from, and the address it was sent to.
type origin struct {
	client netip.Addr // the zero Addr: unknown
	scheme string     // http or https
	host   string     // as in a Host header
}

type originKey struct{}

// clientAddr returns the caller's address: the connection's or, behind trusted
// proxies, the one they name. The zero Addr: unknown.
func clientAddr(r *http.Request) netip.Addr { return originOf(r).client }

// clientName returns clientAddr as text; empty: unknown.
func clientName(r *http.Request) string {
	if addr := clientAddr(r); addr.IsValid() {
		return addr.String()
	}
	return ""
}

// originOf returns the origin that tellOrigin stored, or that of the connection.
func originOf(r *http.Request) origin {
	if known, ok := r.Context().Value(originKey{}).(origin); ok {
		return known
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return origin{client: socketAddr(r.RemoteAddr), scheme: scheme, host: r.Host}
}

// tellOrigin stores the origin that trusted proxies report in the request's context.
// It warns, once, about such headers from an untrusted address: a proxy may be
// missing from the setting.
func (s *Server) tellOrigin(next http.Handler) http.Handler {
	var warned sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		direct := originOf(r)
		found := direct
		switch name := forwardedBy(r.Header); {
		case name == "":
		case s.TrustedProxies.trusted(direct.client):
			found = s.TrustedProxies.origin(direct, r.Header)
		default:
			warned.Do(func() {
				s.Logger.WarnContext(r.Context(), "a request from an address outside FLEETPHOTO_TRUSTED_PROXIES has a proxy's header; such headers are ignored. If the address is your proxy's, add it",
					slog.String("header", name), slog.String("from", direct.client.String()))
			})
		}
		if found != direct {
			r = r.WithContext(context.WithValue(r.Context(), originKey{}, found))
		}
		next.ServeHTTP(w, r)
	})
}

// forwardedBy returns the name of a header that says where a request came from;
// empty: there is none. Forwarded counts only without the others: a proxy that writes
// those mostly passes on the Forwarded that a caller made up.
func forwardedBy(header http.Header) string {
	for _, name := range []string{forwardedFor, forwardedProto, forwardedHost, forwarded} {
		if len(header[name]) > 0 {
			return name
		}
	}
	return ""
}

// origin returns the origin of a request that came from a trusted proxy.
func (p Proxies) origin(direct origin, header http.Header) origin {
	if forwardedBy(header) == forwarded {
		client, said := p.walk(direct.client, header[forwarded], func(element string) string { return parameter(element, "for") })
		return origin{client, knownScheme(parameter(said, "proto"), direct.scheme), knownHost(parameter(said, "host"), direct.host)}
	}
	client, _ := p.walk(direct.client, header[forwardedFor], strings.TrimSpace)
	return origin{client, knownScheme(last(header[forwardedProto]), direct.scheme), knownHost(last(header[forwardedHost]), direct.host)}
}

// walk goes through the hops of a header from right to left and returns the client's
// address and the last element that it read. Each element was written by the proxy
// that the element to its right names. So the first address that isn't trusted is the
// client's, and anything further left may be made up. At an element without an address
// the walk ends, and the proxy that wrote it counts as the client.
func (p Proxies) walk(from netip.Addr, lines []string, addressIn func(element string) string) (client netip.Addr, said string) {
	rest := strings.Join(lines, ",")
	for more := true; more && p.trusted(from); {
		var element string
		rest, element, more = cutLast(rest)
		if strings.TrimSpace(element) == "" {
			continue // lists may have empty elements
		}
		addr := hopAddr(addressIn(element))
		if said = element; !addr.IsValid() {
			break
		}
		from = addr
	}
	return from, said
}

// cutLast cuts a list at its last comma outside quotation marks. It reads from right
// to left, so that a quotation mark that a caller left open can't hide the elements
// that proxies appended.
func cutLast(list string) (before, last string, more bool) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case list[i] == '"':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			return list[:i], list[i+1:], true
		}
	}
	return "", list, false
}

// parameter returns a parameter of an element of Forwarded; empty: it has none.
func parameter(element, name string) string {
	for pair := range strings.SplitSeq(element, ";") {
		if key, value, found := strings.Cut(pair, "="); found && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// last returns the last element of a header's list: that of the nearest proxy.
func last(lines []string) string {
	_, value, _ := cutLast(strings.Join(lines, ","))
	return strings.TrimSpace(value)
}

func knownScheme(said, otherwise string) string {
	if said = strings.ToLower(said); said == "http" || said == "https" {
		return said
	}
	return otherwise
}

// hopAddr parses the address of a hop, with or without a port. It returns the zero
// Addr if there is none, as in "unknown" and "_hidden".
func hopAddr(text string) netip.Addr {
	if inner, found := strings.CutPrefix(text, "["); found {
		text, _, found = strings.Cut(inner, "]")
		if !found {
			return netip.Addr{}
		}
	} else if strings.Count(text, ":") == 1 {
		text, _, _ = strings.Cut(text, ":")
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.IsUnspecified() {
		return netip.Addr{}
	}
	return unified(addr)
}

// socketAddr parses the address of a connection, such as an http.Request's RemoteAddr.
func socketAddr(hostPort string) netip.Addr {
	addr, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return unified(addr.Addr())
}

// unified returns an address in its one form: IPv4 not mapped to IPv6, and without a
// zone, which only this machine knows.
func unified(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
