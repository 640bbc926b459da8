// Package memory keeps everything in memory: for tests, for demos, and as the
// reference for how an adapter behaves.
//
// App and tests import it; it imports ports and domain.
package memory

import (
	"errors"
	"net/url"
	"time"
)

// Backend is a set of the four ports that shares nothing with other sets.
type Backend struct {
	FleetAuth    *FleetAuth
	CustomerRepo *CustomerRepo
	PhotoStore   *PhotoStore
	ApiLog       *ApiLog
}

// New returns an empty Backend.
func New() *Backend { return NewAt(time.Now) }

// NewAt returns an empty Backend that uses now as its clock.
func NewAt(now func() time.Time) *Backend {
	return &Backend{
		FleetAuth:    NewFleetAuth(),
		CustomerRepo: NewCustomerRepo(now),
		PhotoStore:   NewPhotoStore(),
		ApiLog:       NewApiLog(now),
	}
}

// ChangeRecorder returns CustomerRepo and ApiLog as one database.
func (b *Backend) ChangeRecorder() *ChangeRecorder { return &ChangeRecorder{b.CustomerRepo, b.ApiLog} }

// FleetCustomers returns FleetAuth and CustomerRepo as one database.
func (b *Backend) FleetCustomers() *FleetCustomers {
	return &FleetCustomers{b.CustomerRepo, b.FleetAuth}
}

// Open returns an empty Backend for the URL memory://.
func Open(rawURL string) (*Backend, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "memory" || u.Host+u.Path+u.RawQuery != "" {
		return nil, errors.New("want memory:// and nothing more, got more")
	}
	return New(), nil
}
