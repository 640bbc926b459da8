package httpapi

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// repeated returns a header that makes the walk long.
func repeated(hop string) string { return strings.Repeat(hop+", ", 1000) }

func TestOriginOfARequest(t *testing.T) {
	t.Parallel()
	proxies, err := ParseProxies("10.0.0.0/8, 192.0.2.7,2001:db8:aaaa::/48 , ::ffff:192.0.2.8")
	check(t, err)
	const direct, http1 = "http", "api.example.com"
	xff := func(lines ...string) http.Header { return http.Header{forwardedFor: lines} }
	rfc := func(lines ...string) http.Header { return http.Header{forwarded: lines} }
	for _, test := range []struct {
		name, peer string
		header     http.Header
		want       origin
	}{
		{"no proxy", "203.0.113.5:1", nil, origin{addr("203.0.113.5"), direct, http1}},
		{"no proxy, IPv6 with a zone", "[fe80::1%eth0]:1", nil, origin{addr("fe80::1"), direct, http1}},
		{"no proxy, IPv4 in IPv6", "[::ffff:203.0.113.5]:1", nil, origin{addr("203.0.113.5"), direct, http1}},
		{"a socket without an address", "@", nil, origin{netip.Addr{}, direct, http1}},
		{"a stranger claims", "203.0.113.5:1", http.Header{forwardedFor: {"1.1.1.1"}, forwardedProto: {"https"}, forwardedHost: {"evil.example"}}, origin{addr("203.0.113.5"), direct, http1}},
		{"a proxy says nothing", "10.0.0.1:1", nil, origin{addr("10.0.0.1"), direct, http1}},

		{"one hop", "10.0.0.1:1", xff("203.0.113.5"), origin{addr("203.0.113.5"), direct, http1}},
		{"an address that is written as IPv6", "192.0.2.8:1", xff("::ffff:203.0.113.5"), origin{addr("203.0.113.5"), direct, http1}},
		{"a trusted peer by IPv4 in IPv6", "[::ffff:10.0.0.1]:1", xff("203.0.113.5"), origin{addr("203.0.113.5"), direct, http1}},
		{"two proxies", "10.0.0.1:1", xff("203.0.113.5, 192.0.2.7"), origin{addr("203.0.113.5"), direct, http1}},
		{"what the caller claims stays left", "10.0.0.1:1", xff("1.1.1.1, 10.9.9.9, 203.0.113.5, 10.0.0.2"), origin{addr("203.0.113.5"), direct, http1}},
		{"several lines are one list", "10.0.0.1:1", xff("1.1.1.1", "203.0.113.5, 10.0.0.3", "10.0.0.2"), origin{addr("203.0.113.5"), direct, http1}},
		{"all are proxies", "10.0.0.1:1", xff("10.0.0.3, 10.0.0.2"), origin{addr("10.0.0.3"), direct, http1}},
		{"a port", "10.0.0.1:1", xff("203.0.113.5:4711"), origin{addr("203.0.113.5"), direct, http1}},
		{"IPv6", "10.0.0.1:1", xff("2001:db8::5"), origin{addr("2001:db8::5"), direct, http1}},
		{"IPv6 with brackets and a port", "10.0.0.1:1", xff("[2001:db8::5]:4711"), origin{addr("2001:db8::5"), direct, http1}},
		{"IPv6 with a zone", "10.0.0.1:1", xff("fe80::5%eth1"), origin{addr("fe80::5"), direct, http1}},
		{"IPv6 proxies", "[2001:db8:aaaa::1]:1", xff("1.1.1.1, 2001:db8::5, 2001:db8:aaaa::2"), origin{addr("2001:db8::5"), direct, http1}},
		{"a wrong hop", "10.0.0.1:1", xff("203.0.113.5, nonsense, 10.0.0.2"), origin{addr("10.0.0.2"), direct, http1}},
		{"a bracket that isn't closed", "10.0.0.1:1", xff("[2001:db8::5"), origin{addr("10.0.0.1"), direct, http1}},
		{"no address", "10.0.0.1:1", xff("0.0.0.0"), origin{addr("10.0.0.1"), direct, http1}},
		{"unknown", "10.0.0.1:1", xff("unknown"), origin{addr("10.0.0.1"), direct, http1}},
		{"an empty header", "10.0.0.1:1", xff(""), origin{addr("10.0.0.1"), direct, http1}},
		{"commas only", "10.0.0.1:1", xff(strings.Repeat(",", 5000), " , "), origin{addr("10.0.0.1"), direct, http1}},
		{"empty elements", "10.0.0.1:1", xff("203.0.113.5, , ,10.0.0.2,"), origin{addr("203.0.113.5"), direct, http1}},
		{"a thousand hops of a caller", "10.0.0.1:1", xff(repeated("1.1.1.1") + "203.0.113.5"), origin{addr("203.0.113.5"), direct, http1}},
		{"a thousand proxies", "10.0.0.1:1", xff("203.0.113.5," + repeated("10.0.0.2")), origin{addr("203.0.113.5"), direct, http1}},

		{"scheme and host", "10.0.0.1:1", http.Header{forwardedFor: {"203.0.113.5"}, forwardedProto: {"HTTPS"}, forwardedHost: {"photos.example.com:8443"}}, origin{addr("203.0.113.5"), "https", "photos.example.com:8443"}},
		{"scheme and host alone", "10.0.0.1:1", http.Header{forwardedProto: {"https"}, forwardedHost: {"photos.example.com"}}, origin{addr("10.0.0.1"), "https", "photos.example.com"}},
		{"the nearest proxy's words count", "10.0.0.1:1", http.Header{forwardedProto: {"http, https"}, forwardedHost: {"evil.example", "photos.example.com"}}, origin{addr("10.0.0.1"), "https", "photos.example.com"}},
		{"another scheme", "10.0.0.1:1", http.Header{forwardedProto: {"javascript"}}, origin{addr("10.0.0.1"), direct, http1}},
		{"no host", "10.0.0.1:1", http.Header{forwardedHost: {"a/b?c"}}, origin{addr("10.0.0.1"), direct, http1}},
		{"a host with a user", "10.0.0.1:1", http.Header{forwardedHost: {"user@photos.example.com"}}, origin{addr("10.0.0.1"), direct, http1}},

		{"Forwarded", "10.0.0.1:1", rfc("for=203.0.113.5;proto=https;by=10.0.0.1;host=photos.example.com"), origin{addr("203.0.113.5"), "https", "photos.example.com"}},
		{"Forwarded, any case, quoted, spaced", "10.0.0.1:1", rfc(`For="203.0.113.5:80" ; Proto="https"`), origin{addr("203.0.113.5"), "https", http1}},
		{"Forwarded, IPv6", "10.0.0.1:1", rfc(`for="[2001:db8::5]:4711"`), origin{addr("2001:db8::5"), direct, http1}},
		{"Forwarded, two proxies, of which the outer one knows", "10.0.0.1:1", rfc("for=203.0.113.5;proto=https;host=photos.example.com", "for=10.0.0.2;proto=http;host=inner"), origin{addr("203.0.113.5"), "https", "photos.example.com"}},
		{"Forwarded, a caller claims", "10.0.0.1:1", rfc("for=1.1.1.1;proto=https;host=evil.example, for=203.0.113.5"), origin{addr("203.0.113.5"), direct, http1}},
		{"Forwarded, a comma in quotation marks", "10.0.0.1:1", rfc(`for=203.0.113.5;ext="a,for=1.1.1.1"`), origin{addr("203.0.113.5"), direct, http1}},
		{"Forwarded, a caller leaves a quotation mark open", "10.0.0.1:1", rfc(`for=1.1.1.1;x="`, `for="203.0.113.5:80"`), origin{addr("203.0.113.5"), direct, http1}},
		{"Forwarded, hidden", "10.0.0.1:1", rfc("for=203.0.113.5, for=_hidden, for=10.0.0.2"), origin{addr("10.0.0.2"), direct, http1}},
		{"Forwarded, unknown, which tells the scheme", "10.0.0.1:1", rfc("for=unknown;proto=https"), origin{addr("10.0.0.1"), "https", http1}},
		{"Forwarded without for", "10.0.0.1:1", rfc("proto=https"), origin{addr("10.0.0.1"), "https", http1}},
		{"both: the proxy wrote the one that most write", "10.0.0.1:1", http.Header{forwardedFor: {"203.0.113.5"}, forwarded: {"for=1.1.1.1;proto=https"}}, origin{addr("203.0.113.5"), direct, http1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newFixture(t, func(o *Options) { o.TrustedProxies = proxies })
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+http1+UpdatePath, nil)
			r.RemoteAddr, r.Header = test.peer, test.header
			var got origin
			s.tellOrigin(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = originOf(r) })).ServeHTTP(httptest.NewRecorder(), r)
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

// TestOriginIsUsed: the log, the API log and a photo's address have the request's origin.
func TestOriginIsUsed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.TrustedProxies = Proxies{netip.MustParsePrefix("10.0.0.0/8")} })
	call := func(header http.Header, secure bool) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, UpdatePath, strings.NewReader(string(callJSON(t, encode(testJPEG(t, 16, 8))))))
		r.RemoteAddr, r.Header = "10.0.0.1:4711", header
		if r.TLS = nil; secure {
			r.TLS = &tls.ConnectionState{}
		}
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, r)
		return answer.Body.String()
	}
	key := string(testCustomer.PhotoKey())
	for want, answer := range map[string]string{
		`"https://photos.example.com/photos/` + key: call(http.Header{forwardedFor: {"1.1.1.1, 203.0.113.5"}, forwardedProto: {"https"}, forwardedHost: {"photos.example.com"}}, false),
		`"http://example.com/photos/` + key:         call(http.Header{forwardedFor: {"1.1.1.1, 203.0.113.5"}}, false),
		`"https://example.com/photos/` + key:        call(http.Header{forwardedFor: {"1.1.1.1, 203.0.113.5"}}, true),
	} {
		if !strings.Contains(answer, want) {
			t.Errorf("got %s, want %s", answer, want)
		}
	}
	if from := f.entry(t).Call.From; from != "203.0.113.5" || strings.Count(f.log.String(), `"from":"203.0.113.5"`) != 3 {
		t.Errorf("the API log has %s; the log: %s", from, f.log)
	}
}

// TestUntrustedProxyIsToldOnce: one warning names the setting.
func TestUntrustedProxyIsToldOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.TrustedProxies = Proxies{netip.MustParsePrefix("10.0.0.0/8")} })
	get := func(peer string, header http.Header) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header = peer, header
		f.ServeHTTP(httptest.NewRecorder(), r)
	}
	told := func() int { return strings.Count(f.log.String(), "FLEETPHOTO_TRUSTED_PROXIES") }
	get("10.0.0.1:1", http.Header{forwardedFor: {"203.0.113.5"}})
	get("203.0.113.5:1", nil)
	if told() != 0 {
		t.Errorf("want no warning yet, got %s", f.log)
	}
	for _, header := range []string{forwardedFor, forwarded, forwardedHost, forwardedProto} {
		get("203.0.113.5:1", http.Header{header: {"x"}})
	}
	if told() != 1 || !strings.Contains(f.log.String(), `"header":"X-Forwarded-For","from":"203.0.113.5"`) {
		t.Errorf("want one warning, got %s", f.log)
	}
}

func TestParseProxies(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"":                             "",
		"127.0.0.1":                    "127.0.0.1/32",
		"10.0.0.0/8 ,2001:db8::7, ::1": "10.0.0.0/8 2001:db8::7/128 ::1/128",
		"::ffff:10.0.0.1":              "10.0.0.1/32",
		"0.0.0.0/0,::/0":               "0.0.0.0/0 ::/0",
	} {
		got, err := ParseProxies(list)
		var texts []string
		for _, prefix := range got {
			texts = append(texts, prefix.String())
		}
		if err != nil || strings.Join(texts, " ") != want {
			t.Errorf("%q: got %v, %v, want %s", list, got, err, want)
		}
	}
	for list, want := range map[string]string{
		"10.0.0.1/8": "write 10.0.0.0/8", "proxy.example.com": `got "proxy.example.com"`, "10.0.0.0/33": "want addresses", ",": `got ""`,
		"fe80::1%eth0": "want addresses", "::ffff:10.0.0.0/104": "want addresses", "10.0.0.1:80": "want addresses", "10.0.0.0/8 10.1.0.0/16": "want addresses",
	} {
		if got, err := ParseProxies(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v, want %s", list, got, err, want)
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	hosts, err := ParseHosts("photos.example.com, 192.0.2.9,[2001:db8::9]")
	check(t, err)
	f := newFixture(t, func(o *Options) { o.Hosts, o.FailureStatus = hosts, http.StatusOK })
	for host, want := range map[string]int{
		"photos.example.com": 404, "PHOTOS.example.com.": 404, "photos.example.com:8080": 404, "192.0.2.9:80": 404, "[2001:DB8::9]:80": 404, "[2001:db8::9]": 404,
		"evil.example": 421, "": 421, "photos.example.com.evil.example": 421, "x.photos.example.com": 421, "192.0.2.10": 421, "[::1]:80": 421, "photos.example.com:x": 421,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/nothing", nil)
		r.Host = host
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, r)
		if answer.Code != want || answer.Header().Get("Content-Type") != typeJSON {
			t.Errorf("%q: got %d %s, want %d", host, answer.Code, answer.Body, want)
		}
	}
	for _, list := range []string{",", "a,,b", "https://a", "a:80", "A", "a/b", "a.", "2001:db8::9"} {
		if got, err := ParseHosts(list); err == nil {
			t.Errorf("%q: got %q, want an error", list, got)
		}
	}
	if none, err := ParseHosts(""); err != nil || !slices.Equal(none, []string(nil)) {
		t.Errorf("got %q, %v", none, err)
	}
}

// FuzzClaims: whatever a caller's header says, the proxy's element counts.
func FuzzClaims(f *testing.F) {
	for _, claim := range []string{"", ",", `for="`, `for=1.1.1.1;x="\`, "1.1.1.1, 10.0.0.2", `"`, "[", "for=10.0.0.2,", strings.Repeat(",", 100)} {
		f.Add(claim)
	}
	proxies := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, claim string) {
		direct := origin{addr("10.0.0.1"), "http", "api.example.com"}
		for name, added := range map[string]string{
			forwardedFor: "203.0.113.5, 10.0.0.2",
			forwarded:    `for="203.0.113.5:80";proto=https;host="photos.example.com", for=10.0.0.2`,
		} {
			want := origin{addr("203.0.113.5"), direct.scheme, direct.host}
			if name == forwarded {
				want = origin{want.client, "https", "photos.example.com"}
			}
			for _, lines := range [][]string{{claim + ", " + added}, {claim, added}} {
				if got := proxies.origin(direct, http.Header{name: lines}); got != want {
					t.Errorf("%s %q: got %+v, want %+v", name, lines, got, want)
				}
			}
		}
	})
}
