// Package operator has the operators' use cases: they manage fleets, keys and
// customers, import and export customers, copy databases and photos, verify
// photos, prune the API log, and try all that calls do.
//
// It imports domain, ports and usecase. Packages cli and app import it.
package operator
