// Package chaos runs real servers of the product under load and faults, and
// checks that no acknowledged change is lost and that record, store and log agree
// in the end. Its tests are built with the tag chaos alone; `task chaos` runs them.
//
// TestRandom draws faults from a seed, which it prints: -seed draws the same ones
// again, although not at the same instants. The other tests are one scenario each.
// A fault is a line in faults_test.go, a set of backends with the faults of its own
// is in sets_test.go, a scenario is a function in a file of its topic.
//
// Nothing imports it.
package chaos
