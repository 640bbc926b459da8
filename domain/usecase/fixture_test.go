package usecase_test

import (
	"testing"

	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
)

// What usecasetest has, by the names of these tests.
const (
	ourFleet      = usecasetest.OurFleet
	disabledFleet = usecasetest.DisabledFleet
	otherFleet    = usecasetest.OtherFleet
	phone         = usecasetest.Phone
	pinlessPhone  = usecasetest.PinlessPhone
	otherPhone    = usecasetest.OtherPhone
	from          = usecasetest.From

	fails  = usecasetest.Fails
	breaks = usecasetest.Breaks
	panics = usecasetest.Panics
	leaves = usecasetest.Leaves
)

var (
	start    = usecasetest.Start
	customer = usecasetest.Customer
	pinless  = usecasetest.Pinless
	rightPIN = usecasetest.RightPIN
	wrongPIN = usecasetest.WrongPIN
	oldPhoto = usecasetest.OldPhoto
	newPhoto = usecasetest.NewPhoto
	picture  = usecasetest.Picture
	told     = usecasetest.Told
	down     = usecasetest.Down
	stateOf  = usecasetest.StateOf
	acting   = usecasetest.Acting
)

type state = usecasetest.State

type world struct{ *usecasetest.World }

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{usecasetest.New(t)}
}
