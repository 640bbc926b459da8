package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// authority issues certificates for 127.0.0.1.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	certificate, err := x509.ParseCertificate(der)
	check(t, err)
	return &authority{certificate, key}
}

// issue returns a certificate with this number and its key, in PEM.
func (a *authority) issue(t *testing.T, number int64, until time.Time) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(number), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &private.PublicKey, a.key)
	check(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	check(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// client trusts the authority. Its protocols are one of HTTP's, so that it
// can't fall back to another.
func (a *authority) client(http2, keepAlive bool) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: !keepAlive, Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP2(http2)
	transport.Protocols.SetHTTP1(!http2)
	return &http.Client{Transport: transport}
}

func replaceFile(t *testing.T, path string, text []byte) {
	t.Helper()
	check(t, os.WriteFile(path+".tmp", text, 0o600))
	check(t, os.Rename(path+".tmp", path))
}

// serve starts a server with a certificate in cert.pem and key.pem.
func (a *authority) serve(t *testing.T, directory string, until time.Time, settings ...string) *running {
	t.Helper()
	cert, key := a.issue(t, 1, until)
	replaceFile(t, filepath.Join(directory, "cert.pem"), cert)
	replaceFile(t, filepath.Join(directory, "key.pem"), key)
	s := serve(t, directory, append(settings, "FLEETPHOTO_TLS_CERT=cert.pem", "FLEETPHOTO_TLS_KEY=key.pem")...)
	s.api = "https://" + strings.TrimPrefix(s.api, "http://")
	return s
}

// TestTLS: a call and its photo, by HTTP/1.1 and HTTP/2; whoever speaks
// something older is refused, and the admin address has no TLS.
func TestTLS(t *testing.T) {
	t.Parallel()
	directory, a := t.TempDir(), newAuthority(t)
	form := withPhoto(newFleet(t, directory), base64.StdEncoding.EncodeToString(demoPhoto))
	server := a.serve(t, directory, time.Now().Add(time.Hour))
	for protocol, client := range map[string]*http.Client{"HTTP/1.1": a.client(false, true), "HTTP/2.0": a.client(true, true)} {
		do := func(method, path, body string) (proto, answer string) {
			request, err := http.NewRequestWithContext(t.Context(), method, server.api+path, strings.NewReader(body))
			check(t, err)
			response, err := client.Do(request)
			check(t, err)
			defer func() { _ = response.Body.Close() }()
			text, err := io.ReadAll(response.Body)
			check(t, err)
			return response.Proto, string(text)
		}
		const path = "/photos/fleet-689/customer_photos/452733_photo.jpg"
		if proto, answer := do(http.MethodPost, "/update_customer_photo.json", form.Encode()); proto != protocol || !strings.Contains(answer, fmt.Sprintf("%q", server.api+path)) {
			t.Errorf("%s: got %s %s, want the photo at %s", protocol, proto, answer, server.api+path)
		}
		if proto, answer := do(http.MethodGet, path, ""); proto != protocol || answer != string(demoPhoto) {
			t.Errorf("%s: got %s and %d bytes", protocol, proto, len(answer))
		}
	}
	address := strings.TrimPrefix(server.api, "https://")
	if status, body := fetch(t, "http://"+address+"/"); status != 400 || !strings.Contains(string(body), "HTTPS") {
		t.Errorf("plain HTTP: got %d %s", status, body)
	}
	old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if connection, err := tls.Dial("tcp", address, old); err == nil {
		_ = connection.Close()
		t.Error("TLS 1.1 is served")
	}
	if status, _ := fetch(t, server.admin+"/readyz"); status != 200 {
		t.Errorf("the admin address: got %d", status)
	}
	output(t, directory, []string{"FLEETPHOTO_ADMIN_ADDR=" + strings.TrimPrefix(server.admin, "http://")}, "healthcheck")
	if log := server.logged + server.stop(t); strings.Contains(log, `"WARN"`) || strings.Contains(log, "without TLS") || !strings.Contains(log, `"url":"`+server.api+`/"`) {
		t.Errorf("something is wrong: %s", log)
	}
}

// TestTLSReload swaps the certificate under load, as Kubernetes does and as
// programs do that write two files, and no call fails.
func TestTLSReload(t *testing.T) {
	t.Parallel()
	directory, a := t.TempDir(), newAuthority(t)
	path := func(name string) string { return filepath.Join(directory, name) }
	for _, name := range []string{"cert.pem", "key.pem"} { // as a volume of Kubernetes has them
		check(t, os.Symlink("data/"+name, path(name)))
	}
	mount := func(number int64) {
		version := fmt.Sprintf("version-%d", number)
		check(t, os.Mkdir(path(version), 0o700))
		cert, key := a.issue(t, number, time.Now().Add(time.Hour))
		replaceFile(t, path(version+"/cert.pem"), cert)
		replaceFile(t, path(version+"/key.pem"), key)
		check(t, os.Symlink(version, path("data.tmp")))
		check(t, os.Rename(path("data.tmp"), path("data")))
	}
	mount(1)
	server := serve(t, directory, "FLEETPHOTO_TLS_CERT=cert.pem", "FLEETPHOTO_TLS_KEY=key.pem")
	server.api = "https://" + strings.TrimPrefix(server.api, "http://")
	server.lines = withoutRequests(server.lines)

	var serial atomic.Int64 // of the certificate served last
	var calls, failed atomic.Int64
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for i := range 4 {
		client := a.client(i%2 == 0, false)
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				response, err := client.Head(server.api + "/openapi.json")
				if calls.Add(1); err != nil || response.StatusCode != 200 {
					failed.Add(1)
					t.Errorf("a call during the swap: %v %v", response, err)
					return
				}
				_ = response.Body.Close()
				serial.Store(response.TLS.PeerCertificates[0].SerialNumber.Int64())
			}
		})
	}
	await := func(what string, isSo func() bool) {
		t.Helper()
		patience := time.After(time.Minute)
		for ticker := time.Tick(time.Millisecond); !isSo() && failed.Load() == 0; {
			select {
			case <-ticker:
			case <-patience:
				t.Errorf("still not: %s", what)
				return
			}
		}
	}
	await("the first certificate", func() bool { return serial.Load() == 1 && calls.Load() > 20 })
	mount(2)
	await("the second certificate", func() bool { return serial.Load() == 2 })

	cert, key := a.issue(t, 3, time.Now().Add(time.Hour))
	replaceFile(t, path("data/cert.pem"), cert)
	for !strings.Contains(<-server.lines, "can't be used; the certificate of before is kept") {
	}
	now := calls.Load()
	await("calls with the certificate of before", func() bool { return serial.Load() == 2 && calls.Load() > now+20 })
	replaceFile(t, path("data/key.pem"), key)
	await("the third certificate", func() bool { return serial.Load() == 3 })
	close(stop)
	workers.Wait()
	log := server.stop(t)
	if strings.Count(log, "was read again") != 1 {
		t.Errorf("the log says:\n%s", log)
	}
	t.Logf("%d calls, each on a connection of its own", calls.Load())
}

// withoutRequests takes the lines of a log as they come, so that no load fills it up.
func withoutRequests(lines <-chan string) <-chan string {
	kept := make(chan string, cap(lines))
	go func() {
		defer close(kept)
		for line := range lines {
			if !strings.Contains(line, `"msg":"request"`) {
				kept <- line
			}
		}
	}()
	return kept
}

// TestCertificateLooks: what is wrong is said once, whatever comes of it.
func TestCertificateLooks(t *testing.T) {
	t.Parallel()
	directory, a := t.TempDir(), newAuthority(t)
	config := Config{TLSCert: filepath.Join(directory, "cert.pem"), TLSKey: filepath.Join(directory, "key.pem")}
	put := func(number int64, until time.Duration) {
		cert, key := a.issue(t, number, time.Now().Add(until))
		replaceFile(t, config.TLSCert, cert)
		replaceFile(t, config.TLSKey, key)
	}
	put(1, time.Hour)
	var log bytes.Buffer
	c, err := newCertificate(config, slog.New(slog.NewTextHandler(&log, nil)))
	check(t, err)
	const kept, again, expired = "the certificate of before is kept", "was read again", "has expired"
	for _, step := range []struct {
		name   string
		change func()
		serial int64
		said   string
	}{
		{"nothing changed", func() {}, 1, ""},
		{"a new pair", func() { put(2, time.Hour) }, 2, again},
		{"one that expired", func() { put(3, -time.Hour) }, 3, expired},
		{"a certificate without its key", func() { cert, _ := a.issue(t, 4, time.Now().Add(time.Hour)); replaceFile(t, config.TLSCert, cert) }, 3, kept},
		{"no certificate", func() { check(t, os.Remove(config.TLSCert)) }, 3, kept},
		{"half a certificate", func() { cert, _ := a.issue(t, 5, time.Now()); replaceFile(t, config.TLSCert, cert[:len(cert)/2]) }, 3, kept},
		{"a pair once more", func() { put(6, time.Hour) }, 6, again},
		{"one file after the other", func() {
			cert, key := a.issue(t, 7, time.Now().Add(time.Hour))
			replaceFile(t, config.TLSCert, cert)
			c.look()
			replaceFile(t, config.TLSKey, key)
		}, 7, again},
	} {
		log.Reset()
		step.change()
		for range 3 {
			c.look()
		}
		served, err := c.tlsConfig().GetCertificate(nil)
		if err != nil || served.Leaf.SerialNumber.Int64() != step.serial {
			t.Errorf("%s: the certificate %v is served, want %d", step.name, served.Leaf.SerialNumber, step.serial)
		}
		if got := log.String(); strings.Count(got, step.said) != 1 && step.said != "" || step.said == "" && got != "" || strings.Count(got, "level=WARN") > 1 || step.said == again && strings.Contains(got, "level=WARN") {
			t.Errorf("%s: the log says %q, want %q once", step.name, got, step.said)
		}
	}
}

// TestTLSSettings: what can't be used stops the start, and doctor says the same.
func TestTLSSettings(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert, key := a.issue(t, 1, time.Now().Add(time.Hour))
	_, otherKey := a.issue(t, 2, time.Now().Add(time.Hour))
	locked := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("SECRET")})
	files := map[string][]byte{"cert": cert, "key": key, "other": otherKey, "locked": locked, "text": []byte("SECRET, no PEM"), "broken": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})}
	for _, test := range []struct{ cert, key, want string }{
		{"cert", "", "FLEETPHOTO_TLS_KEY: it is missing beside FLEETPHOTO_TLS_CERT; set both, or neither where a proxy ends TLS"},
		{"", "key", "FLEETPHOTO_TLS_CERT: it is missing beside FLEETPHOTO_TLS_KEY; set both, or neither where a proxy ends TLS"},
		{"nowhere", "key", `FLEETPHOTO_TLS_CERT: want the path of a file that can be read, got "nowhere": no such file or directory`},
		{"cert", "nowhere", `FLEETPHOTO_TLS_KEY: want the path of a file that can be read, got "nowhere": no such file or directory`},
		{".", "key", `FLEETPHOTO_TLS_CERT: want the path of a file that can be read, got ".": is a directory`},
		{"text", "key", "FLEETPHOTO_TLS_CERT: want a PEM file with the certificate and its chain, the server's own first: it has no -----BEGIN CERTIFICATE-----"},
		{"key", "cert", "FLEETPHOTO_TLS_CERT: want a PEM file with the certificate and its chain, the server's own first: it has no -----BEGIN CERTIFICATE-----"},
		{"broken", "key", "FLEETPHOTO_TLS_CERT: want a PEM file with the certificate and its chain, the server's own first: x509: malformed certificate"},
		{"cert", "text", "FLEETPHOTO_TLS_KEY: want a PEM file with the private key of the certificate in FLEETPHOTO_TLS_CERT, without a passphrase: tls: failed to find any PEM data in key input"},
		{"cert", "other", "FLEETPHOTO_TLS_KEY: want a PEM file with the private key of the certificate in FLEETPHOTO_TLS_CERT, without a passphrase: tls: private key does not match public key"},
		{"cert", "locked", "FLEETPHOTO_TLS_KEY: want a PEM file with the private key of the certificate in FLEETPHOTO_TLS_CERT, without a passphrase: tls: failed to parse private key"},
	} {
		t.Run(test.cert+" "+test.key, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			for name, text := range files {
				replaceFile(t, filepath.Join(directory, name), text)
			}
			settings := []string{"FLEETPHOTO_ADDR=127.0.0.1:0", "FLEETPHOTO_ADMIN_ADDR=127.0.0.1:0", "FLEETPHOTO_TLS_CERT=" + test.cert, "FLEETPHOTO_TLS_KEY=" + test.key}
			for _, args := range [][]string{{"serve"}, {"serve", "--print-config"}, {"doctor"}} {
				out, err := command(t, directory, settings, args...).CombinedOutput()
				if text := string(out); err == nil || !strings.Contains(text, test.want) || strings.Contains(text, "SECRET") {
					t.Errorf("%q: got %v %s, want %q", args, err, text, test.want)
				}
			}
		})
	}
}

// TestWhoEndsTLS: a start and doctor say it, and that a certificate has expired.
func TestWhoEndsTLS(t *testing.T) {
	t.Parallel()
	const missing, expired = "calls come without TLS", "the TLS certificate has expired"
	loopback, everywhere, directory := serve(t, t.TempDir()), serve(t, t.TempDir(), "FLEETPHOTO_ADDR=:0"), t.TempDir()
	old := newAuthority(t).serve(t, directory, time.Now().Add(-time.Hour))
	for _, test := range []struct {
		name             string
		server           *running
		missing, expired int
	}{{"loopback", loopback, 0, 0}, {"everywhere", everywhere, 1, 0}, {"expired", old, 0, 1}} {
		if log := test.server.logged; strings.Count(log, missing) != test.missing || strings.Count(log, expired) != test.expired {
			t.Errorf("%s: the log says\n%s", test.name, log)
		}
	}
	files := []string{"FLEETPHOTO_TLS_CERT=cert.pem", "FLEETPHOTO_TLS_KEY=key.pem"}
	for want, settings := range map[string][]string{
		"✓ calls are encrypted: not needed at localhost:8080, which is this machine's own\n":                                         {"FLEETPHOTO_ADDR=localhost:8080"},
		"! calls are encrypted\n      not by this server, and no proxy is configured: unless one terminates TLS in front of :8080, ": nil,
		"✓ calls are encrypted: if 10.0.0.0/8 terminates TLS in front of :8080\n":                                                    {"FLEETPHOTO_TRUSTED_PROXIES=10.0.0.0/8"},
		"✗ calls are encrypted\n      FLEETPHOTO_TLS_CERT: the certificate expired on ":                                              files,
	} {
		if out, _ := command(t, directory, settings, "doctor").CombinedOutput(); !strings.Contains(string(out), want) {
			t.Errorf("doctor: want %q in\n%s", want, out)
		}
	}
}
