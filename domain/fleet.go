package domain

// FleetID identifies a fleet: a positive integer.
type FleetID int64

// NewFleetID checks that id is positive. It fails with TypeError.
func NewFleetID(id int64) (FleetID, error) {
	if id <= 0 {
		return 0, Errorf(TypeError, "fleet id: want a positive integer, got %d", id)
	}
	return FleetID(id), nil
}

// Fleet is a taxi fleet, whose systems call with its API keys.
type Fleet struct {
	ID       FleetID
	Name     string // for operators; may be empty
	Disabled bool   // its calls are refused with FleetDisabled
}
