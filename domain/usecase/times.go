//go:build !chaos

package usecase

import "time"

// CallTimeout is the longest that each half of a call may take: everything up
// to the intent in the API log, and everything from there on.
const CallTimeout = 30 * time.Second

// logTimeout is the longest that one write to the log may take when a call ends.
const logTimeout = 5 * time.Second

// RepairEvery is how often a server has Repair look for open entries.
const RepairEvery = 3 * time.Minute

// LateAfter is the age of an entry after which the photo store carries out no
// request that was signed for it. S3 and Azure refuse requests signed more than 15
// minutes ago. Google's tokens, which a call may get until SettleAfter, expire
// after an hour.
const LateAfter = time.Hour + SettleAfter

// reached marks a step of a call. Under the build tag chaos, tests of crashes kill
// or stop the process there.
func reached(string) {}

// Now is the clock of the use cases. Under the build tag chaos, tests can shift it.
func Now() time.Time { return time.Now() }
