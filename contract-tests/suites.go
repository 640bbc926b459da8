package contracttests

import (
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/apilog"
	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/contract-tests/customerrepo"
	"github.com/fleetphoto/fleetphoto/contract-tests/fleetauth"
	"github.com/fleetphoto/fleetphoto/contract-tests/photostore"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetSeed is a fleet, and its keys, that a port has from the start.
type FleetSeed = fleetauth.Seed

// FleetAuth proves that what open returns keeps the promises of
// ports.FleetAuth. It has the fleets that open is given, and no others.
func FleetAuth(t *testing.T, open func(t *testing.T, fleets ...FleetSeed) ports.FleetAuth) {
	t.Helper()
	clause.Prove(t, fleetauth.Clauses(), func(t *testing.T) *fleetauth.Port {
		return &fleetauth.Port{Open: func(fleets ...FleetSeed) ports.FleetAuth { return open(t, fleets...) }}
	})
}

// FleetDirectory proves that what open returns keeps the promises of
// ports.FleetDirectory: a directory without fleets, and the ports.FleetAuth
// whose fleets it manages.
func FleetDirectory(t *testing.T, open func(t *testing.T) (ports.FleetDirectory, ports.FleetAuth)) {
	t.Helper()
	clause.Prove(t, fleetauth.DirectoryClauses(), func(t *testing.T) *fleetauth.Port {
		directory, auth := open(t)
		return &fleetauth.Port{FleetAuth: auth, FleetDirectory: directory}
	})
}

// CustomerRepo proves that what open returns keeps the promises of
// ports.CustomerRepo. It has the customers that open is given, and no others:
// none has a photo, and no attempt is counted on a PIN.
func CustomerRepo(t *testing.T, open func(t *testing.T, customers ...domain.Customer) ports.CustomerRepo) {
	t.Helper()
	clause.Prove(t, customerrepo.Clauses(), func(t *testing.T) *customerrepo.Port {
		return &customerrepo.Port{Open: func(customers ...domain.Customer) ports.CustomerRepo { return open(t, customers...) }}
	})
}

// CustomerDirectory proves that what open returns keeps the promises of
// ports.CustomerDirectory: a directory without customers, and the
// ports.CustomerRepo whose customers it manages.
func CustomerDirectory(t *testing.T, open func(t *testing.T) (ports.CustomerDirectory, ports.CustomerRepo)) {
	t.Helper()
	const imported = 5_000 // at once
	clause.Prove(t, customerrepo.DirectoryClauses(imported), func(t *testing.T) *customerrepo.Port {
		directory, repo := open(t)
		return &customerrepo.Port{CustomerRepo: repo, CustomerDirectory: directory}
	})
}

// Housed is a ports.FleetCustomers and the ports of its database.
type Housed = customerrepo.Housed

// FleetCustomers proves that what open returns keeps the promises of
// ports.FleetCustomers. Its database has neither fleets nor customers.
func FleetCustomers(t *testing.T, open func(t *testing.T) Housed) {
	t.Helper()
	const imported = 500 // at once
	clause.Prove(t, customerrepo.FleetClauses(imported), func(t *testing.T) *customerrepo.Port {
		return customerrepo.HousedPort(open(t))
	})
}

// PINKeyBinder proves that what open returns keeps the promises of
// ports.PINKeyBinder: one with no key stored, and the directory, without
// customers, whose customers have the PINs.
func PINKeyBinder(t *testing.T, open func(t *testing.T) (ports.PINKeyBinder, ports.CustomerDirectory)) {
	t.Helper()
	clause.Prove(t, customerrepo.PINKeyClauses(), func(t *testing.T) *customerrepo.Port {
		binder, directory := open(t)
		return &customerrepo.Port{PINKeyBinder: binder, CustomerDirectory: directory}
	})
}

// Recorded is a ports.ChangeRecorder and the ports of the database that it
// stores in.
type Recorded = customerrepo.Recorded

// ChangeRecorder proves that the recorder that open returns keeps the promises of
// ports.ChangeRecorder. Its database has neither customers nor log entries.
func ChangeRecorder(t *testing.T, open func(t *testing.T) Recorded) {
	t.Helper()
	clause.Prove(t, customerrepo.RecorderClauses(), func(t *testing.T) *customerrepo.Port {
		return customerrepo.RecordedPort(open(t))
	})
}

// PhotoStore proves that what open returns, a store without photos, keeps the
// promises of ports.PhotoStore. [UnversionedPhotoStore] is for a store that has
// no versions.
func PhotoStore(t *testing.T, open func(t *testing.T) ports.PhotoStore) {
	t.Helper()
	clause.Prove(t, photostore.Clauses(photostore.Large), func(t *testing.T) photostore.Port {
		return photostore.Port{PhotoStore: open(t)}
	})
}

// UnversionedPhotoStore proves that what open returns, a store without photos
// and without versions, keeps the promises of ports.PhotoStore: it returns
// domain.Unversioned for each photo and takes every version for the right one.
func UnversionedPhotoStore(t *testing.T, open func(t *testing.T) ports.PhotoStore) {
	t.Helper()
	clause.Prove(t, photostore.UnversionedClauses(photostore.Large), func(t *testing.T) photostore.Port {
		return photostore.Port{PhotoStore: open(t)}
	})
}

// PhotoLister proves that what open returns keeps the promises of
// ports.PhotoLister: a lister, and the store without photos that it lists.
func PhotoLister(t *testing.T, open func(t *testing.T) (ports.PhotoLister, ports.PhotoStore)) {
	t.Helper()
	clause.Prove(t, photostore.ListerClauses(), func(t *testing.T) photostore.Port {
		lister, store := open(t)
		return photostore.Port{PhotoLister: lister, PhotoStore: store}
	})
}

// PhotoAddresser proves that what open returns keeps the promises of
// ports.PhotoAddresser: an addresser, and the store without photos whose photos
// it has addresses for.
func PhotoAddresser(t *testing.T, open func(t *testing.T) (ports.PhotoAddresser, ports.PhotoStore)) {
	t.Helper()
	clause.Prove(t, photostore.AddresserClauses(), func(t *testing.T) photostore.Port {
		addresser, store := open(t)
		return photostore.Port{PhotoAddresser: addresser, PhotoStore: store}
	})
}

// ApiLog proves that what open returns, a log without entries, keeps the
// promises of ports.ApiLog, as far as it tells by itself what was stored.
// [ApiLogArchive] has the rest.
func ApiLog(t *testing.T, open func(t *testing.T) ports.ApiLog) {
	t.Helper()
	clause.Prove(t, apilog.Clauses(), func(t *testing.T) apilog.Port { return apilog.Port{ApiLog: open(t)} })
}

// ApiLogArchive proves that what open returns keeps the promises of
// ports.ApiLogArchive: an archive, and the ports.ApiLog without entries that it
// reads. It also proves what the log stores.
func ApiLogArchive(t *testing.T, open func(t *testing.T) (ports.ApiLogArchive, ports.ApiLog)) {
	t.Helper()
	clause.Prove(t, apilog.ArchiveClauses(), func(t *testing.T) apilog.Port {
		archive, log := open(t)
		return apilog.Port{ApiLogArchive: archive, ApiLog: log}
	})
}

// CheckPublic fails where the public text of err names what is forbidden, such
// as the host, the path or the password of a backend, or repeats the error's
// cause. The suites can't break a backend: call every method of yours while it
// is down, and check each error with it.
func CheckPublic(err error, forbidden ...string) error { return clause.Public(err, forbidden...) }
