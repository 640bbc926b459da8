package app

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

const (
	tlsCertVariable = "FLEETPHOTO_TLS_CERT"
	tlsKeyVariable  = "FLEETPHOTO_TLS_KEY"

	// lookEvery is how often the files of a certificate are read: whatever a
	// renewal does, swap links or write one file after the other, ends in them.
	lookEvery = 2 * time.Second
)

// certificate is what the API is served with, as its two files have it now.
type certificate struct {
	config  Config
	logger  *slog.Logger
	current atomic.Pointer[tls.Certificate]

	// What was said already, of the one goroutine that looks.
	failed  int              // looks since the last one that found a pair
	failure string           // that was said; empty: none since then
	expired *tls.Certificate // nil: none has
}

// readCertificate reads the files, which must be a pair.
func readCertificate(config Config) (*tls.Certificate, error) {
	cert, certErr := readNamed(tlsCertVariable, config.TLSCert)
	key, keyErr := readNamed(tlsKeyVariable, config.TLSKey)
	if err := firstOf(certErr, keyErr); err != nil {
		return nil, err
	}
	return parseCertificate(cert, key)
}

// readNamed reads the file that a variable names.
func readNamed(variable, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if failed := new(os.PathError); errors.As(err, &failed) {
		err = failed.Err
	}
	if err != nil {
		return nil, settingError(variable, fmt.Errorf("want the path of a file that can be read, got %q: %w", path, err))
	}
	return text, nil
}

// parseCertificate says which of the two is to be changed where they are no pair.
func parseCertificate(cert, key []byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err == nil {
		return &pair, nil
	}
	if problem := problemOf(cert); problem != nil {
		return nil, settingError(tlsCertVariable, fmt.Errorf("want a PEM file with the certificate and its chain, the server's own first: %w", problem))
	}
	return nil, settingError(tlsKeyVariable, fmt.Errorf("want a PEM file with the private key of the certificate in %s, without a passphrase: %w", tlsCertVariable, err))
}

// problemOf says why a file's first certificate can't be read.
func problemOf(cert []byte) error {
	for block, rest := pem.Decode(cert); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			_, err := x509.ParseCertificate(block.Bytes)
			return err
		}
	}
	return errors.New("it has no -----BEGIN CERTIFICATE-----")
}

// newCertificate reads the pair, which must be usable, though it may have expired.
func newCertificate(config Config, logger *slog.Logger) (*certificate, error) {
	pair, err := readCertificate(config)
	if err != nil {
		return nil, err
	}
	c := &certificate{config: config, logger: logger}
	c.current.Store(pair)
	c.sayIfExpired()
	return c, nil
}

// look takes the files' pair where they have another one, and keeps the current
// one where they have none. It says so at the second look: at the first, a
// renewal may have written one file and not yet the other.
func (c *certificate) look() {
	defer c.sayIfExpired()
	pair, err := readCertificate(c.config)
	if err != nil {
		c.failed++
		if failure := err.Error(); c.failed > 1 && failure != c.failure {
			c.failure = failure
			c.logger.Warn("the TLS certificate's files can't be used; the certificate of before is kept", slog.String("cause", failure))
		}
		return
	}
	if c.failed, c.failure = 0, ""; !slices.EqualFunc(pair.Certificate, c.current.Load().Certificate, bytes.Equal) {
		c.current.Store(pair)
		c.logger.Info("the TLS certificate was read again", slog.Time("valid_until", pair.Leaf.NotAfter))
	}
}

// sayIfExpired says it once for each certificate.
func (c *certificate) sayIfExpired() {
	if pair := c.current.Load(); pair != c.expired && time.Now().After(pair.Leaf.NotAfter) {
		c.expired = pair
		c.logger.Warn("the TLS certificate has expired, and callers refuse it; renew it", slog.String("setting", tlsCertVariable), slog.Time("valid_until", pair.Leaf.NotAfter))
	}
}

// tlsConfig serves the current certificate, by Go's choice of all else.
func (c *certificate) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// isLoopback tells whether nobody but this machine reaches addr.
func isLoopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr) // validate has looked at it
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
