// Package operator holds what operators do: manage fleets, keys and customers,
// import and export them, verify and copy the photos, prune the API log, and
// try everything that calls do.
//
// It stands beside usecase, between ports and adapters. Package cli and app
// import it; it imports domain, ports and usecase.
package operator
