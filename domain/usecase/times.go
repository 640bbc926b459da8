//go:build !chaos

package usecase

import "time"

// CallTimeout is the longest that each half of a call may take: everything up
// to the intent in the API log, and everything from there on.
const CallTimeout = 30 * time.Second

// logTimeout bounds the write of a call that failed, after the caller may have left.
const logTimeout = 5 * time.Second

// RepairEvery is how often a server has Repair look for open entries.
const RepairEvery = 3 * time.Minute

// LateAfter is the age of an entry from which no request that was signed for it
// can be carried out any more: S3 and Azure refuse one after 15 minutes, Google's
// tokens live for an hour.
const LateAfter = time.Hour

// reached is where the tests of crashes, under the build tag chaos, end or stop
// the process.
func reached(string) {}

// Now is the clock of the use cases, which those tests may set.
func Now() time.Time { return time.Now() }
