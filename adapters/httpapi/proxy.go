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

// The headers by which a proxy says where a request came from.
const (
	forwardedFor   = "X-Forwarded-For"
	forwardedProto = "X-Forwarded-Proto"
	forwardedHost  = "X-Forwarded-Host"
	forwarded      = "Forwarded" // RFC 7239
)

// Proxies are the addresses of proxies that are believed when they say where a
// request came from.
type Proxies []netip.Prefix

// ParseProxies reads addresses and CIDRs with commas between them. Nothing is nobody.
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

// trusted says whether addr, as unified returns it, is one of the proxies.
func (p Proxies) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}

// origin is where a request came from, as far as it is believed.
type origin struct {
	client netip.Addr // the zero Addr: unknown
	scheme string     // http or https
	host   string     // as in a Host header
}

type originKey struct{}

// clientAddr returns the address of the caller: of the connection or, behind
// trusted proxies, what they say. It is the zero Addr where it is unknown.
func clientAddr(r *http.Request) netip.Addr { return originOf(r).client }

// clientName is clientAddr as logs have it; empty: unknown.
func clientName(r *http.Request) string {
	if addr := clientAddr(r); addr.IsValid() {
		return addr.String()
	}
	return ""
}

// originOf returns what tellOrigin found out, or what the connection says.
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

// tellOrigin finds out where a request came from. Of untrusted addresses it
// warns once, as a proxy may be missing from the setting.
func (s *Server) tellOrigin(next http.Handler) http.Handler {
	var warned sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		direct := originOf(r)
		found := direct
		switch name := forwardedBy(r.Header); {
		case name == "": // nobody says anything
		case s.TrustedProxies.trusted(direct.client):
			found = s.TrustedProxies.origin(direct, r.Header)
		default:
			warned.Do(func() {
				s.Logger.WarnContext(r.Context(), "a request came with a header of proxies, from an address that is none of FLEETPHOTO_TRUSTED_PROXIES; such headers are ignored. If a proxy of yours is there, add it",
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
// empty: there is none. Forwarded comes last: most proxies that don't write it
// pass on a caller's, so it is ignored where one of the others is there.
func forwardedBy(header http.Header) string {
	for _, name := range []string{forwardedFor, forwardedProto, forwardedHost, forwarded} {
		if len(header[name]) > 0 {
			return name
		}
	}
	return ""
}

// origin returns where a request came from that a trusted proxy passed on.
func (p Proxies) origin(direct origin, header http.Header) origin {
	if forwardedBy(header) == forwarded {
		client, said := p.walk(direct.client, header[forwarded], func(element string) string { return parameter(element, "for") })
		return origin{client, knownScheme(parameter(said, "proto"), direct.scheme), knownHost(parameter(said, "host"), direct.host)}
	}
	client, _ := p.walk(direct.client, header[forwardedFor], strings.TrimSpace)
	return origin{client, knownScheme(last(header[forwardedProto]), direct.scheme), knownHost(last(header[forwardedHost]), direct.host)}
}

// walk goes through the hops of a header from the right, and returns the
// client's address and element. Each hop was written by the proxy that the one
// right of it names: the first who isn't trusted is the client, and what stands
// left of it is only claimed. What is no address ends the walk, and the proxy
// that wrote it counts.
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

// cutLast cuts a list at its last comma outside quotation marks. It reads from the
// right: marks that a caller left open must not swallow what a proxy added.
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

// parameter returns the value of a parameter of an element of Forwarded.
func parameter(element, name string) string {
	for pair := range strings.SplitSeq(element, ";") {
		if key, value, found := strings.Cut(pair, "="); found && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// last returns the last value of a header that is a list: what the nearest proxy wrote.
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

// hopAddr reads the address of a hop, with a port or without; the zero Addr
// where there is none, as in "unknown" and "_hidden".
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

// socketAddr reads the address of a connection, such as an http.Request's RemoteAddr.
func socketAddr(hostPort string) netip.Addr {
	addr, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return unified(addr.Addr())
}

// unified is the one form of an address: IPv4 as such, and without a zone,
// which is this machine's name for a network.
func unified(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
