package app

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/fleetphoto/fleetphoto/adapters/cli"
	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// Config is the whole configuration, from flags, the environment and, for what
// is tagged as secret, files. The table in docs/operate.md is made of these tags.
type Config struct {
	DatabaseURL      string        `env:"FLEETPHOTO_DATABASE_URL" secret:"" default:"sqlite://fleetphoto-data/fleetphoto.db" placeholder:"URL" help:"Fleets, customers and the API log: sqlite://PATH, postgres://… or memory:// (${default})."`
	FleetAuthURL     string        `env:"FLEETPHOTO_FLEET_AUTH_URL" secret:"" placeholder:"URL" help:"Fleets and their keys. Left out: in the database."`
	CustomerRepoURL  string        `env:"FLEETPHOTO_CUSTOMER_REPO_URL" secret:"" placeholder:"URL" help:"Customers. Left out: in the database."`
	ApiLogURL        string        `env:"FLEETPHOTO_API_LOG_URL" secret:"" name:"api-log-url" placeholder:"URL" help:"The API log. Left out: in the database."`
	PhotoStoreURL    string        `env:"FLEETPHOTO_PHOTO_STORE_URL" secret:"" default:"file://fleetphoto-data/photos" placeholder:"URL" help:"Photos: file://DIRECTORY, s3://BUCKET, gs://BUCKET, azblob://CONTAINER, mem:// or memory:// (${default})."`
	Migrate          string        `env:"FLEETPHOTO_MIGRATE" default:"on" placeholder:"on|off" help:"Whether the database is brought up to date on start; off: by the command migrate alone (${default})."`
	ReadOnly         string        `env:"FLEETPHOTO_READ_ONLY" default:"off" placeholder:"on|off" help:"For the end of a move to another database; on: calls get 503 and photos are served, and neither servers nor commands change the database (${default})."`
	PhotoURL         string        `env:"FLEETPHOTO_PHOTO_URL" default:"public" placeholder:"public|signed" help:"Addresses of photos: public, or signed, each for FLEETPHOTO_PHOTO_URL_LIFETIME, by the cloud's photo store or, where this server serves the photos, by itself. Its public ones can be guessed (${default})."`
	PhotoURLLifetime time.Duration `env:"FLEETPHOTO_PHOTO_URL_LIFETIME" name:"photo-url-lifetime" default:"24h" placeholder:"DURATION" help:"How long a signed address works, 1s to 168h (${default})."`
	PhotoURLKey      string        `env:"FLEETPHOTO_PHOTO_URL_KEY" secret:"whole" name:"photo-url-key" placeholder:"HEX" help:"Signs the addresses of this server's /photos/: at least 64 hexadecimal digits, as openssl rand -hex 32 prints them, the same for all servers. Left out with sqlite://, photo-url.key beside the database is used, and made on first start; with postgres:// they need it. Another key ends the addresses signed before."`
	PhotoBaseURL     string        `env:"FLEETPHOTO_PHOTO_BASE_URL" placeholder:"URL" help:"Address of stored photos, for instance a CDN's; the photo's key is appended, and, for signed addresses, the signature. Left out: the photo store's, or this server's /photos/, under the host name that the caller used."`
	Addr             string        `env:"FLEETPHOTO_ADDR" default:":8080" help:"Address of the API (${default})."`
	TrustedProxies   string        `env:"FLEETPHOTO_TRUSTED_PROXIES" placeholder:"CIDRS" help:"Proxies before this server, as addresses or CIDRs with commas between them: callers' addresses, the scheme and the host name are taken from their X-Forwarded-For, -Proto and -Host, or Forwarded. Left out: none, and such headers are ignored."`
	Hosts            string        `env:"FLEETPHOTO_HOSTS" placeholder:"NAMES" help:"Host names that this server answers under, with commas between them; calls to others get 421. Left out: any."`
	TLSCert          string        `env:"FLEETPHOTO_TLS_CERT" name:"tls-cert" placeholder:"FILE" help:"Certificate with its chain, in PEM: the API is served by TLS and HTTP/2 then. Its file and the key's are read again when they change. Left out: plain HTTP, for a proxy that ends TLS."`
	TLSKey           string        `env:"FLEETPHOTO_TLS_KEY" name:"tls-key" placeholder:"FILE" help:"Private key of FLEETPHOTO_TLS_CERT, in PEM without a passphrase."`
	AdminAddr        string        `env:"FLEETPHOTO_ADMIN_ADDR" default:"127.0.0.1:8081" help:"Address of health, readiness and metrics, by plain HTTP (${default})."`
	MaxPhotoBytes    ByteSize      `env:"FLEETPHOTO_MAX_PHOTO_BYTES" default:"10MiB" placeholder:"SIZE" help:"Largest image file taken; a body may be twice as large (${default})."`
	MaxPixels        int64         `env:"FLEETPHOTO_MAX_PIXELS" default:"50000000" placeholder:"N" help:"Most pixels taken, width × height (${default})."`
	MaxDimension     int           `env:"FLEETPHOTO_MAX_DIMENSION" default:"1024" placeholder:"N" help:"Longest side of what is stored, in pixels; 0 keeps the size (${default})."`
	Verify           string        `env:"FLEETPHOTO_VERIFY" default:"decode" placeholder:"decode|structure" help:"How a JPEG that is kept as it came is checked: that all of it can be decoded, or its structure alone, which is faster (${default})."`
	MaxInflight      ByteSize      `env:"FLEETPHOTO_MAX_INFLIGHT_BYTES" name:"max-inflight-bytes" default:"320MiB" placeholder:"SIZE" help:"Request bodies held at once, and a quarter of it those from one address; beyond it the slowest sender's connection is closed, or calls get 503 at once (${default})."`
	AuthFailureRate  float64       `env:"FLEETPHOTO_AUTH_FAILURE_RATE" name:"auth-failure-rate" default:"1" placeholder:"N" help:"Calls without a live key that are answered and logged per second and address, after ten at once; 0: any number. In each server (${default})."`
	FleetRate        float64       `env:"FLEETPHOTO_FLEET_RATE" default:"100" placeholder:"N" help:"Calls that a fleet may send a second, after ten seconds' worth at once; 0: any number. In each server (${default})."`
	PINKey           string        `env:"FLEETPHOTO_PIN_KEY" secret:"whole" placeholder:"HEX" help:"Keys the PIN hashes: at least 64 hexadecimal digits, as openssl rand -hex 32 prints them. Left out with sqlite://, pin.key beside the database is used, and made on first start; postgres:// needs it."`
	PINKeyOld        string        `env:"FLEETPHOTO_PIN_KEY_OLD" secret:"whole" name:"pin-key-old" placeholder:"HEX" help:"The key before FLEETPHOTO_PIN_KEY while keys are rotated: PINs that were hashed under it match too, and are hashed under the new one when they are used."`
	LogRetention     cli.Age       `env:"FLEETPHOTO_LOG_RETENTION" placeholder:"AGE" help:"How long calls stay in the API log, such as 90d: once a day one of the servers removes those that are older. Left out: for ever."`
	FailureStatus    string        `env:"FLEETPHOTO_FAILURE_STATUS" default:"http" placeholder:"http|200" help:"Status of failed calls: http, each error's own, or 200 for callers that read only bodies of 200 answers (${default})."`
	Pages            string        `env:"FLEETPHOTO_PAGES" default:"on" placeholder:"on|off" help:"The page to try the API at / and its documentation at /docs; off: these paths are Not Found (${default})."`
	CORSOrigins      string        `env:"FLEETPHOTO_CORS_ORIGINS" name:"cors-origins" placeholder:"ORIGINS" help:"Origins whose web pages may call the API, such as https://app.example.com, with commas between them, or *. Left out: none."`

	Create  bool            `help:"Make the database where there is none, even beside photos. Without it, only serve and migrate make one."`
	Prefill httpapi.Prefill `kong:"-"` // what a demo's page begins with
}

const (
	fleetShare      = 4                  // a fleet's waiting images may take a quarter of Config.MaxInflight
	defaultAddr     = ":8080"            // of Config.Addr
	mostURLLifetime = 7 * 24 * time.Hour // what S3 and Google Cloud Storage allow

	leastRate, mostRate = 0.001, 1e6 // a second

	readOnlyVariable = "FLEETPHOTO_READ_ONLY"
)

// ByteSize is a number of bytes, written as 10485760, 10MiB or 10MB.
type ByteSize int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *ByteSize) UnmarshalText(text []byte) error {
	size, err := humanize.ParseBytes(string(text))
	if err != nil || size > math.MaxInt64 {
		return errors.New("want a size such as 10485760, 10MiB or 10MB")
	}
	*b = ByteSize(size)
	return nil
}

// ConfigFromEnvironment reads the configuration from the environment, from the
// files that it names and from defaults. It fails with a sentence for the operator.
func ConfigFromEnvironment() (Config, error) {
	var config Config
	err := cli.ReadSettings(&config)
	if err == nil {
		err = config.validate()
	}
	return config, err
}

// settingError names the variable whose value can't be used. It prints no
// value, as that may hold a password; the sentence does where it is safe.
func settingError(variable string, err error) error {
	return fmt.Errorf("%s: %w", variable, err)
}

// validate checks what doesn't need a backend, and completes the base URL.
func (c *Config) validate() error {
	const most = 1 << 30
	if c.MaxPhotoBytes < 1 || c.MaxPhotoBytes > most {
		return settingError("FLEETPHOTO_MAX_PHOTO_BYTES", fmt.Errorf("want 1 byte to 1 GiB, got %d bytes", c.MaxPhotoBytes))
	}
	if c.MaxPixels < 1 {
		return settingError("FLEETPHOTO_MAX_PIXELS", fmt.Errorf("want at least 1, got %d", c.MaxPixels))
	}
	if c.MaxDimension < 0 || c.MaxDimension > 65535 {
		return settingError("FLEETPHOTO_MAX_DIMENSION", fmt.Errorf("want 0 to 65535 pixels, got %d", c.MaxDimension))
	}
	if least := httpapi.LeastInflightBytes(int64(c.MaxPhotoBytes)); int64(c.MaxInflight) < least {
		return settingError("FLEETPHOTO_MAX_INFLIGHT_BYTES", fmt.Errorf("want at least %s, so that a call of the largest size fits in a quarter of it; got %d bytes",
			humanize.IBytes(uint64(least)), c.MaxInflight))
	}
	for variable, perSecond := range map[string]float64{"FLEETPHOTO_AUTH_FAILURE_RATE": c.AuthFailureRate, "FLEETPHOTO_FLEET_RATE": c.FleetRate} {
		if !(perSecond == 0 || perSecond >= leastRate && perSecond <= mostRate) { // nor not a number
			return settingError(variable, fmt.Errorf("want 0, or %v to %.0f a second, got %v", leastRate, mostRate, perSecond))
		}
	}
	if keep := time.Duration(c.LogRetention); keep != 0 && keep <= usecase.LateAfter {
		return settingError("FLEETPHOTO_LOG_RETENTION", fmt.Errorf("want more than %v, as calls are settled until then, got %v", usecase.LateAfter, keep))
	}
	return cmp.Or(c.readLists(&httpapi.Options{}), c.validateChoices(), c.validateAddresses(), c.validateBaseURL(), c.validatePhotoURL())
}

// validateChoices checks what is one of two words.
func (c Config) validateChoices() error {
	for _, choice := range []struct{ variable, got, one, other string }{
		{"FLEETPHOTO_VERIFY", c.Verify, string(photo.VerifyDecode), string(photo.VerifyStructure)},
		{"FLEETPHOTO_FAILURE_STATUS", c.FailureStatus, "http", "200"},
		{"FLEETPHOTO_MIGRATE", c.Migrate, "on", "off"},
		{readOnlyVariable, c.ReadOnly, "on", "off"},
		{"FLEETPHOTO_PAGES", c.Pages, "on", "off"},
		{"FLEETPHOTO_PHOTO_URL", c.PhotoURL, "public", "signed"},
	} {
		if choice.got != choice.one && choice.got != choice.other {
			return settingError(choice.variable, fmt.Errorf("want %s or %s, got %q", choice.one, choice.other, choice.got))
		}
	}
	return nil
}

// readLists reads the settings that are lists.
func (c Config) readLists(into *httpapi.Options) error {
	var originsErr, proxiesErr, hostsErr error
	if c.CORSOrigins != "" {
		into.CORSOrigins, originsErr = httpapi.ParseOrigins(c.CORSOrigins)
	}
	into.TrustedProxies, proxiesErr = httpapi.ParseProxies(c.TrustedProxies)
	into.Hosts, hostsErr = httpapi.ParseHosts(c.Hosts)
	for _, list := range []struct {
		variable string
		err      error
	}{{"FLEETPHOTO_CORS_ORIGINS", originsErr}, {"FLEETPHOTO_TRUSTED_PROXIES", proxiesErr}, {"FLEETPHOTO_HOSTS", hostsErr}} {
		if list.err != nil {
			return settingError(list.variable, list.err)
		}
	}
	return nil
}

func (c Config) validateAddresses() error {
	for variable, addr := range map[string]string{"FLEETPHOTO_ADDR": c.Addr, "FLEETPHOTO_ADMIN_ADDR": c.AdminAddr} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return settingError(variable, fmt.Errorf("want host:port or :port, got %q", addr))
		}
	}
	switch {
	case c.TLSCert == "" && c.TLSKey != "":
		return settingError(tlsCertVariable, fmt.Errorf("it is missing beside %s; set both, or neither where a proxy ends TLS", tlsKeyVariable))
	case c.TLSCert != "" && c.TLSKey == "":
		return settingError(tlsKeyVariable, fmt.Errorf("it is missing beside %s; set both, or neither where a proxy ends TLS", tlsCertVariable))
	}
	return nil
}

func (c *Config) validateBaseURL() error {
	if c.PhotoBaseURL == "" {
		return nil
	}
	u, err := url.Parse(c.PhotoBaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(c.PhotoBaseURL, "?#") {
		return settingError("FLEETPHOTO_PHOTO_BASE_URL", errors.New("want an http or https URL without a user or a query, such as https://cdn.example.com/photos/"))
	}
	c.PhotoBaseURL = strings.TrimSuffix(c.PhotoBaseURL, "/") + "/"
	return nil
}

func (c Config) validatePhotoURL() error {
	if c.PhotoURLLifetime < time.Second || c.PhotoURLLifetime > mostURLLifetime {
		return settingError("FLEETPHOTO_PHOTO_URL_LIFETIME", fmt.Errorf("want 1s to 168h, got %v", c.PhotoURLLifetime))
	}
	return nil
}

// httpOptions are the API server's, but for what it serves and who watches it.
func (c Config) httpOptions() httpapi.Options {
	options := httpapi.Options{
		Update:           &usecase.UpdateCustomerPhoto{Reader: photo.NewReader(c.photoLimits(), 1)},
		MaxInflightBytes: int64(c.MaxInflight), FailureStatus: c.failureStatus(), ReadOnly: c.readOnly(), Pages: c.Pages == "on", Prefill: c.Prefill,
		Logger: slog.New(slog.DiscardHandler),
	}
	_ = c.readLists(&options) // validate has read them
	return options
}

func (c Config) readOnly() bool { return c.ReadOnly == "on" }

// mayChange says why no command may change the database; nil: each may.
func (c Config) mayChange() error {
	if !c.readOnly() {
		return nil
	}
	return settingError(readOnlyVariable, errors.New("it is on, as the database is being moved, so nothing was changed; run this on the new database, without the setting"))
}

// databaseURL returns the URL of a port's backend and the variable that it
// comes from: the port's own, or else the database's.
func (c Config) databaseURL(variable, rawURL string) (string, string) {
	if rawURL == "" {
		return databaseVariable, c.DatabaseURL
	}
	return variable, rawURL
}

func (c Config) photoLimits() photo.Limits {
	return photo.Limits{
		MaxBytes: int64(c.MaxPhotoBytes), MaxPixels: c.MaxPixels, MaxDimension: c.MaxDimension, Verify: photo.Verify(c.Verify),
		MaxWaiting: int64(c.MaxInflight) / fleetShare,
	}
}

// failureStatus returns the status of every failed call; 0: the error table's.
func (c Config) failureStatus() int {
	if c.FailureStatus == "200" {
		return http.StatusOK
	}
	return 0
}
