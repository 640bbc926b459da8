// Package memory keeps everything in the process: for tests, demos and as the
// reference for how an adapter behaves. What it holds ends with the process.
//
// App and tests import it; it imports ports and domain.
package memory

import (
	"errors"
	"net/url"
	"time"
)

// Backend is one set of the four ports that share nothing with another set.
type Backend struct {
	FleetAuth    *FleetAuth
	CustomerRepo *CustomerRepo
	PhotoStore   *PhotoStore
	ApiLog       *ApiLog
}

// New makes an empty Backend.
func New() *Backend { return NewAt(time.Now) }

// NewAt makes an empty Backend whose clock is now.
func NewAt(now func() time.Time) *Backend {
	return &Backend{
		FleetAuth:    NewFleetAuth(),
		CustomerRepo: NewCustomerRepo(now),
		PhotoStore:   NewPhotoStore(),
		ApiLog:       NewApiLog(now),
	}
}

// ChangeRecorder is CustomerRepo and ApiLog as the one database that they are.
func (b *Backend) ChangeRecorder() *ChangeRecorder { return &ChangeRecorder{b.CustomerRepo, b.ApiLog} }

// FleetCustomers is FleetAuth and CustomerRepo as the one database that they are.
func (b *Backend) FleetCustomers() *FleetCustomers {
	return &FleetCustomers{b.CustomerRepo, b.FleetAuth}
}

// Open makes an empty Backend for the URL memory://, which takes nothing more.
func Open(rawURL string) (*Backend, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "memory" || u.Host+u.Path+u.RawQuery != "" {
		return nil, errors.New("want memory:// and nothing more, got more")
	}
	return New(), nil
}
