package contracttests

import "github.com/fleetphoto/fleetphoto/ports"

// Fleets is what FleetAuth proves: the call's port and the operator's role.
type FleetRoles interface {
	ports.FleetAuth
	ports.FleetDirectory
}

// Customers is what CustomerRepo proves.
type CustomerRoles interface {
	ports.CustomerRepo
	ports.CustomerDirectory
	ports.PINKeyBinder
}

// Log is what ApiLog proves.
type LogRoles interface {
	ports.ApiLog
	ports.ApiLogArchive
}

// Photos is what PhotoLister proves.
type PhotoRoles interface {
	ports.PhotoStore
	ports.PhotoLister
}
